"""What to check. Light to import: the dashboard needs it before its first frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from stacktui.config.locations import config_file
from stacktui.environments.model import Environment
from stacktui.identities.model import Identity


@dataclass(frozen=True, slots=True)
class CheckTarget:
    """An environment, and the identity to sign in with, if any.

    `config` is the file that they come from, None for the default one. `pythons` are the Python
    environments that it names, to be looked at beside those on PATH. `write_probe` is the name of
    the group that the check makes and deletes, empty where it only reads; `remove_leftovers` says
    to delete those that earlier ones left. `used` are the names of each environment of the config
    with an identity, and of that identity.
    """

    environment: Environment
    identity: Identity | None = None
    config: Path | None = None
    pythons: tuple[Path, ...] = ()
    write_probe: str = ""
    remove_leftovers: bool = False
    used: tuple[tuple[str, str], ...] = field(default=(), compare=False)


def config_of(target: CheckTarget) -> Path:
    """Return the path of the config, which is part of the key of a target's record and history."""
    return target.config or config_file()
