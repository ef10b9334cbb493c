"""The use case "import identities": the service principals of az, as they would be in the config.

The secret itself gets to where its reference says, if anywhere; never into the config.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from stacktui.azure_cli.service_principals import AzServicePrincipal
from stacktui.config.document import ConfigError, Table, read_document, typed_path
from stacktui.config.edit import IDENTITIES, add_tables
from stacktui.environments.pasted_url import free_name
from stacktui.errors import is_exhaustion
from stacktui.exchange.importing import new_secret_file, with_source, write_secret
from stacktui.identities.certificate_file import IdentityFile, read_files
from stacktui.identities.config import read_identity
from stacktui.identities.faults import IdentityError
from stacktui.identities.model import (
    CertificateRef,
    FileSecret,
    IdentityKind,
    KeyringSecret,
    SecretRef,
)
from stacktui.identities.secrets import store_in_keyring


class SecretPlace(StrEnum):
    """What the config refers to, in place of a secret that az keeps in its file."""

    PROMPT = "prompt"
    ENV = "env"
    FILE = "file"
    KEYRING = "keyring"


@dataclass(frozen=True, slots=True)
class FoundIdentity:
    """A service principal of az's, beside the config.

    `name` is that of the identity of the config that it `is_there` as, else one that is free.
    `number` is its place in the file, from 1. `file` is what its certificate's file holds.
    """

    number: int
    entry: AzServicePrincipal
    name: str = ""
    is_there: bool = False
    file: IdentityFile | None = None

    @property
    def is_new(self) -> bool:
        """Whether it can be imported."""
        return not self.entry.problem and not self.is_there


def find_identities(
    config: Path, entries: Sequence[AzServicePrincipal]
) -> tuple[FoundIdentity, ...]:
    """Return each entry with what the config has of it, and with its certificate's file.

    Blocks on disk. Raises ConfigError where the config cannot be read.
    """
    tables = _tables(config)
    known: dict[tuple[str, str], str] = {}
    for called, table in tables.items():
        if isinstance(table, Mapping):
            known.setdefault(_account(table), called)
    taken, found = [*tables], []
    for number, entry in enumerate(entries, 1):
        if entry.problem:
            found.append(FoundIdentity(number, entry))
        elif name := known.get(_account({"client_id": entry.client_id, "tenant": entry.tenant})):
            found.append(FoundIdentity(number, entry, name, is_there=True))
        else:
            name = free_name(_proposed(entry), taken)
            taken.append(name)
            found.append(FoundIdentity(number, entry, name, file=_certificate(entry, config)))
    return tuple(found)


def name_problem(name: str, taken: Collection[str]) -> str:
    """Return why an identity cannot be called so; empty if it can."""
    if not name.strip():
        return "is empty"
    if not name.isprintable():
        return "holds control characters"
    return f"there is an identity {name} already; choose another name" if name in taken else ""


@dataclass(frozen=True, slots=True)
class IdentityPlan:
    """What an import would write to the config at `path`: the `tables` of the new identities.

    `entries` have the secrets, by the same names.
    """

    path: Path
    tables: Mapping[str, Mapping[str, object]]
    entries: Mapping[str, AzServicePrincipal]

    def reference(self, name: str) -> SecretRef | CertificateRef | None:
        """Return what an identity will sign in with. Raises ConfigError where it is not valid."""
        table = Table(self.path, f"{IDENTITIES}.{name}", self.tables[name])
        return read_identity(name, table).credential

    def check(self) -> None:
        """Raise ConfigError where what would be written is not valid."""
        there = _tables(self.path)
        for name in self.tables:
            if problem := name_problem(name, there):
                raise ConfigError(self.path, f"{IDENTITIES}.{name}: {problem}")
            self.reference(name)

    def carry_out(self) -> None:
        """Put each secret where its reference says, and then add all tables at once.

        Raises ConfigError, which says what was written by then.
        """
        self.check()
        kept: list[str] = []
        try:
            for name, entry in self.entries.items():
                match self.reference(name):
                    case FileSecret(path=file) as reference:
                        write_secret(file, entry.secret)
                        kept.append(str(reference))
                    case KeyringSecret() as reference:
                        store_in_keyring(reference, entry.secret)
                        kept.append(str(reference))
            add_tables(self.path, IDENTITIES, self.tables)
        except (OSError, IdentityError, ConfigError) as error:
            if isinstance(error, OSError) and is_exhaustion(error):
                raise
            why = error.message if isinstance(error, ConfigError) else str(error)
            stays = f"; a secret stays in {', '.join(kept)}" if kept else ""
            raise ConfigError(self.path, f"nothing was added: {why}{stays}") from None


def plan_identities(
    config: Path, chosen: Mapping[str, FoundIdentity], place: SecretPlace, source: str
) -> IdentityPlan:
    """Return what the import of these identities would write, by the names that they get.

    `source` is where they come from, in words. Raises ConfigError.
    """
    tables: dict[str, Mapping[str, object]] = {}
    files: list[Path] = []
    for name, found in chosen.items():
        entry = found.entry
        table: dict[str, object] = {
            "kind": str(IdentityKind.SERVICE_PRINCIPAL),
            "tenant": entry.tenant,
            "client_id": entry.client_id,
        }
        if found.file is not None:
            table["certificate"] = str(found.file.path)
        else:
            match place:
                case SecretPlace.PROMPT:
                    table["secret"] = {"prompt": True}
                case SecretPlace.ENV:
                    table["secret"] = {"env": _variable(name)}
                case SecretPlace.KEYRING:
                    table["secret"] = {"keyring": True}
                case SecretPlace.FILE:
                    files.append(new_secret_file(config, name, [each.name for each in files]))
                    table["secret"] = {"file": str(files[-1])}
        tables[name] = with_source(table, source)
    return IdentityPlan(config, tables, {name: each.entry for name, each in chosen.items()})


def _tables(config: Path) -> Mapping[str, Any]:
    tables = read_document(config).get(IDENTITIES)
    return tables if isinstance(tables, Mapping) else {}


def _account(table: Mapping[str, Any]) -> tuple[str, str]:
    """Return by what a service principal is the same as another: ids are so in any case.

    az's tenant `adfs` is none: AD FS needs none.
    """
    client_id, tenant = (str(table.get(key, "")).lower() for key in ("client_id", "tenant"))
    return client_id, "" if tenant == "adfs" else tenant


def _proposed(entry: AzServicePrincipal) -> str:
    return f"sp-{''.join(filter(str.isalnum, entry.client_id))[:8]}".rstrip("-")


def _variable(name: str) -> str:
    return f"SP_{re.sub(r'[^A-Z0-9]+', '_', name.upper().removeprefix('SP-'))}_SECRET"


def _certificate(entry: AzServicePrincipal, config: Path) -> IdentityFile | None:
    if not entry.certificate:
        return None
    try:
        path = typed_path(entry.certificate, config)
    except ValueError:
        path = Path(entry.certificate)
    return read_files({"": CertificateRef(path)}, datetime.now(UTC))[""]
