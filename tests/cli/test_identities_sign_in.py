"""`stacktui identities test` and `token` from outside, on a stamp of each kind."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stacktui.config.locations import history_file
from stacktui.stamp import IdentityProvider, SignInKind, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.diagnosis.servers import Script, config_for, said, scripted, token
from tests.product import Ran, config_text, imds_of, signing_in, stacktui
from tests.support.pasted import on_terminal

UNATTENDED = tuple(kind for kind in SignInKind if kind is not SignInKind.DEVICE_CODE)
JSON = ("--format", "json")
# A token that is not its user's own business: what every JWT begins with.
JWT = "eyJ"


@pytest.fixture(scope="module", params=list(IdentityProvider))
def stamp(request: pytest.FixtureRequest) -> Iterator[RunningStamp]:
    options = StampOptions(
        idp=request.param, device_interval=1, device_approve_after=1, domain="west.example"
    )
    with run_in_thread(options) as running:
        yield running


def write(folder: Path, stamp: RunningStamp, kind: SignInKind, **replaced: str) -> Path:
    """A config whose environment has an identity that nobody can sign in with; `tester` can."""
    described = stamp.describe()
    text = config_text(described, **signing_in(kind, described, **replaced))
    other = '[identities.nobody]\nkind = "service-principal"\nclient_id = "x"\n'
    path = folder / "config.toml"
    path.write_text(
        text.replace('identity = "tester"', 'identity = "nobody"', 1)
        + f'{other}secret = {{ env = "NOBODY" }}\n'
    )
    return path


def on(config: Path, stamp: RunningStamp, *words: str, **variables: str) -> Ran:
    variables |= imds_of(stamp.describe())
    return stacktui("identities", *words, "--config", config, **variables)


def asked_of_arm(stamp: RunningStamp) -> list[str]:
    return [each.path for each in stamp.requests if each.path.startswith("/subscriptions")]


@pytest.mark.parametrize("kind", list(SignInKind))
def test_every_kind_signs_in_and_reads_no_resource(
    kind: SignInKind, stamp: RunningStamp, tmp_path: Path
) -> None:
    config, before = write(tmp_path, stamp, kind), len(asked_of_arm(stamp))
    ran = on(config, stamp, "test", "tester", "--environment", "Test", *JSON)
    assert (ran.code, ran.document) == (0, {"ok": True, "verdict": None})
    assert bool(ran.err) is (kind is SignInKind.DEVICE_CODE)
    shown = on(config, stamp, "test", "tester")
    assert shown.code == 0
    assert re.search(r"^✓ metadata .*\n✓ token .*\n\nOK in ", shown.out, re.MULTILINE)
    assert JWT not in ran.out + ran.err + shown.out + shown.err
    assert len(asked_of_arm(stamp)) == before
    assert not history_file().exists()


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (SignInKind.SECRET, {"secret": '{ env = "WRONG" }'}),
        (SignInKind.SECRET, {"secret": '{ env = "NOT_SET" }'}),
        (SignInKind.CERTIFICATE, {"certificate": '"absent.pem"'}),
        (SignInKind.PASSWORD, {"password": '{ env = "WRONG" }'}),
        (SignInKind.MANAGED_IDENTITY, {"client_id": '"00000000-0000-0000-0000-000000000000"'}),
    ],
)
def test_a_refusal_has_the_verdict_of_the_check(
    kind: SignInKind, wrong: dict[str, str], stamp: RunningStamp, tmp_path: Path
) -> None:
    config, secret = write(tmp_path, stamp, kind, **wrong), "wr0ng~secret/with+signs="
    ran = on(config, stamp, "test", "tester", "-e", "Test", *JSON, WRONG=secret)
    assert (ran.code, list(ran.document), ran.document["ok"]) == (1, ["ok", "verdict"], False)
    config.write_text(config.read_text().replace('"nobody"', '"tester"', 1))
    variables = {"WRONG": secret} | imds_of(stamp.describe())
    check = stacktui("check", "--config", config, *JSON, **variables)
    assert without_times(ran.document["verdict"]) == without_times(check.document["verdict"])
    shown = on(config, stamp, "test", "tester", WRONG=secret)
    assert (shown.code, ran.document["verdict"]["id"] in shown.out) == (1, True)
    token = on(config, stamp, "token", WRONG=secret)
    assert (token.code, token.out) == (1, "")
    assert secret not in ran.out + shown.out + shown.err + token.err


def without_times(verdict: dict[str, Any]) -> str:
    """A verdict without what differs from one run to the next: ids and times of requests."""
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d\d:\d\d", "", json.dumps(verdict))


def test_a_host_that_is_not_there_has_its_verdict(stamp: RunningStamp, tmp_path: Path) -> None:
    config = write(tmp_path, stamp, SignInKind.SECRET, arm='"https://management.invalid"')
    ran = on(config, stamp, "test", "tester", *JSON)
    assert (ran.code, ran.document["verdict"]["id"][:4]) == (1, "dns-")


def test_what_is_not_there_is_wrong_usage(stamp: RunningStamp, tmp_path: Path) -> None:
    config = write(tmp_path, stamp, SignInKind.SECRET)
    for words, meant in ((("testr",), "tester"), (("tester", "-e", "Tets"), "Test")):
        ran = on(config, stamp, "test", *words, *JSON)
        assert (ran.code, ran.out) == (2, "")
        assert f"did you mean {meant}?" in ran.err


@pytest.mark.parametrize("kind", UNATTENDED)
def test_a_token_for_scripts(kind: SignInKind, stamp: RunningStamp, tmp_path: Path) -> None:
    config, before = write(tmp_path, stamp, kind), int(time.time())
    log = tmp_path / "requests.log"
    variables = {"STACKTUI_DEBUG": "1"}
    words = ("token", "-e", "Test", "--identity", "tester", "--log-requests", str(log))
    ran = on(config, stamp, *words, **variables)
    assert (ran.code, ran.err) == (0, "")
    document = ran.document
    assert list(document) == ["access_token", "expires_on", "token_type", "tenant", "resource"]
    assert document["token_type"] == "Bearer"
    assert before < document["expires_on"] <= time.time() + 86400
    claims = json.loads(urlsafe_b64decode(document["access_token"].split(".")[1] + "=="))
    assert claims["aud"] == document["resource"] == stamp.identity_provider_audience
    assert log.read_text().count("curl ") >= 2
    assert JWT not in log.read_text()
    files = [path for path in Path(os.environ["HOME"]).rglob("*") if path.is_file()]
    for path in (*files, *(each for each in tmp_path.rglob("*") if each.is_file())):
        assert document["access_token"].encode() not in path.read_bytes(), path


def test_arm_takes_the_token(stamp: RunningStamp, tmp_path: Path) -> None:
    """As a script uses it: the stamp says with it what the check reads."""
    import httpx

    from tests.support.sessions import trusting_file

    config = write(tmp_path, stamp, SignInKind.SECRET)
    token = on(config, stamp, "token", "--identity", "tester").document
    place = stamp.resolve["management.west.example:443"]
    with httpx.Client(verify=trusting_file(stamp.ca_file)) as client:
        answer = client.get(
            f"https://{place}/subscriptions?api-version=2016-06-01",
            headers={
                "Host": "management.west.example",
                "Authorization": f"{token['token_type']} {token['access_token']}",
            },
            extensions={"sni_hostname": "management.west.example"},
        )
    assert answer.status_code == 200, answer.text


def test_a_terminal_sees_no_token_unless_asked(stamp: RunningStamp, tmp_path: Path) -> None:
    config, before = write(tmp_path, stamp, SignInKind.SECRET), len(stamp.requests)
    words = ("identities", "token", "--identity", "tester", "--config", str(config))
    command = [sys.executable, "-m", "stacktui", *words]
    code, screen = on_terminal(command, [], os.environ)
    assert (code, len(stamp.requests)) == (2, before)
    assert "--show" in screen
    assert JWT not in screen
    code, screen = on_terminal([*command, "--show"], [], os.environ)
    assert (code, JWT in screen) == (0, True)


def test_a_refused_token_names_the_command_that_says_why(
    stamp: RunningStamp, tmp_path: Path
) -> None:
    """A check would sign in with the environment's own identity."""
    config = write(tmp_path, stamp, SignInKind.SECRET, secret='{ env = "NOT_SET" }')
    own, other = on(config, stamp, "token"), on(config, stamp, "token", "--identity", "tester")
    assert (own.code, other.code) == (1, 1)
    assert f"stacktui check Test --config {config}" in own.err
    assert f"stacktui identities test tester -e Test --config {config}" in other.err


@pytest.mark.parametrize("value", ["opaque", None])
async def test_check_and_token_agree_on_when_a_token_ends(
    tmp_path: Path, value: str | None
) -> None:
    """Of one that does not say so itself: it is opaque, or its `exp` is a text."""
    opaque = said({"access_token": "opaque", "token_type": "Bearer", "expires_in": 3600})
    given = opaque if value else token(exp="1700000000")
    async with scripted(Script(token=given)) as web:
        config = config_for(tmp_path, web.url)
        shown = await asyncio.to_thread(stacktui, "check", "--config", config)
        printed = await asyncio.to_thread(stacktui, "identities", "token", "--config", config)
    ends = datetime.fromtimestamp(printed.document["expires_on"], UTC)
    near = {f"until {ends - timedelta(minutes=each):%H:%M} UTC" for each in (0, 1)}
    assert any(each in shown.out for each in near), shown
    assert "no expiry told" not in shown.out


def test_an_identity_that_another_environment_names_is_said_to_be_of_that(
    stamp: RunningStamp, tmp_path: Path
) -> None:
    stray = (
        '[identities.stray]\nkind = "service-principal"\n'
        'client_id = "c11e0700-0000-4000-8000-00000000dead"\n'
        f'tenant = "{stamp.tenant}"\nsecret = {{ file = "{stamp.secret_file}" }}\n'
        '[environments.Other]\narm = "https://management.other.example"\nidentity = "stray"\n'
    )
    config = tmp_path / "config.toml"
    config.write_text(config_text(stamp.describe(), identity=stray), encoding="utf-8")
    verdict = on(config, stamp, "test", "stray", "-e", "Test", *JSON).document["verdict"]
    assert verdict["id"] == "app-not-found"
    assert verdict["evidence"][0] == "stray is the identity of Other; that of Test is tester"
