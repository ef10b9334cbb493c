"""Mends that several rules name: as a command to paste and, where stacktui carries them out
itself, as an action for one key."""

from __future__ import annotations

import re
from collections.abc import Callable

from stacktui.diagnosis.context import FailureContext, ReportContext
from stacktui.diagnosis.finding import Action, ActionKind, Remedy
from stacktui.diagnosis.shell import bash, powershell
from stacktui.identities.model import EnvSecret, FileSecret

# Asks without showing what is typed, in Windows PowerShell 5.1 and in PowerShell 7 alike.
_POWERSHELL_ASKS = "[Net.NetworkCredential]::new('', (Read-Host -AsSecureString)).Password"
# A variable that a shell can set.
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def set_value(scene: ReportContext, title: str, key: str, value: str) -> Remedy:
    """Put `value` in `key` of the environment's table; an empty one takes the key out."""

    def pasted(quote: Callable[[str], str]) -> str:
        return f"{scene.command('environments set', quote)} {quote(f'{key}={value}')}"

    action = Action(ActionKind.SET, key=key, value=value)
    return Remedy(title, pasted(bash), pasted(powershell), action)


def accept(scene: ReportContext, title: str) -> Remedy:
    """Record anew where the stamp sends its users, and whose root signs for it."""
    what = "environments accept"
    pasted = scene.command(what, bash), scene.command(what, powershell)
    return Remedy(title, *pasted, Action(ActionKind.ACCEPT))


def trust_presented(case: FailureContext, title: str) -> Remedy:
    """Trust the root that the case's own host presents; its fingerprint is asked for."""

    def pasted(quote: Callable[[str], str]) -> str:
        host = "" if case.at_arm else f" --host {quote(f'{case.host}:{case.port}')}"
        # One word for the shell, with the name behind a sign: it may look like an option.
        presented = quote(f"--presented={case.environment.name}")
        return f"stacktui certificates trust{case.config_option(quote)}{host} {presented}"

    action = Action(ActionKind.TRUST_ROOT, host=case.host, port=case.port)
    return Remedy(title, pasted(bash), pasted(powershell), action)


def trust_file(title: str) -> Remedy:
    """Trust a root that somebody else has as a file: the command asks for it, and shows it."""
    return Remedy(
        title,
        # Bash expands ~ neither in what it reads nor in quotes.
        "read -erp 'File of the root: ' f && stacktui certificates trust -- \"${f/#\\~/$HOME}\"",
        "stacktui certificates trust -- (Read-Host 'File of the root')",
    )


def put_secret(reference: object, what: str) -> tuple[Remedy, ...]:
    """How to put a secret or password where `reference` says that it comes from."""
    match reference:
        case EnvSecret(name=name) if _VARIABLE.fullmatch(name):
            return (
                Remedy(
                    f"Set {name} in this shell without leaving the {what} in its history",
                    f"read -rs {name} && export {name}",
                    f"$env:{name} = {_POWERSHELL_ASKS}",
                ),
            )
        case FileSecret(path=path):
            return (
                Remedy(
                    f"Put the {what} into {path}, readable by you alone",
                    f'(umask 077; read -rs s && printf %s "$s" > {bash(str(path))})',
                    f"{_POWERSHELL_ASKS} | Set-Content -NoNewline {powershell(str(path))}",
                ),
            )
    return ()
