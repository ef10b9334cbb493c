"""Reading `[identities.*]` tables. What a reference points to is not looked at here."""

from __future__ import annotations

import re

from stacktui.config.document import Table
from stacktui.identities.model import (
    CertificateRef,
    EnvSecret,
    FileSecret,
    Identity,
    IdentityKind,
    SecretRef,
)

# POSIX.1-2017 section 8.1: the names that every shell can set.
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
KEYS = ("kind", "tenant", "client_id", "secret", "certificate")


def read_identity(name: str, table: Table) -> Identity:
    """One identity; raises ConfigError that names the key and the mend."""
    kind = table.required("kind", '"service-principal"')
    if kind not in tuple(IdentityKind):
        known = ", ".join(repr(str(each)) for each in IdentityKind)
        raise table.error("kind", f"{kind!r} is not a known kind; known: {known}")
    return Identity(
        name=name,
        kind=IdentityKind(kind),
        client_id=table.required("client_id", '"<application id>"'),
        credential=_credential(table),
        tenant=table.string("tenant"),
    )


def _credential(table: Table) -> SecretRef | CertificateRef:
    if ("secret" in table) == ("certificate" in table):
        raise table.error(
            None, 'needs either secret = { env = "NAME" } or certificate = "file.pem", not both'
        )
    if "-----BEGIN" in (table.string("certificate") or ""):
        raise table.error("certificate", "must be the path of a file, not its content")
    certificate = table.path_value("certificate")
    return CertificateRef(certificate) if certificate else _secret(table)


def _secret(table: Table) -> SecretRef:
    how = 'write secret = { env = "NAME" } or { file = "path" }'
    if not isinstance(table.value("secret"), dict):
        # The mistake to expect is the secret itself in the config: it is not repeated.
        raise table.error("secret", f"must be a reference, not the secret itself; {how}")
    reference = table.table("secret")
    if reference is None or len(reference) != 1:
        raise table.error("secret", f"must be one reference; {how}")
    if variable := reference.string("env"):
        if not _VARIABLE.fullmatch(variable):
            # It may be the secret itself in the wrong place: it is not repeated.
            raise table.error("secret", f"has an env that is no name of a variable; {how}")
        return EnvSecret(variable)
    if path := reference.path_value("file"):
        return FileSecret(path)
    raise table.error("secret", f"is a reference of no known kind; {how}")
