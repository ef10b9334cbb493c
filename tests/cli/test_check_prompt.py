"""`stacktui check` by device code: who is told what, where, and how the wait ends."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from stacktui.stamp import IdentityProvider, SignInKind, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.product import PATIENCE, limited, signing_in, write_config
from tests.support.sessions import trusting_file

PROMPT = re.compile(
    r"stacktui: to sign in at (\S+), open (\S+) in a browser and type the code (\S+) there, "
    r"by \d\d:\d\d:\d\d UTC\n"
)


@contextmanager
def checking(
    stamp: RunningStamp, folder: Path, form: str, *options: str
) -> Iterator[tuple[subprocess.Popen[str], tuple[str, str]]]:
    """A check that waits, and the page and code that it told."""
    described = stamp.describe()
    config = write_config(folder, described, **signing_in(SignInKind.DEVICE_CODE, described))
    check = [sys.executable, "-m", "stacktui", "check", "--config", str(config), "--format", form]
    pipe = subprocess.PIPE
    with subprocess.Popen([*check, *options], stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stderr is not None
        try:
            told = PROMPT.fullmatch(process.stderr.readline())
            assert told is not None
            assert told[1] == urlsplit(stamp.login_url).netloc
            yield process, (told[2], told[3])
        finally:
            process.kill()


def sign_in(stamp: RunningStamp, page: str, code: str) -> None:
    """What a person does with a browser."""
    form = f"user_code={code}&username={stamp.user}&password={stamp.password}"
    with urlopen(Request(page, form.encode()), context=trusting_file(stamp.ca_file)) as done:
        assert done.status == 200


@pytest.mark.parametrize(
    ("form", "idp"),
    [
        ("json", IdentityProvider.AAD), ("json", IdentityProvider.ADFS),
        ("text", IdentityProvider.AAD), ("markdown", IdentityProvider.ADFS),
    ],
)  # fmt: skip
def test_the_check_goes_on_once_somebody_signed_in(
    form: str, idp: IdentityProvider, tmp_path: Path
) -> None:
    with (
        run_in_thread(StampOptions(idp=idp, device_interval=1)) as stamp,
        checking(stamp, tmp_path, form) as (process, prompt),
    ):
        assert prompt[0] == stamp.device_login_url
        sign_in(stamp, *prompt)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, "")
    assert prompt[1] not in out
    if form == "json":
        document = json.loads(out)
        assert document["ok"]
        assert document["steps"][1]["evidence"]["result"]["subject"] == stamp.user


def test_the_step_s_bound_does_not_end_the_wait(tmp_path: Path) -> None:
    """A person needs longer than a step must end in."""
    with (
        run_in_thread(StampOptions(device_interval=1)) as stamp,
        checking(stamp, tmp_path, "json", *limited(step=1)) as (process, prompt),
    ):
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(2)
        sign_in(stamp, *prompt)
        out, _ = process.communicate(timeout=PATIENCE)
    document = json.loads(out)
    assert document["ok"]
    # What was asked over and over is not told over and over.
    assert len(document["steps"][1]["evidence"]["exchanges"]) == 3


def test_ctrl_c_ends_the_wait_at_once(tmp_path: Path) -> None:
    with (
        run_in_thread(StampOptions()) as stamp,
        checking(stamp, tmp_path, "json") as (process, _),
    ):
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        started = time.perf_counter()
        process.wait(10)
        spent = time.perf_counter() - started
    assert process.returncode == 130
    assert spent < 1.0  # the bound is 0.2 s; a busy machine gets some more
