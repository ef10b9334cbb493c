"""What to check. Light to import: the dashboard needs it before its first frame."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stacktui.environments.model import Environment
from stacktui.identities.model import Identity


@dataclass(frozen=True, slots=True)
class CheckTarget:
    """An environment, and the identity to sign in with, if any.

    `config` is the file that they come from, None for the default one.
    """

    environment: Environment
    identity: Identity | None = None
    config: Path | None = None
