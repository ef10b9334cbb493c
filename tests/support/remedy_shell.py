"""Run a command of a remedy, filled with a site's values, as a user pastes it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from stacktui.diagnosis.remedy_template import PlainWord, RemedyTemplate
from tests.product import stacktui
from tests.support.pasted import Shell

_PLACE = re.compile(r"\{([a-z_0-9]+)\}")
# What needs a shell: the rest is run in this process, which takes a tenth of the time.
_OF_A_SHELL = re.compile(r"[|&;<>$`]")
Value = str | int


@dataclass(frozen=True, slots=True)
class Site:
    """Where commands are run: `folder` is the working directory, `values` fill texts."""

    folder: Path
    values: Mapping[str, str]

    def text(self, text: str, escape: Callable[[str], str] = str) -> str:
        """Return a text with the values in its places; unknown places stay."""
        return _PLACE.sub(
            lambda place: escape(self.values[place[1]]) if place[1] in self.values else place[0],
            text,
        )

    def fill(self, template: RemedyTemplate, values: Mapping[str, Value]) -> str:
        """Return the template's command for bash. A `PlainWord` is inserted as it is.

        The places that all remedies fill alike have the config of this folder.
        """
        config = f" --config {self.folder}/config.toml"
        every = f"{template.title} {template.powershell}"
        filled: dict[str, Value] = dict.fromkeys(_PLACE.findall(every), "-")
        filled |= {
            "environment": PlainWord(f"{config} -- Test"),
            "config": PlainWord(config),
            "asked": PlainWord(f" --environment Test{config}"),
        }
        for name, value in values.items():
            kind = PlainWord if isinstance(value, PlainWord) else str
            filled[name] = value if isinstance(value, int) else kind(self.text(value))
        return template.fill(**filled).bash

    def run(self, lines: Iterable[str], typed: str = "") -> tuple[int, str]:
        """Run command lines in order; return the first exit code but 0, and all output.

        Those that need a shell and follow each other share one.
        """
        shown = ""
        for ours, some in groupby(lines, _is_ours):
            for each in some if ours else ["\n".join(some)]:
                code, out = self._ours(each, typed) if ours else self._bash(each, typed)
                shown += out
                if code:
                    return code, shown
        return 0, shown

    def _bash(self, script: str, typed: str) -> tuple[int, str]:
        done = Shell(self.folder).run(script, typed=typed)
        return done.returncode, done.stdout + done.stderr

    def _ours(self, command: str, typed: str) -> tuple[int, str]:
        given = self.folder / "typed"
        given.write_text(typed, encoding="utf-8")
        ran = stacktui(*shlex.split(command)[1:], stdin=str(given))
        return ran.code, ran.out + ran.err


def _is_ours(line: str) -> bool:
    return line.startswith("stacktui ") and not _OF_A_SHELL.search(line)
