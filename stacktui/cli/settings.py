"""Reading the config for a command."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from stacktui.check.settings import Settings, load_settings
from stacktui.cli.output import err
from stacktui.config.locations import config_file


def read_settings(
    parent: Path | None, config: Path | None, limits: Mapping[str, float] | None = None
) -> Settings:
    """The config, by its absolute path; its warnings go to stderr. Raises ConfigError."""
    settings = load_settings(absolute(config_file(config or parent)), limits)
    for warning in settings.warnings:
        err(f"stacktui: {warning}")
    return settings


def absolute(path: Path) -> Path:
    """Unlike Path.resolve, this keeps links as they are named."""
    return Path(os.path.abspath(path))
