"""`stacktui environments list`: every environment of the config, and what its last check found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import click

from stacktui.check.history import recall
from stacktui.check.settings import Settings, load_settings
from stacktui.check.streak import Recalled, since_of
from stacktui.check.summary_text import PROVIDERS
from stacktui.check.target import config_of
from stacktui.cli.options import ConfigSource, examples, format_option, reads_config
from stacktui.cli.output import warn
from stacktui.cli.rows import out_rows
from stacktui.cli.settings import absolute
from stacktui.config.document import ConfigError
from stacktui.environments.metadata import IdentityProvider
from stacktui.environments.model import Environment
from stacktui.environments.naming import is_operator_endpoint, region_of
from stacktui.environments.record import RecordError, read_record
from stacktui.text.sanitize import escape_control_chars
from stacktui.text.times import moment_text, rough_duration, utc_text

SCHEMA = 1
_HEAD = ("name", "last check", "region", "sign-in", "profile", "identity")
_NEVER = Recalled()
_SYMBOLS = {True: "✓", False: "✗", None: "–"}


@dataclass(frozen=True, slots=True)
class _Listed:
    """One environment; `environment` is None where `error` says why it cannot be used.

    `provider` is known once a stamp is recorded.
    """

    name: str
    active: bool
    environment: Environment | None = None
    error: ConfigError | None = None
    provider: IdentityProvider | None = None
    checks: Recalled = _NEVER

    def document(self) -> dict[str, Any]:
        known, last = self.environment, self.checks.last
        return {
            "name": self.name,
            "active": self.active,
            "arm": known.arm if known else None,
            "region": (known and region_of(known.arm)) or None,
            "operator": is_operator_endpoint(known.arm) if known else None,
            "identity_provider": self.provider,
            "profile": known.profile if known else None,
            "identity": known.identity if known else None,
            "error": str(self.error) if self.error else None,
            "last_check": last
            and {
                "started": utc_text(last.started),
                "seconds": round(last.seconds, 6),
                "ok": last.ok,
                "verdict": last.verdict or None,
                "side": last.side or None,
                "since": utc_text(since_of(self.checks.streaks).since)
                if self.checks.streaks
                else None,
            },
        }

    def cells(self, now: datetime) -> tuple[str, ...]:
        """Return the texts of the columns; of one that cannot be used only the first two."""
        name = f"{'*' if self.active else ' '} {escape_control_chars(self.name)}"
        if self.environment is None:
            return name, "✗ unusable"
        provider = PROVIDERS[self.provider] if self.provider else "?"
        arm = self.environment.arm
        region = region_of(arm) or urlsplit(arm).netloc
        place = f"{region}, operator" if is_operator_endpoint(arm) else region
        identity = escape_control_chars(self.environment.identity or "none")
        return name, self._checked(now), place, provider, self.environment.profile, identity

    def _checked(self, now: datetime) -> str:
        last, streaks = self.checks.last, self.checks.streaks
        if last is None or not streaks:
            return "– not checked"
        age = rough_duration(max(0.0, (now - last.started).total_seconds()))
        text = f"{_SYMBOLS[last.ok]} {streaks[0].outcome}, {age} ago, {last.seconds:.2f} s"
        since = since_of(streaks)
        return f"{text}, since {moment_text(since.since, now)}" if since.checks > 1 else text


@click.command(
    epilog=examples("stacktui environments list", "stacktui environments list --format json")
)
@format_option
@reads_config
def command(source: ConfigSource, format_: str) -> None:
    """List the environments of the config; `*` marks the active one.

    Shows what the last check of each found, when, how long it took and since when that is so; the
    region, or the ARM host where its name tells none, and how it signs in, if a stamp has been
    recorded. One that cannot be used is listed with the reason.
    """
    settings = load_settings(absolute(source.path))
    for warning in settings.warnings:
        warn(warning)
    listed = list(_listed(settings))
    if format_ == "json":
        documents = [each.document() for each in listed]
        click.echo(json.dumps({"schema": SCHEMA, "environments": documents}))
    elif listed:
        now = datetime.now(UTC)
        whys = (each.error.message if each.error else "" for each in listed)
        out_rows(_HEAD, [each.cells(now) for each in listed], whys)
    else:
        settings.target()  # raises why there is none


def _listed(settings: Settings) -> Iterator[_Listed]:
    active = settings.default_name
    targets = {name: settings.target(name) for name in settings.environments}
    known = recall(targets.values())
    unread = ""
    for name in settings.names:
        if (target := targets.get(name)) is None:
            yield _Listed(name, name == active, error=settings.errors[name])
            continue
        record = None
        try:
            record = read_record(config_of(target), target.environment)
        except RecordError as error:
            unread = str(error)
        provider = record.metadata.identity_provider if record else None
        checks = known.get(name, _NEVER)
        yield _Listed(name, name == active, target.environment, None, provider, checks)
    if unread:
        warn(unread)
