"""`stacktui certificates lint` and `convert`, as processes, on real files."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import stat
import subprocess
import sys
import termios
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from stacktui.certificates.conversion import thumbprints
from tests.product import PATIENCE, Ran, stacktui, stacktui_process
from tests.support.authority import Issued
from tests.support.deployment import (
    DAY,
    DOMAIN,
    OPENSSLS,
    PASSWORD,
    Leaf,
    enterprise,
    good,
    openssl,
    other_key,
    pem_file,
    pfx_file,
    signed_with,
)

pytestmark = pytest.mark.every_root
ISSUERS = (enterprise().intermediate.pem, enterprise().root.pem)
REGION = ("--region", "east", "--fqdn", "contoso.example")


def lint(*arguments: str | Path, **variables: str) -> Ran:
    return run("lint", *arguments, **variables)


def convert(*arguments: str | Path, **variables: str) -> Ran:
    return run("convert", *arguments, **variables)


def run(command: str, *arguments: str | Path, **variables: str) -> Ran:
    """No output ever holds the password or a key."""
    ran = stacktui("certificates", command, *map(str, arguments), **variables)
    assert PASSWORD not in ran.out + ran.err
    assert "PRIVATE KEY" not in ran.out + ran.err
    return ran


def chained(path: Path, leaf: Issued) -> Path:
    """A PEM file with the leaf, its chain and its key."""
    return pem_file(path, leaf.pem, *ISSUERS, leaf.key_pem)


def one_line(ran: Ran, code: int = 2) -> str:
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith("stacktui: ")
    assert ran.err.count("\n") == 1
    return ran.err


class AtTerminal:
    """A process whose stdin and stderr are a terminal on which `answers` are typed."""

    def __init__(
        self, *arguments: str | Path, answers: tuple[str, ...], command: str = "certificates"
    ) -> None:
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "stacktui", command, *map(str, arguments)],
            stdin=slave, stdout=subprocess.PIPE, stderr=slave, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self.shown = ""
        for answer in answers:
            before = len(self.shown)
            self._read_until(master, lambda before=before: self.shown[before:].endswith(": "))
            os.write(master, answer.encode() + b"\n")
        self.out = process.communicate(timeout=PATIENCE)[0].decode()
        self.code = process.returncode
        self._read_until(master, lambda: False)
        os.close(master)

    def _read_until(self, master: int, done: object) -> None:
        while not done():  # type: ignore[operator]
            if not select.select([master], [], [], PATIENCE)[0]:
                raise TimeoutError(self.shown)
            try:
                self.shown += os.read(master, 4096).decode()
            except OSError:  # the other end is closed
                return


# lint


def test_a_right_pfx_passes(tmp_path: Path) -> None:
    path = pfx_file(tmp_path / "portal.pfx", good(), ISSUERS)
    ran = lint(path, "--password-env", "SECRET", "--format", "json", SECRET=PASSWORD)
    assert (ran.code, ran.err) == (0, "")
    document = ran.document
    assert (document["schema"], document["level"]) == (1, "pass")
    (file,) = document["files"]
    assert (file["path"], file["form"], file["level"]) == (str(path), "pfx", "pass")
    assert file["certificate"]["names"] == [f"portal.{DOMAIN}", f"*.blob.{DOMAIN}"]
    levels = {each["rule"]: each["level"] for each in file["judgements"]}
    assert levels.pop("names") == "skipped"
    assert set(levels.values()) == {"pass"}
    assert document["names"] is None


def test_warnings_and_criticals_exit_with_0_and_a_failure_with_1(tmp_path: Path) -> None:
    for days, level, code in ((60, "warning", 0), (20, "critical", 0), (3, "fail", 1)):
        leaf = Leaf(ends=days * DAY + timedelta(hours=1)).issued()
        path = chained(tmp_path / "a.pem", leaf)
        ran = lint(path, "--format", "json")
        assert (ran.code, ran.document["level"]) == (code, level)
        text = lint(path)
        assert text.code == code
        assert f"{level}  expiry: {days} days left" in text.out


def test_an_old_signature_is_said_with_what_to_do(tmp_path: Path) -> None:
    leaf, _ = signed_with("sha1", tmp_path)
    pem_file(tmp_path / "leaf.cer", leaf)
    ran = lint(tmp_path / "leaf.cer")
    assert ran.code == 1
    assert "✗ fail  signature: “old leaf” is signed with SHA1" in ran.out
    assert "→ have it issued again, with SHA-256" in ran.out


def test_all_files_together_cover_the_names_of_a_stamp(tmp_path: Path) -> None:
    one = chained(tmp_path / "1.pem", Leaf(names=(f"*.{DOMAIN}",)).issued())
    services = ("blob", "table", "queue", "vault", "adminvault", "hosting", "adminhosting")
    rest = tuple(f"*.{service}.{DOMAIN}" for service in services)
    two = chained(tmp_path / "2.pem", Leaf(names=rest).issued())
    ran = lint(one, two, *REGION, "--adfs", "--format", "json")
    assert (ran.code, ran.document["level"]) == (0, "pass")
    assert ran.document["names"]["missing"] == []
    assert len(ran.document["names"]["covered"]) == 13
    alone = lint(two, *REGION, "--format", "json")
    assert (alone.code, alone.document["files"][0]["level"]) == (1, "pass")
    assert alone.document["names"] == {
        "domain": DOMAIN,
        "level": "fail",
        "covered": list(rest),
        "missing": [f"{name}.{DOMAIN}" for name in
                    ("portal", "adminportal", "management", "adminmanagement")],
    }  # fmt: skip
    text = lint(two, *REGION)
    assert text.code == 1
    assert text.out.count(f"adminportal.{DOMAIN}") == 1
    assert "FAIL: 4 names missing" in text.out


def test_a_file_for_another_domain_is_said(tmp_path: Path) -> None:
    path = chained(tmp_path / "west.pem", Leaf(names=("portal.west.contoso.example",)).issued())
    ran = lint(path, *REGION)
    assert ran.code == 1
    words = " ".join(ran.out.split())
    assert f"names: none is of {DOMAIN}; it is for portal.west.contoso.example" in words
    assert all(len(line) <= 80 for line in ran.out.splitlines() if str(tmp_path) not in line)


@pytest.mark.parametrize(
    "arguments", [("--region", "east"), ("--fqdn", "c.example"), ("--adfs",), ("--password", "x"),
                  ("--region", "", "--fqdn", "c.example"), ("--password-env", "A",
                  "--password-file", "B")],
)  # fmt: skip
def test_wrong_usage(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ran = lint(chained(tmp_path / "a.pem", good()), *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "Error: " in ran.err


def odd_files(folder: Path) -> dict[str, Path]:
    content = pfx_file(folder / "whole.pfx", good(), ISSUERS).read_bytes()
    files = {
        "is empty": pem_file(folder / "empty.pem"),
        "HTML": pem_file(folder / "page.pem", b"<html><body>Sign in</body></html>"),
        "cut off": pem_file(folder / "cut.pfx", content[:900]),
        "damaged PFX": pem_file(folder / "garbage.pfx", content[:50], bytes(len(content) - 50)),
        "neither a PFX nor": pem_file(folder / "cut.cer", good().der[:600]),
        "but no certificate": pem_file(folder / "key.pem", good().key_pem),
        "no usable PEM": pem_file(folder / "text.txt", b"\xff\xfe nothing"),
        "is a directory": folder / "folder",
        "not a regular file": folder / "fifo",
        "is not there": folder / "nowhere.pem",
        "too large": folder / "sparse.pem",
    }
    files["is a directory"].mkdir()
    os.mkfifo(files["not a regular file"])
    with files["too large"].open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    return files


def test_odd_files_are_one_line_each_and_the_others_are_judged(tmp_path: Path) -> None:
    files = odd_files(tmp_path)
    fine = chained(tmp_path / "fine.pem", good())
    ran = lint(*files.values(), fine, "--format", "json")
    assert ran.code == 2
    assert [each["path"] for each in ran.document["files"]] == [str(fine)]
    assert [each["path"] for each in ran.document["errors"]] == list(map(str, files.values()))
    lines = ran.err.splitlines()
    assert len(lines) == len(files)
    for line, (text, path) in zip(lines, files.items(), strict=True):
        assert line.startswith("stacktui: ")
        assert str(path) in line
        assert text in line
    assert "is empty" in one_line(lint(files["is empty"], "--format", "json"))


def test_a_bundle_of_roots_is_refused(tmp_path: Path) -> None:
    import certifi

    assert "a bundle of roots" in one_line(lint(Path(certifi.where())))


def test_a_hostile_name_is_shown_harmlessly(tmp_path: Path) -> None:
    name = "a\n-----BEGIN CERTIFICATE-----\x1b[2J\u202e"
    path = chained(tmp_path / "a\x1b[31m\n.pem", Leaf(common_name=name).issued())
    ran = lint(path)
    assert ran.code == 0
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out
    assert not any(line.startswith("-----BEGIN") for line in ran.out.splitlines())


def test_a_password_comes_from_a_file_or_a_pipe(tmp_path: Path) -> None:
    path = pfx_file(tmp_path / "a.pfx", good(), ISSUERS)
    secret = tmp_path / "secret"
    secret.write_text(f"{PASSWORD}\n", encoding="utf-8")
    assert lint(path, "--password-file", secret).code == 0
    piped = subprocess.run(
        [sys.executable, "-m", "stacktui", "certificates", "lint", path],
        input=f"{PASSWORD}\n".encode(), capture_output=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert (piped.returncode, piped.stderr) == (0, b"")
    binary = subprocess.run(
        [sys.executable, "-m", "stacktui", "certificates", "lint", path],
        input=b"\xff\xfe\n", capture_output=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert binary.returncode == 2
    assert b"Traceback" not in binary.stderr


def test_without_a_password_nobody_is_waited_for(tmp_path: Path) -> None:
    path = pfx_file(tmp_path / "a.pfx", good(), ISSUERS)
    assert "--password-env or --password-file" in one_line(lint(path))
    assert "is not set" in one_line(lint(path, "--password-env", "NOBODY_SETS_THIS"))
    wrong = lint(path, "--password-env", "SECRET", SECRET="wrong")
    assert "the password is wrong" in one_line(wrong)
    ran = lint(pfx_file(tmp_path / "b.pfx", good(), ISSUERS, password=False), "--format", "json")
    failed = {each["rule"] for each in ran.document["files"][0]["judgements"] if each["mend"]}
    assert (ran.code, failed) == (1, {"pfx-password"})


def test_the_command_of_a_wrongly_packed_pfx_packs_it_rightly(tmp_path: Path) -> None:
    path = pfx_file(tmp_path / "a b.pfx", good(), ISSUERS, *OPENSSLS)
    secret = ("--password-env", "SECRET")
    ran = lint(path, *secret, "--format", "json", SECRET=PASSWORD)
    mends = {each["mend"] for each in ran.document["files"][0]["judgements"] if each["mend"]}
    assert ran.code == 1
    program, *words = shlex.split(mends.pop().removeprefix("pack it again: "))
    assert (program, mends) == ("stacktui", set())
    done = stacktui(*words, *secret, SECRET=PASSWORD)
    assert done.code == 0, done.err
    again = lint(tmp_path / "a b-new.pfx", *secret, "--format", "json", SECRET=PASSWORD)
    assert (again.code, again.document["level"]) == (0, "pass")


def test_the_name_of_out_decides_on_its_form(tmp_path: Path) -> None:
    path = chained(tmp_path / "a.pem", good())
    assert convert(path, tmp_path / "b.pem").code == 0
    assert (tmp_path / "b.pem").read_bytes() == path.read_bytes()
    assert convert(path, tmp_path / "b", "--password-env", "SECRET", SECRET=PASSWORD).code == 0
    assert (tmp_path / "b").read_bytes()[:1] == b"\x30"


def test_a_crl_that_cannot_be_had_is_told_only_where_it_is_asked_for(tmp_path: Path) -> None:
    leaf = Leaf(crl="http://127.0.0.1/a.crl").issued()
    path = chained(tmp_path / "a.pem", leaf)
    assert lint(path).code == 0
    ran = lint(path, "--fetch-crl", "--format", "json")
    found = next(
        each for each in ran.document["files"][0]["judgements"] if each["rule"] == "http-crl"
    )
    assert (ran.code, found["level"]) == (1, "fail")
    assert "http://127.0.0.1/a.crl: " in found["text"]


def test_a_password_in_place_of_the_variable_s_name_is_not_repeated(tmp_path: Path) -> None:
    """`lint` and `convert` of this module see to it that no output holds it."""
    path, out = pfx_file(tmp_path / "a.pfx", good(), ISSUERS), tmp_path / "out.pem"
    told = "stacktui: --{} takes the name of a variable; that is none\n"
    assert one_line(lint(path, "--password-env", PASSWORD)) == told.format("password-env")
    keys = ("--password-env", "SECRET", "--key-password-env", PASSWORD)
    for wrong in ("--password-env", PASSWORD), keys:
        ran = convert(path, out, *wrong, SECRET=PASSWORD)
        assert one_line(ran) == told.format(wrong[-2].removeprefix("--"))
    for odd in ("", " ", "1A", "A=b", "A B", "a-b", "$SECRET", "SECRET\n", "\x1b[2J"):
        ran = lint(path, "--password-env", odd, SECRET=PASSWORD)
        assert one_line(ran) == told.format("password-env")
    assert not out.exists()


def test_a_password_is_asked_for_once_and_not_shown(tmp_path: Path) -> None:
    files = [pfx_file(tmp_path / f"{name}.pfx", good(), ISSUERS) for name in "ab"]
    at = AtTerminal("lint", *files, answers=(PASSWORD,))
    assert at.code == 0
    assert at.shown.count("Password of ") == 1
    assert PASSWORD not in at.shown + at.out
    assert "PASS: 2 files judged" in at.out


def test_output_on_a_terminal_fits_it(tmp_path: Path) -> None:
    path = chained(tmp_path / "a.pem", Leaf(usage=None, purposes=None, names=()).issued())
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 80))
    process = subprocess.Popen(
        [sys.executable, "-m", "stacktui", "certificates", "lint", path.name, *REGION],
        stdout=slave, cwd=tmp_path, env=dict(os.environ) | {"PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert process.wait(PATIENCE) == 1
    os.close(slave)
    written = os.read(master, 65536).decode()
    os.close(master)
    assert "\x1b[31m✗ fail\x1b[0m  key-usage" in written
    shown = re.sub(r"\x1b\[[0-9]+m", "", written)  # colours take no room
    assert max(map(len, shown.splitlines())) <= 80
    assert "✗ fail  key-usage: the extension is absent" in shown


# convert


def test_a_pfx_becomes_pem_and_back(tmp_path: Path) -> None:
    path = pfx_file(tmp_path / "a.pfx", good(), ISSUERS, "-legacy")
    out, back = tmp_path / "sp.pem", tmp_path / "back.pfx"
    ran = convert(path, out, "--password-env", "SECRET", SECRET=PASSWORD)
    assert (ran.code, ran.err) == (0, "")
    assert f'certificate = "{out}"' in ran.out
    assert thumbprints(good().der).sha1 in ran.out
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert out.read_bytes() == b"".join((good().pem, *ISSUERS, good().key_pem))
    ran = convert(out, back, "--password-env", "SECRET", "--format", "json", SECRET=PASSWORD)
    assert ran.code == 0
    document = ran.document
    assert (document["written"], document["form"]) == (str(back), "pfx")
    assert (document["issuers"], document["left_out"], document["config"]) == (2, 0, None)
    said = openssl(tmp_path, "x509", "-in", "sp.pem", "-noout", "-fingerprint", "-sha1").decode()
    assert document["thumbprint"] == said.split("=")[1].strip().replace(":", "")
    assert document["certificate"]["days_left"] == 364
    key = openssl(tmp_path, "pkcs12", "-in", "back.pfx", "-passin", "env:PASSWORD", "-nocerts",
                  "-nodes")  # fmt: skip
    assert good().key_pem in key
    assert stat.S_IMODE(back.stat().st_mode) == 0o600


def test_a_new_password_is_typed_twice_and_not_shown(tmp_path: Path) -> None:
    path = chained(tmp_path / "a.pem", good())
    out = tmp_path / "a.pfx"
    at = AtTerminal("convert", path, out, answers=(PASSWORD, "other", PASSWORD, PASSWORD))
    assert at.code == 0, at.shown
    assert "do not match" in at.shown
    assert PASSWORD not in at.shown + at.out
    openssl(tmp_path, "pkcs12", "-in", "a.pfx", "-passin", "env:PASSWORD", "-noout")


def test_an_existing_file_is_asked_for(tmp_path: Path) -> None:
    path = pfx_file(tmp_path / "a.pfx", good(), password=False)
    out = tmp_path / "out.pem"
    out.write_bytes(b"old")
    out.chmod(0o644)
    assert "--yes" in convert(path, out).err
    assert out.read_bytes() == b"old"
    refused = AtTerminal("convert", path, out, answers=("n",))
    assert (refused.code, out.read_bytes()) == (2, b"old")
    assert AtTerminal("convert", path, out, answers=("y",)).code == 0
    assert out.read_bytes() == good().pem + good().key_pem
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert convert(path, out, "--yes").code == 0


def test_an_encrypted_key_in_pem(tmp_path: Path) -> None:
    key = good().key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"of the key")
    )
    path = pem_file(tmp_path / "a.pem", good().pem, *ISSUERS, key)
    passwords = ("--password-env", "SECRET", "--key-password-env", "KEY")
    ran = convert(path, tmp_path / "a.pfx", *passwords, SECRET=PASSWORD, KEY="of the key")
    assert (ran.code, ran.err) == (0, "")
    skipped = lint(path, "--format", "json").document["files"][0]["judgements"][-1]
    assert (skipped["rule"], skipped["level"]) == ("private-key", "skipped")
    judged = lint(path, "--password-env", "KEY", "--format", "json", KEY="of the key")
    assert judged.document["files"][0]["judgements"][-1]["level"] == "pass"


def test_what_cannot_be_converted_leaves_out_untouched(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_bytes(b"old")
    out.chmod(0o640)
    stranger = Leaf(key=other_key()).issued()
    secret = {"SECRET": PASSWORD, "WRONG": "wrong"}
    pfx = pfx_file(tmp_path / "a.pfx", good(), ISSUERS)
    cases = {
        "the password is wrong": (pfx, "WRONG"),
        "no private key": (pem_file(tmp_path / "1.pem", good().pem), "SECRET"),
        "belongs to another": (
            pem_file(tmp_path / "2.pem", good().pem, stranger.key_pem),
            "SECRET",
        ),
        "2 private keys": (
            pem_file(tmp_path / "3.pem", good().pem, good().key_pem, stranger.key_pem),
            "SECRET",
        ),
        "it is empty": (pem_file(tmp_path / "4.pem", good().pem, good().key_pem), "BLANK"),
        "cut off": (pem_file(tmp_path / "b.pfx", pfx.read_bytes()[:500]), "SECRET"),
    }
    for text, (path, name) in cases.items():
        ran = convert(path, out, "--yes", "--password-env", name, **secret, BLANK="")
        assert text in one_line(ran)
        assert (out.read_bytes(), stat.S_IMODE(out.stat().st_mode)) == (b"old", 0o640)


def test_a_key_goes_nowhere_but_to_a_file(tmp_path: Path) -> None:
    path = pfx_file(tmp_path / "a.pfx", good(), password=False)
    os.mkfifo(tmp_path / "fifo")
    for out, text in (
        ("-", "not written to stdout"),
        (str(tmp_path / "fifo"), "is not a regular file"),
        (str(tmp_path), "is not a regular file"),
        (str(tmp_path / "nowhere" / "a.pem"), "its folder is not there"),
        (str(path), "is IN and OUT"),
    ):
        assert text in one_line(convert(path, out, "--yes"))
    # A process, so that its stdout is a pipe, whatever the tests' own is.
    piped = stacktui_process("certificates", "convert", path, "/dev/stdout", "--yes")
    assert "is not a regular file" in one_line(piped)
    assert path.read_bytes()[:1] == b"\x30"


def test_a_key_on_a_curve_cannot_sign_in(tmp_path: Path) -> None:
    leaf = Leaf(key=ec.generate_private_key(ec.SECP256R1())).issued()
    path = pfx_file(tmp_path / "a.pfx", leaf, password=False)
    ran = convert(path, tmp_path / "a.pem")
    assert ran.code == 0
    assert "RSA only" in ran.out
    assert "certificate = " not in ran.out


def test_what_does_not_belong_is_left_out_and_said(tmp_path: Path) -> None:
    stranger = Leaf(common_name="stranger", key=other_key()).issued()
    path = pfx_file(tmp_path / "a.pfx", good(), (stranger.pem, *ISSUERS), password=False)
    ran = convert(path, tmp_path / "a.pem")
    assert ran.code == 0
    assert "! 1 certificate left out" in ran.out
    assert len(re.findall(b"BEGIN CERTIFICATE", (tmp_path / "a.pem").read_bytes())) == 3
