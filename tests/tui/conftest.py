"""A terminal that is the same on every machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest


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


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the config would be; its name on screen is the same in every run."""
    monkeypatch.chdir(tmp_path)
    return Path("config.toml")
