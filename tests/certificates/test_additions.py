"""What was added to bundles of others is remembered, and missed when an upgrade loses it."""

from __future__ import annotations

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from stacktui.certificates.additions import (
    LostAddition,
    forget,
    lost_additions,
    read_additions,
    remember,
    remembered_of,
)
from stacktui.certificates.bundle import MAX_COMMENT, carry_out, plan_addition, plan_removal
from stacktui.config.locations import additions_file
from tests.support.authority import STRANGERS, authority

ROOT = authority().root
OTHER = STRANGERS.root
SHA = sha256(ROOT.der).hexdigest()
SUBJECT = "CN=Contoso Root CA"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle of others with an addition that is remembered."""
    path = tmp_path / "cacert.pem"
    path.write_bytes(OTHER.pem)
    carry_out(plan_addition(path, (ROOT.der,)))
    assert remember(path, (ROOT.der,)) == ""
    return path


def test_nothing_is_remembered_at_first() -> None:
    assert read_additions().additions == lost_additions() == ()
    assert not additions_file().parent.exists()


def test_what_is_still_there_is_not_lost(bundle: Path) -> None:
    assert lost_additions() == ()
    (found,) = read_additions().additions
    assert (found.path, found.sha256, found.subject, found.der) == (
        bundle, SHA, SUBJECT, ROOT.der,
    )  # fmt: skip
    assert additions_file().stat().st_mode & 0o777 == 0o600


def test_an_upgrade_loses_it(bundle: Path) -> None:
    bundle.write_bytes(OTHER.pem)
    assert lost_additions() == (LostAddition(bundle, SHA, SUBJECT, gone=False),)
    bundle.unlink()
    assert lost_additions() == (LostAddition(bundle, SHA, SUBJECT, gone=True),)


def test_another_form_of_it_is_not_a_loss(bundle: Path) -> None:
    bundle.write_bytes(OTHER.pem + ROOT.pem.replace(b"\n", b"\r\n"))
    assert lost_additions() == ()


def test_of_a_bundle_that_cannot_be_read_nothing_is_said(bundle: Path) -> None:
    bundle.unlink()
    bundle.mkdir()
    assert lost_additions() == ()


def test_a_removal_is_forgotten(bundle: Path) -> None:
    carry_out(plan_removal(bundle, [SHA]))
    assert forget(bundle, [SHA]) == ""
    assert read_additions().additions == lost_additions() == ()


def test_the_same_is_remembered_once_by_whatever_name(bundle: Path, tmp_path: Path) -> None:
    before = additions_file().read_bytes()
    link = tmp_path / "link.pem"
    link.symlink_to(bundle)
    remember(link, (ROOT.der,))
    assert additions_file().read_bytes() == before
    assert remembered_of(link, read_additions().additions)
    forget(link, [SHA.upper()])
    assert read_additions().additions == ()


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null", b'{"version": 1}', b'{"version": 1, "additions": {}}',
        b"\xff\xfe", b"[" * 100_000, b'{"version": 2, "additions": []}', b"9" * 5000,
        b'{"version": 1, "additions": [' + b"x" * 5_000_000,
    ],
    ids=range(11),
)  # fmt: skip
def test_a_broken_memory_is_one_warning_and_is_left_alone(bundle: Path, content: bytes) -> None:
    additions_file().write_bytes(content)
    log = read_additions()
    assert log.additions == lost_additions() == ()
    assert log.trouble.startswith(str(additions_file()))
    assert log.trouble.isprintable()
    assert remember(bundle, (OTHER.der,)) == log.trouble
    assert additions_file().read_bytes() == content


@pytest.mark.parametrize(
    "change",
    [{"path": 5}, {"pem": "x"}, {"pem": "é"}, {"sha256": "00"}, {"subject": None},
     {"path": "/a\x00b"}, {"path": "relative.pem"}, {"path": ""}],
    ids=str,
)  # fmt: skip
def test_a_broken_entry_spoils_no_other_and_is_kept(bundle: Path, change: dict[str, Any]) -> None:
    document = json.loads(additions_file().read_text())
    broken = document["additions"][0] | change
    document["additions"] += [broken, "text", 7]
    additions_file().write_text(json.dumps(document))
    log = read_additions()
    assert [each.sha256 for each in log.additions] == [SHA]
    assert "3 entries cannot be read" in log.trouble
    remember(bundle, (OTHER.der,))
    kept = json.loads(additions_file().read_text())["additions"]
    assert kept[:4] == document["additions"]
    assert len(kept) == 5


def test_a_subject_in_the_memory_is_shown_harmlessly(bundle: Path) -> None:
    document = json.loads(additions_file().read_text())
    for subject, shown in (("\x1b[31mCN=x\n", r"\x1b[31mCN=x\n"), ("x" * 9999, "x" * MAX_COMMENT)):
        document["additions"][0]["subject"] = subject
        additions_file().write_text(json.dumps(document))
        assert read_additions().additions[0].subject == shown


def test_a_folder_in_its_place_is_reported(tmp_path: Path) -> None:
    additions_file().mkdir(parents=True)
    assert "directory" in read_additions().trouble
    assert lost_additions() == ()


def test_looking_for_losses_imports_no_certificate_library(bundle: Path) -> None:
    bundle.write_bytes(OTHER.pem)
    code = (
        "import sys\n"
        "from stacktui.certificates.additions import lost_additions\n"
        "print(len(lost_additions()), 'cryptography' in sys.modules, 'tomlkit' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "False", "False"]
