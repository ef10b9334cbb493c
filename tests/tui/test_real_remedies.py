"""What a fault ends in, in the app: a file of the root, a typed secret, one command of several."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from stacktui.config.locations import own_bundle
from stacktui.stamp.running import RunningStamp
from stacktui.tui.app import StacktuiApp
from tests.product import config_text
from tests.support.authority import authority

from .conftest import Start
from .screen import PATIENCE, flat, paste, read, text_of, until, write

WIDE, SMALL = (120, 40), (80, 23)


def root_file(form: str, stamp: RunningStamp, folder: Path) -> Path:
    """Write the stamp's root in a form in which an operator may send it."""
    root = x509.load_pem_x509_certificate(Path(stamp.ca_file).read_bytes())
    content = {
        "pem": root.public_bytes(Encoding.PEM),
        "der": root.public_bytes(Encoding.DER),
        "p7b": pkcs7.serialize_certificates([root], Encoding.DER),
    }[form]
    path = folder / f"from the operator.{form}"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(("form", "key"), [("pem", "f"), ("der", "T"), ("p7b", "f")])
async def test_a_root_that_the_chain_lacks_is_trusted_from_a_file(
    start: Start, config: Path, tmp_path: Path, form: str, key: str
) -> None:
    stamp = start(ca="")
    file = root_file(form, stamp, tmp_path)
    async with StacktuiApp(config, auto_check=True).run_test(size=SMALL) as pilot:
        shown = await until(pilot, "✗ tls-untrusted-root")
        assert "f trusts it" in shown
        if key == "T":
            await pilot.press("2")
            await until(pilot, "issuer unknown")
        await pilot.press(key)
        await until(pilot, "File of the root")
        await pilot.press("enter")
        await until(pilot, "the path of a file")
        await paste(pilot, f"'{file}'")
        await pilot.press("enter")
        shown = flat(await until(pilot, "completes"))
        assert "AzureStackSelfSignedRootCert" in shown
        assert "SHA-256" in shown
        assert "it is trusted then" in shown
        assert not own_bundle().exists()
        await pilot.press("enter")
        await until(pilot, "trusted in own bundle")
        await pilot.press(*([] if key == "f" else ["1", "c"]))
        await until(pilot, "Nothing is wrong.")


async def test_a_file_that_does_not_complete_the_chain_is_not_trusted(
    start: Start, config: Path, tmp_path: Path
) -> None:
    stamp = start(ca="")
    other, empty = tmp_path / "other.pem", tmp_path / "empty.pem"
    other.write_bytes(authority("Fabrikam").root.pem)
    empty.write_bytes(b"")
    async with StacktuiApp(config, auto_check=True).run_test(size=SMALL) as pilot:
        await until(pilot, "f trusts it")
        await pilot.press("f")
        for file, why in (
            (other, "does not complete the chain: Azure Stack Issuing CA 01 was signed by"),
            (empty, "is empty"),
            (tmp_path / "gone.pem", "is not there"),
        ):
            await until(pilot, "File of the root")
            await paste(pilot, str(file))
            await pilot.press("enter")
            async with asyncio.timeout(PATIENCE):
                while why not in flat(text_of(pilot.app)):
                    await pilot.pause(0.02)
            assert "Nothing is trusted." in text_of(pilot.app)
            await pilot.press("ctrl+u")
        # And the right one, without leaving the screen.
        await paste(pilot, str(root_file("pem", stamp, tmp_path)))
        await pilot.press("enter")
        await until(pilot, "completes")
        await pilot.press("escape")
        await until(pilot, "✗ tls-untrusted-root")
    assert not own_bundle().exists()


@pytest.mark.parametrize(
    ("reference", "named"),
    [
        ('{ env = "GONE" }', "environment variable GONE"),
        ("{ prompt = true }", "a prompt"),
    ],
)
async def test_a_missing_secret_is_typed_for_this_run_and_shown_nowhere(
    reference: str, named: str, start: Start, config: Path
) -> None:
    stamp = start()
    write(config, config_text(stamp.describe(), secret=reference))
    before, secret = read(config), read(Path(stamp.secret_file)).strip()
    app = StacktuiApp(config, auto_check=True)
    async with app.run_test(size=SMALL) as pilot:
        assert "f asks for it" in await until(pilot, "✗ secret-missing")

        async def typed(text: str, then: str) -> None:
            await pilot.press("f")
            shown = await until(pilot, "In memory until stacktui ends")
            assert named in shown
            await paste(pilot, text)
            assert text not in text_of(pilot.app)
            await pilot.press("enter")
            shown = await until(pilot, then)
            assert text not in shown

        await typed("not-the-secret", "✗ sp-secret-wrong")
        assert f"typed in this run, in place of {named}" in flat(text_of(pilot.app))
        await typed(secret, "Nothing is wrong.")
        for keys in ("3", "enter", "escape", "0", "enter", "G", "escape"):
            await pilot.press(keys)
            assert secret not in text_of(pilot.app)
        # A reload keeps it, as it is the run's.
        await pilot.press("r", "c")
        await until(pilot, "Nothing is wrong.")
        await pilot.press("Y")
        await until(pilot, "OSC 52")
        for held in (app.clipboard, repr(app.app_state), repr(app.app_state.check), str(app.title)):
            assert secret not in held
    assert read(config) == before
    # Another run does not know it.
    async with StacktuiApp(config, auto_check=True).run_test(size=SMALL) as pilot:
        await until(pilot, "✗ secret-missing")


async def test_every_command_can_be_copied_by_its_number(start: Start, config: Path) -> None:
    start(ca="")
    app = StacktuiApp(config, auto_check=True)
    async with app.run_test(size=WIDE) as pilot:
        shown = await until(pilot, "✗ tls-untrusted-root")
        numbered = {"1": "trust", "2": "matrix", "3": "export"}
        for number, word in numbered.items():
            assert f"y{number}" in shown
            await pilot.press("y")
            await until(pilot, "Copy a command")
            await pilot.press(number)
            await until(pilot, "OSC 52")
            assert f"stacktui certificates {word}" in app.clipboard
        await pilot.press("y")
        await until(pilot, "Copy a command")
        await pilot.press("9")  # there is none
        await pilot.press("down", "enter")
        await until(pilot, "OSC 52")
        assert "stacktui certificates matrix" in app.clipboard


async def test_where_another_person_must_act_it_says_who_and_what_to_send(
    start: Start, config: Path
) -> None:
    start(fault="tls-weak")
    app = StacktuiApp(config, auto_check=True)
    async with app.run_test(size=SMALL) as pilot:
        shown = flat(await until(pilot, "✗ tls-weak"))
        assert "send the stamp's operator the report" in shown
        assert "Y copies it" in shown
        await pilot.press("Y")
        await until(pilot, "OSC 52")
    assert app.clipboard.startswith("# stacktui: Test: tls-weak")
