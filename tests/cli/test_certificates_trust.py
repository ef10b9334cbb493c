"""`stacktui certificates trust`, `untrust` and `export`, as processes: what they do and say."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import shlex
import signal
import ssl
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import certifi
import pytest
from click.testing import CliRunner
from cryptography.x509.oid import NameOID

from stacktui.certificates import bundle
from stacktui.certificates.additions import read_additions
from stacktui.certificates.bundle import annotated
from stacktui.certificates.files import MAX_SIZE
from stacktui.cli.certificates import trust as trust_module
from stacktui.cli.main import cli
from stacktui.config.locations import config_directory, exported_bundle, own_bundle
from stacktui.stamp import StampOptions, run_in_thread
from tests.certificates.test_bundle import counted_by_openssl, loaded, root_named
from tests.product import Ran, check_json, stacktui, write_config
from tests.support.authority import (
    DAY,
    STRANGERS,
    authority,
    issue,
    localhost,
    server_context,
)
from tests.support.stores import add_beside
from tests.support.web import answer, serving

pytestmark = pytest.mark.every_root
ROOT = authority().root
OTHER = STRANGERS.root
SHA = sha256(ROOT.der).hexdigest()
COLONS = bytes.fromhex(SHA).hex(":").upper()
ORIGINAL = Path(certifi.where()).read_bytes()


def certificates(*arguments: str | Path, **variables: str) -> Ran:
    ran = stacktui("certificates", *map(str, arguments), **variables)
    for line in (ran.out + ran.err).split("\n"):
        assert line == "" or line.isprintable(), line
    return ran


def refused(*arguments: str | Path, code: int = 2) -> str:
    """The one line of a refusal."""
    ran = certificates(*arguments)
    assert (ran.code, ran.out) == (code, ""), ran
    assert ran.err.startswith("stacktui: ")
    assert ran.err.count("\n") == 1, ran.err
    return ran.err.removeprefix("stacktui: ").removesuffix("\n")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "root.pem"
    path.write_bytes(ROOT.pem)
    return path


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "site-packages" / "certifi" / "cacert.pem"
    path.parent.mkdir(parents=True)
    path.write_bytes(ORIGINAL)
    return path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text('[environments.West]\narm = "https://management.west.example"\n')
    return path


# The own bundle


@pytest.mark.parametrize("form", ["pem", "der"])
def test_a_file_goes_into_the_own_bundle_without_a_question(tmp_path: Path, form: str) -> None:
    path = tmp_path / "root"
    path.write_bytes(ROOT.pem if form == "pem" else ROOT.der)
    ran = certificates("trust", path)
    assert ran.code == 0, ran.err
    assert own_bundle().read_bytes() == b"\n" + annotated(ROOT.der)
    assert COLONS[:48] in ran.err
    assert COLONS[48:] in ran.err
    assert f"Added 1 certificate to {own_bundle()}" in ran.out
    assert f"To undo: stacktui certificates untrust {SHA}\n" in ran.out
    changed = own_bundle().stat().st_mtime_ns
    again = certificates("trust", path)
    assert (again.code, again.err) == (0, "")
    assert again.out == f"Nothing to do: it is in {own_bundle()} already\n"
    assert own_bundle().stat().st_mtime_ns == changed


@pytest.mark.parametrize("which", ["file", "plain", "colons"])
def test_untrust_takes_it_back(root: Path, which: str) -> None:
    certificates("trust", root)
    ran = certificates("untrust", {"file": root, "plain": SHA, "colons": COLONS}[which])
    assert (ran.code, ran.err) == (0, "")
    assert not own_bundle().exists()
    assert "is not there" in refused("untrust", root)


def test_a_check_trusts_what_was_trusted_and_no_longer_what_was_not(tmp_path: Path) -> None:
    with run_in_thread(StampOptions(domain="local.azurestack.external")) as stamp:
        config = write_config(tmp_path, stamp.describe(), ca="")
        codes = [check_json(config).code]
        for command in ("trust", "untrust"):
            assert certificates(command, stamp.ca_file).code == 0
            codes.append(check_json(config).code)
    assert codes == [1, 0, 1]


# A bundle of others


def test_a_store_is_asked_about_backed_up_and_restored(root: Path, store: Path) -> None:
    line = refused_with_talk("trust", root, "--store", store)
    assert line == "nobody answered; --yes answers yes to every question"
    assert store.read_bytes() == ORIGINAL
    ran = certificates("trust", root, "--store", store, "--yes")
    assert ran.code == 0
    assert "the addition is lost without notice" in ran.err
    assert "stacktui certificates export" in ran.err
    assert f"As it was before: {store}.before-stacktui\n" in ran.out
    assert store.read_bytes() == ORIGINAL + b"\n" + annotated(ROOT.der)
    assert Path(f"{store}.before-stacktui").read_bytes() == ORIGINAL
    assert counted_by_openssl(store) == ORIGINAL.count(b"-----BEGIN CERT") + 1
    assert ROOT.der in loaded(store)
    undo = ran.out.partition("To undo: stacktui ")[2].split()
    assert undo == ["certificates", "untrust", SHA, "--store", str(store)]
    assert stacktui(*undo, "--yes").code == 0
    assert store.read_bytes() == ORIGINAL
    assert [each.name for each in store.parent.iterdir()] == ["cacert.pem"]


def refused_with_talk(*arguments: str | Path) -> str:
    """The last line of a refusal that comes after a question."""
    ran = certificates(*arguments)
    assert (ran.code, ran.out) == (2, ""), ran
    return ran.err.rstrip("\n").rpartition("\n")[2].removeprefix("stacktui: ")


def test_the_question_names_the_file_and_a_no_changes_nothing(root: Path, store: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stacktui", "certificates", "trust", root, "--store", store],
        input="n\n", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert f"Add 1 certificate to {store}? [y/N]: " in done.stderr
    assert done.stderr.endswith("stacktui: nothing was changed\n")
    assert store.read_bytes() == ORIGINAL


def test_ctrl_c_at_a_question_ends_as_everywhere(root: Path, store: Path) -> None:
    code, screen = on_a_terminal(
        "\x03", "trust", str(root), "--store", str(store), after=b"[y/N]: "
    )
    assert code == 130
    assert "nobody answered" not in screen
    assert store.read_bytes() == ORIGINAL


@pytest.mark.parametrize("closed", ["<&-", "<&- 2>&-", "<&- >&- 2>&-"])
def test_with_nobody_to_ask_nothing_is_done(root: Path, store: Path, closed: str) -> None:
    command = f'"$0" -m stacktui certificates trust "$1" --store "$2" {closed}'
    done = subprocess.run(
        ["bash", "-c", command, sys.executable, root, store],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    line = "stacktui: nobody answered; --yes answers yes to every question"
    assert done.stderr.splitlines()[-1:] == ([] if "2>" in closed else [line])
    assert store.read_bytes() == ORIGINAL


@pytest.mark.parametrize(
    "part", [SHA[-8:], COLONS[:23], SHA[:40]], ids=["digits", "colons", "as-long-as-sha-1"]
)
def test_a_part_of_a_fingerprint_is_distinguished_from_a_file(root: Path, part: str) -> None:
    certificates("trust", root)
    line = refused("untrust", part)
    assert (
        line
        == f"{part} is no file, and no SHA-256 either: that has 64 digits, with colons or without"
    )
    assert refused("trust", part) == line


def test_a_store_that_is_not_there_is_to_be_looked_up(root: Path, tmp_path: Path) -> None:
    line = refused("trust", root, "--store", tmp_path / "az")
    assert line.endswith("az is not there; stacktui certificates stores lists the bundles on this machine")  # noqa: E501 # fmt: skip


def test_an_earlier_export_is_reported_when_a_root_is_taken_back(
    root: Path, tmp_path: Path
) -> None:
    """Else az goes on to trust what its admin believes to be gone."""
    mine = tmp_path / "mine.pem"
    certificates("trust", root)
    certificates("export")
    certificates("export", mine)
    ran = certificates("untrust", root, REQUESTS_CA_BUNDLE=str(mine))
    assert f"! {exported_bundle()}, which was exported before, still holds it: " in ran.err
    assert f"! {mine}, which was exported before, still holds it: " in ran.err
    for line in ran.err.splitlines():
        again = line.partition(": stacktui ")[2]
        assert stacktui(*again.split()).code == 0
    assert ROOT.der not in loaded(mine) + loaded(exported_bundle())
    certificates("trust", root)
    document = certificates("untrust", root, "--format", "json").document
    assert document["still_exported"] == []


def test_who_uses_sudo_learns_whose_memory_it_is(root: Path, store: Path, tmp_path: Path) -> None:
    told = f"! Remembered in {config_directory()}/additions.json:"
    assert told in certificates("trust", root, "--store", store, "--yes", SUDO_USER="ops").err
    assert told not in certificates("trust", root, SUDO_USER="ops").err  # nothing to remember
    other = tmp_path / "other.pem"
    other.write_bytes(OTHER.pem)
    assert told not in certificates("trust", root, "--store", other, "--yes").err


def test_the_undo_line_is_quoted(root: Path, tmp_path: Path) -> None:
    odd = tmp_path / "it's $(here) \x1b[31m\n.pem"
    odd.write_bytes(OTHER.pem)
    ran = certificates("trust", root, "--store", odd, "--yes")
    undo = ran.out.partition("To undo: ")[2].removesuffix("\n")
    shell = ["bash", "-c", f'{undo.replace("stacktui", chr(34) + sys.executable + chr(34) + " -m stacktui", 1)} --yes']  # noqa: E501 # fmt: skip
    done = subprocess.run(shell, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert odd.read_bytes() == OTHER.pem


def test_the_json_of_trust_and_untrust(root: Path, store: Path) -> None:
    place = ("--store", store, "--yes", "--format", "json")
    first = certificates("trust", root, *place).document
    assert (first["schema"], first["path"], first["changed"]) == (1, str(store), True)
    assert [each["sha256"] for each in first["added"]] == [COLONS]
    assert first["backup"] == f"{store}.before-stacktui"
    assert first["undo"]["powershell"].endswith(f" --store '{store}'")
    second = certificates("trust", root, *place).document
    assert (second["changed"], second["added"], second["backup"]) == (False, [], None)
    assert [each["sha256"] for each in second["present"]] == [COLONS]
    last = certificates("untrust", root, *place).document
    assert [each["sha256"] for each in last["removed"]] == [COLONS]
    assert (last["forgotten"], last["file_removed"]) == ([], False)


def test_a_lost_addition_is_added_again_by_its_fingerprint(root: Path, store: Path) -> None:
    certificates("trust", root, "--store", store, "--yes")
    root.unlink()
    store.write_bytes(ORIGINAL)
    ran = certificates("trust", COLONS, "--store", store, "--yes")
    assert ran.code == 0, ran.err
    assert store.read_bytes() == ORIGINAL + b"\n" + annotated(ROOT.der)
    assert "was added to a bundle before" in refused("trust", "ab" * 32)


@pytest.mark.parametrize("gone", [True, False])
def test_a_lost_addition_is_forgotten(root: Path, store: Path, gone: bool) -> None:
    certificates("trust", root, "--store", store, "--yes")
    if gone:
        store.unlink()
    else:
        store.write_bytes(ORIGINAL)
    ran = certificates("untrust", SHA, "--store", store)
    assert ran.code == 0
    assert ran.out == f"Forgotten: CN=Contoso Root CA was no longer in {store}\n"
    assert read_additions().additions == ()
    refused("untrust", SHA, "--store", store)


def test_what_stacktui_did_not_add_is_not_taken_out(root: Path, store: Path) -> None:
    store.write_bytes(ORIGINAL + ROOT.pem)
    line = refused("untrust", root, "--store", store, "--yes")
    assert line == f"{store} holds SHA-256 {SHA}, but stacktui did not add it there"
    assert certificates("trust", root, "--store", store).out.startswith("Nothing to do")
    assert store.read_bytes() == ORIGINAL + ROOT.pem


def test_untrust_shows_where_it_was_added(root: Path, store: Path) -> None:
    certificates("trust", root, "--store", store, "--yes")
    assert refused("untrust", SHA).endswith(f"it was added elsewhere: --store {store}")


# An environment's ca


def test_the_ca_of_an_environment_comes_and_goes(root: Path, config: Path) -> None:
    before = config.read_bytes()
    place = ("--environment", "West", "--config", config)
    ran = certificates("trust", root, *place)
    assert ran.code == 0, ran.err
    assert "Set ca of West" in ran.out
    assert loaded(config.parent / "ca" / "West.pem") == [ROOT.der]
    assert certificates("trust", root, *place).out.startswith("Nothing to do")
    undo = ran.out.partition("To undo: stacktui ")[2].split()
    assert undo[2:] == [SHA, "--environment", "West", "--config", str(config)]
    assert stacktui(*undo).code == 0
    assert config.read_bytes() == before
    assert refused("untrust", root, *place) == "West has no ca, so nothing was added to it"
    assert "has no environment 'East'" in refused("trust", root, "--environment", "East",
                                                  "--config", config)  # fmt: skip


def test_a_ca_of_the_users_own_is_asked_about(root: Path, config: Path) -> None:
    theirs = config.with_name("theirs.pem")
    theirs.write_bytes(OTHER.pem)
    config.write_text(config.read_text() + 'ca = "theirs.pem"\n')
    place = ("--environment", "West", "--config", config)
    refused_with_talk("trust", root, *place)
    assert certificates("trust", root, *place, "--yes").code == 0
    assert theirs.read_bytes() == OTHER.pem + b"\n" + annotated(ROOT.der)
    assert certificates("untrust", root, *place, "--yes").code == 0
    assert theirs.read_bytes() == OTHER.pem


# What may be trusted


def test_a_leaf_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "leaf.pem"
    path.write_bytes(localhost().pem)
    assert refused("trust", path) == (
        f"{path}: localhost is no CA certificate but a leaf, which can be no root; "
        "trust the root above it, issued by Contoso Issuing CA"
    )
    assert not own_bundle().exists()


def test_of_a_whole_chain_the_ca_certificates_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "chain.pem"
    expired = issue("Old Root", (), None, starts=-9 * DAY, ends=-DAY)
    path.write_bytes(
        localhost().key_pem
        + localhost().pem
        + authority().intermediate.pem
        + ROOT.pem
        + expired.pem
    )
    ran = certificates("trust", path)
    assert ran.code == 0
    assert loaded(own_bundle()) == [authority().intermediate.der, ROOT.der]
    assert "! left out: localhost is no CA certificate" in ran.err
    assert "! left out: Old Root expired on" in ran.err
    assert "an intermediate, no root: trust Contoso Root CA too" in ran.err
    undo = ran.out.partition("To undo: stacktui ")[2].split()
    assert stacktui(*undo).code == 0
    assert not own_bundle().exists()


def test_a_hostile_certificate_shows_harmlessly(tmp_path: Path) -> None:
    der = root_named(
        (NameOID.ORGANIZATION_NAME, "\x1b]0;owned\x07\n-----BEGIN CERTIFICATE-----\nMII"),
        (NameOID.COMMON_NAME, "\x1b[2J\u202egpj\n"),
    )
    path = tmp_path / "x.pem"
    path.write_bytes(ssl.DER_cert_to_PEM_cert(der).encode())
    assert certificates("trust", path).code == 0  # which looks for control characters
    assert loaded(own_bundle()) == [der]


def test_a_name_of_any_length_is_cut_without_a_warning(tmp_path: Path) -> None:
    """Nor with the source lines that Python's warnings bring along."""
    path = tmp_path / "long.pem"
    marked = root_named((NameOID.ORGANIZATION_NAME, "x" * 100))
    # The same as a common name, which X.520 allows 64 characters.
    der = marked.replace(bytes.fromhex("060355040a"), bytes.fromhex("0603550403"))
    path.write_bytes(ssl.DER_cert_to_PEM_cert(der).encode())
    ran = certificates("trust", path)
    assert ran.code == 0
    assert "Warning" not in ran.err
    assert max(map(len, ran.err.splitlines())) < 1000


def test_two_hundred_certificates_take_a_line_each(tmp_path: Path) -> None:
    path = tmp_path / "many.pem"
    ders = [issue(f"Root {number}", (), None, key=ROOT.key) for number in range(200)]
    path.write_bytes(b"".join(each.pem for each in ders))
    ran = certificates("trust", path)
    assert ran.code == 0
    assert 200 <= ran.err.count("\n") < 210
    assert max(map(len, ran.err.split("\n"))) <= 100
    assert counted_by_openssl(own_bundle()) == 200
    assert certificates("untrust", path).code == 0
    assert not own_bundle().exists()


# Odd files

ODD = {
    "empty": (b"", "is empty"),
    "html": (b"<!DOCTYPE html><html>", "is an HTML page"),
    "key": (localhost().key_pem, "holds a private key but no certificate"),
    "text": (b"hello \x1b[31m\n", "holds no usable PEM certificate"),
    "cut": (ROOT.pem[:200], "holds no usable PEM certificate"),
    "noise": (bytes(range(256)) * 40, "holds no usable PEM certificate"),
    "der-of-no-certificate": (b"\x30\x82\x01\x00" + b"\x30" * 256, "cannot be read"),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("as_store", [False, True], ids=["file", "store"])
def test_an_odd_file_is_one_line(tmp_path: Path, root: Path, name: str, as_store: bool) -> None:
    content, words = ODD[name]
    path = tmp_path / "odd\x1b[31m\n.pem"
    path.write_bytes(content)
    line = refused("trust", root, "--store", path, "--yes") if as_store else refused("trust", path)
    if not as_store:
        assert words in line
    assert str(tmp_path) in line
    assert path.read_bytes() == content
    assert not config_directory().exists()


def make_odd(path: Path, kind: str) -> None:
    match kind:
        case "giant":
            with path.open("wb") as file:
                file.write(ROOT.pem)
                file.truncate(100 * 1024 * 1024)
        case "directory":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case "loop":
            path.symlink_to(path.name)
        case "device":
            path.symlink_to("/dev/zero")


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("kind", "words"),
    [("giant", f"over {MAX_SIZE:,} bytes"), ("directory", "it is a directory"),
     ("fifo", "not a regular file"), ("loop", "is not there"), ("missing", "is not there"),
     ("device", "not a regular file")],
)  # fmt: skip
def test_what_is_no_file_of_certificates_is_one_line_in_bounded_time(
    tmp_path: Path, root: Path, kind: str, words: str
) -> None:
    path = tmp_path / "odd.pem"
    make_odd(path, kind)
    started = time.monotonic()
    assert words in refused("trust", path)
    assert words in refused("trust", root, "--store", path, "--yes")
    assert words in refused("untrust", path)
    assert time.monotonic() - started < 20


def test_der_in_a_file_named_pem_is_trusted_but_nothing_is_appended_to_it(
    tmp_path: Path, root: Path
) -> None:
    path = tmp_path / "root-in-der.pem"
    path.write_bytes(OTHER.der)
    assert "is in DER form; PEM is needed" in refused("trust", root, "--store", path, "--yes")
    assert certificates("trust", path).code == 0
    assert loaded(own_bundle()) == [OTHER.der]


# Imports come first: the interpreter may be in a folder that is closed to others.
_AS_NOBODY = """
import os, sys, certifi, platformdirs, platformdirs.unix, cryptography.hazmat.backends.openssl
import stacktui.cli.certificates.trust
from stacktui.certificates.chain import describe
from stacktui.cli.main import main
certifi.where(), describe(b"")
os.setgroups([]), os.setgid(65534), os.setuid(65534)
main()
"""


def as_nobody(home: Path, *arguments: str | Path) -> Ran:
    """Run as the user that may do nothing."""
    done = subprocess.run(
        [sys.executable, "-c", _AS_NOBODY, "certificates", *map(str, arguments)],
        env=dict(os.environ) | {"HOME": str(home)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_without_the_right_to_a_file_it_is_one_line(tmp_path: Path) -> None:
    import tempfile

    # pytest's own folders are closed to other users.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        root, secret, store = (folder / each for each in ("root.pem", "secret.pem", "store.pem"))
        root.write_bytes(ROOT.pem)
        secret.write_bytes(ROOT.pem)
        store.write_bytes(OTHER.pem)
        root.chmod(0o644)
        secret.chmod(0o600)
        store.chmod(0o666)  # the folder is not writable: it cannot be replaced whole
        for arguments, words in (
            (("trust", secret), f"{secret} cannot be read (Permission denied)"),
            (("trust", root, "--store", secret, "--yes"), "cannot be read (Permission denied)"),
            (("trust", root, "--store", store, "--yes"),
             f"{store} cannot be written (Permission denied); it is as it was"),
            (("trust", root), "cannot be written (Permission denied)"),
            (("export",), "cannot be written (Permission denied)"),
        ):  # fmt: skip
            ran = as_nobody(folder, *arguments)
            last = ran.err.rstrip("\n").rpartition("\n")[2]
            assert (ran.code, ran.out) == (2, "")
            assert last.startswith("stacktui: ")
            assert words in last
            needless = "needs no right" in last
            assert needless == ("it is as it was" in last and "--store" in arguments)
        assert store.read_bytes() == OTHER.pem
        assert len(list(folder.iterdir())) == 3


# Usage


@pytest.mark.parametrize(
    "arguments",
    [(), ("x.pem", "--waagent"), ("x.pem", "--presented", "West"), ("x.pem", "--host", "h"),
     ("x.pem", "--store", "a", "--environment", "b")],
    ids=str,
)  # fmt: skip
def test_one_source_and_one_place(arguments: tuple[str, ...], config: Path, tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_bytes(ROOT.pem)
    named = [str(tmp_path / each) if each == "x.pem" else each for each in arguments]
    if "b" in named:
        config.write_text(config.read_text().replace("West", "b"))
    ran = certificates("trust", *named, "--config", config)
    assert ran.code == 2
    assert "Error: " in ran.err
    assert not own_bundle().exists()


# From waagent, and as presented


def test_waagent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "Certificates.pem"
    path.write_bytes(localhost().pem + ROOT.pem)
    monkeypatch.setattr(trust_module, "WAAGENT", path)
    no = CliRunner().invoke(cli, ["certificates", "trust", "--waagent"], input="n\n")
    assert no.exit_code == 2
    assert not own_bundle().exists()
    yes = CliRunner().invoke(cli, ["certificates", "trust", "--waagent"], input="y\n")
    assert yes.exit_code == 0, yes.output
    assert f"Trust 1 certificate of {path}?" in yes.output
    assert loaded(own_bundle()) == [ROOT.der]
    assert str(bundle.WAAGENT) == "/var/lib/waagent/Certificates.pem"


def on_a_terminal(typed: str, *arguments: str, after: bytes = b": ") -> tuple[int, str]:
    """Run with a terminal, where the question is answered; exit code and screen."""
    pid, terminal = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a job in the background ignores it
        os.execv(sys.executable, [sys.executable, "-m", "stacktui", "certificates", *arguments])
    screen = b""
    answered = False
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        if not piece:
            break
        screen += piece
        asked = b"digits" in screen or b"[y/N]" in screen
        if not answered and asked and screen.endswith(after):
            time.sleep(0.2)  # as nobody is so fast as to press Ctrl+C before it is waited for
            os.write(terminal, typed.encode() + b"\n")
            answered = True
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), screen.decode()


def write_direct(config: Path, arm: str) -> None:
    config.write_text(f'[environments.West]\narm = "{arm}"\nproxy = "none"\n')


async def test_a_presented_root_is_trusted_by_its_last_digits(config: Path) -> None:
    whole = server_context(localhost(), authority().intermediate.pem + ROOT.pem)
    digits = SHA[-8:]
    async with serving(answer(), context=whole) as web:
        write_direct(config, web.url)
        arguments = ("trust", "--presented", "West", "--config", str(config))
        for typed in ("", "00000000", digits[:-1]):
            code, screen = await asyncio.to_thread(on_a_terminal, typed, *arguments)
            assert code == 2
            assert "that is not what was asked for; nothing was changed" in screen
            assert not own_bundle().exists()
        assert "Compare its SHA-256" in screen
        assert COLONS[48:] in screen
        code, screen = await asyncio.to_thread(on_a_terminal, f"{digits.upper()} ", *arguments)
        assert code == 0, screen
    assert loaded(own_bundle()) == [ROOT.der]


async def test_a_root_that_is_not_presented_is_named(config: Path) -> None:
    async with serving(answer(), context=authority().server(localhost())) as web:
        write_direct(config, "https://management.west.invalid")
        arguments = ("trust", "--presented", "West", "--config", config, "--yes")
        host = web.url.removeprefix("https://")
        line = await asyncio.to_thread(refused, *arguments, "--host", host)
        assert line.startswith("the host does not present the root Contoso Root CA, as is usual,")
    # No fault of the command line: the host cannot be reached.
    line = await asyncio.to_thread(refused, *arguments, "--host", host, code=1)
    check = f"stacktui check --config {config} -- West"
    assert line.startswith(f"{host} presented no chain: ")
    assert line.endswith(f"; how far a request gets: {check}")
    checked = await asyncio.to_thread(stacktui, *shlex.split(check)[1:])
    assert (checked.code, checked.err) == (1, "")
    assert checked.out.startswith("West · ")
    wrong = await asyncio.to_thread(certificates, *arguments, "--host", "no/host")
    assert wrong.code == 2
    assert not own_bundle().exists()


async def test_a_root_that_is_not_presented_is_searched_on_this_machine(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = tmp_path / "held.pem"
    held.write_bytes(authority("Somebody else").root.pem + ROOT.pem)
    add_beside(monkeypatch, held)
    async with serving(answer(), context=authority().server(localhost())) as web:
        write_direct(config, web.url)
        arguments = ("trust", "--presented", "West", "--config", config, "--yes")
        done = await asyncio.to_thread(certificates, *arguments)
    assert done.code == 0, done.err
    assert f"on this machine it is in {held}" in done.err
    assert loaded(own_bundle()) == [ROOT.der]


# Export


def test_export_writes_one_bundle_of_all(root: Path, config: Path, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(OTHER.pem + ROOT.pem + localhost().pem)
    config.write_text(config.read_text() + 'ca = "ca.pem"\n')
    certificates("trust", root)
    ran = certificates("export", "--config", config)
    path = exported_bundle()
    assert ran.code == 0, ran.err
    assert f"  export REQUESTS_CA_BUNDLE={path}\n" in ran.out
    assert f"  $env:REQUESTS_CA_BUNDLE = '{path}'\n" in ran.out
    assert "survives upgrades and needs no root" in ran.err
    assert "! left out: ca of West: localhost is no CA certificate" in ran.err
    known = ORIGINAL.count(b"-----BEGIN CERT")
    assert counted_by_openssl(path) == known + 2
    assert {ROOT.der, OTHER.der} <= set(loaded(path))
    assert path.stat().st_mode & 0o777 == 0o644
    document = certificates("export", "--config", config, "--format", "json").document
    assert (document["path"], document["certificates"]) == (str(path), known + 2)
    assert [(each["setting"], each["added"]) for each in document["sources"]] == [
        ("certifi", known), ("own bundle", 1), ("ca of West", 1),
    ]  # fmt: skip
    assert document["bash"] == f"export REQUESTS_CA_BUNDLE={path}"
    assert document["powershell"] == f"$env:REQUESTS_CA_BUNDLE = '{path}'"


def test_export_of_one_environment(config: Path, tmp_path: Path) -> None:
    for name, each in (("west", ROOT), ("east", OTHER)):
        (tmp_path / f"{name}.pem").write_bytes(each.pem)
    config.write_text(
        f'{config.read_text()}ca = "west.pem"\n'
        '[environments.East]\narm = "https://management.east.example"\nca = "east.pem"\n'
    )
    target = tmp_path / "out.pem"
    assert certificates("export", target, "--environment", "East", "--config", config).code == 0
    assert OTHER.der in loaded(target)
    assert ROOT.der not in loaded(target)
    assert certificates("export", target, "--config", config).code == 0  # ours: no question
    assert {ROOT.der, OTHER.der} <= set(loaded(target))


def test_export_asks_before_it_writes_over_a_file_of_others(tmp_path: Path) -> None:
    target = tmp_path / "mine.pem"
    target.write_bytes(b"mine")
    refused_with_talk("export", target)
    assert target.read_bytes() == b"mine"
    ran = certificates("export", target, "--yes")
    assert ran.code == 0
    assert target.with_name("mine.pem.before-stacktui").read_bytes() == b"mine"
    assert counted_by_openssl(target) == ORIGINAL.count(b"-----BEGIN CERT")


def test_export_never_writes_over_what_it_is_made_of(root: Path, tmp_path: Path) -> None:
    certificates("trust", root)
    link = tmp_path / "link"
    for path in (own_bundle(), Path(certifi.where())):
        link.unlink(missing_ok=True)
        link.symlink_to(path)
        before = path.read_bytes()
        for name in (path, link):
            assert refused("export", name, "--yes").endswith("itself; name another file")
        assert path.read_bytes() == before
    assert "is not a folder" in refused("export", tmp_path / "no" / "x.pem")
    assert "it is a directory" in refused("export", tmp_path)


def test_export_goes_on_without_a_ca_that_cannot_be_read(config: Path) -> None:
    config.write_text(config.read_text() + 'ca = "none.pem"\n')
    ran = certificates("export", "--config", config)
    assert ran.code == 0
    assert "! left out: ca of West: " in ran.err
    assert "none.pem is not there" in ran.err


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "is not there"),
        (b"", "is empty"),
        (b"<!DOCTYPE html><title>Sign in</title>", "is an HTML page, probably a download that"),
        (localhost().key_pem, "holds a private key but no certificate"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n", "holds no usable PEM certificate"),
    ],
    ids=["missing", "empty", "html", "key", "damaged"],
)
def test_export_shows_what_is_left_out_and_why(
    root: Path, config: Path, tmp_path: Path, content: bytes | None, why: str
) -> None:
    (tmp_path / "east.pem").write_bytes(OTHER.pem)
    config.write_text(
        f'{config.read_text()}ca = "west.pem"\n'
        '[environments.East]\narm = "https://management.east.example"\nca = "east.pem"\n'
    )
    certificates("trust", root)
    broken = (tmp_path / "west.pem", "ca of West"), (own_bundle(), "own bundle")
    for number, (path, setting) in enumerate(broken):
        if content is not None:
            path.write_bytes(content)
        elif path == own_bundle():
            continue  # as on every box on which nothing was trusted yet
        text = certificates("export", "--config", config)
        document = certificates("export", "--config", config, "--format", "json").document
        assert text.code == 0
        told = [line for line in document["left_out"] if line.startswith(f"{setting}: {path} ")]
        assert len(told) == 1
        assert why in told[0]
        assert len(document["left_out"]) == number + 1
        for line in document["left_out"]:
            assert f"! left out: {line}\n" in text.err
        assert setting not in [each["setting"] for each in document["sources"]]
        assert OTHER.der in loaded(exported_bundle())
        assert (ROOT.der in loaded(exported_bundle())) == (number == 0)


def test_export_shows_whose_roots_the_line_would_lose(tmp_path: Path) -> None:
    theirs = tmp_path / "corporate.pem"
    theirs.write_bytes(OTHER.pem)
    ran = certificates("export", REQUESTS_CA_BUNDLE=str(theirs))
    assert "! It holds 1 certificate that the new file does not" in ran.err
    again = certificates("export", REQUESTS_CA_BUNDLE=str(exported_bundle()))
    assert "!" not in again.err


def test_the_exported_line_works_in_a_shell(root: Path, tmp_path: Path) -> None:
    certificates("trust", root)
    target = tmp_path / "it's $HOME.pem"
    line = json.loads(certificates("export", target, "--format", "json").out)["bash"]
    done = subprocess.run(
        ["bash", "-c", f'{line}; printf %s "$REQUESTS_CA_BUNDLE"'], capture_output=True, check=True
    )
    assert done.stdout.decode() == str(target)
