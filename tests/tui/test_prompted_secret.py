"""Secrets that a config says to ask for, in the dashboard: asked for before they are needed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as form

from stacktui.config.locations import state_directory
from stacktui.stamp import SignInKind, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from stacktui.tui.app import StacktuiApp
from stacktui.tui.screens.secret import SecretScreen
from tests.product import PATIENCE, config_text, signing_in

from .screen import paste, read, settle, text_of, until, write

SMALL = (80, 23)
PROMPT = "{ prompt = true }"
IN_MEMORY = "In memory until stacktui ends"
PASSWORD = "pass phrase 7"


@pytest.fixture(scope="module")
def stamp() -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions()) as running:
        yield running


def prompted(stamp: RunningStamp, kind: str, folder: Path) -> tuple[str, str, str]:
    """Return a config of an identity that asks, what is right to type, and the verdict if not."""
    described = stamp.describe()
    if kind == "secret":
        return config_text(described, secret=PROMPT), stamp.secret, "sp-secret-wrong"
    if kind == "password":
        keys = signing_in(SignInKind.PASSWORD, described, password=PROMPT)
        return config_text(described, **keys), stamp.password, "password-wrong"
    content, path = Path(stamp.certificate_file).read_bytes(), folder / "locked.pem"
    key = form.load_pem_private_key(content[content.index(b"-----BEGIN PRIVATE") :], None)
    locked = form.BestAvailableEncryption(PASSWORD.encode())
    certificate = content[content.index(b"-----BEGIN CERT") :].partition(b"-----BEGIN PRIVATE")[0]
    path.write_bytes(
        key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, locked) + certificate
    )
    keys = {"secret": "", "certificate": f'"{path}"', "certificate_password": PROMPT}
    return config_text(described, **keys), PASSWORD, "sp-cert-unusable"


@pytest.mark.parametrize("kind", ["secret", "password", "certificate password"])
async def test_c_asks_first_and_f_asks_again(
    kind: str, stamp: RunningStamp, config: Path, tmp_path: Path
) -> None:
    text, right, verdict = prompted(stamp, kind, tmp_path)
    write(config, text)
    app = StacktuiApp(config)
    async with app.run_test(size=SMALL) as pilot:

        async def typed(key: str, secret: str, then: str) -> None:
            await pilot.press(key)
            await pilot.pause()
            if "Go on?" in text_of(app):  # it is not the first remedy of this fault
                await pilot.press("y")
            shown = await until(pilot, IN_MEMORY)
            assert f"The {kind} of tester" in shown
            await paste(pilot, secret)
            assert secret not in text_of(app)
            await pilot.press("enter")
            assert secret not in await until(pilot, then)

        # Whoever goes back has said that there is none.
        await pilot.press("c")
        await until(pilot, IN_MEMORY)
        await pilot.press("escape")
        assert "f asks for it" in await until(pilot, "✗ secret-missing")
        await typed("c", "wr0ng-one", f"✗ {verdict}")
        await typed("f", right, "Nothing is wrong.")
        # It is asked for once in a run.
        await pilot.press("c")
        await until(pilot, "Nothing is wrong.")
        await pilot.press("4", "r", "C")
        await until(pilot, "1 of 18")
        assert right not in repr(app.app_state)
    assert read(config) == text
    kept = [each for folder in (Path(), state_directory()) for each in folder.rglob("*")]
    assert not any(right.encode() in each.read_bytes() for each in kept if each.is_file())


@pytest.mark.parametrize("kind", ["secret", "password"])
async def test_a_refused_secret_is_forgotten(
    kind: str, stamp: RunningStamp, config: Path, tmp_path: Path
) -> None:
    """Whatever key found that out, the next one asks, and a round does not send it again."""
    text, right, verdict = prompted(stamp, kind, tmp_path)
    other = f'[environments.Other]\narm = "{stamp.arm_url}"\n'
    write(config, f"{text}\n{other}")
    app = StacktuiApp(config)
    async with app.run_test(size=SMALL) as pilot:

        async def typed(key: str, secret: str, then: str) -> str:
            await pilot.press(key)
            await until(pilot, IN_MEMORY)
            await paste(pilot, secret)
            await pilot.press("enter")
            return await until(pilot, then)

        await typed("c", "wr0ng-one", f"✗ {verdict}")
        assert not app.app_state.typed
        await pilot.press("3", "enter")
        await until(pilot, f"c asks for its {kind}")
        await typed("T", "wr0ng-two", f"✗ {verdict}")
        await pilot.press("escape")
        await typed("o", "wr0ng-three", "roles")
        async with asyncio.timeout(PATIENCE):
            while app.app_state.typed:
                await pilot.pause(0.01)
        posts = len([each for each in stamp.requests if each.method == "POST"])
        await pilot.press("escape", "C")
        await until(pilot, "✗ secret-missing")
        assert len([each for each in stamp.requests if each.method == "POST"]) == posts
        await pilot.press("enter")
        await typed("o", right, "roles in")
        assert right not in repr(app.app_state)


@pytest.mark.parametrize("key", ["r", "S", "P"])
async def test_a_pane_asks_by_a_key_alone(
    key: str, stamp: RunningStamp, config: Path, tmp_path: Path
) -> None:
    text, right, _ = prompted(stamp, "secret", tmp_path)
    write(config, text)
    app = StacktuiApp(config)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("4")
        await until(pilot, "nobody was asked")
        await settle(pilot)
        assert not isinstance(app.screen, SecretScreen)
        await pilot.press(key)
        await until(pilot, IN_MEMORY)
        await paste(pilot, right)
        await pilot.press("enter")
        await until(pilot, {"r": "1 of 18", "S": "Subscriptions", "P": "Resource prov"}[key])


async def test_a_round_asks_nobody(stamp: RunningStamp, config: Path, tmp_path: Path) -> None:
    text, _, _ = prompted(stamp, "secret", tmp_path)
    other = f'[environments.Other]\narm = "{stamp.arm_url}"\nidentity = "tester"\n'
    write(config, f"{text}\n{other}")
    app = StacktuiApp(config)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("C")
        await until(pilot, "✗ secret-missing")
        assert not isinstance(app.screen, SecretScreen)
