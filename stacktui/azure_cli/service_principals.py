"""Read the service principals that `az` is signed in with (PROTOCOL.md section 7).

Since 2.30 az keeps them in `service_principal_entries.json`; before, among the tokens of
`accessTokens.json`. The files are read, and never written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stacktui.azure_cli.cloud_file import AzFileError
from stacktui.azure_cli.ini_files import azure_folder
from stacktui.config.bounded_read import FileReadError, ReadProblem, read_bounded
from stacktui.text.json_fields import mapping
from stacktui.transport.json_body import JsonError, is_valid_utf8, parse_json

_ENTRIES, _ENCRYPTED = "service_principal_entries.json", "service_principal_entries.bin"
_OLD_ENTRIES = "accessTokens.json"
# An entry has about 200 bytes.
_MAX_SIZE, _MAX_ENTRIES = 1024 * 1024, 500
_MAX_LENGTH = 4096
# az's names of client id, tenant, secret and certificate: those of now, and those before 2.30.
_NAMES = ("client_id", "tenant", "client_secret", "certificate")
_OLD_NAMES = ("servicePrincipalId", "servicePrincipalTenant", "accessToken", "certificateFile")
# What the Data Protection API of Windows writes begins so.
_DPAPI = bytes.fromhex("01000000d08c9ddf")


@dataclass(frozen=True, slots=True)
class AzServicePrincipal:
    """One entry: it has a `secret`, or the path of a `certificate`, as az was given it.

    `problem` says why it cannot be used; then the other fields may be empty. The secret is
    in no text, and the other fields are not sanitised.
    """

    client_id: str
    tenant: str
    secret: str = field(default="", repr=False)
    certificate: str = ""
    problem: str = ""


def entries_file() -> Path:
    """Return the file that az has its service principals in; it may not exist."""
    folder = azure_folder()
    known = (folder / name for name in (_ENTRIES, _ENCRYPTED, _OLD_ENTRIES))
    return next((each for each in known if each.exists()), folder / _ENTRIES)


def read_service_principals(file: Path) -> tuple[AzServicePrincipal, ...]:
    """Return the entries of a file of az's, in its order. Blocks on disk.

    Raises AzFileError where the file cannot be read, or is none of these.
    """
    try:
        content = read_bounded(file, _MAX_SIZE)
    except FileReadError as error:
        hint = ""
        if error.problem is ReadProblem.MISSING:
            hint = "; az writes it with: az login --service-principal"
        raise AzFileError(f"{file}: {error.detail}{hint}") from None
    if file.suffix == ".bin" or content.startswith(_DPAPI):
        raise AzFileError(
            f"{file} is encrypted, for az alone; to have it in plain text: "
            "az config set core.encrypt_token_cache=false, then az login again"
        )
    try:
        document = parse_json(content)
    except JsonError as error:
        raise AzFileError(f"{file} is not JSON: {error}") from None
    if not isinstance(document, list):
        raise AzFileError(f"{file} has no list of service principals; az writes it as a list")
    entries = [mapping(each) for each in document if not _is_token(each)]
    if len(entries) > _MAX_ENTRIES:
        raise AzFileError(f"{file} has over {_MAX_ENTRIES} service principals")
    return tuple(_without_repeated(map(_entry, entries)))


def _is_token(entry: object) -> bool:
    """Return whether an entry is a token, which az before 2.30 kept in the same file."""
    return isinstance(entry, dict) and "tokenType" in entry and _OLD_NAMES[0] not in entry


def _without_repeated(entries: Iterator[AzServicePrincipal]) -> Iterator[AzServicePrincipal]:
    """Yield the first entry of each service principal: az takes that one."""
    seen = set()
    for each in entries:
        key = (each.client_id.lower(), each.tenant.lower())
        if each.problem or key not in seen:
            yield each
        if not each.problem:
            seen.add(key)


def _entry(entry: Mapping[str, Any]) -> AzServicePrincipal:
    names = _OLD_NAMES if _OLD_NAMES[0] in entry else _NAMES
    client_id, tenant, secret, certificate = (_field(entry.get(name)) for name in names)
    problem = ""
    if not client_id or not tenant:
        problem = f"it has no {'tenant' if client_id else 'client id'}"
    elif not all(each.isprintable() for each in (client_id, tenant, certificate)):
        problem = "it holds control characters"
    elif not secret.strip() and not certificate:
        federated = "client_assertion" in entry
        problem = "it has no secret and no certificate"
        problem = "it signs in with a token of another service" if federated else problem
    if certificate:  # az prefers it too
        secret = ""
    return AzServicePrincipal(client_id, tenant, secret, certificate, problem)


def _field(value: object) -> str:
    """Return a field's text; empty for what is no such text."""
    is_text = isinstance(value, str) and len(value) <= _MAX_LENGTH and is_valid_utf8(value)
    return str(value) if is_text else ""
