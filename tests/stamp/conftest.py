"""Running stamps and their clients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp

from .probe import Client


@pytest.fixture(scope="module")
def entra() -> Iterator[RunningStamp]:
    """A healthy stamp under Entra, seven groups on pages of three."""
    with run_in_thread(StampOptions(groups=7, page_size=3)) as stamp:
        yield stamp


@pytest.fixture(scope="module", params=list(IdentityProvider))
def stamp(request: pytest.FixtureRequest) -> Iterator[RunningStamp]:
    """A healthy stamp of either kind."""
    with run_in_thread(StampOptions(idp=request.param, groups=7, page_size=3)) as running:
        yield running


@pytest.fixture
def client(stamp: RunningStamp) -> Client:
    return Client(stamp)


@pytest.fixture
def start() -> Iterator[Callable[..., RunningStamp]]:
    """Start a stamp with options; it stops with the test."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(run_in_thread(StampOptions(**options)))
