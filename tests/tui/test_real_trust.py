"""Looking, trusting, taking back and exporting on the real dashboard, with real files and hosts."""

from __future__ import annotations

import re
import ssl
import subprocess
from pathlib import Path
from time import monotonic

import certifi
import pytest

from stacktui.config.locations import exported_bundle, own_bundle
from stacktui.stamp.running import RunningStamp
from stacktui.tui.app import StacktuiApp
from tests.product import config_text
from tests.support.authority import Authority, authority, server_context
from tests.support.listeners import listening, silent
from tests.support.stores import add_beside

from .conftest import DOMAIN, Start
from .screen import flat, read, settle, text_of, type_in, until, write

WIDE, SMALL = (120, 40), (80, 23)


async def test_every_host_of_a_stamp_before_every_store(start: Start, config: Path) -> None:
    start()
    async with StacktuiApp(config).run_test(size=WIDE) as pilot:
        await pilot.press("2", "l")
        shown = await until(pilot, "4 hosts · 364 days")
        for style in ("ARM", "login", "graph", "portal"):
            assert re.search(rf"{style} .*✓ 364 days", shown), style
        await pilot.press("L")
        await until(pilot, "13 hosts · 364 days")
        await pilot.press("enter")
        shown = await until(pilot, "who trusts it")
        rows = [line for line in shown.splitlines() if "✓ trusted  ✓ 364 days" in line]
        assert len(rows) == 13
        assert re.search(r"● ?1 ✓ trusted +in use", shown)
        assert re.search(r"2 ✗ issuer unknown +certifi +\d+ in ", shown)


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ("tls-expired", "✗ expired"),
        ("tls-self-signed", "✗ self-signed"),
        ("tls-missing-intermediate", "✗ issuer unknown"),
        ("tls-name-mismatch", "✗ wrong name"),
        ("tls-not-tls", "✗ no TLS"),
        ("tcp-reset", "✗ "),
        ("trust-file-bad", "! not judged"),
    ],
)
async def test_every_certificate_fault_has_its_word(
    start: Start, config: Path, fault: str, state: str
) -> None:
    start(fault=fault)
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await pilot.press("2", "l")
        await until(pilot, state)
        await pilot.press("enter")
        await until(pilot, f"state         {state}")


async def test_the_root_that_a_store_holds_is_trusted_and_taken_back(
    start: Start, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamp = start(ca="")
    add_beside(monkeypatch, stamp.ca_file)
    own_bundle().parent.mkdir(parents=True, exist_ok=True)
    before = b"# mine\r\n" + authority("Fabrikam").root.pem
    own_bundle().write_bytes(before)
    async with StacktuiApp(config).run_test(size=WIDE) as pilot:
        await pilot.press("2", "L")
        shown = await until(pilot, "✗ issuer unknown")
        assert "T finds its root, to trust it" in shown
        await pilot.press("T")
        shown = await until(pilot, "Into which bundle")
        assert "stores of this machine that hold it: CURL_CA_BUNDLE" in shown
        assert "The last 8 digits" not in shown
        assert re.search(r"ca of Test .*✓ writable", shown)
        await pilot.press("enter")
        await until(pilot, "trusted in own bundle: U takes it back, c checks")
        await until(pilot, "13 hosts · 364 days")
        assert stamp_root(stamp) in ders(own_bundle().read_bytes())
        await pilot.press("c")
        await until(pilot, "Nothing is wrong.")
        await pilot.press("U")
        shown = await until(pilot, "AzureStackSelfSignedRootCert")
        assert "Fabrikam" not in shown
        await pilot.press("enter")
        await until(pilot, "y yes")
        await pilot.press("escape")
        await until(pilot, "enter take it back")
        assert own_bundle().read_bytes() != before
        await pilot.press("enter", "y")
        await until(pilot, "taken out of own bundle")
        assert own_bundle().read_bytes() == before
        await until(pilot, "✗ issuer unknown")


async def test_into_a_new_ca_of_the_environment(
    start: Start, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamp = start(ca="")
    text = read(config)
    add_beside(monkeypatch, stamp.ca_file)
    async with StacktuiApp(config).run_test(size=WIDE) as pilot:
        await pilot.press("2", "l")
        await until(pilot, "✗ issuer unknown")
        await pilot.press("T")
        await until(pilot, "Into which bundle")
        await pilot.press("down")
        await until(pilot, "becomes the ca of Test in the config")
        await pilot.press("enter")
        await until(pilot, "trusted in ca of Test")
        await until(pilot, "4 hosts · 364 days")
        assert 'ca = "ca/Test.pem"' in read(config)
        await pilot.press("U")
        await until(pilot, "ca of Test")
        await pilot.press("enter", "y")
        await until(pilot, "taken out of ca of Test")
        assert read(config) == text
        assert not exists("ca/Test.pem")
        await until(pilot, "✗ issuer unknown")


async def test_a_bundle_of_others_says_what_it_takes_and_keeps_a_copy(
    start: Start, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamp = start()
    bundle = tmp_path / "roots.pem"
    before = content_of(certifi.where())
    bundle.write_bytes(before)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    async with StacktuiApp(config).run_test(size=WIDE) as pilot:
        await pilot.press("2", "l")
        await until(pilot, "4 hosts · 364 days")
        await pilot.press("T")
        shown = await until(pilot, "Into which bundle")
        assert "– there already" in shown
        await pilot.press("down", "down", "down")
        shown = await until(pilot, "The bundle of SSL_CERT_FILE; needs write permission.")
        assert "roots.pem.before-stacktui" in shown
        for no in ("escape", "up"):
            await pilot.press("enter")
            shown = await until(pilot, "Change the file of SSL_CERT_FILE?  y yes   esc no")
            await pilot.press("enter")  # not an answer to the question
            await settle(pilot)
            assert bundle.read_bytes() == before
            await pilot.press(no)
            shown = await until(pilot, "enter trust it")
            assert "Change the file" not in shown
            await pilot.press("y")  # no question is open
            await settle(pilot)
            assert bundle.read_bytes() == before
        await pilot.press("down")
        await until(pilot, "The bundle of SSL_CERT_FILE")
        await pilot.press("enter", "y")
        await until(pilot, "as it was: roots.pem.before-stacktui")
        assert stamp_root(stamp) in ders(bundle.read_bytes())
        assert content_of(f"{bundle}.before-stacktui") == before
        await until(pilot, "4 hosts")
        await pilot.press("U")
        await until(pilot, "SSL_CERT_FILE")
        await pilot.press("enter", "y")
        await until(pilot, "taken out of SSL_CERT_FILE")
        assert bundle.read_bytes() == before


@pytest.mark.every_root
async def test_certifi_says_that_an_upgrade_loses_the_root(start: Start, config: Path) -> None:
    start()
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await pilot.press("2", "l")
        await until(pilot, "✓ 364 days")
        await pilot.press("T")
        await until(pilot, "Into which bundle")
        await pilot.press("down", "down")
        shown = await until(pilot, "The bundle of certifi")
        assert "An upgrade of certifi writes this file anew" in flat(shown)
        await pilot.press("escape")
        await until(pilot, "0 Check")


def presenting_root(roots: Authority, host: str) -> ssl.SSLContext:
    """Return a server context that also sends its root."""
    return server_context(roots.leaf(host), roots.intermediate.pem + roots.root.pem)


def config_for(host: str, port: int) -> str:
    """Return a config for a host that is silent after its handshake."""
    return (
        f'[environments.Here]\narm = "https://{host}"\nproxy = "none"\n'
        f'resolve = {{ "{host}:443" = "127.0.0.1:{port}" }}\nlimits = {{ first_byte = 0.4 }}\n'
    )


async def test_a_root_that_only_the_host_presents_is_trusted_by_its_digits(config: Path) -> None:
    roots, host = authority("Contoso Enterprise"), "management.west.contoso.example"
    digits = re.sub("[^0-9A-F]", "", fingerprint(roots.root.der))[-8:]
    async with listening(silent, context=presenting_root(roots, host)) as listener:
        write(config, config_for(host, listener.port))
        async with StacktuiApp(config).run_test(size=SMALL) as pilot:
            await pilot.press("2", "l")
            await until(pilot, "✗ root unknown")
            await pilot.press("T")
            shown = await until(pilot, "The last 8 digits")
            assert "the host alone: it presented it" in shown
            assert "".join(shown.split()).count(digits) == 0  # broken by colons, so not to paste
            for wrong in ("", "00000000", digits[:-1]):
                await type_in(pilot, wrong)
                await pilot.press("enter")
                await until(pilot, "not the last 8 digits of its SHA-256: nothing was changed")
                assert not own_bundle().exists()
                await pilot.press(*["backspace"] * len(wrong))
            await type_in(pilot, digits.lower())
            await pilot.press("enter")
            await until(pilot, "trusted in own bundle")
            assert ders(own_bundle().read_bytes()) == [roots.root.der]
            await until(pilot, "! not ready")  # trusted, but not as the vendor wants it
        assert oct(own_bundle().stat().st_mode)[-3:] == "600"


async def test_names_in_certificates_neither_crash_nor_style(config: Path) -> None:
    roots, host = authority("[b]Evil\x1b[31m\n[/]"), "management.evil.contoso.example"
    async with listening(silent, context=presenting_root(roots, host)) as listener:
        write(config, config_for(host, listener.port))
        async with StacktuiApp(config).run_test(size=WIDE) as pilot:
            await pilot.press("2", "l")
            await until(pilot, "✗ root unknown")
            await pilot.press("enter")
            shown = await until(pilot, r"[b]Evil\x1b[31m\n[/] Issuing CA")
            assert "\x1b" not in shown
            await pilot.press("T")
            shown = await until(pilot, "The last 8 digits")
            assert r"[b]Evil\x1b[31m" in shown
            assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("fault", "head", "said"),
    [
        ("tls-untrusted-root", "which file has it?", "no store on this machine holds"),
        ("tls-self-signed", "There is no root to trust.", "A leaf can be no root"),
    ],
)
async def test_where_there_is_no_root_it_says_what_to_do_instead(
    start: Start, config: Path, fault: str, head: str, said: str
) -> None:
    start(fault=fault)
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await pilot.press("2", "l")
        await until(pilot, "✗ ")
        await until(pilot, "T trust its root")
        await pilot.press("T")
        shown = await until(pilot, head)
        assert said in flat(shown)
        assert re.search(r"^\W*fix +\S", shown, re.MULTILINE)
        # A root from a file can complete a chain; a leaf that signed itself is past help here.
        for asks in ("File of the root", "enter"):
            assert (asks in shown) is (fault == "tls-untrusted-root")
        assert "trust it" not in shown
        await pilot.press("enter", "escape")
        await until(pilot, "0 Check")
    assert not own_bundle().exists()


async def test_nothing_was_added_so_nothing_can_be_taken_back(start: Start, config: Path) -> None:
    start()
    async with StacktuiApp(config).run_test(size=SMALL) as pilot:
        await pilot.press("2", "U")
        await until(pilot, "stacktui has added no root to any bundle on this machine.")
        await pilot.press("enter", "y", "escape")
        await until(pilot, "0 Check")


@pytest.mark.every_root
async def test_the_export_names_its_file_and_the_line_to_copy(start: Start, config: Path) -> None:
    stamp = start()
    app = StacktuiApp(config)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2", "x")
        shown = await until(pilot, "export REQUESTS_CA_BUNDLE=")
        assert "1 of ca of Test" in shown
        assert "$env:REQUESTS_CA_BUNDLE = " in shown
        await pilot.press("y")
        await until(pilot, "w writes a file: export REQUESTS_CA_BUNDLE=")
    assert app.clipboard == f"export REQUESTS_CA_BUNDLE={exported_bundle()}"
    found = ders(exported_bundle().read_bytes())
    assert stamp_root(stamp) in found
    assert len(found) > 100


async def test_a_file_of_others_is_not_written_over_by_the_export(
    start: Start, config: Path
) -> None:
    start()
    write_parents(exported_bundle(), "precious\n")
    async with StacktuiApp(config).run_test(size=WIDE) as pilot:
        await pilot.press("2", "x")
        shown = await until(pilot, "That could not be done.")
        assert "was not exported by stacktui" in flat(shown)
    assert read(exported_bundle()) == "precious\n"


async def test_a_silent_host_does_not_keep_anybody_waiting(start: Start, config: Path) -> None:
    async with listening(silent) as quiet:
        stamp = start()
        text = read(config).replace(
            f'"portal.{DOMAIN}:443" = "127.0.0.1:{stamp.port}"',
            f'"portal.{DOMAIN}:443" = "127.0.0.1:{quiet.port}"',
        )
        write(config, text)
        async with StacktuiApp(config).run_test(size=WIDE) as pilot:
            await pilot.press("2", "l")
            await until(pilot, "scanning 3 of 4")
            shown = flat(await until(pilot, "scanning 3 of 4, waiting for"))
            assert "waiting for portal." in shown
            assert re.search(r"› \d s gives up in 1\d s esc cancels", shown)
            await until(pilot, "scanning 3 of 4 · 2 s")
            pressed = monotonic()
            await pilot.press("escape")
            await until(pilot, "the scan was cancelled")
            assert monotonic() - pressed < 1.0  # at once; a busy machine gets some more
            await quiet.all_closed.wait()
        app = StacktuiApp(config, limits={"tls": 1.0})
        async with app.run_test(size=WIDE) as pilot:
            await pilot.press("2", "l")
            shown = await until(pilot, "✗ TLS silent")
            assert "1 problem · 364 days" in shown


async def test_the_certificate_of_an_identity_as_openssl_reads_it(
    start: Start, config: Path
) -> None:
    stamp = start()
    identity = (
        '[identities.ops]\nkind = "service-principal"\nclient_id = "x"\n'
        f'certificate = "{stamp.certificate_file}"\n'
    )
    write(config, config_text(stamp.describe(), identity=identity))
    der = ssl.PEM_cert_to_DER_cert(certificate_in(read(Path(stamp.certificate_file))))
    thumbprint = fingerprint(der, "-sha1").replace(":", "")
    async with StacktuiApp(config).run_test(size=WIDE) as pilot:
        assert pilot.app.app_state.identity_files is None  # type: ignore[attr-defined]
        await pilot.press("2")
        shown = await until(pilot, "✓ usable")
        assert f"thumbprint    {thumbprint}" in shown
        assert "364 days" in shown
        secret = "PRIVATE KEY"
        assert secret in read(Path(stamp.certificate_file))
        assert secret not in text_of(pilot.app)


# Helpers


def ders(content: bytes) -> list[bytes]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=content.decode("ascii", "replace"))
    return context.get_ca_certs(binary_form=True)


def stamp_root(stamp: RunningStamp) -> bytes:
    return ssl.PEM_cert_to_DER_cert(read(Path(stamp.ca_file)))


def fingerprint(der: bytes, kind: str = "-sha256") -> str:
    """Return the fingerprint as OpenSSL prints it."""
    done = subprocess.run(
        ["openssl", "x509", "-inform", "DER", "-noout", "-fingerprint", kind],
        input=der,
        capture_output=True,
        check=True,
    )
    return done.stdout.decode().partition("=")[2].strip()


def certificate_in(pem: str) -> str:
    """Return the only certificate among other PEM blocks."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    return pem[pem.index(begin) : pem.index(end) + len(end)]


def content_of(path: str) -> bytes:
    return Path(path).read_bytes()


def exists(path: str) -> bool:
    return Path(path).exists()


def write_parents(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, text)
