"""Read the config for a command."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from stacktui.check.settings import Settings, load_settings
from stacktui.check.target import CheckTarget
from stacktui.cli.options import ConfigSource
from stacktui.cli.output import err
from stacktui.config.document import ConfigError, Table, read_document
from stacktui.config.read_only import refuse_if_read_only, set_by_config


def read_settings(source: ConfigSource, name: str | None = None) -> Settings:
    """Return the config, with absolute paths; write its warnings to stderr. Raises ConfigError.

    Of environment `name`, by default the active one, no warning says that it cannot be used: that
    is the error of whoever asks for it.
    """
    settings = load_settings(absolute(source.path), source.limits)
    for warning in (*settings.warnings, *settings.left_out(name or settings.active)):
        err(f"stacktui: {warning}")
    return settings


def read_target(source: ConfigSource, name: str | None) -> CheckTarget:
    """Return environment `name`, by default the active one. Raises ConfigError."""
    return read_settings(source, name).target(name)


def require_writable(source: ConfigSource) -> None:
    """Refuse a command that writes, before it does anything. Raises ReadOnlyError.

    A config that cannot be read is the error of the command, if that needs it.
    """
    path = absolute(source.path)
    with suppress(ConfigError):
        set_by_config(Table(path, "", read_document(path)).flag("read_only"))
    refuse_if_read_only()


def absolute(path: Path) -> Path:
    """Return an absolute path without resolving links, unlike `Path.resolve`."""
    return Path(os.path.abspath(path))
