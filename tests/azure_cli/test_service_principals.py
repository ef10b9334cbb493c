"""Reading the service principals of `az`: its files of all ages, and any bytes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacktui.azure_cli.cloud_file import AzFileError
from stacktui.azure_cli.service_principals import (
    AzServicePrincipal,
    entries_file,
    read_service_principals,
)
from tests.support.draws import draws

SECRET = "s3cret~of.ours-123"
BY_SECRET = {"client_id": "app", "tenant": "contoso", "client_secret": SECRET}
BY_FILE = {"client_id": "app", "tenant": "adfs", "certificate": "/c/sp.pem"}
OLD = {"servicePrincipalId": "app", "servicePrincipalTenant": "contoso"}


def read(folder: Path, content: object) -> tuple[AzServicePrincipal, ...]:
    path = folder / "service_principal_entries.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return read_service_principals(path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ([BY_SECRET], AzServicePrincipal("app", "contoso", SECRET)),
        ([BY_FILE], AzServicePrincipal("app", "adfs", certificate="/c/sp.pem")),
        ([BY_FILE | {"client_secret": SECRET}],
         AzServicePrincipal("app", "adfs", certificate="/c/sp.pem")),
        ([BY_SECRET | {"unknown": [1], "use_cert_sn_issuer": None}],
         AzServicePrincipal("app", "contoso", SECRET)),
        ([OLD | {"accessToken": SECRET}], AzServicePrincipal("app", "contoso", SECRET)),
        ([OLD | {"certificateFile": "/c/sp.pem", "thumbprint": "AB"}],
         AzServicePrincipal("app", "contoso", certificate="/c/sp.pem")),
        ([{"tokenType": "Bearer", "userId": "me", "accessToken": "ey"}, BY_SECRET],
         AzServicePrincipal("app", "contoso", SECRET)),
        ([BY_SECRET, BY_SECRET | {"client_id": "APP", "client_secret": "later"}],
         AzServicePrincipal("app", "contoso", SECRET)),
    ],
)  # fmt: skip
def test_one_entry(tmp_path: Path, content: object, expected: AzServicePrincipal) -> None:
    assert read(tmp_path, content) == (expected,)
    assert SECRET not in repr(read(tmp_path, content))


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("nonsense", "no client id"),
        ({**BY_SECRET, "client_id": 7}, "no client id"),
        ({**BY_SECRET, "client_id": "x" * 5000}, "no client id"),
        ({**BY_SECRET, "tenant": ["contoso"]}, "no tenant"),
        ({**BY_SECRET, "tenant": "\ud800"}, "no tenant"),
        ({**BY_SECRET, "tenant": "a\x1b[31m"}, "control characters"),
        ({**BY_FILE, "certificate": "a\nb"}, "control characters"),
        ({**BY_SECRET, "client_secret": {"env": "HOME"}}, "no secret and no certificate"),
        ({**BY_SECRET, "client_secret": " "}, "no secret and no certificate"),
        ({**BY_SECRET, "client_secret": "", "client_assertion": "ey"}, "token of another service"),
    ],
)
def test_an_entry_that_cannot_be_used(tmp_path: Path, entry: object, problem: str) -> None:
    bad, good = read(tmp_path, [entry, BY_SECRET])
    assert problem in bad.problem
    assert good == AzServicePrincipal("app", "contoso", SECRET)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not JSON"),
        (b'[{"client_id"', "is not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b"\xff\xfe[\x00]\x00", "not UTF-8"),
        ({"client_id": "app"}, "no list"),
        (b" " * (1024 * 1024 + 1), "over 1,048,576 bytes"),
        ([{}] * 501, "over 500"),
        (bytes.fromhex("01000000d08c9ddf0115d111"), "is encrypted"),
    ],
)
def test_a_file_that_is_none_of_them(tmp_path: Path, content: object, said: str) -> None:
    with pytest.raises(AzFileError, match=said):
        read(tmp_path, content)


@settings(max_examples=draws(200), deadline=None)
@given(st.binary(max_size=300) | st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from([*BY_SECRET, *BY_FILE, *OLD, "accessToken", "tokenType"]), inner
    ),
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_bytes(content)
    try:
        entries = read_service_principals(path)
    except AzFileError:
        return
    for each in entries:
        assert each.problem or (each.client_id and each.tenant)
        assert each.problem or bool(each.secret) != bool(each.certificate)


def test_the_file_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where az keeps them: in plain text, encrypted, or as it did before 2.30."""
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path))
    entries = tmp_path / "service_principal_entries.json"
    assert entries_file() == entries
    with pytest.raises(AzFileError, match="az login --service-principal"):
        read_service_principals(entries)
    (tmp_path / "accessTokens.json").write_text("[]")
    assert read_service_principals(entries_file()) == ()
    (tmp_path / "service_principal_entries.bin").write_bytes(b"\x01")
    with pytest.raises(AzFileError, match=r"core\.encrypt_token_cache=false"):
        read_service_principals(entries_file())
    entries.write_text(json.dumps([BY_SECRET]))
    assert len(read_service_principals(entries_file())) == 1


@pytest.mark.skipif(os.name != "posix", reason="FIFOs")
@pytest.mark.timeout(10)
def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(AzFileError, match="not a regular file"):
        read_service_principals(tmp_path / "fifo")
