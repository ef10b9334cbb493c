"""The files that identities sign in with: what there is to say of each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from stacktui.identities.certificate_file import IdentityFile, read_files, references
from stacktui.identities.model import CertificateRef, EnvSecret, Identity, IdentityKind
from tests.support.authority import DAY, Issued, authority, issue, rsa_key

NOW = datetime.now(UTC)


def client(ends: timedelta = 90 * DAY) -> Issued:
    """A certificate as a service principal registers it, under an authority."""
    return issue("ops", ("ops.example",), authority().intermediate, ends=ends, key=rsa_key())


def read_one(path: Path) -> IdentityFile:
    return read_files({"ops": CertificateRef(path)}, NOW)["ops"]


def test_only_identities_that_sign_in_with_a_certificate_have_one(tmp_path: Path) -> None:
    kind = IdentityKind.SERVICE_PRINCIPAL
    with_file = Identity("a", kind, "x", CertificateRef(tmp_path / "a.pem"))
    with_secret = Identity("b", kind, "x", EnvSecret("B"))
    assert references([with_file, with_secret]) == {"a": CertificateRef(tmp_path / "a.pem")}


def test_a_usable_file_shows_the_chain_from_the_certificate_of_its_key(tmp_path: Path) -> None:
    leaf, path = client(), tmp_path / "sp.pem"
    path.write_bytes(authority().intermediate.pem + leaf.pem + leaf.key_pem)
    found = read_one(path)
    assert [each.common_name for each in found.chain] == ["ops", "Contoso Issuing CA"]
    path.write_bytes(leaf.key_pem + leaf.pem + authority().intermediate.pem)
    found = read_one(path)
    assert [each.common_name for each in found.chain] == ["ops", "Contoso Issuing CA"]
    assert found.word == found.problem == ""


def pfx(leaf: Issued) -> bytes:
    return pkcs12.serialize_key_and_certificates(
        b"ops", leaf.key, leaf.certificate, None, BestAvailableEncryption(b"hunter2")
    )


FILES: dict[str, Callable[[], bytes]] = {
    "no certificate": lambda: b"",
    "no key": lambda: client().pem,
    "expired": lambda: client(ends=-DAY / 2).pem + client().key_pem,
    "key type": lambda: client().pem + authority().root.key_pem,
    "no password": lambda: pfx(client()),
}


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    found = read_one(tmp_path / "gone.pem")
    assert (found.word, found.problem, found.chain) == ("missing", "no such file", ())


@pytest.mark.parametrize("word", FILES)
def test_what_is_wrong_is_reported_in_a_word_as_a_check_would(tmp_path: Path, word: str) -> None:
    path = tmp_path / "sp.pem"
    path.write_bytes(FILES[word]())
    found = read_one(path)
    assert found.word == word
    assert found.problem
    assert bool(found.chain) is (word in ("no key", "expired", "key type"))
    assert "convert" in found.remedy if word == "no password" else "convert" not in found.remedy
    assert "PRIVATE" not in repr(found)
    assert "hunter2" not in repr(found)
