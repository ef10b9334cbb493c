"""Secrets that the config says to ask for (`{ prompt = true }`)."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import click

from stacktui.check.settings import Settings
from stacktui.identities.model import Identity, PromptSecret, TypedSecret
from stacktui.text.sanitize import escape_control_chars


def ask_secrets(settings: Settings, environments: Iterable[str]) -> Settings:
    """Return the settings with the secrets of these environments' identities that a person types.

    Each is asked for once, hidden. Without a terminal nobody is asked: signing in then fails with
    a SecretFault.
    """
    known = (settings.environments[each] for each in environments if each in settings.environments)
    names = {each.identity for each in known}
    wanted = (settings.identities[name] for name in settings.identities if name in names)
    asked = [each for each in wanted if isinstance(each.secret, PromptSecret)]
    if not asked or not all(each and each.isatty() for each in (sys.stdin, sys.stderr)):
        return settings
    return settings.with_secrets({each.name: _ask(each) for each in asked})


def _ask(identity: Identity) -> TypedSecret:
    what = f"{identity.secret_name.capitalize()} of {identity.name}"
    value: str = click.prompt(
        escape_control_chars(what), hide_input=True, err=True, default="", show_default=False
    )
    return TypedSecret(value, PromptSecret())
