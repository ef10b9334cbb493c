"""The use case "import an environment": what would be written to the config, and writing it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stacktui.config.atomic import write_atomically
from stacktui.config.document import ConfigError, Table, read_document
from stacktui.config.edit import ENVIRONMENTS, IDENTITIES, set_in_table, with_changes
from stacktui.environments.config import add_environment, read_environment
from stacktui.environments.pasted_url import free_name, propose_name
from stacktui.exchange.reading import Reading
from stacktui.identities.config import IMPORTED_FROM, read_identity, save_identity
from stacktui.text.sanitize import escape_control_chars

SECRETS = "secrets"
# The variables by which the SDKs and Terraform know their own secret.
_OWN_VARIABLES = ("AZURE_CLIENT_SECRET", "AZURE_PASSWORD", "ARM_CLIENT_SECRET")


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would write: the environment's values, and its identity's where it is new.

    `before` are the values of the environment of that name, None where there is none. The secret
    of the identity belongs in the new `secret_file`, if there is one.
    """

    name: str
    values: Mapping[str, object]
    identity: Mapping[str, object] | None
    before: Mapping[str, Any] | None
    path: Path
    secret_file: Path | None = None

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
        for key, value in {"name": self.name, **self.values, **(self.identity or {})}.items():
            if isinstance(value, str) and not value.isprintable():
                raise ConfigError(self.path, f"{key} holds control characters")
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
    path: Path,
    reading: Reading,
    name: str | None = None,
    earlier: Sequence[ImportPlan] = (),
    source: str = "",
) -> ImportPlan:
    """Return what the import of a reading would write to the config at `path`, once the earlier
    plans are carried out. `source` is where the reading comes from, in words.

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
        added = None if same else with_source(reading.identity, source)
    before = environments.get(chosen)
    return ImportPlan(chosen, values, added, before if isinstance(before, dict) else None, path)


def with_source(identity: Mapping[str, object], source: str) -> dict[str, object]:
    """Return the table of an identity that says where an import took it from."""
    # What a table of another config says of it is of another machine.
    given = {key: value for key, value in identity.items() if key != IMPORTED_FROM}
    return given | ({IMPORTED_FROM: escape_control_chars(source)} if source else {})


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
            case (("ca" | "certificate"), str(file)) | (_, {"file": str(file)}):
                if not os.path.isfile(os.path.join(path.parent, os.path.expanduser(file))):
                    yield file


def foreign_source(plan: ImportPlan, reading: Reading, folder: Path | None) -> str:
    """Return where a sign-in would take its credential from, if that is for the user to confirm.

    Whoever wrote the text, which is in `folder`, could name any credential of this machine. A
    sign-in sends a secret to the login host that the stamp names, and the token to the stamp.
    Empty for the SDKs' own variables, for a file in that folder, not hidden, for what the plan
    writes itself, and without a folder: then the text is the user's own.
    """
    for key, value in (plan.identity or reading.identity or {}).items() if folder else ():
        match key, value:
            case _, {"env": str(name)} if name not in _OWN_VARIABLES:
                return f"the variable {name}"
            case ("certificate", str(file)) | (_, {"file": str(file)}):
                real = os.path.realpath(os.path.join(plan.path.parent, os.path.expanduser(file)))
                parent, name = os.path.split(real)
                is_beside = parent == os.path.realpath(folder or "") and not name.startswith(".")
                if not is_beside and Path(file) != plan.secret_file:
                    return f"the file {file}"
    return ""


def with_secret_file(plan: ImportPlan, earlier: Sequence[ImportPlan]) -> ImportPlan:
    """Return the plan with a new file beside the config for the secret of its new identity.

    Raises ConfigError where the folder of these files cannot be read.
    """
    name, identity = str(plan.values["identity"]), dict(plan.identity or {})
    taken = [each.secret_file.name for each in earlier if each.secret_file]
    file = new_secret_file(plan.path, name, taken)
    identity["password" if "password" in identity else "secret"] = {"file": str(file)}
    return replace(plan, identity=identity, secret_file=file)


def new_secret_file(config: Path, name: str, taken: Sequence[str]) -> Path:
    """Return a file beside the config for an identity's secret; it is not there, nor `taken`.

    Raises ConfigError where the folder of these files cannot be read.
    """
    folder = config.parent / SECRETS
    try:
        there = [each.name for each in folder.iterdir()] if folder.is_dir() else []
    except OSError as error:
        raise ConfigError(config, f"{folder} cannot be read ({error.strerror})") from None
    plain = "".join(each if each.isalnum() or each in "-_" else "-" for each in name)
    return folder / free_name(plain, [*there, *taken])


def write_secret(file: Path, secret: str) -> None:
    """Write a secret to a new file, 0600. Raises OSError, also where it is there by now."""
    if file.exists():
        raise FileExistsError(errno.EEXIST, f"{file} is there by now")
    write_atomically(file, secret.encode("utf-8", "surrogateescape"))
