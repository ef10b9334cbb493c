"""`az rest` of a real az 2.66 and `stacktui rest` get the same answers, and see what each made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.product import stacktui, write_config

from .az import Az
from .conftest import CLOUD
from .test_az_resources import REGISTER, SIGN_IN, Session

BODY = '{"location": "local", "tags": {"made": "here"}}'
READ = (
    "/subscriptions?api-version=2016-06-01",
    "/subscriptions/{subscription_id}/resourcegroups?api-version=2019-10-01",
    "/subscriptions/{subscription_id}/providers/Microsoft.Compute?api-version=2019-10-01",
    "/subscriptions/{subscription_id}/resourceGroups/by-us?api-version=2019-10-01",
)
MISSING = "/subscriptions/{subscription_id}/resourceGroups/nothing?api-version=2019-10-01"


@pytest.fixture(scope="module")
def stamp(az_path: Path) -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(groups=5, delete_seconds=0.1, retry_after=0)) as running:
        yield running


def by_az(method: str, path: str, *words: str) -> str:
    rest = f"rest --method {method} --resource {{identity_provider_audience}} --url {{arm_url}}"
    return " ".join((f"{rest}{path}", *words))


def test_the_same_requests_have_the_same_answers(
    az_path: Path, stamp: RunningStamp, tmp_path: Path
) -> None:
    az = Az(az_path, tmp_path, {"REQUESTS_CA_BUNDLE": stamp.ca_file})
    config = write_config(tmp_path, stamp.describe())
    body = tmp_path / "body.json"
    body.write_text(BODY)
    groups = "/subscriptions/{subscriptionId}/resourceGroups"

    def ours(method: str, path: str, *words: str) -> object:
        ran = stacktui("rest", method, path, *words, "--config", config)
        assert ran.code == 0, ran
        return json.loads(ran.out) if ran.out else None

    made = ours("PUT", f"{groups}/by-us", "--body", BODY, "--yes")
    put = by_az("put", READ[3].replace("by-us", "by-az"), f"--body @{body}")
    session = Session(
        az, stamp, REGISTER, f"cloud set -n {CLOUD}", SIGN_IN,
        put, *(by_az("get", path) for path in READ), by_az("get", MISSING),
    )  # fmt: skip
    put_by_az = session.json(put)
    assert session.json(by_az("get", READ[3])) == made
    for path in READ:
        found = ours("GET", path.format(**stamp.describe()))
        assert session.json(by_az("get", path)) == found
    assert ours("GET", f"{groups}/by-az") == put_by_az
    assert "ResourceGroupNotFound" in session.failed(by_az("get", MISSING))
    missing = stacktui("rest", "GET", MISSING.format(**stamp.describe()), "--config", config)
    assert (missing.code, "ResourceGroupNotFound" in missing.err) == (1, True)
    for name in ("by-us", "by-az"):
        ours("DELETE", f"{groups}/{name}", "--yes", "--wait")
    left = Session(az, stamp, "group list")
    assert {"by-us", "by-az"}.isdisjoint(left.names("group list"))
