"""What to check. Light to import: the dashboard needs it before its first frame."""

from __future__ import annotations

from dataclasses import dataclass

from stacktui.environments.model import Environment
from stacktui.identities.model import Identity


@dataclass(frozen=True, slots=True)
class Target:
    """An environment, and the identity to sign in with, if any."""

    environment: Environment
    identity: Identity | None = None
