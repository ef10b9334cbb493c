"""Trust stores that this machine has beside the one in use."""

from __future__ import annotations

from pathlib import Path

import certifi
import pytest


def beside_the_one_in_use(path: Path | str) -> dict[str, str]:
    """The variables of a box where CURL_CA_BUNDLE names a store that another comes before."""
    return {"REQUESTS_CA_BUNDLE": certifi.where(), "CURL_CA_BUNDLE": str(path)}


def add_beside(monkeypatch: pytest.MonkeyPatch, path: Path | str) -> None:
    """Set them."""
    for name, value in beside_the_one_in_use(path).items():
        monkeypatch.setenv(name, value)
