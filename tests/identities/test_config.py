"""`[identities.*]` tables; what is secret in them is never repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacktui.config.document import ConfigError, Table
from stacktui.identities.config import read_identity
from stacktui.identities.model import (
    CertificateRef,
    EnvSecret,
    FileSecret,
    Identity,
    IdentityKind,
)

GOOD = {"kind": "service-principal", "client_id": "app", "secret": {"env": "OPS_SECRET"}}
SECRET = "Vx8Q~abcDEF.ghi_JKL"


def read(**values: object) -> Identity:
    merged = {key: value for key, value in (GOOD | values).items() if value is not None}
    return read_identity("ops", Table(Path("conf/c.toml"), "identities.ops", merged))


def refusal(**values: object) -> str:
    with pytest.raises(ConfigError) as caught:
        read(**values)
    message = str(caught.value)
    assert message.startswith("conf/c.toml: identities.ops")
    assert SECRET not in message
    return message


def test_a_secret_of_a_variable_is_read() -> None:
    assert read(tenant="contoso.example") == Identity(
        name="ops",
        kind=IdentityKind.SERVICE_PRINCIPAL,
        client_id="app",
        credential=EnvSecret("OPS_SECRET"),
        tenant="contoso.example",
    )


def test_a_secret_of_a_file_is_read() -> None:
    found = read(secret={"file": "~/ops.secret"}).credential
    assert found == FileSecret(Path.home() / "ops.secret")
    assert read(secret={"file": "ops.secret"}).credential == FileSecret(Path("conf/ops.secret"))


def test_a_certificate_is_read() -> None:
    found = read(secret=None, certificate="sp.pem").credential
    assert found == CertificateRef(Path("conf/sp.pem"))


@pytest.mark.parametrize("secret", [SECRET, [SECRET], True, 12345])
def test_a_secret_itself_is_refused(secret: object) -> None:
    assert refusal(secret=secret) == (
        "conf/c.toml: identities.ops.secret must be a reference, not the secret itself; "
        'write secret = { env = "NAME" } or { file = "path" }'
    )


@pytest.mark.parametrize(
    "reference",
    [
        {},
        {"env": "A", "file": "b"},
        {"value": SECRET},
        {"env": SECRET},
        {"env": f"{SECRET}=="},
        {"env": "1ST"},
        {"env": "A B"},
        {"env": ""},
        {"env": 5},
        {"file": 5},
        {"file": "a\0b"},
        {"keyring": True},
    ],
)
def test_a_reference_of_no_known_form_is_refused(reference: dict[str, object]) -> None:
    assert "identities.ops.secret" in refusal(secret=reference)


@pytest.mark.parametrize(
    "pem", ["-----BEGIN PRIVATE KEY-----\n" + SECRET, SECRET + "\n-----BEGIN X"]
)
def test_a_certificate_that_is_pasted_in_is_refused(pem: str) -> None:
    message = refusal(secret=None, certificate=pem)
    assert "identities.ops.certificate must be the path of a file" in message


def test_either_secret_or_certificate_is_needed() -> None:
    for values in ({"secret": None}, {"certificate": "sp.pem"}):
        assert "needs either secret" in refusal(**values)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("kind", None, 'has no kind; add: kind = "service-principal"'),
        ("kind", "robot", "kind 'robot' is not a known kind; known: 'service-principal'"),
        ("kind", 5, "kind must be a string, not a number"),
        ("client_id", None, "has no client_id; add: client_id = "),
        ("client_id", [], "client_id must be a string, not a list"),
        ("client_id", " ", "client_id is empty"),
        ("tenant", 5, "tenant must be a string, not a number"),
    ],
)
def test_a_bad_key_is_named(key: str, value: object, message: str) -> None:
    assert message in refusal(**{key: value})


def test_references_are_told_in_words() -> None:
    assert str(EnvSecret("A")) == "environment variable A"
    assert str(FileSecret(Path("x/y"))) == "file x/y"
    assert str(CertificateRef(Path("x/y"))) == "certificate x/y"
