"""Values inside commands that a user will paste: quoted, since hosts and ids come from outside."""

from __future__ import annotations

import shlex


def bash(value: str) -> str:
    """`value` as one word of a POSIX shell."""
    return shlex.quote(value)


def powershell(value: str) -> str:
    """`value` as one literal string of PowerShell."""
    plain = value.isascii() and all(char.isalnum() or char in "._-:/\\" for char in value)
    # PowerShell also ends a literal at the typographic quotes, so each is doubled like its own.
    return value if plain and value else "'" + _doubled(value) + "'"


def _doubled(value: str) -> str:
    return "".join(char * 2 if char in "'‘’‚‛" else char for char in value)


def toml(value: str) -> str:
    """`value` as a TOML basic string."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
