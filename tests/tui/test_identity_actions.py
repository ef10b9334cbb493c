"""Testing, duplicating and importing identities in pane 3: real files, and the embedded stamp."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stacktui.check.history import read_history
from stacktui.check.settings import load_settings
from stacktui.config.locations import history_file
from stacktui.stamp.running import RunningStamp
from stacktui.tui.app import StacktuiApp
from tests.support.listeners import listening, silent

from .canned import CONFIG, canned_app
from .conftest import Start
from .screen import flat, read, settle, text_of, type_in, until, write
from .test_forms import WRITTEN, fill, table

SMALL, WIDE = (80, 23), (120, 40)
OTHER = """
[identities.other]
kind = "service-principal"
client_id = "{client_id}"
secret = {secret}
"""
CLIENT = "c0ffee00-1234-4567-89ab-000000000000"
ENTRIES = (
    {"client_id": CLIENT, "tenant": "contoso.example", "client_secret": "s3cret~of.ours"},
    {"client_id": "deadbeef-0000", "tenant": "adfs", "certificate": "/nowhere/sp.pem"},
    {"client_id": "a-client", "tenant": "Contoso", "client_secret": "s3cret~of.ours"},
    {"client_id": 7},
)


@pytest.fixture
def other(start: Start, config: Path) -> Callable[[str], RunningStamp]:
    """Start a stamp; only another identity than its environment's has a secret: this one."""

    def started(secret: str) -> RunningStamp:
        stamp = start(secret='{ env = "NOT_SET" }')
        text = OTHER.format(client_id=stamp.client_id, secret=secret)
        write(config, read(config) + text.replace("FILE", stamp.describe()["secret_file"]))
        return stamp

    return started


async def test_another_identity_than_the_environments_is_tested(
    other: Callable[[str], RunningStamp], config: Path
) -> None:
    """It signs in, and neither the environment's last check nor its history knows of it."""
    stamp = other('{ file = "FILE" }')
    app = StacktuiApp(config)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("3", "j", "T")
        shown = await until(pilot, "Sign in to Test as other")
        shown = await until(pilot, "there is a token until")
        assert "✓ metadata" in shown
        assert "resource groups" not in shown
        assert stamp.secret not in shown
        before = len(stamp.requests)
        await pilot.press("c")
        await until(pilot, "✓ OK")
        paths = [each.path for each in stamp.requests[before:]]
        assert any(path.rstrip("/").endswith("/token") for path in paths)
        assert not any("subscriptions" in path for path in paths)
        await pilot.press("Y")
        await until(pilot, "Test, healthy")
        await pilot.press("escape")
        shown = await until(pilot, "Press c to check Test")
        assert app.app_state.checks == {}
        app.history.close()
    assert read_history(load_settings(config).target("Test")) == ((), ())
    assert not history_file().exists()


@pytest.mark.parametrize("key", ["T", "o", "M"])
async def test_the_secret_of_another_stamp_is_sent_after_a_question(
    key: str, other: Callable[[str], RunningStamp], config: Path
) -> None:
    stamp = other('{ file = "FILE" }')
    west = '[environments.West]\narm = "https://management.west.example"\nidentity = "other"\n'
    write(config, read(config) + west)
    app = StacktuiApp(config)
    async with app.run_test(size=SMALL) as pilot:
        before = len(stamp.requests)
        await pilot.press("3", "j", key)
        shown = flat(await until(pilot, "Nothing says that other belongs to Test."))
        assert "sends its secret to the login host of Test" in shown
        await pilot.press("escape")
        await settle(pilot)
        assert app.screen is app.dashboard
        assert len(stamp.requests) == before
        await pilot.press(key)
        await until(pilot, "Send it?")
        await pilot.press("y")
        then = {"T": "there is a token until", "o": "roles in", "M": "Managed identity in Test"}
        await until(pilot, then[key])
        await pilot.press("escape", "o")  # it has a token there
        await settle(pilot)
        assert "Send it?" not in text_of(app)


async def test_what_is_wrong_is_the_verdict_with_its_remedies(
    other: Callable[[str], RunningStamp], config: Path
) -> None:
    """A typed secret that is wrong can be typed again, as after a check."""
    stamp = other("{ prompt = true }")
    async with StacktuiApp(config).run_test(size=WIDE) as pilot:
        await pilot.press("3", "j", "T")
        await until(pilot, "The secret of other")
        await type_in(pilot, "wr0ng")
        await pilot.press("enter")
        shown = await until(pilot, "f asks for it")
        assert "side: sign-in" in shown
        assert "wr0ng" not in shown
        await pilot.press("f")
        await until(pilot, "The secret of other")
        await type_in(pilot, stamp.secret)
        await pilot.press("enter")
        shown = await until(pilot, "there is a token until")
        assert stamp.secret not in shown
        await pilot.press("escape", "T")
        await until(pilot, "there is a token until")


async def test_without_the_secret_it_is_missing(
    other: Callable[[str], RunningStamp], config: Path
) -> None:
    other("{ prompt = true }")
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await pilot.press("3", "j", "T")
        await until(pilot, "The secret of other")
        await pilot.press("escape")
        await until(pilot, "✗ secret-missing")


async def test_it_can_be_cancelled(config: Path) -> None:
    async with listening(silent) as quiet:
        text = CONFIG.replace("management.local.azurestack.external", f"127.0.0.1:{quiet.port}", 1)
        write(config, text.replace('ca = "/etc', '# ca = "/etc'))
        async with StacktuiApp(config).run_test(size=SMALL) as pilot:
            await pilot.press("3", "T")
            await until(pilot, "TLS handshake with 127.0.0.1")
            await pilot.press("escape")
            await until(pilot, "– cancelled")
            await pilot.press("c")
            await until(pilot, "TLS handshake with 127.0.0.1")
            await pilot.press("ctrl+c")
            await until(pilot, "– cancelled")
            await pilot.press("escape")
            await until(pilot, "Press c to check")


async def test_a_device_code_is_shown_and_copied(start: Start, config: Path) -> None:
    start(kind='"device-code"', client_id="", secret="")
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await pilot.press("3", "T")
        await until(pilot, "To sign in at ")
        shown = await until(pilot, "leave it waiting")
        assert " left " in shown
        await pilot.press("y")
        await until(pilot, "w writes a file: the code")
        await pilot.press("u")
        await until(pilot, "the page")
        await pilot.press("enter")
        await until(pilot, "enter show the code")
        assert "leave it waiting" not in text_of(pilot.app)
        await pilot.press("y")
        await until(pilot, "w writes a file: the code")
        await pilot.press("enter")
        await until(pilot, "leave it waiting")
        await pilot.press("escape")
        await until(pilot, "– cancelled")


async def test_a_duplicate_has_a_new_name_and_the_same_secret(config: Path) -> None:
    text = WRITTEN.replace('{ env = "OPS_SECRET" }', "{ keyring = true }").replace(
        'tenant = "contoso"', 'tenant = "contoso"\nimported_from = "/az"'
    )
    async with canned_app(config, text=text).run_test(size=SMALL) as pilot:
        await pilot.press("3", "A")
        shown = await until(pilot, "A copy of ops")
        assert "ops-2" in shown
        await fill(pilot, "Tenant", "other")
        await pilot.press("enter")
        await until(pilot, "saved ops-2 in")
    assert table(config, "identities", "ops-2") == {
        "kind": "service-principal",
        "tenant": "other",
        "client_id": "a-client",
        "secret": {"keyring": "stacktui/ops"},  # `true` would be the entry of ops-2
    }
    assert read(config).startswith(text)


async def test_a_copy_of_an_unusable_one(config: Path) -> None:
    text = WRITTEN.replace('kind = "device-code"', 'kind = "device-code"\nclient_id = 7')
    async with canned_app(config, text=text).run_test(size=SMALL) as pilot:
        await pilot.press("3", "j", "T", "A")
        await until(pilot, "A copy of spare")
        await pilot.press("enter")
        await until(pilot, "client_id must be a string")
        await fill(pilot, "Client id", "8")
        await pilot.press("enter")
        await until(pilot, "saved spare-2 in")
    assert table(config, "identities", "spare-2") == {"kind": "device-code", "client_id": "8"}


async def test_where_it_came_from(config: Path) -> None:
    text = WRITTEN.replace('tenant = "contoso"', 'tenant = "contoso"\nimported_from = "/az"')
    async with canned_app(config, text=text).run_test(size=WIDE) as pilot:
        await pilot.press("3")
        assert "config.toml, line 10; imported from /az" in flat(await until(pilot, "line 10"))
        await pilot.press("j")
        await until(pilot, "config.toml, line 17")


# Importing


@pytest.fixture
def entries(config: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """az's file, with four entries: two are new, one is there, one is nonsense."""
    monkeypatch.setenv("AZURE_CONFIG_DIR", "azure")
    path = Path("azure/service_principal_entries.json")
    path.parent.mkdir()
    write(path, json.dumps(ENTRIES))
    return path


def state_of(file: Path) -> tuple[bytes, int, int]:
    found = file.stat()
    return file.read_bytes(), found.st_mode & 0o777, found.st_mtime_ns


def identities(config: Path) -> dict[str, Any]:
    found: dict[str, Any] = table(config, "identities")
    return found


async def test_what_is_ticked_is_imported(config: Path, entries: Path, tmp_path: Path) -> None:
    before = state_of(entries)
    async with canned_app(config, text=WRITTEN).run_test(size=SMALL) as pilot:
        await pilot.press("3", "I")
        shown = await until(pilot, "[x] sp-c0ffee00")
        assert "[x] sp-deadbeef" in shown
        assert "! missing" in shown
        assert "ops" in shown
        assert "✓ is there already" in shown
        assert "✗ cannot be used" in shown
        await pilot.press("s", "s")
        await until(pilot, "to a file of its own")
        await pilot.press("j")
        await until(pilot, "no such file")
        await pilot.press("space")
        await until(pilot, "[ ] sp-deadbeef")
        await pilot.press("enter")
        shown = flat(await until(pilot, "Add this to config.toml?"))
        assert f"client id {CLIENT}" in shown
        assert "deadbeef" not in shown
        assert read(config) == WRITTEN
        await pilot.press("escape")
        await until(pilot, "[ ] sp-deadbeef")
        await pilot.press("enter")
        await until(pilot, "Add this to config.toml?")
        await pilot.press("y")
        shown = await until(pilot, "added sp-c0ffee00;")
        assert "s3cret" not in shown + read(config)
    assert read(config).startswith(WRITTEN.rstrip())
    secret = Path("secrets/sp-c0ffee00")
    assert identities(config)["sp-c0ffee00"] == {
        "kind": "service-principal",
        "tenant": "contoso.example",
        "client_id": CLIENT,
        "secret": {"file": str(tmp_path / secret)},
        "imported_from": str(tmp_path / entries),
    }
    assert list(identities(config)) == ["ops", "spare", "sp-c0ffee00"]
    assert (read(secret), state_of(secret)[1]) == ("s3cret~of.ours", 0o600)
    assert state_of(entries) == before


@pytest.mark.parametrize(
    ("content", "said"), [("[]", "no service principal there"), ("{", "is not JSON")]
)
async def test_where_there_is_nothing_to_import(
    config: Path, entries: Path, content: str, said: str
) -> None:
    write(entries, content)
    async with canned_app(config, text=WRITTEN).run_test(size=SMALL) as pilot:
        await pilot.press("3", "I")
        await until(pilot, said)
        await pilot.press("enter", "space", "s", "escape")
        await until(pilot, "a add identity")
    assert read(config) == WRITTEN


async def test_read_only_hides_them_but_not_the_test(
    other: Callable[[str], RunningStamp], config: Path, entries: Path
) -> None:
    other('{ env = "NOT_SET" }')
    text = f"read_only = true\n{read(config)}"
    write(config, text)
    app = StacktuiApp(config)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("3")
        for keys in ("A", "I", "D", "a", "e"):
            await pilot.press(keys)
            await settle(pilot)
            assert app.screen is app.dashboard
        await pilot.press("T")
        await until(pilot, "✗ secret-missing")
        await pilot.press("f")
        await settle(pilot)
        assert "f fix" not in text_of(app).splitlines()[-1]
        assert "Sign in to Test" in text_of(app)
    assert read(config) == text
