"""The pane of identities on a real stamp: states, claims, roles, and copying a token."""

from __future__ import annotations

import json
import re
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from textual.pilot import Pilot

from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from stacktui.tui import check_runner
from stacktui.tui.app import StacktuiApp
from stacktui.tui.panes import identity_state
from tests.product import config_text

from .screen import flat, resize, settle, text_of, until, write

WIDE = (120, 40)
ANOTHER = '[environments.Other]\narm = "{arm}"\nca = "{ca}"\nidentity = "tester"\nproxy = "none"\n'
BROKEN = (
    '[identities.broken]\nkind = "service-principal"\nclient_id = "x"\ncertificate = "{file}"\n'
)


@pytest.fixture(scope="module", params=list(IdentityProvider))
def stamp(request: pytest.FixtureRequest) -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(idp=request.param)) as running:
        yield running


@pytest.fixture(scope="module")
def roleless() -> Iterator[RunningStamp]:
    """A stamp whose application, `tester`, has no role, and whose user, `owner`, has all."""
    with run_in_thread(StampOptions(role=None)) as running:
        yield running


def as_in_a_new_process() -> None:
    """Forget the tokens, and the engine that has them."""
    check_runner.session_tokens.cache_clear()
    check_runner.load_engine.cache_clear()


@pytest.fixture(autouse=True)
def _nobody_has_signed_in() -> None:
    as_in_a_new_process()


def app_of(config: Path, stamp: RunningStamp, more: str = "", **replaced: str) -> StacktuiApp:
    write(config, config_text(stamp.describe(), **replaced) + more)
    return StacktuiApp(config)


def app_under(pilot: Pilot[None]) -> StacktuiApp:
    return cast("StacktuiApp", pilot.app)


def pass_time(monkeypatch: pytest.MonkeyPatch, app: StacktuiApp, left: float) -> None:
    """Move the clock to where a token has so many seconds left, and show that."""
    assert app.app_state.tokens is not None
    (outcome,) = app.app_state.tokens.outcomes("tester")
    assert outcome.ends is not None
    ahead = datetime.fromtimestamp(outcome.ends, UTC) - datetime.now(UTC) - timedelta(seconds=left)
    monkeypatch.setattr(identity_state, "now", lambda: datetime.now(UTC) + ahead)
    app.dashboard.update()


async def test_a_check_makes_a_state_and_time_ends_it_without_a_key(
    config: Path, stamp: RunningStamp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app_of(config, stamp).run_test(size=WIDE) as pilot:
        app = app_under(pilot)
        await pilot.press("3")
        shown = await until(pilot, "– never tried")
        assert "c signs in" in shown
        await pilot.press("c")
        await until(pilot, "✓ token valid for ")
        pass_time(monkeypatch, app, 121)
        await until(pilot, "✓ token valid for 2 min")
        await until(pilot, "✓ token valid for 1 min")
        pass_time(monkeypatch, app, 61)
        await until(pilot, "✓ token valid for under a minute")
        pass_time(monkeypatch, app, 1.5)
        shown = await until(pilot, "– expired")
        assert "c signs in" in shown
        assert "it has expired" in shown


async def test_the_claims_are_those_of_the_token_in_words(
    config: Path, stamp: RunningStamp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app_of(config, stamp).run_test(size=(120, 60)) as pilot:
        app = app_under(pilot)
        await pilot.press("c", "3")
        await until(pilot, "Nothing is wrong.")  # another test's token may be shown before
        await pilot.press("enter")
        shown = flat(await until(pilot, "other claims"))
        tokens = app.app_state.tokens
        assert tokens is not None
        (outcome,) = tokens.outcomes("tester")
        token = tokens.kept(outcome.wanted)
        assert token is not None
        _, payload, signature = token.value.split(".")
        claims = json.loads(urlsafe_b64decode(payload + "=="))
        assert f"audience ✓ {claims['aud']}" in shown
        assert "that of Test, byte for byte" in shown
        assert f"application {claims['appid']}" in shown
        assert f"{datetime.fromtimestamp(claims['exp'], UTC):%Y-%m-%d %H:%M:%S} UTC" in shown
        for name, value in claims.items():
            assert name in shown
            if isinstance(value, str) and len(value) < 40:
                assert value in shown
        for part in (payload, signature, "eyJ"):
            assert part not in shown.replace(" ", "")


async def test_a_token_for_another_audience_is_said(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with run_in_thread(StampOptions(fault="token-audience-mismatch")) as stamp:
        async with app_of(config, stamp).run_test(size=WIDE) as pilot:
            await pilot.press("c", "3", "enter")
            shown = flat(await until(pilot, "audience      ✗"))
            assert "not that of Test, which is" in shown


async def test_a_failure_says_why_and_is_remembered_after_a_restart(
    config: Path, stamp: RunningStamp
) -> None:
    wrong = '"00000000-0000-0000-0000-000000000000"'
    app = app_of(config, stamp, client_id=wrong)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("3", "c")
        await until(pilot, "FAULT")  # until then, what the sign-in service said
        shown = await until(pilot, "✗ failed: ")
        verdict = shown.partition("✗ failed: ")[2].split()[0]
        assert f"✗ {verdict}" in shown
        await pilot.press("enter")
        shown = await until(pilot, "why           ")
        assert re.search(r"why +(AADSTS|MSIS)[0-9]+", shown)
    app.history.close()
    as_in_a_new_process()
    async with StacktuiApp(config).run_test(size=WIDE) as pilot:
        await pilot.press("3", "enter")
        shown = await until(pilot, f": {verdict}")
        assert re.search(rf"✗ failed [0-9: -]+: {verdict}", shown)
        assert "as whom it does not say" in shown


@pytest.mark.parametrize(("size", "zoom"), [((80, 23), True), ((80, 23), False), (WIDE, False)])
async def test_a_failed_one_takes_no_other_column(
    config: Path, stamp: RunningStamp, size: tuple[int, int], zoom: bool
) -> None:
    other = (
        '[environments.management-west]\narm = "https://management.west.example"\n'
        'identity = "sp-of-operators-in-the-west"\n[identities.sp-of-operators-in-the-west]\n'
        'kind = "service-principal"\nclient_id = "x"\ntenant = "contoso.example"\n'
        'secret = { env = "UNSET" }\n'
    )
    async with app_of(config, stamp, other, secret='{ env = "UNSET" }').run_test(
        size=size
    ) as pilot:
        await pilot.press("3", "c")
        await until(pilot, "FAULT")
        await pilot.press(*(["enter"] if zoom else []))
        rows = (await until(pilot, "✗ failed")).splitlines()
        row = next(each for each in rows if "sp-of-oper" in each)
        assert "managemen" in row
        assert ("service principal" in row) is (size != WIDE)
        failed = next(each for each in rows if "✗ failed" in each)
        assert "Test" in failed


@pytest.mark.parametrize("key", ["o", "c"])
async def test_where_no_host_is_reached_nobody_has_tried(
    key: str, config: Path, stamp: RunningStamp
) -> None:
    arm = '"https://127.0.0.1:9"' if key == "o" else f'"{stamp.arm_url}"'
    closed = '[environments.Test.endpoints]\nlogin_endpoint = "https://localhost:9/adfs"\n'
    more = closed if key == "c" else ""
    app = app_of(config, stamp, more, arm=arm)
    async with app.run_test(size=(80, 23)) as pilot:
        await pilot.press("3", "enter", key)
        shown = flat(await until(pilot, "cannot be reached"))
        assert "state – not tried: Test cannot be reached" in shown
        assert "✗ failed" not in shown
        assert "why " in shown
    app.history.close()
    if key == "c":
        as_in_a_new_process()
        async with StacktuiApp(config).run_test(size=(80, 23)) as pilot:
            await pilot.press("3", "enter")
            await until(pilot, ": login-unreachable")
            assert "– not tried " in text_of(pilot.app)


async def test_the_zoomed_detail_has_half_and_the_keys_of_the_pane(
    config: Path, stamp: RunningStamp
) -> None:
    more = "".join(f'[identities.more-{n}]\nkind = "device-code"\n' for n in range(16))
    async with app_of(config, stamp, more).run_test(size=(80, 23)) as pilot:
        app = app_under(pilot)
        await pilot.press("3", "enter")
        await until(pilot, "came from")
        detail = app.dashboard.grid.detail
        assert detail.size.height * 2 >= 21
        await pilot.press("tab")
        await settle(pilot)
        assert app.focused is detail
        assert "a add identity" in await until(pilot, "T test")
        await pilot.press("a")
        await until(pilot, "Add an identity")
        await pilot.press("escape", "i")
        await until(pilot, "Copy of the identity")
        await pilot.press("escape", "escape", "1", "0", "tab")
        await settle(pilot)
        assert app.focused is detail
        assert "add identity" not in text_of(app)


async def test_of_a_sign_in_before_the_start_the_history_knows(
    config: Path, stamp: RunningStamp
) -> None:
    app = app_of(config, stamp)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("c")
        await until(pilot, "✓ 59 min")
        await until(pilot, "Nothing is wrong.")
    app.history.close()
    as_in_a_new_process()
    async with StacktuiApp(config).run_test(size=WIDE) as pilot:
        shown = await until(pilot, "– signed in ")
        assert "tester, no token" in shown


async def test_a_round_tells_of_the_identities_of_others(config: Path, stamp: RunningStamp) -> None:
    text = config_text(stamp.describe())
    table = text.partition("[identities.tester]")[2]
    other = text.partition("[environments.Test")[2].partition("[identities.")[0]
    other = other.replace('"tester"', '"second"')
    more = f"[environments.Other{other}[identities.second]{table}"
    async with app_of(config, stamp, more).run_test(size=(160, 40)) as pilot:
        await pilot.press("3", "enter", "C")
        shown = await until(pilot, "✓ token valid for")
        while shown.count("✓ token valid for") < 3:  # two rows, and the detail of one
            await settle(pilot)
            shown = text_of(pilot.app)


async def test_who_reads_the_groups_has_signed_in(config: Path, stamp: RunningStamp) -> None:
    async with app_of(config, stamp).run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await until(pilot, "✓ 59 min")


async def test_of_several_environments_the_current_one_counts(
    config: Path, stamp: RunningStamp
) -> None:
    more = ANOTHER.format(arm="https://127.0.0.1:9", ca=stamp.ca_file)
    async with app_of(config, stamp, more).run_test(size=WIDE) as pilot:
        await pilot.press("c")
        await until(pilot, "✓ 59 min")
        await pilot.press("3", "enter")
        shown = await until(pilot, "2 environments")
        assert "for           Test, Other" in shown
        await pilot.press("escape", "1", "j", "3")
        # Nobody has tried there: the latest of the others counts, and where is said.
        shown = await until(pilot, "signed in to  Test")
        assert "tester, no token" in shown


async def test_the_roles_are_read_with_a_key(config: Path, stamp: RunningStamp) -> None:
    async with app_of(config, stamp).run_test(size=WIDE) as pilot:
        await pilot.press("3")
        await until(pilot, "o reads what it may do here")
        await pilot.press("o")
        shown = flat(await until(pilot, "roles in      Test"))
        assert f"Owner on subscription {stamp.subscription_id} · direct" in shown
        assert "may read, write, delete, assign roles" in shown
        assert "✓ token valid for" in shown


async def test_where_roles_may_not_be_read_what_is_allowed_is_said(
    config: Path, roleless: RunningStamp
) -> None:
    async with app_of(config, roleless).run_test(size=WIDE) as pilot:
        await pilot.press("3", "o")
        shown = flat(await until(pilot, "403 AuthorizationFailed"))
        assert "may nothing" in shown
        assert "o reads it again" in shown


async def test_who_sees_no_subscription_has_no_role(config: Path) -> None:
    with run_in_thread(StampOptions(fault="no-subscriptions")) as stamp:
        async with app_of(config, stamp, subscription="").run_test(size=WIDE) as pilot:
            await pilot.press("3", "o")
            await until(pilot, "none: it sees no subscription in Test")


async def test_esc_ends_the_reading_of_roles(config: Path) -> None:
    with run_in_thread(StampOptions(latency=30.0)) as stamp:
        async with app_of(config, stamp).run_test(size=(80, 23)) as pilot:
            await pilot.press("3", "enter", "o")
            shown = await until(pilot, "› asking Test")
            assert "esc cancels" in shown
            await pilot.press("escape")
            await until(pilot, "– cancelled")
            assert not app_under(pilot).role_reader.running


async def test_a_token_is_copied_after_a_question_and_kept_nowhere(
    config: Path, stamp: RunningStamp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    sent: list[str] = []
    async with app_of(config, stamp).run_test(size=(80, 23)) as pilot:
        app = app_under(pilot)
        assert app._driver is not None
        written = app._driver.write
        monkeypatch.setattr(app._driver, "write", lambda data: (sent.append(data), written(data)))
        await pilot.press("3", "i")
        await until(pilot, "none: c signs in")
        await pilot.press("escape", "c")
        await until(pilot, "3 Identities tester ✓")
        await pilot.press("3", "i")
        await until(pilot, "asks first")
        await pilot.press(*"token", "enter")
        shown = flat(await until(pilot, "called back"))
        assert "do what tester may in Test until" in shown
        await pilot.press("escape")
        await settle(pilot)
        assert not any("\x1b]52;" in each for each in sent)
        await pilot.press("i", *"token", "enter")
        await until(pilot, "called back")
        await pilot.press("y")
        shown = await until(pilot, "sent to the terminal (OSC 52): the token of tester for Test")
        (copied,) = [each for each in sent if "\x1b]52;" in each]
        token = b64decode(copied.partition(";c;")[2].rstrip("\a")).decode()
        assert app.app_state.tokens is not None
        (outcome,) = app.app_state.tokens.outcomes("tester")
        kept = app.app_state.tokens.kept(outcome.wanted)
        assert kept is not None
        assert token == kept.value
        assert (app.copier.text, app.clipboard) == ("", "")
        for text in (shown, app.export_screenshot(), app.title, *(set(sent) - {copied})):
            assert "eyJ" not in text
            assert token not in text


async def test_the_days_of_a_certificate_are_read_when_the_pane_is_opened(
    config: Path, stamp: RunningStamp
) -> None:
    by = {"secret": "", "certificate": f'"{stamp.certificate_file}"'}
    broken = BROKEN.format(file=stamp.ca_file)
    async with app_of(config, stamp, broken, **by).run_test(size=WIDE) as pilot:
        assert app_under(pilot).app_state.identity_files is None
        await pilot.press("3")
        shown = await until(pilot, "364 days")
        assert "✗ " in next(row for row in shown.splitlines() if "broken" in row)
        await pilot.press("G")
        shown = flat(await until(pilot, "came from     config.toml, line 16"))
        assert f"certificate {stamp.ca_file}" in shown
        await pilot.press("g")
        for size in ((80, 23), (40, 10)):
            await resize(pilot, *size)
            await pilot.press("3")
            await until(pilot, "364 days")
