"""The use case "import an environment": what would be written to the config, and writing it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stacktui.config.atomic import write_atomically
from stacktui.config.document import ConfigError, Table, read_document
from stacktui.config.edit import ENVIRONMENTS, IDENTITIES, set_in_table, with_changes
from stacktui.environments.config import add_environment, read_environment
from stacktui.environments.pasted_url import free_name, propose_name
from stacktui.exchange.reading import Reading
from stacktui.identities.config import read_identity, save_identity

SECRETS = "secrets"


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would write: the environment's values, and its identity's where it is new.

    `before` are the values of the environment of that name, None where there is none.
    """

    name: str
    values: Mapping[str, object]
    identity: Mapping[str, object] | None
    before: Mapping[str, Any] | None
    path: Path

    @property
    def changes(self) -> Iterator[tuple[str, object, object]]:
        """Each key that would be replaced or added in the environment that is there, with both."""
        old = self.before or {}
        for key, value in self.values.items():
            if old.get(key) != value:
                yield key, old.get(key), value

    @property
    def is_there(self) -> bool:
        """Whether the environment is there already, as it would be written."""
        if self.before is None or self.identity is not None:
            return False
        after = with_changes(self.before, self.values)
        try:
            return self._environment(self.before) == self._environment(after)
        except ConfigError:
            return False

    def check(self) -> None:
        """Raise ConfigError where what would be written is not valid."""
        self._environment(with_changes(self.before or {}, self.values))
        if self.identity is not None:
            name = self.values["identity"]
            read_identity(str(name), Table(self.path, f"{IDENTITIES}.{name}", self.identity))

    def carry_out(self) -> None:
        """Write it. Raises ConfigError, which says so where the identity is written by then."""
        if self.identity is not None:
            save_identity(self.path, str(self.values["identity"]), self.identity, added=True)
        try:
            if self.before is None:
                add_environment(self.path, self.name, self.values)
            else:
                set_in_table(self.path, ENVIRONMENTS, self.name, self.values)
        except ConfigError as error:
            if self.identity is None:
                raise
            added = f"{IDENTITIES}.{self.values['identity']} was added, but not {self.name}"
            raise ConfigError(self.path, f"{added}: {error.message}") from None

    def _environment(self, values: Mapping[str, object]) -> object:
        return read_environment(self.name, Table(self.path, f"{ENVIRONMENTS}.{self.name}", values))


def plan_import(
    path: Path, reading: Reading, name: str | None = None, earlier: Sequence[ImportPlan] = ()
) -> ImportPlan:
    """Return what the import of a reading would write to the config at `path`, once the earlier
    plans are carried out.

    An identity of the config with the same values is used; else one is added, under a name that is
    free. Raises ConfigError where the config cannot be read.
    """
    document = read_document(path)
    environments, identities = (
        dict(found) if isinstance(found := document.get(group), dict) else {}
        for group in (ENVIRONMENTS, IDENTITIES)
    )
    for each in earlier:
        environments[each.name] = with_changes(each.before or {}, each.values)
        if each.identity is not None:
            identities[str(each.values["identity"])] = each.identity
    chosen = name or reading.name or propose_name(str(reading.values["arm"]), environments)
    values, added = dict(reading.values), None
    if reading.identity is not None:
        same = _same_identity(path, reading.identity, identities)
        wanted = reading.identity_name or chosen
        values["identity"] = same or free_name(wanted, identities)
        added = None if same else reading.identity
    before = environments.get(chosen)
    return ImportPlan(chosen, values, added, before if isinstance(before, dict) else None, path)


def _same_identity(
    path: Path, values: Mapping[str, object], identities: Mapping[str, Any]
) -> str | None:
    """Return the name of the identity of the config that has these values."""

    def read(given: object) -> object:
        return read_identity("", Table(path, IDENTITIES, given))

    for name, table in identities.items():
        try:
            if read(table) == read(values):
                return name
        except ConfigError:
            continue
    return None


def missing_files(path: Path, reading: Reading) -> Iterator[str]:
    """Yield the files that a reading names for the config at `path`, and that are not there."""
    for key, value in {**reading.values, **(reading.identity or {})}.items():
        match key, value:
            case (("ca" | "certificate"), str(file)):
                pass
            case _, {"file": str(file)}:
                pass
            case _:
                continue
        if not os.path.isfile(os.path.join(path.parent, os.path.expanduser(file))):
            yield file


def write_secret(path: Path, name: str, secret: str) -> Path:
    """Write a secret to a file of its own beside the config, 0600, and return its path.

    Raises OSError.
    """
    folder = path.parent / SECRETS
    taken = [each.name for each in folder.iterdir()] if folder.is_dir() else []
    plain = "".join(char if char.isalnum() or char in "-_" else "-" for char in name)
    file = folder / free_name(plain, taken)
    write_atomically(file, secret.encode("utf-8", "surrogateescape"))
    return file
