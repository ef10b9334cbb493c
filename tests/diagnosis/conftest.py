"""Fixtures of the verdict tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import listeners


@pytest.fixture(name="closed_port")
def _closed_port() -> Iterator[int]:
    """A loopback port that is ours and on which nothing listens."""
    with listeners.closed_port() as port:
        yield port
