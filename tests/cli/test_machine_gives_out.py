"""Where the machine gives out, a command ends in one line and exit code 3, or does its work.

It is neither a verdict about a stamp nor a file's fault, and what stands on stdout is whole.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stacktui.stamp.running import RunningStamp
from tests.diagnosis.schema import validate
from tests.product import PATIENCE, config_text

pytestmark = [
    pytest.mark.exhaustive,
    pytest.mark.skipif(sys.platform != "linux", reason="limits of another kind"),
]

MIB = 1024 * 1024
FILES = "too many open files: raise the limit (ulimit -n), or end other programs"
MEMORY = "out of memory: end other programs, or raise the limit (ulimit -v)"
THREADS = "cannot start a thread: raise the limit (ulimit -u), or end other programs"
COMMANDS = {
    "check": ("check", "--format", "json"),
    "certificates": ("certificates", "show", "--format", "json"),
    "environments": ("environments", "show", "--format", "json"),
}


@pytest.fixture(scope="module")
def config(entra_stamp: RunningStamp) -> Iterator[Path]:
    """Where any user may read it; by a name, which a resolver must look up."""
    folder = Path(tempfile.mkdtemp(prefix="stacktui-limits-"))
    folder.chmod(0o755)
    path = folder / "config.toml"
    path.write_text(config_text(entra_stamp.describe()), encoding="utf-8")
    yield path
    shutil.rmtree(folder)


def ended(config: Path, command: str, what: int, limit: int) -> tuple[int, Any]:
    """The exit code of a command under a limit, and what it wrote: each is right by itself."""
    done = subprocess.run(
        [sys.executable, "-m", "stacktui", *COMMANDS[command], "--config", str(config)],
        preexec_fn=lambda: resource.setrlimit(what, (limit, limit)),
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return concluded(command, done)


def concluded(command: str, done: subprocess.CompletedProcess[str]) -> tuple[int, str]:
    document = json.loads(done.stdout) if done.stdout else None
    if command == "check" and document is not None:
        validate(document)
        # The stamp is healthy: whatever else is said of it is wrong.
        assert document["ok"], document["verdict"]
    if done.returncode == 0:
        assert document is not None
        assert done.stderr == ""
        return 0, ""
    said = done.stderr.removeprefix("stacktui: ")
    assert (done.returncode, said.count("\n")) == (3, 1), done
    return 3, said.rstrip("\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_without_descriptors(command: str, config: Path) -> None:
    found = [ended(config, command, resource.RLIMIT_NOFILE, limit) for limit in (5, 6, 7, 16)]
    assert {said for code, said in found if code} <= {FILES}
    assert found[-1][0] == 0
    assert command == "environments" or found[0] == (3, FILES)


@pytest.mark.parametrize("command", ["check", "certificates"])
def test_without_memory(command: str, config: Path) -> None:
    found = [ended(config, command, resource.RLIMIT_AS, limit * MIB) for limit in (64, 136, 1024)]
    assert {said for code, said in found if code} <= {MEMORY, THREADS}
    assert (found[0][0], found[-1][0]) == (3, 0)


@pytest.mark.skipif(
    os.geteuid() == 0 and not shutil.which("setpriv"), reason="no limit of processes for root"
)
@pytest.mark.parametrize("command", ["check", "certificates"])
def test_without_threads(command: str, config: Path) -> None:
    # A user without another process, who may read what root may.
    user = ["setpriv", "--reuid=61234", "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    found = []
    for limit in (1, 2, 20):
        done = subprocess.run(
            [*(user if os.geteuid() == 0 else []), "prlimit", f"--nproc={limit}",
             sys.executable, "-m", "stacktui", *COMMANDS[command], "--config", str(config)],
            capture_output=True, stdin=subprocess.DEVNULL, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        found.append(concluded(command, done))
    assert {said for code, said in found if code} == {THREADS}
    assert (found[0][0], found[-1][0]) == (3, 0) if os.geteuid() == 0 else found[0][0] == 3


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_may_not_grow(command: str, config: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    with target.open("wb") as out:
        done = subprocess.run(
            [sys.executable, "-m", "stacktui", *COMMANDS[command], "--config", str(config)],
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
            stdout=out,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE,
            check=False,
        )
    told = b"stacktui: cannot write the result: File too large\n"
    assert (done.returncode, done.stderr, target.read_bytes()) == (3, told, b"")


@pytest.mark.parametrize("command", ["certificates", "environments"])  # of check elsewhere
def test_a_full_disk(command: str, config: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "stacktui", *COMMANDS[command], "--config", str(config)],
            stdout=full,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE,
            check=False,
        )
    told = b"stacktui: cannot write the result: No space left on device\n"
    assert (done.returncode, done.stderr) == (3, told)
