"""The whole config as values, and the target of a check that it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stacktui.check.target import CheckTarget
from stacktui.config.document import ConfigError, Table, nearest, read_document
from stacktui.config.locations import config_file, is_demo
from stacktui.environments.config import KEYS as ENVIRONMENT_KEYS
from stacktui.environments.config import read_environment
from stacktui.environments.model import Environment
from stacktui.identities.config import KEYS as IDENTITY_KEYS
from stacktui.identities.config import read_identity
from stacktui.identities.model import Identity
from stacktui.transport.limits import LIMIT_SETTINGS

KEYS = ("active", "theme", "environments", "identities")


@dataclass(frozen=True, slots=True)
class Settings:
    """A config as read. `warnings` are lines for stderr; they never stop a command.

    `errors` say of an environment why it cannot be used, `identity_errors` of an identity; these
    are in no other mapping. `names` are all environments, in the order of the file.
    """

    path: Path
    active: str | None
    theme: str | None
    environments: Mapping[str, Environment]
    identities: Mapping[str, Identity]
    warnings: tuple[str, ...] = ()
    errors: Mapping[str, ConfigError] = field(default_factory=dict)
    identity_errors: Mapping[str, ConfigError] = field(default_factory=dict)
    names: tuple[str, ...] = ()

    def left_out(self, asked_for: str | None = None) -> tuple[str, ...]:
        """Return a line for each environment and identity that cannot be used.

        Not for the environment that is asked for, where that raises the error.
        """
        raised = self._error_of(asked_for)
        unusable = dict.fromkeys((*self.identity_errors.values(), *self.errors.values()))
        return tuple(f"{error} (left out)" for error in unusable if error is not raised)

    def target(self, name: str | None = None) -> CheckTarget:
        """Return the named environment, else the active one, else the only one, with its identity.

        Raises ConfigError where there is no such environment, or several and none is active, or
        where it cannot be used.
        """
        environment = self._environment(name or self.active)
        identity = self.identities.get(environment.identity) if environment.identity else None
        return CheckTarget(environment, identity, self.named)

    @property
    def named(self) -> Path | None:
        """The config as a CheckTarget names it: None for the default one."""
        found = self.path == config_file() and not is_demo()
        return None if found else self.path

    def _error_of(self, name: str | None) -> ConfigError | None:
        """Return why an environment cannot be used, or without a name why none can."""
        if name is None and not self.environments:
            return next(iter(self.errors.values()), None)
        return self.errors.get(name or "")

    def _environment(self, name: str | None) -> Environment:
        known = self.environments
        if (error := self._error_of(name)) is not None:
            raise error
        if not known:
            what = "has no environments" if self.path.exists() else "is not there"
            raise ConfigError(self.path, f"{what}; add an environment: stacktui, then a")
        if name is None:
            if len(known) == 1:
                return next(iter(known.values()))
            names = ", ".join(known)
            raise ConfigError(self.path, f"has no active environment; name one of: {names}")
        if name not in known:
            meant = nearest(name, known)
            hint = f"did you mean {meant}?" if meant else f"known: {', '.join(known)}"
            raise ConfigError(self.path, f"has no environment {name!r}; {hint}")
        return known[name]


def load_settings(path: Path, limits: Mapping[str, float] | None = None) -> Settings:
    """Read the config; a missing file gives empty settings.

    `limits` replace those of every environment, for this run. Raises ConfigError where the file as
    a whole cannot be used; one environment or identity that cannot is left out, with its error.
    """
    top = Table(path, "", read_document(path))
    warnings = top.warnings(KEYS)
    identities: dict[str, Identity] = {}
    identity_errors: dict[str, ConfigError] = {}
    for name, values in _tables(top, "identities"):
        try:
            table = Table(path, f"identities.{name}", values)
            identities[name] = read_identity(name, table)
        except ConfigError as error:
            identity_errors[name] = error
        else:
            warnings += table.warnings(IDENTITY_KEYS)
    environments: dict[str, Environment] = {}
    errors: dict[str, ConfigError] = {}
    tables = _tables(top, "environments")
    for name, values in tables:
        try:
            table = Table(path, f"environments.{name}", values)
            environment = read_environment(name, table, limits)
            _require_identity(path, environment, identities, identity_errors)
        except ConfigError as error:
            errors[name] = error
        else:
            environments[name] = environment
            warnings += table.warnings(ENVIRONMENT_KEYS)
            if (of_environment := table.table("limits")) is not None:
                warnings += of_environment.warnings(LIMIT_SETTINGS)
    return Settings(
        path,
        top.string("active"),
        top.string("theme"),
        environments,
        identities,
        tuple(warnings),
        errors,
        identity_errors,
        tuple(name for name, _ in tables),
    )


def _tables(top: Table, key: str) -> list[tuple[str, object]]:
    group = top.table(key)
    return [] if group is None else [(name, group.value(name)) for name in group]


def _require_identity(
    path: Path,
    environment: Environment,
    identities: Mapping[str, Identity],
    errors: Mapping[str, ConfigError],
) -> None:
    """Raise ConfigError where the environment's identity cannot be used."""
    name = environment.identity
    if name is None or name in identities:
        return
    if name in errors:
        raise errors[name]
    meant = nearest(name, identities)
    hint = f"did you mean {meant}?" if meant else f"add [identities.{name}]"
    raise ConfigError(
        path, f"environments.{environment.name}.identity {name!r} is not there; {hint}"
    )
