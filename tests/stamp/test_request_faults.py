"""Faults of single requests, by number or by method and path."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator

import pytest

from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp

from .probe import Client

GROUP = "{sub}/resourceGroups/rg-made"


@pytest.fixture(scope="module")
def running() -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(groups=1, delete_seconds=0)) as stamp:
        yield stamp


@pytest.fixture
def client(running: RunningStamp) -> Iterator[Client]:
    """A client of a stamp without faults and without the group that tests make."""
    running.fault_at()
    yield Client(running, seconds=1)
    running.fault_at()
    Client(running).arm("DELETE", GROUP)


def make(client: Client, token: str) -> int:
    return client.arm("PUT", GROUP, token=token, body={"location": "local"}).status


@pytest.mark.parametrize(
    ("what", "error", "carried_out"),
    [
        ("drop", http.client.RemoteDisconnected, False),
        ("drop-after", http.client.RemoteDisconnected, True),
        ("reset", ConnectionResetError, False),
        ("reset-after", ConnectionResetError, True),
        ("hang", TimeoutError, False),
        ("hang-after", TimeoutError, True),
    ],
)
def test_a_request_without_an_answer(
    client: Client, what: str, error: type[Exception], carried_out: bool
) -> None:
    token = client.token()
    client.stamp.fault_at(f"PUT */resourcegroups/*={what}")
    with pytest.raises(error):
        make(client, token)
    client.stamp.fault_at()
    assert client.arm("HEAD", GROUP, token=token).status == (204 if carried_out else 404)


def test_a_long_answer_is_cut(client: Client) -> None:
    token = client.token()
    client.stamp.fault_at("GET */providers=cut")
    with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
        client.arm("GET", "{sub}/providers", token=token)


@pytest.mark.parametrize(
    ("what", "status", "carried_out"),
    [
        ("401", 401, False),
        ("throttle:17", 429, False),
        ("500", 500, False),
        ("500-after", 500, True),
        ("502", 502, False),
        ("503:5", 503, False),
        ("504", 504, False),
        ("504-after", 504, True),
    ],
)
def test_another_answer(client: Client, what: str, status: int, carried_out: bool) -> None:
    token = client.token()
    client.stamp.fault_at(f"PUT */resourcegroups/*={what}")
    answer = client.arm("PUT", GROUP, token=token, body={"location": "local"})
    assert answer.status == status
    assert answer.headers.get("retry-after") == (what.partition(":")[2] or None)
    client.stamp.fault_at()
    assert client.arm("HEAD", GROUP, token=token).status == (204 if carried_out else 404)


def test_numbers_and_matches_combine(client: Client) -> None:
    client.stamp.fault_at("2=500", "GET /subscriptions@2=delay:0.3", "GET /subscriptions@3+=504")
    token = client.token()  # the first of all
    seen = []
    for _ in range(4):
        begun = time.perf_counter()
        status = client.arm("GET", "/subscriptions", "2016-06-01", token=token).status
        seen.append((status, time.perf_counter() - begun >= 0.3))
    assert seen == [(500, False), (200, True), (504, False), (504, False)]


@pytest.mark.parametrize("text", ["", "drop", "0=drop", "3=explode", "GET=drop", "3=delay:x"])
def test_a_fault_that_cannot_be_read(text: str) -> None:
    with pytest.raises(ValueError, match="fault"):
        StampOptions(fault_at=(text,))
