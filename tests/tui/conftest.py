"""Fixtures: a terminal that is the same on every machine, a config, and embedded stamps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.product import config_text

from .screen import write

DOMAIN = "local.azurestack.external"
Start = Callable[..., RunningStamp]


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "STACKTUI_ASCII": "0",
        "TZ": "UTC",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    time.tzset()
    yield
    monkeypatch.delenv("TZ")
    time.tzset()


@pytest.fixture(autouse=True)
def _no_idle_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Continue when the event loop has nothing left to run. Textual's pilot waits for the CPU use
    of the process to drop: at least 40 ms per key, and 2 s while a stamp's thread is busy."""

    async def at_rest(*_limits: float) -> None:
        ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
        await asyncio.sleep(0)
        while ready:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0)

    monkeypatch.setattr("textual.app.wait_for_idle", at_rest)
    monkeypatch.setattr("textual.pilot.wait_for_idle", at_rest)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a path for the config; it is relative, so the same on screen in every run."""
    monkeypatch.chdir(tmp_path)
    return Path("config.toml")


@pytest.fixture(scope="session")
def domain_stamp() -> Iterator[RunningStamp]:
    """A healthy stamp under DOMAIN."""
    with run_in_thread(StampOptions(domain=DOMAIN, idp=IdentityProvider.ADFS)) as stamp:
        yield stamp


@pytest.fixture
def start(config: Path, domain_stamp: RunningStamp) -> Iterator[Start]:
    """Return a function that starts a stamp under DOMAIN and writes a config with `keys`."""
    with ExitStack() as stack:

        def started(*, fault: str | None = None, **keys: str) -> RunningStamp:
            options = StampOptions(domain=DOMAIN, idp=IdentityProvider.ADFS, fault=fault)
            stamp = domain_stamp if fault is None else stack.enter_context(run_in_thread(options))
            write(config, config_text(stamp.describe(), **keys))
            return stamp

        yield started
