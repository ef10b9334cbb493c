"""A real mitmproxy in front of a stamp, as an explicit and as a transparent proxy.

Its own checks stay on: it trusts the stamp's root and nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stacktui.stamp.running import RunningStamp

from .own_venv import own_venv, wanted

TURN_ON = "set STACKTUI_COMPAT=1 to have mitmproxy installed into .cache (130 MB)"
ADDON = Path(__file__).with_name("towards_stamp.py")


def find() -> Path | None:
    """Return `mitmdump`, installed if missing; None where nothing may be installed."""
    return (
        own_venv("mitmproxy", ["mitmproxy>=11"], _works) / "bin" / "mitmdump" if wanted() else None
    )


def _works(folder: Path) -> bool:
    program = folder / "bin" / "mitmdump"
    return program.exists() and subprocess.run(
        [program, "--version"], capture_output=True, check=False
    ).returncode == 0  # fmt: skip


@dataclass(frozen=True, slots=True)
class Interceptor:
    """A running mitmproxy: URL of its proxy, and pins of the stamp's hosts to it."""

    url: str
    pins: dict[str, str]
    root: Path


@contextmanager
def intercepting(
    mitmdump: Path, stamp: RunningStamp, folder: Path, *options: str
) -> Iterator[Interceptor]:
    """Run mitmproxy with its files in `folder`; an existing CA there is used."""
    hosts = [pin for pin in stamp.resolve if not pin.startswith("*")]
    modes = [f"reverse:https://{host}" for host in hosts]
    # Port 0 works once per address: each listener gets its own loopback address.
    specs = [f"{mode}@127.0.0.{n}:0" for n, mode in enumerate(["regular", *modes], 1)]
    process = subprocess.Popen(
        [mitmdump, "-q", "-s", ADDON, *_settings(stamp, folder), *options,
         *(word for spec in specs for word in ("--mode", spec))],
        env=dict(os.environ) | {"STAMP_PINS": json.dumps(dict(stamp.resolve))},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        regular, *reverse = _addresses(process, specs)
        root = folder / "mitmproxy-ca-cert.pem"
        yield Interceptor(f"http://{regular}", dict(zip(hosts, reverse, strict=True)), root)
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _settings(stamp: RunningStamp, folder: Path) -> Iterator[str]:
    settings = {"confdir": str(folder), "ssl_verify_upstream_trusted_ca": stamp.ca_file}
    for name, value in settings.items():
        yield from ("--set", f"{name}={value}")


def _addresses(process: subprocess.Popen[str], specs: Sequence[str]) -> list[str]:
    """Return `host:port` of each listener, in order."""
    assert process.stdout is not None
    said = process.stdout.readline()
    if not said.startswith("{"):
        process.kill()
        raise RuntimeError(f"mitmproxy did not start: {said}{process.stdout.read()}")
    listening = json.loads(said)
    return [":".join(map(str, listening[spec])) for spec in specs]
