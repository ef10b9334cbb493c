"""`P` in pane 4: providers are registered after a question, and that is waited for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from stacktui.config import read_only
from stacktui.resources import providers
from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from stacktui.tui.app import StacktuiApp
from tests.product import config_text

from .screen import flat, resize, settle, text_of, until, write

SMALL = (80, 23)
NAMESPACE = "Microsoft.KeyVault"


@pytest.fixture
def stamp(config: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningStamp]:
    monkeypatch.setattr(providers, "FIRST_PAUSE", 0.1)
    absent = (NAMESPACE, "Microsoft.ManagedIdentity", "Microsoft.Web")
    options = StampOptions(
        groups=1, unregistered=absent, register_seconds=0.3, managed_identity=True
    )
    with run_in_thread(options) as running:
        write(config, config_text(running.describe()))
        yield running


def posts(stamp: RunningStamp) -> int:
    return sum(each.method == "POST" and "/register" in each.path for each in stamp.requests)


async def at_provider(pilot: Pilot[None]) -> str:
    await pilot.press("4", "P")
    await until(pilot, "Resource providers")
    await pilot.press("down")
    return await until(pilot, f"▸ {NAMESPACE}")


async def test_it_asks_and_waits_and_esc_stops_waiting(stamp: RunningStamp, config: Path) -> None:
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        shown = await at_provider(pilot)
        assert "enter register it" in shown
        assert f"{NAMESPACE}: NotRegistered; the documents' samples need it." in flat(shown)
        await pilot.press("enter")
        shown = flat(await until(pilot, f"Register {NAMESPACE}?"))
        assert f"subscription {stamp.subscription_id} in Test" in shown
        await pilot.press("escape")
        await until(pilot, "enter register it")
        assert posts(stamp) == 0
        stamp.fault_at(f"GET */providers/{NAMESPACE.lower()}@3+=delay:9")
        await pilot.press("enter", "y")
        shown = flat(await until(pilot, f"{NAMESPACE}: Registering, 0 s"))
        assert "! Registering" in shown
        assert "esc stops waiting" in shown
        await resize(pilot, 40, 10)
        assert "Registering" in text_of(pilot.app)
        await resize(pilot, *SMALL)
        await pilot.press("escape")
        shown = flat(await until(pilot, "No longer waited for"))
        assert "goes on in ARM" in shown
        stamp.fault_at()
        await pilot.press("enter")
        shown = await until(pilot, f"✓ {NAMESPACE} is Registered")
        assert "enter register it" not in shown
        assert posts(stamp) == 1


async def test_who_may_not_is_told_the_action(
    stamp: RunningStamp, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await at_provider(pilot)
        stamp.fault_at("POST */register=401")
        await pilot.press("enter", "y")
        shown = flat(await until(pilot, f"not done: the registration of {NAMESPACE}"))
        assert "401" in shown
        assert "Nothing was changed." in shown
        stamp.fault_at("POST */register=504-after", f"GET */providers/{NAMESPACE.lower()}@2+=401")
        await pilot.press("enter", "y")
        shown = flat(await until(pilot, f"whether the registration of {NAMESPACE} is done"))
        assert "Nothing was changed." not in shown
        assert "enter looks first, and makes nothing twice." in shown
        stamp.fault_at()
        await pilot.press("escape")
        monkeypatch.setattr(read_only, "_asked_by", {"--read-only": True})
        shown = await at_provider(pilot)
        assert "register it" not in shown
        sent = len(stamp.requests)
        await pilot.press("enter", "y")
        await settle(pilot)
        assert len(stamp.requests) == sent


async def test_what_needs_a_provider_leads_to_it(stamp: RunningStamp, config: Path) -> None:
    """A managed identity does, in a subscription that is not registered for it."""
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await pilot.press("3", "M")
        shown = flat(await until(pilot, "f register the provider"))
        assert "stacktui providers register Microsoft. ManagedIdentity" in shown
        await pilot.press("f")
        await until(pilot, "▸ Microsoft.ManagedIdentity")
        await pilot.press("enter", "y")
        await until(pilot, "✓ Microsoft.ManagedIdentity is Registered")
        await pilot.press("escape")
        await until(pilot, "look, then ask")
