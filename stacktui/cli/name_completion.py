"""Shell completion of names in the config. A config that cannot be read completes nothing.

The machinery is click's: a shell's script runs `stacktui` with what is typed in variables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class

from stacktui.config.document import read_document
from stacktui.config.locations import config_file
from stacktui.errors import StacktuiError

# What bash would not take as a part of a word.
_UNSAFE = re.compile(r"([^\w@%+=:,./-])")


def environment_names(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[str]:
    """Complete the name of an environment, but for those that the argument has already."""
    given = context.params.get(parameter.name or "")
    others = given if isinstance(given, tuple) else ()
    names = config_names(context, "environments")
    return [each for each in starting(names, incomplete) if each not in others]


def identity_names(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of an identity."""
    return starting(config_names(context, "identities"), incomplete)


def config_names(context: click.Context, key: str) -> list[str]:
    """Return the names of the tables below `key` (`environments`, `identities`) of the config.

    Reads the file alone: its values need not be valid, and nothing is reported.
    """
    within: click.Context | None = context
    config: Path | None = None
    while within is not None and config is None:
        config, within = within.params.get("config"), within.parent
    with suppress(StacktuiError, OSError):
        tables = read_document(config_file(config)).get(key)
        # A shell reads a name a line.
        return [each for each in tables if each.isprintable()] if isinstance(tables, dict) else []
    return []


def starting(words: Iterable[str], incomplete: str) -> list[str]:
    """Return the words that begin with what is typed."""
    return [each for each in words if each.startswith(incomplete)]


@add_completion_class
class _Bash(BashComplete):
    """Also completes `KEY=VALUE`, which bash takes for three words, and quotes what it inserts."""

    _before = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        args, incomplete = super().get_completion_args()
        joined: list[str] = []
        for word in (*args, incomplete):
            if joined and (word == "=" or joined[-1].endswith("=")):
                joined[-1] += word
            else:
                joined.append(word)
        *args, incomplete = joined
        key, sign, _ = incomplete.rpartition("=")
        self._before = key + sign
        return args, incomplete

    def format_completion(self, item: CompletionItem[Any]) -> str:
        value = item.value.removeprefix(self._before)  # bash replaces what is after the sign
        quoted = _UNSAFE.sub(r"\\\\\1", value)  # `read` of the script takes one backslash
        return f"{item.type},{quoted}"
