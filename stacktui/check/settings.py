"""The whole config as values, and the target of a check that it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from stacktui.check.target import CheckTarget
from stacktui.config import read_only
from stacktui.config.document import ConfigError, Table, nearest, parse_document, read_content
from stacktui.config.locations import config_file, is_demo
from stacktui.config.positions import line_of, lines_by_place
from stacktui.environments.config import KEYS as ENVIRONMENT_KEYS
from stacktui.environments.config import read_environment
from stacktui.environments.model import OVERRIDES, Environment
from stacktui.identities.config import KEYS as IDENTITY_KEYS
from stacktui.identities.config import read_identity
from stacktui.identities.model import Identity, TypedSecret
from stacktui.text.sanitize import escape_control_chars
from stacktui.transport.limits import LIMIT_SETTINGS

KEYS = ("active", "theme", "read_only", "keys", "clients", "environments", "identities")

CLIENT_KEYS = ("python",)


@dataclass(frozen=True, slots=True)
class Settings:
    """A config as read. `warnings` are lines for stderr; they never stop a command.

    `errors` say of an environment why it cannot be used, `identity_errors` of an identity; these
    are in no other mapping. `names` are all environments, in the order of the file. `keys` are the
    user's own keys of the dashboard, by action. `pythons` are Python environments of other clients:
    folders or interpreters. `used` are the names of each environment with an identity, and of that.
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
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    read_only: bool = False
    pythons: tuple[Path, ...] = ()
    used: tuple[tuple[str, str], ...] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        environments = self.environments.values()
        used = tuple((each.name, each.identity) for each in environments if each.identity)
        object.__setattr__(self, "used", used)

    def left_out(self, asked_for: str | None = None) -> tuple[str, ...]:
        """Return a line for each environment and identity that cannot be used.

        Not for the environment that is asked for, where that raises the error.
        """
        raised = self._error_of(asked_for)
        unusable = dict.fromkeys((*self.identity_errors.values(), *self.errors.values()))
        return tuple(f"{error} (left out)" for error in unusable if error is not raised)

    def with_secrets(self, typed: Mapping[str, TypedSecret]) -> Settings:
        """Return these settings with what was typed for identities, by their names, and no other.

        A secret is left out where the identity's reference is another now.
        """
        configured = {name: each.configured for name, each in self.identities.items()}
        identities = {
            name: identity.with_secret(typed[name])
            if name in typed and typed[name].instead_of == identity.secret
            else identity
            for name, identity in configured.items()
        }
        return replace(self, identities=identities)

    def target(self, name: str | None = None) -> CheckTarget:
        """Return the named environment, else the active one, else the only one, with its identity.

        Raises ConfigError where there is no such environment, or several and none is active, or
        where it cannot be used.
        """
        environment = self._environment(self.active if name is None else name)
        identity = self.identities.get(environment.identity) if environment.identity else None
        return CheckTarget(environment, identity, self.named, self.pythons, used=self.used)

    def is_known_at(
        self, identity: Identity, environment: Environment, login_endpoints: Mapping[str, str]
    ) -> bool:
        """Return whether the identity's secret is meant for the login host of an environment.

        An environment that signs in there names it, or no environment signs in anywhere else. The
        secret of another one is sent there only where a person says so. `login_endpoints` are
        those that are known, by environment: the login host of another is its own.
        """
        own = {name: each.arm for name, each in self.environments.items()}
        login = {**own, **login_endpoints}
        here, known = login.get(environment.name), self.environments.values()
        users = [login[each.name] for each in known if each.identity == identity.name]
        return here in users if users else {login[each.name] for each in known} == {here}

    def identity(self, name: str) -> Identity:
        """Return the named identity. Raises ConfigError where there is none, or it is unusable."""
        if name in self.identity_errors:
            raise self.identity_errors[name]
        if name not in self.identities:
            meant = nearest(name, self.identities)
            hint = f"did you mean {meant}?" if meant else f"known: {', '.join(self.identities)}"
            raise ConfigError(self.path, f"has no identity {name!r}; {hint}")
        return self.identities[name]

    @property
    def default_name(self) -> str | None:
        """The environment meant where none is named: the active one, else the only one, if any."""
        return self.active or (self.names[0] if len(self.names) == 1 else None)

    @property
    def named(self) -> Path | None:
        """The config as a CheckTarget names it: None for the default one."""
        found = self.path == config_file() and not is_demo()
        return None if found else self.path

    def _error_of(self, name: str | None) -> ConfigError | None:
        """Return why an environment cannot be used, or without a name why none can."""
        if name is not None:
            return self.errors.get(name)
        return None if self.environments else next(iter(self.errors.values()), None)

    def _environment(self, name: str | None) -> Environment:
        known = self.environments
        if (error := self._error_of(name)) is not None:
            raise error
        if not self.names:
            what = "has no environments" if self.path.exists() else "is not there"
            raise ConfigError(self.path, f"{what}; add an environment: stacktui, then a")
        if name is None:
            if len(known) == 1:
                return next(iter(known.values()))
            names = ", ".join(known)
            raise ConfigError(self.path, f"has no active environment; name one of: {names}")
        if name not in known:
            meant = nearest(name, self.names)
            hint = f"did you mean {meant}?" if meant else f"known: {', '.join(self.names)}"
            raise ConfigError(self.path, f"has no environment {name!r}; {hint}")
        return known[name]


def load_settings(path: Path, limits: Mapping[str, float] | None = None) -> Settings:
    """Read the config; a missing file gives empty settings. Sets whether it is read-only.

    `limits` replace those of every environment, for this run. Raises ConfigError where the file as
    a whole cannot be used; one environment or identity that cannot is left out, with its error.
    """
    content = read_content(path)
    document = parse_document(path, content)
    try:
        settings = _settings(path, document, limits)
    except ConfigError as error:
        raise _with_lines([error], content)[error] from None
    read_only.set_by_config(settings.read_only)
    unusable = _with_lines([*settings.identity_errors.values(), *settings.errors.values()], content)
    return replace(
        settings,
        errors={name: unusable[error] for name, error in settings.errors.items()},
        identity_errors={name: unusable[error] for name, error in settings.identity_errors.items()},
    )


def _with_lines(errors: Sequence[ConfigError], content: bytes) -> dict[ConfigError, ConfigError]:
    """Return each error with the line of its place, where the file has one."""
    lines = lines_by_place(content.decode("utf-8-sig")) if errors else {}
    placed = {error: line_of(lines, error.place) for error in errors}
    return {error: error.at(line) if line else error for error, line in placed.items()}


def _settings(
    path: Path, document: Mapping[str, Any], limits: Mapping[str, float] | None
) -> Settings:
    top = Table(path, "", document)
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
            require_identity(path, environment, identities, identity_errors)
        except ConfigError as error:
            errors[name] = error
        else:
            environments[name] = environment
            warnings += table.warnings(ENVIRONMENT_KEYS)
            for key, known in (("limits", LIMIT_SETTINGS), ("endpoints", OVERRIDES)):
                if (inner := table.table(key)) is not None:
                    warnings += inner.warnings(known)
    keys, pythons = _keys(top, warnings), _pythons(top, warnings)
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
        keys,
        top.flag("read_only"),
        pythons,
    )


def _keys(top: Table, warnings: list[str]) -> Mapping[str, tuple[str, ...]]:
    """Return `[keys]`: the keys of each action; what is neither a key nor a list of some warns."""
    keys: dict[str, tuple[str, ...]] = {}
    if (table := top.table("keys")) is None:
        return keys
    for action in table:
        value = table.value(action)
        wanted = [value] if isinstance(value, str) else value
        if isinstance(wanted, list) and wanted and all(isinstance(key, str) for key in wanted):
            keys[action] = tuple(wanted)
        else:
            place = escape_control_chars(f"keys.{action}")
            warnings.append(f'{top.path}: {place} must be a list of keys, as ["c"]')
    return keys


def _pythons(top: Table, warnings: list[str]) -> tuple[Path, ...]:
    """Return `clients.python`."""
    if (table := top.table("clients")) is None:
        return ()
    warnings += table.warnings(CLIENT_KEYS)
    return table.paths("python")


def _tables(top: Table, key: str) -> list[tuple[str, object]]:
    group = top.table(key)
    return [] if group is None else [(name, group.value(name)) for name in group]


def require_identity(
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
        path,
        f"environments.{environment.name}.identity {name!r} is not there; {hint}",
        place=f"environments.{environment.name}.identity",
    )
