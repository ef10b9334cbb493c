"""The state of the dashboard while it runs; nothing of it is saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from stacktui.check.settings import Settings
from stacktui.environments.model import Environment
from stacktui.identities.model import Identity, TypedSecret
from stacktui.tui.request_history import RequestHistory

if TYPE_CHECKING:
    from stacktui.azure_cli.cloud_file import AzClouds
    from stacktui.certificates.chain import Certificate
    from stacktui.check.streak import Recalled
    from stacktui.check.target import CheckTarget
    from stacktui.config.document import ConfigError
    from stacktui.environments.record import StampRecord
    from stacktui.identities.certificate_file import IdentityFile
    from stacktui.identities.origin import IdentityOrigin
    from stacktui.identities.token_source import TokenSource
    from stacktui.tui.deletions import LiveDeletion
    from stacktui.tui.group_list import GroupList, OpenedGroup, ResourceCounts
    from stacktui.tui.live_check import LiveCheck
    from stacktui.tui.role_reader import RolesRead
    from stacktui.tui.scan_state import EvaluatedScan, LiveScan


@dataclass(slots=True)
class AppState:
    """The config, the last check of each environment, and the current environment.

    `config_error` says why the config could not be read; `settings` are then those read before, if
    any. `current` names the environment that all panes show. `limits` override those of the config.
    `certificates` are the parsed ones, by their DER. `scans` are the last finished scans by
    environment, `live_scan` is the one started last. `identity_files` are the certificates that
    identities sign in with, by identity; None until they are first read, as are the
    `identity_origins`. `history` is what was
    known of each environment's checks when the config was read; nothing of those in
    `settings_changed`, whose earlier checks were made with other settings. `typed` are the secrets
    that were typed, by identity. `records` are what was recorded of the stamps, `az_clouds` what az
    knows, None where it is not installed or its files are broken. `groups` are the resource groups
    by environment, `counts` those of their resources, `opened_group` is the one whose details were
    asked for last. `tokens` are those of this process, None until what signs in is loaded; `roles`
    are what was read of them, by environment and identity, and `granted` is when one was granted to
    an environment's own. `requests` are the last that this process made. `deletions` returns the
    deletions of an environment's groups, by path in folded case.
    """

    config: Path
    settings: Settings | None = None
    config_error: ConfigError | None = None
    demo_on_offer: bool = False
    limits: Mapping[str, float] = field(default_factory=dict)
    current: str | None = None
    checks: dict[str, LiveCheck] = field(default_factory=dict)
    certificates: dict[bytes, Certificate] = field(default_factory=dict)
    scans: dict[str, EvaluatedScan] = field(default_factory=dict)
    live_scan: LiveScan | None = None
    identity_files: dict[str, IdentityFile] | None = None
    identity_origins: Mapping[str, IdentityOrigin] = field(default_factory=dict)
    history: Mapping[str, Recalled] = field(default_factory=dict)
    records: Mapping[str, StampRecord] = field(default_factory=dict)
    az_clouds: AzClouds | None = None
    typed: dict[str, TypedSecret] = field(default_factory=dict)
    settings_changed: set[str] = field(default_factory=set)
    groups: dict[str, GroupList] = field(default_factory=dict)
    counts: dict[str, ResourceCounts] = field(default_factory=dict)
    opened_group: OpenedGroup | None = None
    tokens: TokenSource | None = None
    roles: dict[tuple[str, str], RolesRead] = field(default_factory=dict)
    granted: dict[str, datetime] = field(default_factory=dict)
    requests: RequestHistory = field(default_factory=RequestHistory)
    deletions: Callable[[str | None], Mapping[str, LiveDeletion]] = field(
        default=lambda _environment: {}
    )

    def forget_refused(self) -> None:
        """Forget the typed secrets that were refused: sent again, they could lock an account."""
        if self.settings is None or self.tokens is None or not self.typed:
            return
        for name in tuple(self.typed):
            identity = self.settings.identities.get(name)
            if identity is not None and self.tokens.refused(identity):
                del self.typed[name]
        self.settings = self.settings.with_secrets(self.typed)

    @property
    def environments(self) -> tuple[Environment, ...]:
        return tuple(self.settings.environments.values()) if self.settings else ()

    @property
    def identities(self) -> tuple[Identity, ...]:
        return tuple(self.settings.identities.values()) if self.settings else ()

    @property
    def environment(self) -> Environment | None:
        """The current environment."""
        return self.settings.environments.get(self.current or "") if self.settings else None

    @property
    def unusable(self) -> ConfigError | None:
        """Why the current environment cannot be used, if so."""
        return self.settings.errors.get(self.current or "") if self.settings else None

    @property
    def target(self) -> CheckTarget | None:
        """The target for a check of the current environment."""
        if self.settings is None or self.environment is None:
            return None
        return self.settings.target(self.current)

    @property
    def login_endpoints(self) -> dict[str, str]:
        """Those of the stamps, as far as they are known, by environment."""
        found = {name: each.login_endpoint for name, each in self.records.items()}
        read = {name: each.metadata for name, each in self.checks.items()}
        return found | {name: each.login_endpoint for name, each in read.items() if each}

    @property
    def can_grant(self) -> bool:
        """Whether there is another identity than the current environment's, and none has just
        granted it a role."""
        used = self.environment.identity if self.environment else None
        return self.granted_at is None and any(each.name != used for each in self.identities)

    @property
    def granted_at(self) -> datetime | None:
        """When the current environment's identity was granted a role in this run, if it was."""
        return self.granted.get(self.current) if self.current else None

    @property
    def check(self) -> LiveCheck | None:
        """The current environment's last check, finished or running."""
        return self.checks.get(self.current) if self.current else None

    @property
    def group_list(self) -> GroupList | None:
        """The current environment's resource groups, as far as they have been read."""
        return self.groups.get(self.current) if self.current else None

    @property
    def counts_shown(self) -> ResourceCounts | None:
        """The current environment's counts of resources, as far as they have been counted."""
        return self.counts.get(self.current) if self.current else None

    @property
    def last_scan(self) -> EvaluatedScan | None:
        """The current environment's last finished certificate scan."""
        return self.scans.get(self.current) if self.current else None

    @property
    def current_scan(self) -> LiveScan | None:
        """The scan that was started last, if it is the current environment's."""
        live = self.live_scan
        mine = live is not None and live.target.environment.name == self.current
        return live if mine else None
