"""What is also seen: warnings that fail no check, each provoked and read from outside."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import certifi
import pytest

from stacktui.check.events import CheckFinished
from stacktui.check.report import Report
from stacktui.check.runner import run
from stacktui.check.settings import load_settings
from stacktui.diagnosis import diagnose
from stacktui.diagnosis.catalogue.advised import ADVISED
from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from tests.product import Ran, check_json, stacktui, write_config

DOMAIN = "local.azurestack.external"
DAY = timedelta(days=1)
IDS = {rule.id for rule in ADVISED}


def check(folder: Path, fault: str | None, idp: IdentityProvider = IdentityProvider.AAD) -> Ran:
    with run_in_thread(StampOptions(domain=DOMAIN, fault=fault, idp=idp)) as stamp:
        return check_json(write_config(folder, stamp.describe()))


def seen(ran: Ran) -> dict[str, Any]:
    return {each["id"]: each for each in ran.document["also_seen"]}


@pytest.mark.parametrize("idp", IdentityProvider)
@pytest.mark.parametrize(
    ("fault", "shown"),
    [
        ("cert-expires-soon", [f"management.{DOMAIN}", "in 20 days"]),
        ("cert-readiness", [f"management.{DOMAIN}", "clientAuth", "extended-key-usage"]),
    ],
)
def test_a_warning_fails_no_check(
    fault: str, shown: list[str], idp: IdentityProvider, tmp_path: Path
) -> None:
    ran = check(tmp_path, fault, idp)
    assert (ran.code, ran.document["ok"], ran.document["verdict"]) == (0, True, None)
    assert list(seen(ran)) == [fault]
    found = seen(ran)[fault]
    assert found["side"] == "stamp"
    assert found["remedies"]
    for text in shown:
        assert any(text in line for line in found["evidence"]), (text, found["evidence"])


def test_a_healthy_stamp_is_not_warned_of(tmp_path: Path) -> None:
    assert seen(check(tmp_path, None)) == {}


@pytest.mark.parametrize(
    "fault",
    ["tls-expired", "tls-name-mismatch", "tls-self-signed", "tls-weak", "tls-untrusted-root"],
)
def test_a_verdict_is_not_said_twice(fault: str, tmp_path: Path) -> None:
    ran = check(tmp_path, fault)
    assert ran.code == 1
    assert IDS.isdisjoint(seen(ran))


def test_a_warning_stands_beside_a_verdict() -> None:
    """A leaf that ends soon, behind a root that nobody here trusts, is reported as both."""
    report = reported("cert-expires-soon", ca="")
    found = diagnose(report)
    assert found.verdict is not None
    assert [each.id for each in found.also_seen] == ["cert-expires-soon"]


def reported(fault: str | None, **replaced: str) -> Report:
    """The report of a check in this process; `replaced` changes the config."""

    async def finished(path: Path) -> Report:
        async for event in run(load_settings(path).target()):
            if isinstance(event, CheckFinished):
                return event.report
        raise AssertionError("no report")

    with (
        run_in_thread(StampOptions(fault=fault)) as stamp,
        tempfile.TemporaryDirectory() as folder,
    ):
        keys = {name: value.format(stamp=stamp) for name, value in replaced.items()}
        return asyncio.run(finished(write_config(Path(folder), stamp.describe(), **keys)))


@pytest.mark.parametrize(
    ("days", "expected"), [(-80, False), (-60, True), (0, True), (20, True), (21, False)]
)
def test_how_soon_is_soon(days: int, expected: bool) -> None:
    """The leaf has 20 days left; from 90 on the portal warns, and an ended one is a verdict."""
    report = reported("cert-expires-soon")
    moved = replace(report, started=report.started + days * DAY)
    assert ("cert-expires-soon" in {each.id for each in diagnose(moved).also_seen}) is expected


@pytest.mark.parametrize(
    ("moved", "skew", "expected"),
    [
        (-80 * DAY, 80 * DAY, True),  # ours is behind: by the stamp's it ends in 20 days
        (0 * DAY, -80 * DAY, True),  # ours is ahead, or theirs behind
        (-80 * DAY, 2 * DAY, False),
        (-80 * DAY, 300_000 * DAY, False),
        (0 * DAY, timedelta(hours=3), True),
    ],
)
def test_either_clock_may_be_wrong(moved: timedelta, skew: timedelta, expected: bool) -> None:
    report = with_skew(reported("cert-expires-soon"), moved, skew)
    (found,) = [each for each in diagnose(report).also_seen if each.id == "cert-expires-soon"] or [
        None
    ]
    assert (found is not None) is expected
    if found is not None:
        clock_lines = [line for line in found.evidence if "one of them is wrong" in line]
        assert bool(clock_lines) is (abs(skew) >= DAY)


def with_skew(report: Report, moved: timedelta, skew: timedelta) -> Report:
    """The report as it were, had it been made so much later, by hosts whose clocks differ."""
    steps = []
    for step in report.steps:
        exchanges = tuple(
            replace(each, response=replace(each.response, clock_skew=skew.total_seconds()))
            if each.response is not None
            else each
            for each in step.evidence.exchanges
        )
        steps.append(replace(step, evidence=replace(step.evidence, exchanges=exchanges)))
    return replace(report, started=report.started + moved, steps=tuple(steps))


def test_the_certificate_that_signs_in() -> None:
    """The application's own certificate ends soon: on this side, whatever the stamp's do."""
    report = reported(None, secret="", certificate='"{stamp.certificate_file}"')
    assert report.ok
    assert report.token is not None
    ends = report.token.certificate_ends
    assert ends is not None
    assert ends is not None
    near = replace(report, started=ends - 12 * DAY - timedelta(hours=1))
    own = [each for each in diagnose(near).also_seen if "identity tester" in each.title]
    assert [(each.id, each.side.value) for each in own] == [("cert-expires-soon", "box")]
    assert "ends in 12 days" in own[0].title
    assert diagnose(report).also_seen == ()


def test_an_addition_that_an_upgrade_threw_away(tmp_path: Path) -> None:
    store = tmp_path / "certifi" / "cacert.pem"
    store.parent.mkdir()
    original = Path(certifi.where()).read_bytes()
    store.write_bytes(original)
    with run_in_thread(StampOptions(domain=DOMAIN)) as stamp:
        config = write_config(tmp_path, stamp.describe())
        added = stacktui("certificates", "trust", stamp.ca_file, "--store", str(store), "--yes")
        assert added.code == 0, added.err
        assert seen(check_json(config)) == {}
        store.write_bytes(original)  # as pip does it
        lost = seen(check_json(config))
        assert list(lost) == ["certifi-addition-lost"]
        found = lost["certifi-addition-lost"]
        assert found["side"] == "box"
        assert any(str(store) in line for line in found["evidence"])
        again, forget = [each["bash"] for each in found["remedies"] if "--store" in each["bash"]]
        assert stacktui(*again.split()[1:], "--yes").code == 0
        assert seen(check_json(config)) == {}
        assert store.read_bytes() != original
        store.unlink()  # as whoever takes the whole program off this machine
        gone = seen(check_json(config))["certifi-addition-lost"]
        assert [each["bash"] for each in gone["remedies"] if "--store" in each["bash"]] == [forget]
        assert stacktui(*forget.split()[1:]).code == 0
        assert seen(check_json(config)) == {}


def test_the_text_of_a_healthy_check_shows_it(tmp_path: Path) -> None:
    with run_in_thread(StampOptions(domain=DOMAIN, fault="cert-expires-soon")) as stamp:
        ran = stacktui("check", "--config", str(write_config(tmp_path, stamp.describe())))
    assert ran.code == 0
    assert "OK in" in ran.out
    assert "! cert-expires-soon" in ran.out
    assert "✗" not in ran.out
