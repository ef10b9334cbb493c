"""Secrets that the config says to ask for (`{ prompt = true }`)."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace

import click

from stacktui.check.settings import Settings
from stacktui.check.target import CheckTarget
from stacktui.identities.model import Identity, PromptSecret, TypedSecret
from stacktui.text.sanitize import escape_control_chars


def ask_secrets(settings: Settings, environments: Iterable[str]) -> Settings:
    """Return the settings with the secrets of these environments' identities, each asked for once.

    As `ask_secret` does.
    """
    known = (settings.environments[each] for each in environments if each in settings.environments)
    used = {each.identity for each in known}
    identities = {
        name: with_typed_secret(identity) if name in used else identity
        for name, identity in settings.identities.items()
    }
    return replace(settings, identities=identities)


def ask_secret(target: CheckTarget) -> CheckTarget:
    """Return the target with the secret of its identity, if that is one to ask for: hidden.

    Without a terminal nobody is asked: signing in then fails with a SecretFault.
    """
    identity = target.identity
    return target if identity is None else replace(target, identity=with_typed_secret(identity))


def with_typed_secret(identity: Identity) -> Identity:
    """Return the identity with its secret, if that is one to ask for; as `ask_secret` does."""
    is_asked = isinstance(identity.secret, PromptSecret)
    if not is_asked or not all(each and each.isatty() for each in (sys.stdin, sys.stderr)):
        return identity
    what = f"{identity.secret_name.capitalize()} of {identity.name}"
    value: str = click.prompt(
        escape_control_chars(what), hide_input=True, err=True, default="", show_default=False
    )
    return identity.with_secret(TypedSecret(value, PromptSecret()))
