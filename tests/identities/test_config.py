"""`[identities.*]` tables; what is secret in them is never repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacktui.config.document import ConfigError, Table
from stacktui.identities.config import read_identity, read_reference, reference_text
from stacktui.identities.model import (
    AZURE_CLI,
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


def read_whole(**values: object) -> Identity:
    return read_identity("ops", Table(Path("conf/c.toml"), "identities.ops", values))


def refused_whole(**values: object) -> str:
    with pytest.raises(ConfigError) as caught:
        read_whole(**values)
    message = str(caught.value)
    assert SECRET not in message
    return message


def test_a_user_is_read() -> None:
    found = read_whole(kind="user", username="a@b.c", password={"env": "OPS_PASSWORD"}, tenant="t")
    assert found == Identity(
        "ops", IdentityKind.USER, AZURE_CLI, EnvSecret("OPS_PASSWORD"), "t", "a@b.c"
    )
    own = read_whole(kind="user", username="a", password={"file": "p"}, client_id="own")
    assert (own.client_id, own.credential) == ("own", FileSecret(Path("conf/p")))


def test_a_device_code_needs_nothing() -> None:
    expected = Identity("ops", IdentityKind.DEVICE_CODE, AZURE_CLI)
    assert read_whole(kind="device-code") == expected
    assert read_whole(kind="device-code", client_id="own", tenant="t") == Identity(
        "ops", IdentityKind.DEVICE_CODE, "own", tenant="t"
    )


@pytest.mark.parametrize("key", ["client_id", "object_id", "resource_id"])
def test_a_managed_identity_is_named_by_one_id(key: str) -> None:
    named = read_whole(kind="managed-identity", **{key: "x"})
    assert named == Identity("ops", IdentityKind.MANAGED_IDENTITY, **{key: "x"})
    assert read_whole(kind="managed-identity") == Identity("ops", IdentityKind.MANAGED_IDENTITY)


@pytest.mark.parametrize("password", [SECRET, [SECRET], {"env": SECRET}, {}, {"value": SECRET}])
def test_a_password_itself_is_refused(password: object) -> None:
    message = refused_whole(kind="user", username="a", password=password)
    assert "identities.ops.password " in message
    assert 'write password = { env = "NAME" } or { file = "path" }' in message


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "user", "password": {"env": "A"}}, "has no username; add: username = "),
        ({"kind": "user", "username": "a"}, 'has no password; add: password = { env = "NAME" }'),
        ({"kind": "user", "username": ""}, "username is empty"),
        (
            {"kind": "user", "username": "a", "secret": {"env": "A"}},
            'secret is no key of kind "user"; take it out, or set kind = "service-principal"',
        ),
        (
            {"kind": "device-code", "password": {"env": "A"}},
            'password is no key of kind "device-code"; take it out, or set kind = "user"',
        ),
        (
            {"kind": "managed-identity", "tenant": "t"},
            'take it out, or set kind = "service-principal" or "user" or "device-code"',
        ),
        (
            {"kind": "managed-identity", "client_id": "a", "object_id": "b"},
            "names an identity by client_id and object_id; keep one of them",
        ),
        ({"kind": "managed-identity", "resource_id": 5}, "resource_id must be a string"),
        (
            {"kind": "service-principal", "object_id": "a"},
            'no key of kind "service-principal"; take it out, or set kind = "managed-identity"',
        ),
    ],
)
def test_a_key_of_another_kind_is_named_with_its_fix(
    values: dict[str, object], message: str
) -> None:
    told = refused_whole(**values)
    assert told.startswith("conf/c.toml: identities.ops")
    assert message in told


def test_references_are_reported_in_words() -> None:
    assert str(EnvSecret("A")) == "environment variable A"
    assert str(FileSecret(Path("x/y"))) == "file x/y"
    assert str(CertificateRef(Path("x/y"))) == "certificate x/y"


@pytest.mark.parametrize(
    ("typed", "reference"),
    [
        ("env OPS", {"env": "OPS"}),
        ("$OPS", {"env": "OPS"}),
        ("${OPS}", {"env": "OPS"}),
        ('{ env = "OPS" }', {"env": "OPS"}),
        (" file  ~/a b.txt ", {"file": "~/a b.txt"}),
        ("file=secret.txt", {"file": "secret.txt"}),
    ],
)
def test_a_reference_is_read_as_it_is_typed(typed: str, reference: dict[str, str]) -> None:
    assert read_reference(typed) == reference
    assert read_reference(reference_text(reference)) == reference


@pytest.mark.parametrize("typed", ["", "hunter2", "hunter2 env OPS", "env hunter2!", "envhunter2"])
def test_a_secret_itself_is_refused_and_not_repeated(typed: str) -> None:
    with pytest.raises(ValueError, match="write: env NAME") as caught:
        read_reference(typed)
    assert "hunter2" not in str(caught.value)
