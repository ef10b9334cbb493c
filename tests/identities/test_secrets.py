"""References that resolve to a secret, and those that resolve to nothing."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacktui.identities.faults import NO_KEYRING, IdentityError, SecretFault
from stacktui.identities.model import (
    EnvSecret,
    FileSecret,
    KeyringSecret,
    PromptSecret,
    SecretRef,
    TypedSecret,
)
from stacktui.identities.secrets import MAX_SIZE, resolve_secret


def fault(reference: SecretRef) -> SecretFault:
    with pytest.raises(IdentityError) as caught:
        resolve_secret(reference)
    assert isinstance(caught.value.fault, SecretFault)
    return caught.value.fault


def file(tmp_path: Path, content: bytes) -> FileSecret:
    path = tmp_path / "secret"
    path.write_bytes(content)
    return FileSecret(path)


@pytest.mark.parametrize("value", ["s3cret", " padded ", "ümläut", "a\nb", "#=%&+"])
def test_a_variable_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("OPS", value)
    assert resolve_secret(EnvSecret("OPS")) == value


def test_a_variable_that_is_not_set() -> None:
    assert fault(EnvSecret("NO_SUCH_OPS")) == SecretFault(
        "environment variable NO_SUCH_OPS", "it is not set"
    )


@pytest.mark.parametrize("value", ["", " ", "\n"])
def test_a_variable_that_is_empty(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("OPS", value)
    assert fault(EnvSecret("OPS")).detail == "it is empty"


@pytest.mark.skipif(os.name != "posix", reason="bytes in the environment")
def test_a_variable_that_is_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environb, b"OPS", b"caf\xe9-s3cret")
    found = fault(EnvSecret("OPS"))
    assert found.detail == "it is not text"
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"s3cret", "s3cret"),
        (b"s3cret\n", "s3cret"),
        (b"s3cret\r\n", "s3cret"),
        (b"s3cret\n\n", "s3cret\n"),
        (b" s3cret ", " s3cret "),
        (b"\xef\xbb\xbfs3cret\n", "s3cret"),
        ("ümläut\n".encode(), "ümläut"),
        (b"a\nb\n", "a\nb"),
    ],
)
def test_a_file_is_taken_less_one_line_break(tmp_path: Path, content: bytes, secret: str) -> None:
    assert resolve_secret(file(tmp_path, content)) == secret


@pytest.mark.parametrize("content", [b"", b"\n", b" \r\n", b"\xef\xbb\xbf"])
def test_a_file_that_is_empty(tmp_path: Path, content: bytes) -> None:
    reference = file(tmp_path, content)
    assert fault(reference) == SecretFault(f"file {reference.path}", "it is empty")


@pytest.mark.parametrize("content", ["s3cret\n".encode("utf-16"), b"s3cret\xff"])
def test_a_file_that_is_no_text(tmp_path: Path, content: bytes) -> None:
    assert fault(file(tmp_path, content)).detail == "it is not text"


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    assert resolve_secret(file(tmp_path, b"x" * MAX_SIZE)) == "x" * MAX_SIZE
    assert fault(file(tmp_path, b"x" * (MAX_SIZE + 1))).detail == f"over {MAX_SIZE:,} bytes"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert fault(FileSecret(tmp_path / "none")).detail == "no such file"


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    assert fault(FileSecret(tmp_path)).detail == "it is a directory"


@pytest.mark.timeout(5)
def test_a_fifo_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert fault(FileSecret(tmp_path / "fifo")).detail == "not a regular file"


def test_a_path_is_shown_harmlessly(tmp_path: Path) -> None:
    assert fault(FileSecret(tmp_path / "\x1b[31m")).reference.endswith(r"\x1b[31m")


ENTRY = KeyringSecret("stacktui", "ops")


@pytest.fixture
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package `keyring`, whose entries are files of the service's folder."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "keyring.py").write_text(
        "from pathlib import Path\n"
        "def get_password(service, user):\n"
        f"    path = Path({str(tmp_path)!r}, service, user)\n"
        "    if user == 'locked':\n"
        "        raise RuntimeError('the \\x1b[31mkeyring is locked\\nfor ever')\n"
        "    return path.read_text() if path.exists() else None\n"
    )
    monkeypatch.syspath_prepend(folder)
    yield tmp_path
    sys.modules.pop("keyring", None)


def test_a_secret_of_a_keyring(keyring: Path) -> None:
    (keyring / "stacktui").mkdir()
    (keyring / "stacktui" / "ops").write_text("s3cret\n")
    assert resolve_secret(ENTRY) == "s3cret\n"  # an entry has no line break that is not its own
    (keyring / "stacktui" / "ops").write_text("")
    assert fault(ENTRY).detail == "it is empty"


def test_a_keyring_without_the_entry(keyring: Path) -> None:
    assert fault(ENTRY) == SecretFault("keyring entry stacktui/ops", "there is no such entry")


def test_a_keyring_that_cannot_be_read(keyring: Path) -> None:
    found = fault(KeyringSecret("stacktui", "locked"))
    assert found.detail == r"it cannot be read (the \x1b[31mkeyring is locked)"


def test_the_package_that_is_not_installed() -> None:
    assert importlib.util.find_spec("keyring") is None
    assert fault(ENTRY).detail == NO_KEYRING


def test_nobody_is_waited_for() -> None:
    assert fault(PromptSecret()).detail.startswith("nobody was asked")
    assert resolve_secret(TypedSecret("s3cret", PromptSecret())) == "s3cret"
    assert fault(TypedSecret("", PromptSecret())).detail == "it is empty"
