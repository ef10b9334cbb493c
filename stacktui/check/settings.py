"""The whole config as values, and the target of a check that it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
    """A config as read. `warnings` are lines for stderr; they never stop a command."""

    path: Path
    active: str | None
    theme: str | None
    environments: Mapping[str, Environment]
    identities: Mapping[str, Identity]
    warnings: tuple[str, ...] = ()

    def target(self, name: str | None = None) -> CheckTarget:
        """Return the named environment, else the active one, else the only one, with its identity.

        Raises ConfigError where there is no such environment, or several and none is active.
        """
        environment = self._environment(name or self.active)
        identity = self.identities.get(environment.identity) if environment.identity else None
        found = self.path == config_file() and not is_demo()
        named = None if found else self.path
        return CheckTarget(environment, identity, named)

    def _environment(self, name: str | None) -> Environment:
        known = self.environments
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
    """Read the config; a missing file gives empty settings. Raises ConfigError.

    `limits` replace those of every environment, for this run.
    """
    top = Table(path, "", read_document(path))
    warnings = top.warnings(KEYS)
    environments = {}
    for name, table in _tables(top, "environments"):
        environments[name] = read_environment(name, table, limits)
        warnings += table.warnings(ENVIRONMENT_KEYS)
        if (of_environment := table.table("limits")) is not None:
            warnings += of_environment.warnings(LIMIT_SETTINGS)
    identities = {}
    for name, table in _tables(top, "identities"):
        identities[name] = read_identity(name, table)
        warnings += table.warnings(IDENTITY_KEYS)
    for environment in environments.values():
        _require_identity(path, environment, identities)
    return Settings(
        path,
        top.string("active"),
        top.string("theme"),
        environments,
        identities,
        tuple(warnings),
    )


def _tables(top: Table, key: str) -> list[tuple[str, Table]]:
    group = top.table(key)
    if group is None:
        return []
    return [(name, Table(top.path, f"{key}.{name}", group.value(name))) for name in group]


def _require_identity(
    path: Path, environment: Environment, identities: Mapping[str, Identity]
) -> None:
    name = environment.identity
    if name is None or name in identities:
        return
    meant = nearest(name, identities)
    hint = f"did you mean {meant}?" if meant else f"add [identities.{name}]"
    raise ConfigError(
        path, f"environments.{environment.name}.identity {name!r} is not there; {hint}"
    )
