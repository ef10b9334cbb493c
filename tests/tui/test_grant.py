"""`f` at arm-forbidden, on the real dashboard: who may grant Reader, and that it is granted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stacktui.config import read_only
from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from stacktui.tui.app import StacktuiApp
from tests.product import config_text

from .screen import flat, resize, settle, text_of, until, write

SMALL = (80, 23)


@pytest.fixture(params=list(IdentityProvider))
def stamp(request: pytest.FixtureRequest) -> Iterator[RunningStamp]:
    """A stamp whose application, `tester`, has no role, and whose user has all."""
    with run_in_thread(StampOptions(idp=request.param, role=None, groups=3)) as running:
        yield running


def owner(stamp: RunningStamp) -> str:
    return (
        f'[identities.owner]\nkind = "user"\nusername = "{stamp.user}"\n'
        f'tenant = "{stamp.tenant}"\npassword = {{ file = "{stamp.password_file}" }}\n'
    )


def twin(stamp: RunningStamp, secret: str) -> str:
    """An identity that has no role either."""
    return (
        f'[identities.twin]\nkind = "service-principal"\ntenant = "{stamp.tenant}"\n'
        f'client_id = "{stamp.client_id}"\nsecret = {{ file = "{secret}" }}\n'
    )


def grants(stamp: RunningStamp) -> list[str]:
    return [each.path for each in stamp.requests if each.method == "PUT"]


async def test_f_shows_what_is_written_grants_it_and_checks_again(
    stamp: RunningStamp, config: Path
) -> None:
    write(config, config_text(stamp.describe(), identity=owner(stamp)))
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await pilot.press("c")
        assert "f grants it" in await until(pilot, "✗ arm-forbidden")
        assert f"{stamp.user}" not in text_of(pilot.app)
        await pilot.press("f")
        shown = flat(await until(pilot, "Grant it?"))
        for text in (
            "role Reader", f"to {stamp.object_id} (identity tester)", "as owner (user)",
            f"on subscription {stamp.subscription_id}", "owner user ✓ may grant it",
        ):  # fmt: skip
            assert text in shown, shown
        assert not grants(stamp)
        await pilot.press("escape")
        await until(pilot, "✗ arm-forbidden")
        await pilot.press("f")
        await until(pilot, "Grant it?")
        await pilot.press("y")
        shown = flat(await until(pilot, "Nothing is wrong."))
        assert f"{stamp.object_id} (identity tester) now has Reader" in shown
    (path,) = grants(stamp)
    assert path.startswith(f"/subscriptions/{stamp.subscription_id}/providers/")


async def test_a_role_that_does_not_count_yet_is_said(config: Path) -> None:
    with run_in_thread(StampOptions(role=None, groups=3, grant_seconds=600)) as stamp:
        write(config, config_text(stamp.describe(), identity=owner(stamp)))
        async with StacktuiApp(config).run_test(size=SMALL) as pilot:
            await pilot.press("c")
            await until(pilot, "f grants it")
            await pilot.press("f")
            await until(pilot, "Grant it?")
            await pilot.press("y")
            shown = flat(await until(pilot, "The role was granted at"))
            assert "can take minutes to count: c checks again" in shown
            assert "✗ arm-forbidden" in await until(pilot, "✗ arm-forbidden")
            assert "f grants it" not in text_of(pilot.app)
            await pilot.press("c")
            await until(pilot, "The role was granted at")


async def test_who_may_not_has_the_line_to_send(stamp: RunningStamp, config: Path) -> None:
    write(config, config_text(stamp.describe(), identity=twin(stamp, stamp.secret_file)))
    app = StacktuiApp(config)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("c")
        await until(pilot, "✗ arm-forbidden")
        await pilot.press("f")
        shown = flat(await until(pilot, "✗ cannot"))
        assert "twin cannot grant it: it may not assign roles." in shown
        for size in ((120, 40), (40, 10), SMALL):
            await resize(pilot, *size)
            assert "cannot" in text_of(app)
        await pilot.press("y")
        await until(pilot, "OSC 52")
        command = f"stacktui identities grant {stamp.object_id} --role Reader"
        assert app.clipboard.startswith(command)
        await pilot.press("escape")
        await until(pilot, "✗ arm-forbidden")
    assert not grants(stamp)


async def test_nobody_is_asked_who_needs_a_person(stamp: RunningStamp, config: Path) -> None:
    others = (
        '[identities.code]\nkind = "device-code"\n[identities.typed]\nkind = "user"\n'
        f'username = "{stamp.user}"\npassword = {{ prompt = true }}\n'
    )
    write(config, config_text(stamp.describe(), identity=others))
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await pilot.press("c")
        await until(pilot, "✗ arm-forbidden")
        asked = len(stamp.requests)
        await pilot.press("f")
        shown = flat(await until(pilot, "needs you to sign in"))
        assert "code needs you to sign in: esc, T on it in pane 3, then f again" in shown
        assert "not asked" in shown
        await pilot.press("down", "enter")
        await until(pilot, "typed needs you to sign in")
        assert len(stamp.requests) == asked


async def test_who_has_signed_in_with_a_code_may_grant(config: Path) -> None:
    options = StampOptions(role=None, groups=3, device_interval=1, device_approve_after=1)
    with run_in_thread(options) as stamp:
        other = '[identities.code]\nkind = "device-code"\n'
        write(config, config_text(stamp.describe(), identity=other))
        async with StacktuiApp(config).run_test(size=SMALL) as pilot:
            await pilot.press("c")
            await until(pilot, "✗ arm-forbidden")
            await pilot.press("3", "down", "T")
            await until(pilot, "Signed in")
            await pilot.press("escape", "f")
            await until(pilot, "may grant it")


async def test_the_secret_of_another_stamp_s_identity_is_sent_by_a_key_alone(
    stamp: RunningStamp, config: Path
) -> None:
    """A stamp that refuses everybody must not be handed all secrets of a config."""
    west = '[environments.West]\narm = "https://management.west.example"\nidentity = "owner"\n'
    write(config, config_text(stamp.describe(), identity=owner(stamp) + west))
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await pilot.press("c")
        await until(pilot, "✗ arm-forbidden")
        asked = len(stamp.requests)
        await pilot.press("f")
        shown = flat(await until(pilot, "not asked"))
        assert "Nothing says that owner belongs to Test" in shown
        await pilot.press("y")
        await settle(pilot)
        assert len(stamp.requests) == asked
        await pilot.press("enter")
        await until(pilot, "Grant it?")
        await pilot.press("y")
        await until(pilot, "Nothing is wrong.")


async def test_what_fails_is_said(stamp: RunningStamp, config: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("not-the-secret")
    identities = twin(stamp, str(wrong)) + owner(stamp)
    write(config, config_text(stamp.describe(), identity=identities))
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await pilot.press("c")
        await until(pilot, "✗ arm-forbidden")
        await pilot.press("f")
        # The one that may is highlighted, wherever it is in the list.
        shown = flat(await until(pilot, "Grant it?"))
        assert "✗ cannot" in shown
        assert "as owner (user)" in shown
        await pilot.press("up")
        shown = flat(await until(pilot, "twin cannot grant it: "))
        assert "not-the-secret" not in shown
        await pilot.press("down")
        await until(pilot, "Grant it?")
        stamp.fault_at("PUT *=500")
        await pilot.press("y")
        await until(pilot, "not granted: ")


async def test_read_only_grants_nothing(
    stamp: RunningStamp, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_only, "_asked_by", {"--read-only": True})
    write(config, config_text(stamp.describe(), identity=owner(stamp)))
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await pilot.press("c")
        await until(pilot, "✗ arm-forbidden")
        asked = len(stamp.requests)
        await pilot.press("f")
        await settle(pilot)
        assert "✗ arm-forbidden" in text_of(pilot.app)
        assert len(stamp.requests) == asked
