"""`KEY=VALUE` arguments of the commands that change a table of the config."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stacktui.cli.ask import CommandError
from stacktui.cli.output import err


def read_pairs(texts: Iterable[str], keys: Iterable[str]) -> dict[str, str]:
    """Return `KEY=VALUE` arguments as a mapping. Raises CommandError, which names the `keys`."""
    pairs = {}
    for text in texts:
        key, sign, value = text.partition("=")
        if not sign:
            raise CommandError(f"write KEY=VALUE; KEY is one of: {', '.join(keys)}")
        pairs[key.strip()] = value.strip()
    return pairs


def err_changes(name: str, changes: Mapping[str, tuple[str, str]]) -> None:
    """Write each key with its value before and after; either may be empty."""
    for key, (before, after) in changes.items():
        was = f" (was: {before})" if before else ""
        err(f"{name}: {key} = {after}{was}" if after else f"{name}: {key} taken out{was}")
