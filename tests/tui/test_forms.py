"""The forms of environments and identities: real files, and the embedded stamp."""

from __future__ import annotations

import json
import ssl
import tomllib
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from textual._compositor import Compositor
from textual.pilot import Pilot

from stacktui.stamp import StampOptions, run_in_thread
from stacktui.tui.app import StacktuiApp
from tests.product import write_config
from tests.support.authority import issue, rsa_key
from tests.support.listeners import listening, silent

from . import canned
from .canned import canned_app
from .canned_scan import scans
from .conftest import Start
from .screen import flat, paste, read, resize, settle, text_of, type_in, until, write

WIDE = (120, 40)
OPERATOR = "https://adminmanagement.local.azurestack.external"
WRITTEN = """\
active = "west"  # for now

# The stamp of the west.
[environments.west]
arm = "https://management.west.example"
identity = "ops"
colour = "blue"  # ours
resolve = { "management.west.example:443" = "127.0.0.1:1" }

[identities.ops]
kind = "service-principal"
tenant = "contoso"
client_id = "a-client"
secret = { env = "OPS_SECRET" }  # from the vault

[identities.spare]
kind = "device-code"
"""


def table(config: Path, *place: str) -> Any:
    found: Any = tomllib.loads(read(config))
    for key in place:
        found = found[key]
    return found


async def go_to(pilot: Pilot[None], label: str) -> None:
    """Move to the field with this label."""
    for _ in range(12):
        if f"▸ {label} " in text_of(pilot.app):
            return
        await pilot.press("down")
        await pilot.pause()
    raise AssertionError(f"no field {label} on:\n{text_of(pilot.app)}")


async def fill(pilot: Pilot[None], label: str, text: str) -> None:
    await go_to(pilot, label)
    await type_in(pilot, text)


async def choose(pilot: Pilot[None], label: str, *keys: str) -> None:
    await go_to(pilot, label)
    await pilot.press("space")
    await until(pilot, "enter choose")
    await pilot.press(*keys, "enter")
    await until(pilot, "esc back")


@pytest.mark.parametrize(
    ("pasted", "arm", "name"),
    [
        ("https://portal.east.example/#home", "https://management.east.example", "east"),
        ("management.east.example", "https://management.east.example", "east"),
        ("adminportal.east.example", "https://adminmanagement.east.example", "east-admin"),
        ("local", "https://management.local.azurestack.external", "AzureStackUser"),
    ],
)
async def test_it_saves_what_it_read_from_what_was_pasted(
    config: Path, pasted: str, arm: str, name: str
) -> None:
    write(config, WRITTEN)
    async with canned_app(config).run_test(size=(80, 23)) as pilot:
        await pilot.press("a")
        await paste(pilot, pasted)
        await until(pilot, f"read as {arm}")
        await pilot.press("ctrl+s")
        await until(pilot, f"saved {name} in config.toml")
    assert table(config, "environments", name) == {"arm": arm}
    assert table(config, "active") == "west"
    lines = iter(read(config).splitlines())
    assert all(line in lines for line in WRITTEN.splitlines())


async def test_a_new_environment_is_active_if_its_form_says_so(config: Path) -> None:
    write(config, WRITTEN)
    async with canned_app(config).run_test(size=(80, 23)) as pilot:
        await pilot.press("a")
        await paste(pilot, "local")
        await choose(pilot, "Identity", "down")
        await go_to(pilot, "Active")
        await pilot.press("space")
        await until(pilot, "[x]")
        await pilot.press("ctrl+s")
        await until(pilot, "saved AzureStackUser in")
    identity = table(config, "environments", "AzureStackUser", "identity")
    assert (table(config, "active"), identity) == ("AzureStackUser", "ops")


async def test_nothing_is_saved_while_a_field_is_wrong(config: Path) -> None:
    write(config, WRITTEN)
    async with canned_app(config).run_test(size=(80, 23)) as pilot:
        await pilot.press("a", "ctrl+s")
        shown = await until(pilot, "✗ must be https://host[:port]")
        assert "✗ is needed" in shown
        await paste(pilot, "local")
        await fill(pilot, "CA file", "gone.pem")
        shown = await until(pilot, "✗ is not there")
        assert "✗ must be" not in shown
        await fill(pilot, "Proxy", "ftp://x")
        await until(pilot, "✗ a proxy must be")
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert "▸ CA file" in text_of(pilot.app)
    assert read(config) == WRITTEN


async def test_an_answer_does_not_outlive_the_settings_that_it_is_of(
    start: Start, config: Path
) -> None:
    stamp = start()
    write(config, "")
    async with StacktuiApp(config).run_test(size=WIDE) as pilot:
        await pilot.press("a")
        await paste(pilot, f"https://localhost:{stamp.port}")
        await go_to(pilot, "CA file")
        await paste(pilot, str(stamp.ca_file))
        await until(pilot, "root AzureStackSelfSignedRootCert, until")
        await pilot.press("enter")
        await until(pilot, "signed by")
        await pilot.press("escape")
        await go_to(pilot, "Name")
        await pilot.press("home", "ctrl+k")
        await type_in(pilot, "Other")
        assert "signed by" in text_of(pilot.app)  # a name changes nothing of the answer
        await fill(pilot, "Proxy", "none")
        await until(pilot, "Paste the ARM URL")
        assert "signed by" not in text_of(pilot.app)
        await pilot.press("enter")
        await until(pilot, "enter save")
        await pilot.press("enter")
        await until(pilot, "saved Other in config.toml")
        assert "✓ metadata ok" in text_of(pilot.app)
    assert table(config, "environments", "Other") == {
        "arm": f"https://localhost:{stamp.port}",
        "ca": str(stamp.ca_file),
        "proxy": "none",
    }


async def test_it_says_how_long_it_waits_and_for_what(config: Path) -> None:
    write(config, "")
    async with listening(silent) as quiet, StacktuiApp(config).run_test(size=(80, 23)) as pilot:
        await pilot.press("a")
        await paste(pilot, f"127.0.0.1:{quiet.port}")
        await pilot.press("enter")
        shown = flat(await until(pilot, "› 1 s  gives up in 4 s"))
        assert "TLS handshake with 127.0.0.1" in shown
        await pilot.press("escape")
        await until(pilot, "– cancelled")
        await type_in(pilot, "1")
        assert "cancelled" not in text_of(pilot.app)


@pytest.mark.parametrize("form", ["der", "p7b"])
async def test_a_root_in_another_form_is_trusted_and_saved_as_pem(
    start: Start, config: Path, tmp_path: Path, form: str
) -> None:
    stamp = start()
    write(config, "")
    pem = read(Path(stamp.ca_file))
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    der = ssl.PEM_cert_to_DER_cert(pem[pem.index(begin) : pem.index(end) + len(end)])
    given = tmp_path / f"root.{form}"
    given.write_bytes(der if form == "der" else pkcs7_of(der))
    async with StacktuiApp(config).run_test(size=WIDE) as pilot:
        await pilot.press("a")
        await paste(pilot, f"https://localhost:{stamp.port}")
        await pilot.press("enter")
        shown = await until(pilot, "put its path into CA file: enter asks again")
        assert (
            shown.index("tls-untrusted-root") < shown.index("CA file: enter") < shown.index("fix  ")
        )
        await pilot.press("escape")
        await go_to(pilot, "CA file")
        await paste(pilot, given.name)
        await until(pilot, "; saved as PEM")
        await pilot.press("enter")
        await until(pilot, "signed by")
        assert read(config) == ""
        await pilot.press("enter")
        await until(pilot, "saved localhost in")
    assert table(config, "environments", "localhost", "ca") == "ca/localhost.pem"
    assert ssl.PEM_cert_to_DER_cert(certificate_in(tmp_path / "ca" / "localhost.pem")) == der


def certificate_in(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    return text[text.index("-----BEGIN CERT") :].strip()


def pkcs7_of(der: bytes) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.hazmat.primitives.serialization.pkcs7 import serialize_certificates

    return serialize_certificates([x509.load_der_x509_certificate(der)], Encoding.DER)


async def test_an_edit_keeps_the_rest_of_the_file_and_takes_the_old_verdict_away(
    config: Path,
) -> None:
    app = canned_app(config, canned.events_of(canned.UNTRUSTED), text=WRITTEN)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("c")
        await until(pilot, "tls-untrusted-root")
        await pilot.press("e")
        await until(pilot, "Edit west")
        await choose(pilot, "Identity", "down")
        await pilot.press("enter")
        shown = await until(pilot, "saved west in config.toml")
        assert "tls-untrusted-root" not in shown
        assert "not checked" in shown
    assert read(config) == WRITTEN.replace('identity = "ops"', 'identity = "spare"')


async def test_what_somebody_else_has_changed_has_no_verdict_of_before(config: Path) -> None:
    events, text = canned.events_of(canned.UNTRUSTED), WRITTEN.replace("colour", "# colour")
    app = canned_app(config, events, text=text, scan=scans(hangs=True))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("c")
        await until(pilot, "tls-untrusted-root")
        await pilot.press("r")
        shown = await until(pilot, "the config was read again")
        assert "tls-untrusted-root" in shown
        await pilot.press("2", "l")
        await until(pilot, "scanning 3 of 4")
        write(config, text.replace('"contoso"', '"other"'))
        await pilot.press("1", "r")
        shown = await until(pilot, "the config was read again")
        assert "tls-untrusted-root" not in shown
        assert "not checked" in shown
        assert not app.scan_runner.running


async def test_an_edit_can_take_a_setting_out_and_change_nothing(config: Path) -> None:
    async with canned_app(config, text=WRITTEN).run_test(size=WIDE) as pilot:
        await pilot.press("e", "enter")
        await until(pilot, "west: nothing was changed")
        assert read(config) == WRITTEN
        await pilot.press("e")
        await choose(pilot, "Identity", "up")
        await pilot.press("enter")
        await until(pilot, "saved west")
    assert read(config) == WRITTEN.replace('identity = "ops"\n', "")


async def test_a_copy_has_what_only_the_file_can_say(config: Path) -> None:
    async with canned_app(config, text=WRITTEN).run_test(size=WIDE) as pilot:
        await pilot.press("A")
        await until(pilot, "A copy of west")
        await pilot.press("ctrl+k")
        await paste(pilot, "https://adminmanagement.west.example")
        await pilot.press("ctrl+s")
        await until(pilot, "saved west-admin in")
    copied = table(config, "environments", "west-admin")
    west = table(config, "environments", "west")
    assert copied == west | {"arm": "https://adminmanagement.west.example"}


async def test_what_is_pasted_or_in_the_file_is_shown_as_text(config: Path) -> None:
    hostile = "x\u202e\x1b[31m[b]"
    text = WRITTEN.replace('tenant = "contoso"', f"tenant = {json.dumps(hostile)}")
    text = text.replace("colour =", f"subscription = {json.dumps(hostile)}\ncolour =")
    async with canned_app(config, text=text).run_test(size=(80, 23)) as pilot:
        await pilot.press("e")
        shown = await until(pilot, r"x\u202e\x1b[31m[b]")
        assert shown.isprintable() or {*filter(lambda c: not c.isprintable(), shown)} == {"\n"}
        await pilot.press("ctrl+k")
        await paste(pilot, "\n\n east\u200b.\u202eexample\x1b\nsecond line\n")
        shown = await until(pilot, "read as https://east.example")
        assert "second" not in shown
        await pilot.press("escape", "y", "3", "e")
        await until(pilot, r"x\u202e\x1b[31m[b]")
        await fill(pilot, "Client id", "another")
        await pilot.press("enter")
        await until(pilot, "saved ops in")
    assert read(config) == text.replace('"a-client"', '"another"')


async def test_the_password_of_a_proxy_is_kept_and_not_shown(config: Path) -> None:
    proxy = 'proxy = "http://ops:hunter2@proxy.example:8080"'
    text = WRITTEN.replace('colour = "blue"', proxy)
    async with canned_app(config, text=text).run_test(size=(80, 23)) as pilot:
        await pilot.press("e")
        shown = await until(pilot, "with the user and the password that the file has")
        assert "http://proxy.example:8080" in shown
        assert "hunter2" not in shown
        await choose(pilot, "Identity", "down")
        await pilot.press("enter")
        await until(pilot, "saved west in")
        assert read(config) == text.replace('identity = "ops"', 'identity = "spare"')
        await pilot.press("e")
        await fill(pilot, "Proxy", "http://other.example")
        assert "that the file has" not in text_of(pilot.app)
        await pilot.press("ctrl+s")
        await until(pilot, "saved west in")
    assert table(config, "environments", "west", "proxy") == "http://other.example"


async def test_a_name_with_control_characters_is_removed_as_it_is_shown(config: Path) -> None:
    text = WRITTEN.replace("[environments.west]", r'[environments."we\u202e\u001b[31mst"]')
    async with canned_app(config, text=text).run_test(size=WIDE) as pilot:
        await pilot.press("D")
        await type_in(pilot, r"we\u202e\x1b[31mst")
        await pilot.press("enter")
        await until(pilot, "removed we")
    assert "environments" not in table(config)


async def test_a_narrow_form_shows_what_is_wrong_and_the_way_out(config: Path) -> None:
    async with canned_app(config, text=WRITTEN).run_test(size=(80, 23)) as pilot:
        await pilot.press("a")
        await until(pilot, "ctrl+s save  esc back")
        await go_to(pilot, "Active")
        await resize(pilot, 40, 10)
        await until(pilot, "▸ Active")
        await pilot.press(*["up"] * 5)
        await until(pilot, "enter ask the stamp  esc back")
        await type_in(pilot, "ftp://x")
        shown = flat(await until(pilot, "✗ a proxy must be"))
        assert "or 'none'" in shown
        await pilot.press("escape")
        await until(pilot, "Not saved. y drops it, esc goes on")


async def test_what_was_typed_is_not_dropped_without_a_question(config: Path) -> None:
    async with canned_app(config, text=WRITTEN).run_test(size=(40, 10)) as pilot:
        await pilot.press("a", "escape")
        await until(pilot, "q quit")
        await pilot.press("a")
        await paste(pilot, "local")
        await pilot.press("escape")
        await until(pilot, "Not saved. y drops")
        await pilot.press("escape")
        await until(pilot, "▸ ARM URL")
        await type_in(pilot, "y")
        assert "localy" in text_of(pilot.app)
        await pilot.press("escape", "y")
        await until(pilot, "q quit")
    assert read(config) == WRITTEN


async def test_an_environment_is_removed_by_its_name(config: Path) -> None:
    async with canned_app(config, text=WRITTEN).run_test(size=WIDE) as pilot:
        await pilot.press("D")
        shown = flat(await until(pilot, "Type its name"))
        assert "the active environment: none is then" in shown
        assert "the history of its checks, what was recorded of the stamp" in shown
        await type_in(pilot, "East")
        await pilot.press("enter")
        await until(pilot, "that is not west: nothing was changed")
        assert read(config) == WRITTEN
        await pilot.press("ctrl+u")
        await pilot.press(*["backspace"] * 4)
        await type_in(pilot, "west")
        await pilot.press("enter")
        await until(pilot, "removed west from config.toml; no environment is active now")
        assert "No environments yet." in text_of(pilot.app)
    assert "The stamp of the west" not in read(config)
    assert table(config) == {"identities": tomllib.loads(WRITTEN)["identities"]}


@pytest.mark.parametrize("size", [(80, 23), (40, 10)])
async def test_an_identity_has_a_reference_and_no_secret(
    config: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEW_SECRET", "x")
    async with canned_app(config, text=WRITTEN).run_test(size=size) as pilot:
        await pilot.press("3", "a")
        await until(pilot, "Add an identity")
        await fill(pilot, "Name", "new")
        await fill(pilot, "Client id", "some-client")
        await fill(pilot, "Secret", "hunter2")
        shown = flat(await until(pilot, "✗ must be a reference"))
        assert "write: env NAME, file PATH, keyring or prompt" in shown
        await pilot.press("enter")
        await settle(pilot)
        assert read(config) == WRITTEN
        await pilot.press("ctrl+u")
        await type_in(pilot, "env NEW_SECRET")
        await until(pilot, "set in this shell")
        await pilot.press("enter")
        await until(pilot, "saved new in")
    assert table(config, "identities", "new") == {
        "kind": "service-principal",
        "client_id": "some-client",
        "secret": {"env": "NEW_SECRET"},
    }


async def test_a_kind_asks_for_its_own_keys(config: Path, tmp_path: Path) -> None:
    async with canned_app(config, text=WRITTEN).run_test(size=(80, 23)) as pilot:
        await pilot.press("3", "e")
        await until(pilot, "Edit ops")
        await choose(pilot, "Kind", "down")
        shown = await until(pilot, "User name")
        assert "Certificate" not in shown
        await pilot.press("enter")
        await until(pilot, "✗ is needed")
        await fill(pilot, "User name", "ops@contoso.example")
        await fill(pilot, "Password", "file pw.txt")
        await until(pilot, "pw.txt")
        await pilot.press("enter")
        await until(pilot, "saved ops in")
    assert table(config, "identities", "ops") == {
        "kind": "user",
        "tenant": "contoso",
        "client_id": "a-client",
        "username": "ops@contoso.example",
        "password": {"file": str(tmp_path / "pw.txt")},
    }


async def test_a_certificate_with_a_password(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_PFX", "p4ssword")
    leaf, path = issue("ops", ("ops",), None, key=rsa_key()), tmp_path / "sp.pfx"
    lock = BestAvailableEncryption(b"p4ssword")
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(b"ops", leaf.key, leaf.certificate, None, lock)
    )
    async with canned_app(config, text=WRITTEN).run_test(size=(80, 23)) as pilot:
        await pilot.press("3", "a")
        await until(pilot, "Add an identity")
        await fill(pilot, "Name", "new")
        await fill(pilot, "Client id", "some-client")
        await fill(pilot, "Its password", "prompt")
        await until(pilot, "asked for in each run")
        await fill(pilot, "Certificate", "sp.pfx")
        await until(pilot, "encrypted, and no")
        await go_to(pilot, "Its password")
        await pilot.press("ctrl+u")
        await type_in(pilot, "$OPS_PFX")
        await until(pilot, "set in this shell")
        await pilot.press("up")
        await until(pilot, "with its key")
        assert "p4ssword" not in text_of(pilot.app)
        await pilot.press("enter")
        await until(pilot, "saved new in")
    assert table(config, "identities", "new") == {
        "kind": "service-principal",
        "client_id": "some-client",
        "certificate": str(path),
        "certificate_password": {"env": "OPS_PFX"},
    }


async def test_the_account_of_az_is_added(config: Path) -> None:
    async with canned_app(config, text=WRITTEN).run_test(size=(80, 23)) as pilot:
        await pilot.press("3", "a")
        await until(pilot, "Add an identity")
        await fill(pilot, "Name", "me")
        await choose(pilot, "Kind", *["down"] * 4)
        shown = await until(pilot, "account of az")
        assert "Client id" not in shown
        await pilot.press("enter")
        await until(pilot, "saved me in")
    assert table(config, "identities", "me") == {"kind": "azure-cli"}


async def test_an_edited_identity_takes_the_verdicts_of_those_who_use_it_away(
    config: Path,
) -> None:
    app = canned_app(config, canned.events_of(canned.UNTRUSTED), text=WRITTEN)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("c")
        await until(pilot, "tls-untrusted-root")
        await pilot.press("3", "e")
        await fill(pilot, "Tenant", "other")
        await pilot.press("enter")
        shown = await until(pilot, "saved ops in")
        assert "tls-untrusted-root" not in shown
    assert read(config) == WRITTEN.replace('"contoso"', '"other"')


async def test_an_identity_in_use_is_not_removed(config: Path) -> None:
    async with canned_app(config, text=WRITTEN).run_test(size=WIDE) as pilot:
        await pilot.press("3", "D")
        await until(pilot, "ops is used by west.")
        await pilot.press("enter", "escape")
        await pilot.press("j", "D")
        await until(pilot, "Type its name")
        await type_in(pilot, "spare")
        await pilot.press("enter")
        await until(pilot, "removed spare from config.toml")
    assert read(config).rstrip() == WRITTEN[: WRITTEN.index("\n[identities.spare]")].rstrip()


async def test_a_copy_can_be_both_endpoints_of_its_stamp(start: Start, config: Path) -> None:
    start()
    async with StacktuiApp(config).run_test(size=WIDE) as pilot:
        await pilot.press("A")
        await pilot.press("enter")
        shown = flat(await until(pilot, "answers too: as AzureStackAdmin"))
        assert "storage local.azurestack.external metadata" in shown
        await pilot.press("escape")
        await go_to(pilot, "Both")
        await pilot.press("space")
        await until(pilot, "[x] users' and operators'")
        await pilot.press("enter")
        await until(pilot, "saved AzureStackUser and AzureStackAdmin in")
    user, operator = (
        table(config, "environments", f"AzureStack{who}") for who in ("User", "Admin")
    )
    assert user.pop("subscription")  # a user's is no operator's
    assert operator == user | {"arm": "https://adminmanagement.local.azurestack.external"}
    assert "resolve" in user
    assert table(config, "active") == "Test"


async def test_the_other_endpoint_gets_no_copy_of_the_endpoints_and_the_subscription(
    start: Start, config: Path
) -> None:
    start()
    own = "https://own.example/"
    endpoints = f'endpoints = {{ gallery = "{own}" }}'
    write(config, read(config).replace("arm = ", f"{endpoints}\narm = ", 1))
    async with StacktuiApp(config).run_test(size=WIDE) as pilot:
        await pilot.press("A", "enter")
        shown = flat(await until(pilot, "answers too: as AzureStackAdmin"))
        assert "without the subscription and the endpoints set by hand" in shown
        await pilot.press("escape")
        await go_to(pilot, "Both")
        await pilot.press("space")
        await until(pilot, "[x] users' and operators'")
        await pilot.press("enter")
        await until(pilot, "saved AzureStackUser and AzureStackAdmin in")
    user, operator = (
        table(config, "environments", f"AzureStack{who}") for who in ("User", "Admin")
    )
    assert user["endpoints"] == {"gallery": own}
    assert user.keys() - operator.keys() == {"endpoints", "subscription"}


async def test_a_key_in_a_field_lays_nothing_out_and_a_long_text_scrolls(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(config, WRITTEN)
    layouts: list[object] = []
    reflow = Compositor.reflow

    def counted(self: Compositor, *given: Any) -> Any:
        layouts.append(given)
        return reflow(self, *given)

    monkeypatch.setattr(Compositor, "reflow", counted)
    async with canned_app(config).run_test(size=(80, 23)) as pilot:
        await pilot.press("e")
        await until(pilot, "Edit west")
        await go_to(pilot, "Subscription")
        await pilot.press("a")
        await until(pilot, "Subscription a")
        layouts.clear()
        await pilot.press(*"bcdefgh", "backspace")
        await until(pilot, "Subscription abcdefg\n")
        assert layouts == []
        await pilot.press(*"-" * 80, *"the end")
        assert "--the end" in text_of(pilot.app)
        assert "abcdefg" not in text_of(pilot.app)
        await pilot.press("home")
        await until(pilot, "Subscription abcdefg---")
        await resize(pilot, 60, 20)
        await settle(pilot)
        await pilot.press("end")
        assert "--the end" in text_of(pilot.app)


async def test_another_profile_is_checked_once_it_is_saved(start: Start, config: Path) -> None:
    start()
    async with StacktuiApp(config).run_test(size=WIDE) as pilot:
        await pilot.press("e")
        await choose(pilot, "Identity", "up")
        await pilot.press("enter")
        shown = await until(pilot, "saved Test in")
        assert "Press c to check Test." in shown
        await pilot.press("e")
        await choose(pilot, "Identity", "down")
        await choose(pilot, "Profile", "up")
        await pilot.press("enter")
        await until(pilot, "saved Test in")
        shown = flat(await until(pilot, "· OK"))
        assert "✓ resource groups" in shown
    assert table(config, "environments", "Test", "profile") == "2019-03-01-hybrid"


async def test_the_profile_that_the_stamp_accepts_is_found_on_saving(config: Path) -> None:
    with run_in_thread(StampOptions(build="1907")) as stamp:
        write_config(config.parent, stamp.describe())
        async with StacktuiApp(config).run_test(size=WIDE) as pilot:
            await pilot.press("e")
            await choose(pilot, "Identity", "up")
            await choose(pilot, "Profile", "down", "down")
            await pilot.press("enter")
            await until(pilot, "signs in to ask the stamp: choose an identity")
            await choose(pilot, "Identity", "down")
            await pilot.press("enter")
            await until(pilot, "with profile 2019-03-01-hybrid")
        assert table(config, "environments", "Test", "profile") == "2019-03-01-hybrid"
