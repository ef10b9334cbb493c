"""ARM's refusals and broken answers, provoked on the wire, and their neighbours."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from stacktui.resources import subscriptions
from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from tests.diagnosis.drills import DOMAIN, ENTRA, drill, verdict_of
from tests.diagnosis.servers import SUBSCRIPTION, Script, arm_error, said, scripted, verdict_on
from tests.product import check_json, limited, write_config
from tests.support.pasted import Shell
from tests.support.web import Raw, answer

# fault: the side it is on, and what the evidence must show
PROVOKED = {
    "no-subscriptions": ("stamp", ["ARM lists no subscription", "SubscriptionNotFound"]),
    "subscription-not-found": ("stamp", ["this identity sees ", "SubscriptionNotFound"]),
    "subscription-disabled": ("stamp", [", Disabled)", "DisabledSubscription"]),
    "api-version-unsupported": ("box", ["the stamp names: ", "2017-03-09-profile fits"]),
    "arm-throttled": ("stamp", ["Retry-After: 17", "TooManyRequests", "x-ms-request-id: "]),
    "arm-unavailable": ("stamp", ["Retry-After: 60", "ServiceUnavailable", "x-ms-request-id: "]),
    "arm-not-json": ("stamp", ["reading it stopped: ", "character", "x-ms-request-id: "]),
    "arm-reset": ("stamp", ["body-truncated", "the check began "]),
    "paging-loop": ("stamp", ["nextLink: https://management."]),
    "paging-foreign-host": ("stamp", ["nextLink: https://management.east.fabrikam.invalid"]),
}


@pytest.mark.parametrize("idp", list(IdentityProvider))
@pytest.mark.parametrize("fault", PROVOKED)
def test_a_fault_of_arm_is_named(fault: str, idp: IdentityProvider, tmp_path: Path) -> None:
    side, shown = PROVOKED[fault]
    verdict = verdict_of(drill(fault, tmp_path, idp), "resource-groups")
    assert (verdict["id"], verdict["side"]) == (fault, side)
    for text in shown:
        assert any(text in line for line in verdict["evidence"]), (text, verdict["evidence"])


def test_an_arm_that_never_answers_is_named(tmp_path: Path) -> None:
    verdict = verdict_of(
        drill("arm-timeout", tmp_path, ENTRA, *limited(first_byte=0.7)), "resource-groups"
    )
    assert (verdict["id"], verdict["side"]) == ("arm-timeout", "stamp")
    assert verdict["title"] == "ARM did not answer in 0.7 s"


@pytest.mark.parametrize("fault", ["no-subscriptions", "subscription-disabled"])
def test_the_first_enabled_subscription_is_missed_alike(fault: str, tmp_path: Path) -> None:
    verdict = verdict_of(drill(fault, tmp_path, ENTRA, subscription=""), "resource-groups")
    assert verdict["id"] == fault


def test_no_subscription_names_the_grant_where_the_id_is_known(tmp_path: Path) -> None:
    verdict = verdict_of(drill("no-subscriptions", tmp_path, ENTRA), "resource-groups")
    first, portal, _ = verdict["remedies"]
    assert re.match(
        r"stacktui identities grant [0-9a-f-]{36} --role Reader "
        r"--scope /subscriptions/[0-9a-f-]{36} ",
        first["bash"],
    )
    assert (first["action"]["kind"], portal["bash"]) == ("grant", "")
    verdict = verdict_of(
        drill("no-subscriptions", tmp_path, ENTRA, subscription=""), "resource-groups"
    )
    assert [each["bash"] for each in verdict["remedies"]] == ["", ""]


def test_the_profile_that_fits_is_the_mend(tmp_path: Path) -> None:
    options = StampOptions(fault="api-version-unsupported", idp=ENTRA, domain=DOMAIN)
    with run_in_thread(options) as stamp:
        described = stamp.describe()
        config = write_config(tmp_path, described)
        first = verdict_of(check_json(config), "resource-groups")
        assert Shell(tmp_path).check_after(first["remedies"][0]["bash"], config=config)["ok"]
    assert first["remedies"][1]["bash"] == "az cloud update --profile 2017-03-09-profile"


def test_a_subscription_that_is_seen_is_the_mend(tmp_path: Path) -> None:
    options = StampOptions(fault="subscription-not-found", idp=ENTRA, domain=DOMAIN)
    with run_in_thread(options) as stamp:
        described = stamp.describe()
        config = write_config(tmp_path, described)
        first = verdict_of(check_json(config), "resource-groups")
        for remedy in first["remedies"]:  # name another, or none: both find a usable one
            assert remedy["action"]["key"] == "subscription"
            write_config(tmp_path, described)
            assert Shell(tmp_path).check_after(remedy["bash"], config=config)["ok"]


class Listing(Script):
    """A stamp that says one thing of its subscriptions, and another of the groups in one."""

    listed: Raw = answer()

    def answer(self, asked: Any) -> Raw:
        is_list = asked.target.startswith("/subscriptions?")
        return self.listed if is_list else super().answer(asked)


async def verdict(folder: Path, groups: Raw, listed: Raw | None = None) -> dict[str, Any]:
    script = Listing(groups=groups)
    script.listed = listed or groups
    async with scripted(script) as web:
        return await verdict_on(folder, web.url)


NOT_FOUND = arm_error("404 Not Found", "SubscriptionNotFound", "It could not be found.")


async def test_subscriptions_that_cannot_be_listed_hide_nothing(tmp_path: Path) -> None:
    found = await verdict(tmp_path, NOT_FOUND, arm_error("500 Error", "InternalServerError"))
    assert found["id"] == "subscription-not-found"
    assert "which subscriptions this identity sees could not be read" in found["evidence"]


async def test_subscriptions_that_never_come_hide_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "_BESIDE", 0.5)
    found = await verdict(tmp_path, NOT_FOUND, Raw(b"", then="hang"))
    assert found["id"] == "subscription-not-found"


SEVERAL = "The supported api-versions are '2016-02-01, 2018-02-01, 2018-05-01-preview'."
VERSIONS = {
    "InvalidApiVersionParameter": ("The supported versions are '2018-05-01,2018-02-01'.",
                                   "2019-03-01-hybrid"),
    "NoRegisteredProviderFound": (SEVERAL, "2018-03-01-hybrid"),
}  # fmt: skip


@pytest.mark.parametrize("code", VERSIONS)
async def test_the_newest_profile_that_fits_is_named(code: str, tmp_path: Path) -> None:
    message, profile = VERSIONS[code]
    found = await verdict(tmp_path, arm_error("400 Bad Request", code, message))
    assert found["id"] == "api-version-unsupported"
    assert found["remedies"][0]["action"] == {"kind": "set", "key": "profile", "value": profile}


async def test_versions_that_no_profile_asks_for_name_none(tmp_path: Path) -> None:
    said_ = arm_error("400 Bad", "InvalidApiVersionParameter", "Ask for another '2016-02-01'.")
    found = await verdict(tmp_path, said_)
    assert found["id"] == "api-version-unsupported"
    (remedy,) = found["remedies"]
    assert "2018-03-01-hybrid (1808 to 1903)" in remedy["title"]
    assert remedy["bash"] == ""


async def test_a_wait_that_is_no_number_becomes_no_command(tmp_path: Path) -> None:
    said_ = said({"error": {"code": "TooManyRequests", "message": ""}}, "429 Slow",
                 Retry_After="1; reboot")  # fmt: skip
    found = await verdict(tmp_path, said_)
    assert found["id"] == "arm-throttled"
    assert "Retry-After: 1; reboot" in found["evidence"]
    assert all("reboot" not in each["bash"] + each["powershell"] for each in found["remedies"])


LINK = f"/subscriptions/{SUBSCRIPTION}/resourcegroups?$skiptoken=1"
PAGE = b"<html><h1>Sign in to the network</h1></html>"
NEIGHBOURS = {
    "another 404": arm_error("404 Not Found", "ResourceGroupNotFound"),
    "a 404 without a code": answer(b"nothing", status="404 Not Found"),
    "another 400": arm_error("400 Bad Request", "InvalidFilterInQueryString"),
    "another 409": arm_error("409 Conflict", "MissingSubscriptionRegistration"),
    "a gateway's 429": answer(PAGE, status="429 Too Many Requests"),
    "a gateway's 503": answer(PAGE, status="503 Service Unavailable"),
}


@pytest.mark.parametrize("case", NEIGHBOURS)
async def test_a_neighbour_stays_unexplained(case: str, tmp_path: Path) -> None:
    assert (await verdict(tmp_path, NEIGHBOURS[case]))["id"] == "unexplained"


async def test_a_link_to_plain_http_is_no_host_to_move_to(tmp_path: Path) -> None:
    found = await verdict(tmp_path, said({"value": [], "nextLink": f"http://127.0.0.1{LINK}"}))
    assert found["id"] == "paging-foreign-host"
    # The host is the answer's own word: no command and no key leads there.
    assert not [each for each in found["remedies"] if each["bash"] or each["action"]]
    assert all("arm = " not in each["title"] for each in found["remedies"])


async def test_a_connection_that_ends_early_is_a_reset(tmp_path: Path) -> None:
    found = await verdict(tmp_path, Raw(b"", then="reset"))
    assert found["id"] == "arm-reset"
