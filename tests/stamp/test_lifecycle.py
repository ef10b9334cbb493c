"""Start and stop: time, cleanliness, errors."""

from __future__ import annotations

import asyncio
import json
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stacktui.stamp import FAULTS, StampOptions, run_in_thread, serve
from stacktui.stamp.running import RunningStamp

from .probe import Client, walk

COLD_START = """
import time
from stacktui.stamp import StampOptions, run_in_thread
begun = time.perf_counter()
with run_in_thread(StampOptions()):
    print(time.perf_counter() - begun)
"""

IMPORTED = """
import sys
import stacktui.stamp
print(*sorted(sys.modules))
"""

HEAVY = {"asyncio", "ssl", "h11", "cryptography", "click", "textual", "httpx", "msal", "rich"}


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_start_time_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Print the times only: benchmarks judge them."""
    cold = float(run(COLD_START))
    begun = time.perf_counter()
    with run_in_thread(StampOptions()):
        warm = time.perf_counter() - begun
    with capsys.disabled():
        print(f"\nstamp start: {cold:.3f} s with imports, {warm:.3f} s without")


def test_importing_is_cheap_and_stands_alone() -> None:
    modules = run(IMPORTED).split()
    assert not HEAVY.intersection(modules)
    ours = {name.split(".")[1] for name in modules if name.startswith("stacktui.")}
    assert ours == {"stamp"}


def test_a_running_stamp_imports_none_of_the_product() -> None:
    code = COLD_START + "import sys; print(*sorted(sys.modules))"
    ours = {name.split(".")[1] for name in run(code).split() if name.startswith("stacktui.")}
    assert ours == {"stamp"}


def test_nothing_is_left_behind() -> None:
    before = {thread.ident for thread in threading.enumerate()}
    with run_in_thread(StampOptions()) as stamp:
        folder, port = Path(stamp.ca_file).parent, stamp.port
        # A connection that stays open must not delay the stop.
        lingering = socket.create_connection(("127.0.0.1", port))
        assert walk(stamp) == "ok 18"
    lingering.close()
    assert not folder.exists()
    assert {thread.ident for thread in threading.enumerate()} == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


@pytest.mark.parametrize("fault", ["tls-timeout", "tcp-reset", "tcp-refused", "metadata-timeout"])
def test_a_faulty_stamp_stops_too(fault: str) -> None:
    with run_in_thread(StampOptions(fault=fault)) as stamp:
        walk(stamp, 0.3)
    assert not stamp.folder.exists()


def test_a_taken_port_is_raised_in_the_caller(entra: RunningStamp) -> None:
    with (
        pytest.raises(OSError, match="already in use"),
        run_in_thread(StampOptions(port=entra.port)),
    ):
        pass


def test_stops_when_the_caller_fails() -> None:
    with pytest.raises(RuntimeError, match="mine"), run_in_thread(StampOptions()) as stamp:
        raise RuntimeError("mine")
    assert not stamp.folder.exists()


async def test_serves_on_the_running_loop() -> None:
    async with serve(StampOptions()) as stamp:
        assert await asyncio.to_thread(walk, stamp) == "ok 18"
    assert not stamp.folder.exists()


def test_two_stamps_share_nothing(start: Callable[..., RunningStamp]) -> None:
    one, two = start(), start()
    token = Client(one).token()
    assert Client(two).arm("GET", "{sub}/resourcegroups", token=token).code == (
        "InvalidAuthenticationToken"
    )
    differing = ("tenant", "client_id", "secret", "password", "subscription_id")
    assert all(getattr(one, name) != getattr(two, name) for name in differing)


def test_files_are_private(entra: RunningStamp) -> None:
    def mode(path: str | Path) -> int:
        return stat.S_IMODE(Path(path).stat().st_mode)

    assert mode(entra.folder) == 0o700
    files = (entra.secret_file, entra.password_file, entra.certificate_file, entra.ca_file)
    for path in files:
        assert mode(path) == 0o600
    assert Path(entra.secret_file).read_text() == entra.secret
    assert Path(entra.password_file).read_text() == entra.password
    assert set(entra.folder.iterdir()) == set(map(Path, files))


def test_describes_itself_in_json(stamp: RunningStamp) -> None:
    described = json.loads(json.dumps(stamp.describe()))
    for name in ("arm_url", "ca_file", "tenant", "client_id", "secret", "certificate_file"):
        assert described[name] == getattr(stamp, name)
    for name in ("user", "password", "subscription_id", "imds_url", "login_url", "port"):
        assert described[name] == getattr(stamp, name)
    assert described["idp"] == stamp.idp.value


def test_log_holds_no_secret(entra: RunningStamp) -> None:
    walk(entra)
    shown = repr(entra.requests)
    assert entra.secret not in shown
    assert "Bearer" not in shown
    assert "eyJ" not in shown
    last = entra.requests[-1]
    assert (last.method, last.status, last.authorized) == ("GET", 200, True)
    assert last.path.endswith("/resourcegroups")


@pytest.mark.parametrize(
    "options",
    [
        {"build": "21"},
        {"build": "2113"},
        {"groups": 20_001},
        {"groups": -1},
        {"page_size": 0},
        {"latency": -0.1},
        {"port": 65536},
        {"domain": "no spaces"},
        {"domain": "localhost"},
        {"idp": "okta"},
        {"fault": "nothing-like-it"},
    ],
)
def test_bad_options(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        StampOptions(**options)  # type: ignore[arg-type]


def test_latency_is_before_each_answer(start: Callable[..., RunningStamp]) -> None:
    client = Client(start(latency=0.2))
    begun = time.monotonic()
    assert client.metadata().status == 200
    assert time.monotonic() - begun >= 0.2


def test_every_fault_has_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for fault, entry in FAULTS.items():
        assert fault == fault.lower()
        assert entry.summary
        assert "\n" not in entry.summary
