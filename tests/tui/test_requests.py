"""`R` lists the requests of the session, with the lines that repeat each."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from stacktui.transport.request_log import is_logging
from stacktui.tui.app import StacktuiApp
from stacktui.tui.request_history import MOST
from tests.product import config_text

from .screen import flat, text_of, type_in, until, write


@pytest.mark.parametrize("size", [(40, 10), (80, 23), (120, 40)], ids=str)
async def test_a_request_is_listed_opened_and_copied(
    config: Path, entra_stamp: RunningStamp, size: tuple[int, int]
) -> None:
    write(config, config_text(entra_stamp.describe()))
    app = StacktuiApp(config)
    async with app.run_test(size=size) as pilot:
        await pilot.press("R")
        await until(pilot, "No request was made yet.")
        await pilot.press("escape", "c")
        await until(pilot, "Signed in")
        await pilot.press("R")
        shown = await until(pilot, "/metadata/endpoints")
        assert shown.index("/metadata/endpoints") < shown.index("GET /subscriptions/")
        assert entra_stamp.secret not in shown
        await pilot.press("slash")
        await type_in(pilot, "resourcegroups")
        await until(pilot, "of 3")
        await pilot.press("enter", "enter")
        detail = flat(await until(pilot, "phases"))
        if size[1] > 20:
            assert "1 az rest --method get" in detail
            assert "2 curl -sS" in detail
            assert "$TOKEN" in detail
        await pilot.press("y")
        await until(pilot, "Commands, by number")
        await pilot.press("2")
        await until(pilot, "sent to the terminal")
        await pilot.press("escape", "escape", "escape")
        await until(pilot, "Signed in")
        assert "Requests" not in text_of(app)
    copied = app.copier.text
    assert copied.startswith('curl -sS -g -H "Authorization: Bearer $TOKEN" --cacert ')
    assert "/resourcegroups?api-version=" in copied
    assert not is_logging()


async def test_the_list_follows_the_newest_and_keeps_only_the_last(config: Path) -> None:
    with run_in_thread(StampOptions(domain="local.azurestack.external")) as stamp:
        write(config, config_text(stamp.describe()))
        app = StacktuiApp(config)
        async with app.run_test(size=(80, 23)) as pilot:
            await pilot.press("c")
            await until(pilot, "Signed in")
            await pilot.press("R")
            await until(pilot, "/metadata/endpoints")
            (*_, last) = app.app_state.requests.snapshot().values()
            for _ in range(MOST + 20):
                app.app_state.requests.add(last)
            await until(pilot, f"{MOST} of {MOST}")
