"""Who is asked whether it may grant a role, and whose secret stays here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stacktui.check.events import CheckFinished
from stacktui.check.report import Report
from stacktui.check.role_grant import GrantError, grant_reader, grantee, grantors, why_not
from stacktui.check.runner import run
from stacktui.check.settings import Settings, load_settings
from stacktui.environments.metadata import Metadata
from stacktui.environments.record import StampRecord, write_record
from stacktui.identities.token_source import TokenSource
from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from stacktui.transport.limits import Limits
from tests.product import write_config

IDENTITIES = """
[environments.Admin]
arm = "https://adminmanagement.local.example"
identity = "admin"
[environments.West]
arm = "https://management.west.example"
identity = "west"
[identities.free]
kind = "managed-identity"
[identities.code]
kind = "device-code"
[identities.typed]
kind = "user"
username = "x@y.example"
password = { prompt = true }
"""


@pytest.fixture(scope="module", params=list(IdentityProvider))
def stamp(request: pytest.FixtureRequest) -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(idp=request.param, role=None, groups=3)) as running:
        yield running


def user(stamp: RunningStamp, name: str) -> str:
    return (
        f'[identities.{name}]\nkind = "user"\nusername = "{stamp.user}"\n'
        f'tenant = "{stamp.tenant}"\npassword = {{ file = "{stamp.password_file}" }}\n'
    )


async def forbidden(config: Path) -> tuple[Report, Settings]:
    settings = load_settings(config)
    events = [each async for each in run(settings.target("Test"))]
    assert isinstance(events[-1], CheckFinished)
    return events[-1].report, settings


@pytest.fixture
async def one_stamp(stamp: RunningStamp, tmp_path: Path) -> tuple[Report, Settings]:
    """A config of this stamp alone, with one identity beside that of the environment."""
    identity = user(stamp, "owner")
    return await forbidden(write_config(tmp_path, stamp.describe(), identity=identity))


async def test_only_secrets_that_are_meant_for_this_login_host_are_sent_unasked(
    stamp: RunningStamp, tmp_path: Path
) -> None:
    more = IDENTITIES + user(stamp, "admin") + user(stamp, "west")
    config = write_config(tmp_path, stamp.describe(), identity=more)
    report, settings = await forbidden(config)

    def known() -> dict[str, bool]:
        return {each.identity.name: each.known_here for each in grantors(report, settings)}

    # Of stamps that were never checked, nothing is known. `code` and `typed` need a person.
    unknown = dict.fromkeys(("west", "free", "code", "typed"), False)
    assert known() == {"admin": False, **unknown}
    metadata = report.step("metadata").evidence.result
    assert isinstance(metadata, Metadata)
    logins = {"Admin": metadata.login_endpoint, "West": "https://adfs.west.example/adfs"}
    for name, login in logins.items():
        environment = settings.environments[name]
        record = StampRecord(environment.arm, login, "https://audience", datetime.now(UTC))
        assert write_record(config, environment, record) == ""
    assert known() == {"admin": True, **unknown}
    assert grantors(report, settings)[0].known_here


async def test_of_one_stamp_alone_every_identity_is_meant_for_it(
    stamp: RunningStamp, one_stamp: tuple[Report, Settings]
) -> None:
    (found,) = grantors(*one_stamp)
    assert (found.identity.name, found.known_here) == ("owner", True)
    scope = f"/subscriptions/{stamp.subscription_id}"
    principal, tokens = grantee(one_stamp[0], stamp.object_id), TokenSource()
    target = one_stamp[0].target
    assert target.identity is not None
    tester = replace(found.sign_in, identity=target.identity)
    asked = await why_not([found.sign_in, tester], tokens, scope)
    assert asked == {"owner": "", "tester": "it may not assign roles"}
    with pytest.raises(GrantError, match="AuthorizationFailed"):
        await grant_reader(tester, tokens, scope, principal)
    first = await grant_reader(found.sign_in, tokens, scope, principal)
    again = await grant_reader(found.sign_in, tokens, scope, principal)
    assert (first.changed, again.changed) == (True, False)
    assert first.id.startswith(scope)


async def test_a_grant_whose_response_is_lost_is_looked_for(
    stamp: RunningStamp, one_stamp: tuple[Report, Settings]
) -> None:
    (found,) = grantors(*one_stamp)
    scope = f"/subscriptions/{stamp.subscription_id}/resourceGroups/rg-web-prod-01"
    principal, tokens = grantee(one_stamp[0], stamp.object_id), TokenSource()
    try:
        stamp.fault_at("PUT *=500-after", "GET */roleassignments=500")
        with pytest.raises(GrantError, match=r"is unknown: .*; again is safe"):
            await grant_reader(found.sign_in, tokens, scope, principal)
        stamp.fault_at("PUT *@1=500-after")
        assert (await grant_reader(found.sign_in, tokens, scope, principal)).changed
    finally:
        stamp.fault_at()


async def test_one_that_does_not_answer_holds_up_nobody(
    stamp: RunningStamp, one_stamp: tuple[Report, Settings]
) -> None:
    (found,) = grantors(*one_stamp)
    stamp.fault_at("* *=hang")
    try:
        environment = replace(found.sign_in.environment, limits=Limits(step=0.5))
        asked = replace(found.sign_in, environment=environment)
        assert await why_not([asked], TokenSource(), "/subscriptions/x") == {
            "owner": "no answer in 0.5 s"
        }
    finally:
        stamp.fault_at()
