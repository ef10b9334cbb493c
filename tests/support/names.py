"""Replacements of the operating system's resolver."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: str | OSError) -> None:
    """Resolve every name to these addresses, or raise this error."""

    def getaddrinfo(_host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        found = []
        for each in answers:
            if isinstance(each, OSError):
                raise each
            family = socket.AF_INET6 if ":" in each else socket.AF_INET
            found.append((family, socket.SOCK_STREAM, 6, "", (each, port)))
        return found

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@contextmanager
def resolver_that_hangs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make every lookup hang while the context lasts."""
    over = threading.Event()

    def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        over.wait(30)
        raise socket.gaierror(socket.EAI_AGAIN, "over")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    try:
        yield
    finally:
        over.set()
