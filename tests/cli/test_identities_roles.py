"""`stacktui identities roles`, `grant` and `revoke` from outside, on a stamp of each kind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.diagnosis.servers import Script, config_for, scripted, token
from tests.product import Ran, stacktui, write_config

DOMAIN = "local.azurestack.external"
AS_OWNER = ("--identity", "owner", "--yes")
GROUP = "rg-web-prod-01"


@pytest.fixture(scope="module", params=list(IdentityProvider))
def stamp(request: pytest.FixtureRequest) -> Iterator[RunningStamp]:
    """A stamp whose application, `tester`, has no role, and whose user, `owner`, has all."""
    options = StampOptions(idp=request.param, role=None, domain=DOMAIN, hostile=True)
    with run_in_thread(options) as running:
        yield running


@pytest.fixture
def config(stamp: RunningStamp, tmp_path: Path) -> Iterator[Path]:
    owner = (
        f'[identities.owner]\nkind = "user"\nusername = "{stamp.user}"\n'
        f'tenant = "{stamp.tenant}"\npassword = {{ file = "{stamp.password_file}" }}\n'
    )
    config = write_config(tmp_path, stamp.describe(), identity=owner)
    yield config
    for words in ((), ("--group", GROUP)):
        ran = on(config, "revoke", "tester", "--role", "Reader", *AS_OWNER, *words)
        assert ran.code == 0, ran


def on(config: Path, *words: str) -> Ran:
    return stacktui("identities", *words, "--config", config)


def changes(stamp: RunningStamp) -> list[str]:
    """What changed something in ARM, or was to."""
    methods = ("PUT", "DELETE", "PATCH")
    return [each.path for each in stamp.requests if each.method in methods]


def test_403_then_a_grant_then_200_then_a_revocation(config: Path, stamp: RunningStamp) -> None:
    refused = stacktui("check", "--config", config, "--format", "json")
    verdict = refused.document["verdict"]
    assert (refused.code, verdict["id"]) == (1, "arm-forbidden")
    # The remedy's own line, as the owner runs it.
    assert f"identities grant {stamp.object_id} --role Reader" in verdict["remedies"][0]["bash"]
    scope = f"/subscriptions/{stamp.subscription_id}"
    words = ("grant", stamp.object_id, "--role", "Reader", "--scope", scope)
    granted = on(config, *words, *AS_OWNER)
    assert (granted.code, granted.err) == (0, "")
    assert granted.out == f"✓ {stamp.object_id} now has Reader on subscription {scope[15:]}\n"
    assert stacktui("check", "--config", config).code == 0
    again = on(config, "grant", "tester", "--role", "reader", *AS_OWNER, "--format", "json")
    assert (again.code, again.document["changed"]) == (0, False)
    revoked = on(config, "revoke", "tester", "--role", "Reader", *AS_OWNER)
    assert revoked.code == 0
    assert revoked.out.startswith(f"✓ revoked Reader of {stamp.object_id} (identity tester)")
    assert stacktui("check", "--config", config).code == 1
    nothing = on(config, "revoke", "tester", "--role", "Reader", *AS_OWNER, "--format", "json")
    assert (nothing.code, nothing.document["changed"]) == (0, False)


def test_who_am_i_and_what_may_i_do_here(config: Path, stamp: RunningStamp) -> None:
    before = on(config, "roles")
    assert before.code == 1
    lines = [line.split(maxsplit=1) for line in before.out.splitlines()]
    assert ["signed", f"in  {stamp.client_id}"] in lines
    assert ["object", f"id  {stamp.object_id}"] in lines
    assert ["you", "may    nothing"] in lines
    assert "the role assignments: 403 AuthorizationFailed" in before.err
    assert f"stacktui identities grant {stamp.object_id} --role Reader " in before.err
    assert "stacktui check" not in before.err, "nothing is wrong that a check would find"

    on(config, "grant", "tester", "--role", "Reader", "--group", GROUP, *AS_OWNER)
    after = on(config, "roles", "--group", GROUP)
    assert (after.code, after.err) == (0, "")
    assert f"Reader on resource group {GROUP} · direct" in after.out
    document = on(config, "roles", "--group", GROUP, "--format", "json").document
    assert list(document) == [
        "schema", "environment", "identity", "subject", "object_id", "tenant", "scope", "may",
        "permissions", "assignments",
    ]  # fmt: skip
    assert document["may"] == ["read"]
    (held,) = document["assignments"]
    assert (held["role"]["name"], held["reach"], held["group"]) == ("Reader", "direct", None)

    owner = on(config, "roles", "--group", GROUP, "--identity", "owner", "--format", "json")
    assert owner.document["may"] == ["read", "write", "delete", "assign roles"]
    found = {
        (each["role"]["name"], each["reach"], each["group"])
        for each in owner.document["assignments"]
    }
    assert found == {
        ("Owner", "inherited", None),
        ("Reader", "inherited", stamp.group_object_id),
    }


def test_by_its_id_and_what_is_inherited_stays(config: Path, stamp: RunningStamp) -> None:
    on(config, "grant", "tester", "--role", "Reader", *AS_OWNER)
    below = on(config, "revoke", "tester", "--role", "Reader", "--group", GROUP, *AS_OWNER)
    assert (below.code, below.out[:1]) == (0, "–")
    assert "(inherited) stays; its id: /subscriptions/" in below.err
    granted = on(config, "grant", "tester", "--role", "Reader", *AS_OWNER, "--format", "json")
    path = granted.document["assignment"]
    assert below.err.strip().endswith(path)
    revoked = on(config, "revoke", path, *AS_OWNER, "--format", "json")
    assert (revoked.code, revoked.document["changed"]) == (0, True)
    assert revoked.document["assignments"] == [path.rpartition("/")[2]]
    assert on(config, "revoke", path, *AS_OWNER, "--format", "json").document["changed"] is False


@pytest.mark.parametrize(
    "fault", ["500-after", "504-after", "cut", "drop-after", "reset-after", "500", "drop"]
)
def test_a_change_whose_response_is_lost_is_said_to_be_done(
    config: Path, stamp: RunningStamp, fault: str
) -> None:
    before = len(changes(stamp))
    words = ("tester", "--role", "Reader", "--group", GROUP, *AS_OWNER, "--format", "json")
    for command, method in (("grant", "PUT"), ("revoke", "DELETE")):
        stamp.fault_at(f"{method} */roleassignments/*@1={fault}")
        ran = on(config, command, *words)
        stamp.fault_at()
        assert (ran.code, ran.err, ran.document["changed"]) == (0, "", True), (command, ran)
        seen = on(config, "roles", "--group", GROUP, "--identity", "owner")
        assert seen.code == 0
        assert on(config, command, *words).document["changed"] is False
    assert len(changes(stamp)) - before <= 4


def test_a_revocation_by_id_whose_response_is_lost(config: Path, stamp: RunningStamp) -> None:
    words = ("grant", "tester", "--role", "Reader", *AS_OWNER, "--format", "json")
    path = on(config, *words).document["assignment"]
    stamp.fault_at("DELETE */roleassignments/*@1=drop-after")
    ran = on(config, "revoke", path, *AS_OWNER, "--format", "json")
    stamp.fault_at()
    assert (ran.code, ran.document["changed"]) == (0, True)


@pytest.mark.parametrize(
    ("command", "faults", "said"),
    [
        ("grant", ("PUT *=500-after", "GET */roleassignments@2+=500"), "is there is unknown: "),
        ("grant", ("PUT *=500",), "is not there, though it was sent: "),
        ("revoke", ("DELETE *=500-after", "GET */roleassignments/*=500"), "is gone is unknown: "),
        ("revoke", ("DELETE *=500",), "is still there, though it was sent: "),
    ],
)
def test_an_unknown_end_is_said_and_that_it_can_be_run_again(
    config: Path, stamp: RunningStamp, command: str, faults: tuple[str, ...], said: str
) -> None:
    words = ("tester", "--role", "Reader", "--group", GROUP, *AS_OWNER)
    if command == "revoke":
        assert on(config, "grant", *words).code == 0
    stamp.fault_at(*faults)
    ran = on(config, command, *words)
    stamp.fault_at()
    assert (ran.code, ran.out) == (1, "")
    assert said in ran.err
    assert "run this again" in " ".join(ran.err.split())
    assert "stacktui check" not in ran.err


def test_it_asks_first_and_nobody_may_answer(config: Path, stamp: RunningStamp) -> None:
    before = changes(stamp)
    ran = on(config, "grant", "tester", "--role", "Reader", "--identity", "owner")
    assert (ran.code, ran.out) == (2, "")
    assert f"Test: grant {stamp.object_id} (identity tester) Reader on subscription" in ran.err
    assert changes(stamp) == before


def test_a_client_id_of_the_config_is_its_identity(config: Path, stamp: RunningStamp) -> None:
    words = ("grant", stamp.client_id.upper(), "--role", "Reader", "--identity", "owner")
    asked = on(config, *words)
    assert asked.code == 2
    assert "is the client id of tester" in asked.err
    assert f"grant {stamp.object_id} (identity tester) Reader" in asked.err
    ran = on(config, *words, "--yes", "--format", "json")
    assert (ran.code, ran.document["principal"]) == (0, stamp.object_id)


def test_what_is_no_object_id_is_doubted_and_not_waited_for(
    config: Path, stamp: RunningStamp
) -> None:
    ran = on(config, "grant", "nosuch", "--role", "Reader", "--identity", "owner")
    assert ran.code == 2
    assert "no identity is called 'nosuch'; is it an object id?" in ran.err
    if stamp.idp is not IdentityProvider.ADFS:  # AD FS does not know whom it does not know
        before = changes(stamp)
        ran = on(config, "grant", "nosuch", "--role", "Reader", *AS_OWNER)
        assert (ran.code, len(changes(stamp)) - len(before)) == (1, 1)
        assert "PRINCIPAL is an object id (no client id)" in ran.err
        assert "stacktui check" not in ran.err


@pytest.mark.parametrize("asked", ["owner", "tester"])
def test_a_secret_that_nobody_was_asked_for_is_said_once(
    stamp: RunningStamp, tmp_path: Path, asked: str
) -> None:
    """Of the identity that grants, and of the one that is granted something."""
    password = "{ prompt = true }" if asked == "owner" else f'{{ file = "{stamp.password_file}" }}'
    owner = (
        f'[identities.owner]\nkind = "user"\nusername = "{stamp.user}"\n'
        f'tenant = "{stamp.tenant}"\npassword = {password}\n'
    )
    secret = {"secret": "{ prompt = true }"} if asked == "tester" else {}
    config = write_config(tmp_path, stamp.describe(), identity=owner, **secret)
    before = changes(stamp)
    ran = on(config, "grant", "tester", "--role", "Reader", *AS_OWNER)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.count("nobody was asked") == 1
    assert f"{asked}: a prompt: nobody was asked; a command on a terminal asks" in ran.err
    assert "stacktui check" not in ran.err
    assert "identities test" not in ran.err
    assert changes(stamp) == before


@pytest.mark.parametrize("answered", ["y", "n"])
def test_what_is_typed_decides(
    config: Path, stamp: RunningStamp, tmp_path: Path, answered: str
) -> None:
    before, typed = changes(stamp), tmp_path / "typed"
    typed.write_text(f"{answered}\n")
    words = ("grant", "tester", "--role", "Reader", "--group", GROUP, "--identity", "owner")
    ran = stacktui("identities", *words, "--config", config, stdin=str(typed))
    assert ran.code == (0 if answered == "y" else 2)
    assert ("nothing was changed" in ran.err) is (answered == "n")
    assert len(changes(stamp)) - len(before) == (answered == "y")


def test_who_may_not_grant_is_told_who_may(config: Path, stamp: RunningStamp) -> None:
    before = changes(stamp)
    ran = on(config, "grant", "tester", "--role", "Reader", "--yes")
    assert (ran.code, ran.out) == (1, "")
    assert "403 AuthorizationFailed" in ran.err
    assert "--identity NAME" in ran.err
    assert "stacktui check" not in ran.err
    assert changes(stamp) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("grant", "tester", "--role", "Raeder"), "did you mean Reader?"),
        (("grant", "tester", "--role", "zzz"), "known: Contributor, Owner, Reader"),
        (("grant", "testr", "--role", "Reader"), "did you mean tester?"),
        (("grant", "", "--role", "Reader"), "must be an object id"),
        (("grant", "a\x1b[31m", "--role", "Reader"), "must be an object id"),
        (("grant", "tester"), "Missing option '--role'"),
        (("grant", "tester", "--role", "Reader", "--scope", "DevTest"), "--group NAME"),
        (("grant", "x", "--role", "Reader", "--scope", "/s", "--group", "g"), "leave out --group"),
        (("revoke", "tester"), "with its --role"),
        (("roles", "--scope", "/s", "--subscription", "s"), "leave out --group, --subscription"),
        (("roles", "--identity", "ownr"), "did you mean owner?"),
    ],
)
def test_wrong_usage_changes_nothing(
    config: Path, stamp: RunningStamp, words: tuple[str, ...], said: str
) -> None:
    before = changes(stamp)
    given = () if "--identity" in words else ("--identity", "owner")
    answered = () if words[0] == "roles" else ("--yes",)
    ran = on(config, *words, *given, *answered)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert "\x1b" not in ran.err
    assert changes(stamp) == before


async def test_roles_that_nobody_can_look_for_are_not_none(tmp_path: Path) -> None:
    async with scripted(Script(token=token(aud="https://arm/1"))) as web:
        config = config_for(tmp_path, web.url)
        ran = await asyncio.to_thread(on, config, "roles")
        document = (await asyncio.to_thread(on, config, "roles", "--format", "json")).document
    assert ran.code == 1
    assert "  roles      not read, see below\n" in ran.out
    assert "names no object id" in ran.err
    assert document["assignments"] is None


def test_of_a_scope_that_is_not_there_nothing_is_said(config: Path) -> None:
    ran = on(config, "roles", "--group", "rg-000", "--identity", "owner")
    assert (ran.code, ran.out) == (1, "")
    assert "ResourceGroupNotFound" in ran.err


def test_a_hostile_group_is_shown_harmless(config: Path) -> None:
    ran = on(config, "roles", "--group", "a\x1b]0;x\x07?b#c", "--identity", "owner")
    assert ran.code == 1
    assert "ResourceGroupNotFound" in ran.err
    assert not set("\x1b\x07") & set(ran.out + ran.err)


def test_no_secret_is_shown_or_logged(config: Path, stamp: RunningStamp, tmp_path: Path) -> None:
    log = tmp_path / "requests.sh"
    ran = on(
        config, "grant", "tester", "--role", "Reader", *AS_OWNER,
        "--format", "json", "--log-requests", str(log),
    )  # fmt: skip
    assert ran.code == 0
    logged = log.read_text(encoding="utf-8")
    assert "az rest --method put --url" in logged
    assert "/providers/Microsoft.Authorization/roleAssignments/" in logged
    for text in (logged, ran.out, ran.err, json.dumps(ran.document)):
        assert stamp.secret not in text
        assert stamp.password not in text
        assert "eyJ" not in text
