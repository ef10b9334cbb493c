"""Reading `[identities.*]` tables. References are not resolved here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from stacktui.config.document import Table, read_table
from stacktui.config.edit import IDENTITIES, add_table, set_in_table, with_changes
from stacktui.identities.model import (
    AZURE_CLI,
    CertificateRef,
    EnvSecret,
    FileSecret,
    Identity,
    IdentityKind,
    KeyringSecret,
    PromptSecret,
    SecretRef,
    TypedSecret,
)

CERTIFICATE_PASSWORD = "certificate_password"  # noqa: S105
# POSIX.1-2017 section 8.1: names that every shell can set.
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# The keys of each kind, besides `kind` and `IMPORTED_FROM`.
KEYS_OF = {
    IdentityKind.SERVICE_PRINCIPAL: (
        "tenant",
        "client_id",
        "secret",
        "certificate",
        CERTIFICATE_PASSWORD,
    ),
    IdentityKind.USER: ("tenant", "client_id", "username", "password"),
    IdentityKind.DEVICE_CODE: ("tenant", "client_id"),
    IdentityKind.MANAGED_IDENTITY: ("client_id", "object_id", "resource_id"),
    IdentityKind.AZURE_CLI: ("tenant",),
}
# What imports write of where they took it from.
IMPORTED_FROM = "imported_from"
KIND_KEYS = tuple(dict.fromkeys(key for keys in KEYS_OF.values() for key in keys))
KEYS = ("kind", *KIND_KEYS, IMPORTED_FROM)
# A reference as it is typed: `env NAME`, `file PATH`, `keyring`, `keyring SERVICE/USER`, `prompt`,
# `$NAME`, or as in the config.
_REFERENCE = re.compile(r"\{?\s*(env|file|keyring)(?:\s*[=:]\s*|\s+)(.+?)\s*\}?")
_FLAG = re.compile(r"\{?\s*(keyring|prompt)(?:\s*=\s*true)?\s*\}?")
_KEYRING_SERVICE = "stacktui"
_SHELL_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
# All references, as they are typed and as they are written in the config; said wherever a secret
# itself is given in place of one.
TYPED_REFERENCES = "env NAME, file PATH, keyring or prompt"
_REFERENCES = '{ env = "NAME" }, { file = "path" }, { keyring = true } or { prompt = true }'
_NOT_ITSELF = "must be a reference, not the {} itself; write"
# Each of them alone identifies a managed identity.
MANAGED_NAMES = ("client_id", "object_id", "resource_id")


def read_identity(name: str, table: Table) -> Identity:
    """Return one identity. Raises ConfigError, which names the key and the fix."""
    imported_from = table.string(IMPORTED_FROM) or ""
    return replace(_read_kind(name, table), imported_from=imported_from)


def _read_kind(name: str, table: Table) -> Identity:
    written = table.required("kind", '"service-principal"')
    if written not in tuple(IdentityKind):
        known = ", ".join(repr(str(each)) for each in IdentityKind)
        raise table.error("kind", f"{written!r} is not a known kind; known: {known}")
    kind = IdentityKind(written)
    _refuse_keys_of_others(kind, table)
    tenant = table.string("tenant")
    match kind:
        case IdentityKind.SERVICE_PRINCIPAL:
            client_id = table.required("client_id", '"<application id>"')
            return Identity(name, kind, client_id, _credential(table), tenant)
        case IdentityKind.USER:
            username = table.required("username", '"<user>@<domain>"')
            if "password" not in table:
                raise table.error(None, 'has no password; add: password = { env = "NAME" }')
            password = _secret(table, "password")
            return Identity(name, kind, _public_client(table), password, tenant, username)
        case IdentityKind.DEVICE_CODE:
            return Identity(name, kind, _public_client(table), tenant=tenant)
        case IdentityKind.MANAGED_IDENTITY:
            return _managed_identity(name, table)
        case IdentityKind.AZURE_CLI:
            return Identity(name, kind, tenant=tenant)


def save_identity(path: Path, name: str, values: Mapping[str, object], *, added: bool) -> None:
    """Add `[identities.NAME]`, or change its keys; None removes a key.

    Raises ConfigError, with nothing changed, where the result would not be valid.
    """
    before = {} if added else read_table(path, IDENTITIES, name)
    read_identity(name, Table(path, f"{IDENTITIES}.{name}", with_changes(before, values)))
    if added:
        add_table(path, IDENTITIES, name, values)
    else:
        set_in_table(path, IDENTITIES, name, values)


def read_reference(text: str) -> dict[str, str | bool]:
    """Return the reference to a secret that was typed, as it is in the config.

    Raises ValueError, which never repeats the text: it may be the secret itself.
    """
    text = text.strip()
    if found := _SHELL_VARIABLE.fullmatch(text):
        return {"env": found[1]}
    if found := _FLAG.fullmatch(text):
        return {found[1]: True}
    found = _REFERENCE.fullmatch(text)
    kind, value = (found[1], found[2].strip("\"'")) if found else ("", "")
    if kind == "env" and not _VARIABLE.fullmatch(value):
        raise ValueError("names no variable; write: env NAME")
    if kind == "keyring" and not _entry(value):
        raise ValueError("names no entry of a keyring; write: keyring SERVICE/USER")
    if not value:
        raise ValueError(f"{_NOT_ITSELF.format('secret')}: {TYPED_REFERENCES}")
    return {kind: value}


def reference_of(secret: SecretRef) -> dict[str, str | bool]:
    """Return a reference as it is in the config."""
    match secret:
        case TypedSecret(instead_of=named):
            return reference_of(named)
        case EnvSecret(name=name):
            return {"env": name}
        case FileSecret(path=path):
            return {"file": str(path)}
        case KeyringSecret(service=service, user=user):
            return {"keyring": f"{service}/{user}"}
        case PromptSecret():
            return {"prompt": True}


def reference_text(value: object) -> str:
    """Return a reference of the config as it is typed; empty for what is none."""
    pairs = list(value.items()) if isinstance(value, Mapping) else []
    if len(pairs) != 1:
        return ""
    kind, named = pairs[0]
    return str(kind) if named is True else f"{kind} {named}"


def _entry(text: str) -> KeyringSecret | None:
    service, _, user = text.rpartition("/")
    return KeyringSecret(service, user) if service and user else None


def _refuse_keys_of_others(kind: IdentityKind, table: Table) -> None:
    """Raise ConfigError for a key of another kind: either the key or the kind is a mistake."""
    for key in KIND_KEYS:
        if key in table and key not in KEYS_OF[kind]:
            takers = " or ".join(f'"{each}"' for each in IdentityKind if key in KEYS_OF[each])
            fix = f"take it out, or set kind = {takers}"
            raise table.error(key, f'is no key of kind "{kind}"; {fix}')


def _public_client(table: Table) -> str:
    return table.string("client_id") or AZURE_CLI


def _managed_identity(name: str, table: Table) -> Identity:
    named = [key for key in MANAGED_NAMES if key in table]
    if len(named) > 1:
        raise table.error(None, f"names an identity by {' and '.join(named)}; keep one of them")
    client, object_, resource = (table.string(key) or "" for key in MANAGED_NAMES)
    kind = IdentityKind.MANAGED_IDENTITY
    return Identity(name, kind, client, object_id=object_, resource_id=resource)


def _credential(table: Table) -> SecretRef | CertificateRef:
    if ("secret" in table) == ("certificate" in table):
        raise table.error(
            None, 'needs either secret = { env = "NAME" } or certificate = "file.pem", not both'
        )
    if "-----BEGIN" in (table.string("certificate") or ""):
        raise table.error("certificate", "must be the path of a file, not its content")
    certificate = table.path_value("certificate")
    if certificate is None:
        if CERTIFICATE_PASSWORD in table:
            raise table.error(CERTIFICATE_PASSWORD, "is of a certificate, and there is none")
        return _secret(table, "secret")
    protected = CERTIFICATE_PASSWORD in table
    return CertificateRef(certificate, _secret(table, CERTIFICATE_PASSWORD) if protected else None)


def _secret(table: Table, key: str) -> SecretRef:
    how = f"{key} = {_REFERENCES}"
    if not isinstance(table.value(key), dict):
        # Probably the secret itself, so do not repeat it.
        raise table.error(key, f"{_NOT_ITSELF.format(key)} {how}")
    reference = table.table(key)
    if reference is None or len(reference) != 1:
        raise table.error(key, f"must be one reference; write {how}")
    if "prompt" in reference and reference.flag("prompt"):
        return PromptSecret()
    if "keyring" in reference and reference.value("keyring") is True:
        return KeyringSecret(_KEYRING_SERVICE, table.key.removeprefix(f"{IDENTITIES}."))
    if entry := reference.string("keyring"):
        if (found := _entry(entry)) is None:
            raise table.error(key, f'has a keyring that is no "service/user"; write {how}')
        return found
    if variable := reference.string("env"):
        if not _VARIABLE.fullmatch(variable):
            # Possibly the secret itself, so do not repeat it.
            raise table.error(key, f"has an env that is no name of a variable; write {how}")
        return EnvSecret(variable)
    if path := reference.path_value("file"):
        return FileSecret(path)
    raise table.error(key, f"is a reference of no known kind; write {how}")
