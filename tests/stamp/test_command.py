"""`stacktui stamp` as a process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from stacktui.stamp import FAULTS

COMMAND = [sys.executable, "-c", "from stacktui.cli.stamp import command; command()"]
# The same on an event loop without signal handlers, as on Windows.
WITHOUT_LOOP_SIGNALS = (
    "import asyncio\n"
    "asyncio.SelectorEventLoop.add_signal_handler = asyncio.AbstractEventLoop.add_signal_handler\n"
    f"{COMMAND[-1]}"
)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("code", [COMMAND[-1], WITHOUT_LOOP_SIGNALS], ids=["posix", "windows"])
def test_one_line_then_until_a_signal(code: str, number: signal.Signals) -> None:
    arguments = ["--idp", "adfs", "--groups", "3"]
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        described = json.loads(process.stdout.readline())
        folder = Path(described["ca_file"]).parent
        assert folder.is_dir()
        assert process.poll() is None
        process.send_signal(number)
        rest, errors = process.communicate(timeout=10)
    assert (process.returncode, rest, errors) == (0, "", "")
    assert not folder.exists()
    assert described["arm_url"] == f"https://localhost:{described['port']}"
    assert described["login_url"].endswith("/adfs")


@pytest.mark.parametrize("fault", ["tls-timeout", "proxy-refused"])
def test_an_interrupt_while_somebody_is_connected_says_nothing(fault: str) -> None:
    with subprocess.Popen(
        [*COMMAND, "--fault", fault], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        described = json.loads(process.stdout.readline())
        port = int((described["proxy"] or described["arm_url"]).rpartition(":")[2])
        with closing(socket.create_connection(("127.0.0.1", port))) as client:
            client.sendall(b"CONNECT ")
            time.sleep(0.2)  # until the stamp has accepted it
            process.send_signal(signal.SIGINT)
            rest, errors = process.communicate(timeout=10)
    assert (process.returncode, rest, errors) == (0, "", "")


def test_unknown_fault() -> None:
    done = run("--fault", "arm-forbiden")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "arm-forbidden" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--build", "x"],
        ["--groups", "-1"],
        ["--idp", "okta"],
        ["--domain", "a b"],
        ["--port", "x"],
        ["--fault-at", "3=explode"],
        ["--cloud", "public", "--idp", "adfs"],
    ],
)
def test_wrong_usage(arguments: list[str]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")


def test_list_faults() -> None:
    done = run("--list-faults")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(FAULTS)


def test_an_output_that_takes_nothing_is_told_apart_from_a_port() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(COMMAND, stdout=full, stderr=subprocess.PIPE, text=True, timeout=30)
    assert done.returncode == 1
    assert done.stderr == (
        "Error: cannot write what clients need to know: No space left on device\n"
    )


def test_an_output_that_is_closed() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            COMMAND, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=30
        )
    finally:
        os.close(writing)
    assert done.returncode == 1
    assert done.stderr == "Error: cannot write what clients need to know: Broken pipe\n"


def test_a_port_that_is_taken() -> None:
    with closing(socket.socket()) as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        done = run("--port", str(holder.getsockname()[1]))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: cannot listen: ")
