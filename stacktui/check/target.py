"""What to check. Light to import: the dashboard needs it before its first frame."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stacktui.environments.model import Environment
from stacktui.identities.model import Identity


@dataclass(frozen=True, slots=True)
class Target:
    """An environment, and the identity to sign in with, if any; `config` is where they come from,
    if not from the place that is found without being named."""

    environment: Environment
    identity: Identity | None = None
    config: Path | None = None
