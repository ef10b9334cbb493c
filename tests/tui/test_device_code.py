"""The screen of a device code, on the real dashboard with a real stamp."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from textual.pilot import Pilot

from stacktui.config.locations import state_directory
from stacktui.identities.authority import is_foreign_page
from stacktui.identities.token_source import SignIn
from stacktui.stamp import IdentityProvider, SignInKind, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from stacktui.tui.app import StacktuiApp
from stacktui.tui.check_runner import session_tokens
from stacktui.tui.screens.device_code import DeviceCodeScreen
from tests.product import config_text, signing_in
from tests.support.sessions import trusting_file

from . import canned
from .canned import canned_app
from .screen import PATIENCE, flat, resize, settle, text_of, until, write

WIDE, SMALL, LEAST = (120, 40), (80, 23), (40, 10)


@pytest.fixture(params=list(IdentityProvider))
def stamp(request: pytest.FixtureRequest, config: Path) -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(idp=request.param, device_interval=1)) as running:
        described = running.describe()
        write(config, config_text(described, **signing_in(SignInKind.DEVICE_CODE, described)))
        yield running


def codes(stamp: RunningStamp) -> int:
    """Return how many codes were asked for."""
    return sum(each.path.endswith("/devicecode") for each in stamp.requests)


async def code_on(pilot: Pilot[None]) -> str:
    found = re.search(r"code (\w{9}) ", flat(await until(pilot, " left  ")))
    assert found is not None
    return found[1]


async def sign_in(stamp: RunningStamp, code: str) -> None:
    """What a person does with a browser."""
    form = f"user_code={code}&username={stamp.user}&password={stamp.password}"
    request = Request(stamp.device_login_url, form.encode())
    trusted = trusting_file(stamp.ca_file)
    (await asyncio.to_thread(urlopen, request, context=trusted)).close()


def sign_in_of(app: StacktuiApp) -> SignIn:
    target = app.app_state.target
    assert target is not None
    assert target.identity is not None
    return SignIn(target.environment, target.identity, target.config)


def assert_in_no_file(*secrets: str) -> None:
    files = [each for folder in (Path(), state_directory()) for each in folder.rglob("*")]
    read = [each.read_bytes() for each in files if each.is_file()]
    assert len(read) > 1
    assert not [secret for secret in secrets for content in read if secret.encode() in content]


async def test_one_code_serves_two_checks_and_the_readings_until_it_is_revoked(
    stamp: RunningStamp, config: Path
) -> None:
    app = StacktuiApp(config)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("c")
        code = await code_on(pilot)
        shown = flat(text_of(app))
        assert f"page {stamp.device_login_url}" in shown
        assert re.search(r"left 1[45] min \d+ s, until \d\d:\d\d:\d\d", shown)
        assert "for Test" in shown
        assert text_of(app).count("█") > 50
        await pilot.press("y")
        await until(pilot, "OSC 52")
        assert app.clipboard == code
        await pilot.press("u")
        await until(pilot, "the page")
        assert app.clipboard == stamp.device_login_url
        await sign_in(stamp, code)
        shown = await until(pilot, "Nothing is wrong.")
        assert code not in shown
        assert "█" not in shown
        first = app.app_state.check
        await pilot.press("c")
        await until(pilot, "Nothing is wrong.")
        assert app.app_state.check is not first
        await pilot.press("4", "r")
        await until(pilot, "rg-")
        assert codes(stamp) == 1
        stamp.fault_at("POST */token*@1=revoked")
        await pilot.press("c")
        assert await code_on(pilot) != code
        await pilot.press("escape")
        await until(pilot, "cancelled  press c")
        assert codes(stamp) == 2
    refresh_token = session_tokens().refresh_token(sign_in_of(app))
    assert refresh_token
    assert_in_no_file(code, refresh_token)


async def test_it_is_left_waiting_and_closes_where_somebody_signed_in(
    stamp: RunningStamp, config: Path
) -> None:
    app = StacktuiApp(config)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("c")
        code = await code_on(pilot)
        for size in (WIDE, LEAST, SMALL):
            await resize(pilot, *size)
            assert await code_on(pilot) == code
            assert "esc cancel" in text_of(app)
            assert ("█" in text_of(app)) is (size != LEAST)
        await pilot.press("enter")
        shown = flat(await until(pilot, "y copies it"))
        assert f"code {code}" in shown
        await settle(pilot)
        assert not isinstance(app.screen, DeviceCodeScreen)  # it comes once
        await pilot.press("c")  # shows it again, and throws no code away
        assert await code_on(pilot) == code
        assert isinstance(app.screen, DeviceCodeScreen)
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press("y")
        await until(pilot, "OSC 52")
        assert app.clipboard == code
        await sign_in(stamp, code)
        await until(pilot, "Nothing is wrong.")


async def test_it_waits_behind_another_screen(config: Path) -> None:
    # Slow, so that the other screen is there first.
    with run_in_thread(StampOptions(latency=0.3)) as stamp:
        described = stamp.describe()
        write(config, config_text(described, **signing_in(SignInKind.DEVICE_CODE, described)))
        app = StacktuiApp(config)
        async with app.run_test(size=SMALL) as pilot:
            await pilot.press("c", "?")
            await until(pilot, "Everywhere")
            async with asyncio.timeout(PATIENCE):
                while not (check := app.app_state.check) or not check.prompt:
                    await pilot.pause(0.02)
            await settle(pilot)
            assert not isinstance(app.screen, DeviceCodeScreen)
            await pilot.press("escape")
            await code_on(pilot)


async def test_two_that_wait_are_shown_one_after_the_other(config: Path) -> None:
    # Slow, so that both checks are started before the first screen.
    with run_in_thread(StampOptions(latency=0.3, device_interval=1)) as stamp:
        described = stamp.describe()
        text = config_text(described, **signing_in(SignInKind.DEVICE_CODE, described))
        begin, end = text.index("[environments.Test]"), text.index("[identities.tester]")
        write(config, text + text[begin:end].replace("Test]", "Twin]"))
        async with StacktuiApp(config).run_test(size=SMALL) as pilot:
            await pilot.press("c", "j", "c")
            seen = set()
            for _ in range(2):
                code = await code_on(pilot)
                seen.add(code)
                await sign_in(stamp, code)
                async with asyncio.timeout(PATIENCE):
                    while code in text_of(pilot.app):
                        await pilot.pause(0.02)
            await until(pilot, "Nothing is wrong.")
            assert not isinstance(pilot.app.screen, DeviceCodeScreen)
        assert len(seen) == codes(stamp) == 2


@pytest.mark.parametrize(
    ("key", "then"), [("r", "1 of 18"), ("S", "Subscriptions"), ("P", "Resource providers")]
)
async def test_a_reading_asks_for_a_code_by_a_key_alone(
    stamp: RunningStamp, config: Path, key: str, then: str
) -> None:
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await pilot.press("4")
        await until(pilot, "needs a person")
        assert codes(stamp) == 0
        await pilot.press(key)
        await sign_in(stamp, await code_on(pilot))
        await until(pilot, then)
    assert codes(stamp) == 1


async def test_an_expired_code_is_said_and_another_one_is_a_key_away(
    stamp: RunningStamp, config: Path
) -> None:
    app = StacktuiApp(config, limits={"device_code": 2.0})
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("c")
        code = await code_on(pilot)
        shown = await until(pilot, "The code has expired")
        assert "Press c to ask for a new one" in shown
        await pilot.press("y")
        assert not app.clipboard
        await pilot.press("c")
        assert await code_on(pilot) != code
        await until(pilot, "The code has expired")
        await pilot.press("escape")
        await until(pilot, "✗ device-code-expired")


async def test_a_declined_code_closes_the_screen(config: Path) -> None:
    with run_in_thread(StampOptions(fault="device-code-declined", device_interval=1)) as stamp:
        described = stamp.describe()
        write(config, config_text(described, **signing_in(SignInKind.DEVICE_CODE, described)))
        async with StacktuiApp(config).run_test(size=SMALL) as pilot:
            await pilot.press("c")
            await code_on(pilot)
            await until(pilot, "✗ device-code-declined")


async def test_a_round_asks_nobody(stamp: RunningStamp, config: Path) -> None:
    described = stamp.describe()
    other = f'[environments.Other]\narm = "{stamp.arm_url}"\nidentity = "tester"\n'
    keys = signing_in(SignInKind.DEVICE_CODE, described)
    write(config, config_text(described, identity=other, **keys))
    app = StacktuiApp(config)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("C")
        await until(pilot, "undecided")
        await settle(pilot)
        assert not isinstance(app.screen, DeviceCodeScreen)
    assert codes(stamp) == 0


async def test_what_a_hostile_login_host_sends_is_shown_as_text_and_whole(config: Path) -> None:
    code, page = "A\x1b[2J[b]\u202e" * 9, "https://login.example/" + "[/]\x07\n" * 200 + "end"
    app = canned_app(config, canned.waiting_for_sign_in(page, code), text=canned.CONFIG)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("c")
        await until(pilot, "Sign in to")
        for size in (SMALL, LEAST, WIDE):
            await resize(pilot, *size)
            shown = text_of(app)
            assert all(each.isprintable() or each == "\n" for each in shown)
            assert "[b]" in shown
            assert "█" not in shown
        await until(pilot, f"The page is not of {canned.LOGIN}")
        await pilot.press(*["pagedown"] * 20)
        await until(pilot, "and type the code there")
        await pilot.press("pageup")
        await until(pilot, "end")


@pytest.mark.parametrize(
    ("page", "host", "foreign"),
    [
        ("https://adfs.local.example/adfs/oauth2/deviceauth", "adfs.local.example", False),
        ("https://ADFS.local.example:8443/x", "adfs.local.example:8443", False),
        ("https://microsoft.com/devicelogin", "login.microsoftonline.com", False),
        ("https://microsoft.com/devicelogin", "adfs.local.example", True),
        ("http://adfs.local.example/x", "adfs.local.example", True),
        ("https://adfs.local.example@evil.example/", "adfs.local.example", True),
        ("https://[", "adfs.local.example", True),
        ("", "adfs.local.example", True),
    ],
)
def test_a_page_of_another_host_than_the_login_host_s(page: str, host: str, foreign: bool) -> None:
    assert is_foreign_page(page, host) is foreign
