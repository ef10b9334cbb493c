"""Files that other users of this machine may read or change, with real modes."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacktui.check.open_files import OpenFile, open_files
from stacktui.config.locations import config_directory
from stacktui.diagnosis.catalogue.every_fault import EVERY_FAULT
from stacktui.identities.model import CertificateRef, EnvSecret, FileSecret, Identity, IdentityKind
from stacktui.stamp.running import RunningStamp
from stacktui.tui.app import StacktuiApp
from tests.product import check_json, stacktui, write_config
from tests.support.authority import authority
from tests.support.pasted import Shell
from tests.tui.screen import until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
BOTH = "its group and others"
WRITE = "write to it, and so decide where secrets go"


@pytest.fixture(name="shared")
def _shared() -> Iterator[Path]:
    """A folder that everybody may enter; pytest's own nobody else may."""
    folder = Path(tempfile.mkdtemp(prefix="stacktui-shared-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def made(path: Path, mode: int, content: bytes = b"a secret") -> Path:
    path.touch(0o600)
    path.write_bytes(content)
    path.chmod(mode)
    return path


def opened(
    reference: FileSecret | CertificateRef | EnvSecret | None, config: Path
) -> list[tuple[str, str, int, int]]:
    identity = Identity("ops", IdentityKind.SERVICE_PRINCIPAL, "id", reference)
    found = open_files(config, identity)
    return [(each.path.name, each.who, each.mode, each.wanted) for each in found]


@pytest.mark.parametrize(
    ("mode", "who"),
    [(0o600, ""), (0o400, ""), (0o622, ""), (0o640, "its group"), (0o604, "others"), (0o644, BOTH)],
)
def test_who_may_read_a_secret(mode: int, who: str, shared: Path) -> None:
    path = made(shared / "secret", mode)
    expected = [("secret", who, mode, 0o600)] if who else []
    assert opened(FileSecret(path), shared / "config.toml") == expected


@pytest.mark.parametrize(
    ("folder_mode", "who"),
    [(0o700, ""), (0o744, ""), (0o710, "its group"), (0o701, "others"), (0o711, BOTH)],
)
def test_a_folder_that_others_may_not_enter_closes_it(
    folder_mode: int, who: str, shared: Path
) -> None:
    folder = shared / "outer" / "inner"
    folder.mkdir(parents=True)
    path = made(folder / "secret", 0o644)
    for closing in (folder.parent, folder):
        closing.chmod(folder_mode)
        (shared / "link").symlink_to(path)
        for each in (path, shared / "link"):
            found = opened(FileSecret(each), shared / "config.toml")
            assert found == ([(each.name, who, 0o644, 0o600)] if who else [])
        (shared / "link").unlink()
        closing.chmod(0o755)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_a_group_that_may_not_enter_the_folder_s_group_s_folder(shared: Path) -> None:
    (shared / "in").mkdir()
    path = made(shared / "in" / "secret", 0o640)
    os.chown(path, 0, 23456)
    (shared / "in").chmod(0o710)
    assert opened(FileSecret(path), shared / "c") == []
    os.chown(shared / "in", 0, 23456)
    assert opened(FileSecret(path), shared / "c") == [("secret", "its group", 0o640, 0o600)]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_the_group_s_right_by_which_a_user_reads_is_needed(shared: Path) -> None:
    path = made(shared / "secret", 0o640)
    os.chown(path, 0, 23456)
    os.seteuid(12345)
    try:
        assert opened(FileSecret(path), shared / "c") == []
        os.seteuid(0)
        path.chmod(0o644)
        os.seteuid(12345)
        assert opened(FileSecret(path), shared / "c") == [("secret", "others", 0o644, 0o640)]
    finally:
        os.seteuid(0)


LEAF = authority().root
CONTENTS = {
    "a certificate with its key": (LEAF.pem + LEAF.key_pem, True),
    "a key": (LEAF.key_pem, True),
    "an encrypted key": (b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n", True),
    "a PFX": (b"\x30\x82\x0a\x00\x02\x01\x03" + bytes(50), True),
    "a certificate": (LEAF.pem, False),
    "DER": (LEAF.der, False),
    "HTML": (b"<html>", False),
    "nothing": (b"", False),
}


@pytest.mark.parametrize("case", CONTENTS)
def test_a_certificate_file_counts_if_it_has_a_key(case: str, shared: Path) -> None:
    content, is_open = CONTENTS[case]
    path = made(shared / "sp.pem", 0o644, content)
    assert bool(opened(CertificateRef(path), shared / "c")) is is_open


def test_the_file_of_its_password_counts_too(shared: Path) -> None:
    path = made(shared / "sp.pem", 0o600, LEAF.key_pem)
    reference = CertificateRef(path, FileSecret(made(shared / "password", 0o644)))
    assert opened(reference, shared / "c") == [("password", BOTH, 0o644, 0o600)]


@pytest.mark.timeout(10)
def test_what_is_no_file_gives_nothing(shared: Path) -> None:
    os.mkfifo(shared / "fifo")
    (shared / "fifo").chmod(0o666)
    (shared / "folder").mkdir()
    (shared / "dangling").symlink_to("gone")
    (shared / "loop").symlink_to("loop")
    made(shared / "empty", 0o644, b"")
    for name in ("fifo", "folder", "dangling", "loop", "empty", "gone", "fifo/x", "\0", "n" * 300):
        for reference in (FileSecret(shared / name), CertificateRef(shared / name)):
            assert opened(reference, shared / "c") == [], name
    assert opened(EnvSecret("HOME"), shared / "c") == opened(None, shared / "c") == []
    assert open_files(shared / "gone" / "c", None) == ()


@pytest.mark.parametrize(
    ("mode", "who"),
    [(0o755, ""), (0o775, "its group"), (0o757, "others"), (0o777, BOTH), (0o1777, BOTH),
     (0o766, "")],
)  # fmt: skip
def test_our_folder_that_others_may_write_to(mode: int, who: str) -> None:
    """Nor does the sticky bit help there: a bundle of roots may be added."""
    Path.home().chmod(0o755)
    folder = config_directory()
    folder.mkdir(parents=True)
    made(folder / "config.toml", 0o644)
    folder.chmod(mode)
    expected = [OpenFile(folder, who, mode, 0o700, writable=True, is_folder=True)] if who else []
    for config in (folder / "config.toml", folder / "gone.toml", Path.home() / "other.toml"):
        assert open_files(config, None) == tuple(expected)
    Path.home().chmod(0o700)
    assert open_files(folder / "config.toml", None) == ()


def test_a_config_that_others_may_write() -> None:
    Path.home().chmod(0o755)
    config = config_directory() / "config.toml"
    config.parent.mkdir(parents=True)
    made(config, 0o664)
    (found,) = open_files(config, None)
    assert found == OpenFile(config, "its group", 0o664, 0o600, writable=True)


def test_a_config_elsewhere_stays_readable(shared: Path) -> None:
    """And a sticky folder that everybody may write to keeps it, such as /tmp."""
    config = made(shared / "config.toml", 0o646)
    assert opened(None, config) == [("config.toml", "others", 0o646, 0o644)]
    config.chmod(0o644)
    shared.chmod(0o777)
    assert opened(None, config) == [(shared.name, BOTH, 0o777, 0o755)]
    shared.chmod(0o1777)
    assert opened(None, config) == []


def test_every_output_has_it_and_its_commands_close_it(
    shared: Path, tmp_path: Path, entra_stamp: RunningStamp
) -> None:
    described = entra_stamp.describe()
    secret = made(shared / "a secret", 0o644, entra_stamp.secret.encode())
    (shared / "config").mkdir()
    config = write_config(shared / "config", described, secret=f'{{ file = "{secret}" }}')
    config.chmod(0o600)
    config.parent.chmod(0o777)
    ran = check_json(config)
    assert (ran.code, ran.document["verdict"]) == (0, None)
    (found,) = ran.document["also_seen"]
    assert (found["id"], found["side"]) == ("secret-file-open", "box")
    assert found["evidence"] == [
        f"{secret}: its mode is 0644, so its group and others may read it",
        f"{config.parent}: its mode is 0777, so its group and others may {WRITE}",
    ]
    commands = [each["bash"] for each in found["remedies"] if each["bash"]]
    assert commands == [f"chmod 600 '{secret}'", f"chmod 755 {config.parent}"]
    for format_ in ("text", "markdown"):
        written = stacktui("check", "--config", config, "--format", format_)
        assert "secret-file-open" in written.out
        assert "chmod 600" in written.out
    assert EVERY_FAULT["secret-file-open"].id in stacktui("explain", "secret-file-open").out
    document = Shell(tmp_path).check_after("; ".join(commands), config=config)
    assert document["also_seen"] == []
    assert (secret.stat().st_mode & 0o777, config.parent.stat().st_mode & 0o777) == (0o600, 0o755)


async def test_the_dashboard_closes_it(shared: Path, entra_stamp: RunningStamp) -> None:
    described = entra_stamp.describe()
    secret = made(shared / "secret", 0o644, entra_stamp.secret.encode())
    config = write_config(shared, described, secret=f'{{ file = "{secret}" }}')
    async with StacktuiApp(config, auto_check=True).run_test(size=(120, 40)) as pilot:
        await until(pilot, "secret-file-open")
        await pilot.press("f")
        shown = await until(pilot, "Change it?")
        assert "0644" in shown
        assert "0600" in shown
        await pilot.press("y")
        await until(pilot, "had mode 0644, now 0600")
        await until(pilot, "Nothing is wrong.")
    assert secret.stat().st_mode & 0o777 == 0o600
