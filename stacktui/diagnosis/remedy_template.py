"""Templates of remedies, filled with a finding's values or with example values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from stacktui.diagnosis.finding import Action, Remedy
from stacktui.text.shell import bash, for_az, powershell

Quote = Callable[[str], str]


class PlainWord(str):
    """A text that needs no quoting in any shell: a variable's name, a fingerprint."""

    __slots__ = ()


# A text is quoted as one word of the shell; a number is inserted as it is; a function gets the
# shell's quoting and returns any number of words.
Value = str | int | Callable[[Quote], str]
# `${NAME}` is the shell's syntax.
_PLACEHOLDER = re.compile(r"(?<!\$)\{([a-z_]+)\}")
# What the catalogue shows for the values of `ReportContext.placeholders`.
_SHOWN = {"environment": " NAME", "config": "", "section": "the environment"}


@dataclass(frozen=True, slots=True)
class RemedyTemplate:
    """A remedy with placeholders such as `{host}` in its title and commands.

    There is a command for bash and one for PowerShell, or one for both (`for_both`). `shown`
    has the example that the catalogue shows for a placeholder, by default its name in capitals.
    `az` marks an az command, the same for both; PowerShell gets none if `shell.for_az` has none.
    """

    title: str
    bash: str = ""
    powershell: str = ""
    shown: Mapping[str, str] = field(default_factory=dict)
    az: bool = False

    def fill(self, action: Action | None = None, /, **values: Value) -> Remedy:
        """Return the remedy with these values; KeyError for a placeholder without one."""
        title = _PLACEHOLDER.sub(lambda place: str(values[place[1]]), self.title)
        if self.az:
            return Remedy(title, *for_az(lambda quote: _filled(self.bash, values, quote)), action)
        return Remedy(
            title,
            _filled(self.bash, values, bash),
            _filled(self.powershell, values, powershell),
            action,
        )

    def fill_for_az(self, /, **values: Value) -> Remedy:
        """Like `fill`, but without a PowerShell command if `shell.for_az` has none."""
        _, in_powershell = for_az(lambda quote: _filled(self.powershell, values, quote))
        return replace(self.fill(**values), powershell=in_powershell)

    def in_catalogue(self) -> Remedy:
        """Return the remedy as the catalogue shows it, with examples such as HOST and NAME."""
        known = _SHOWN | dict(self.shown)

        def word(place: re.Match[str]) -> str:
            return known.get(place[1], place[1].upper())

        title, for_bash, for_powershell = (
            _PLACEHOLDER.sub(word, each) for each in (self.title, self.bash, self.powershell)
        )
        return Remedy(title, for_bash, for_powershell)


def for_both(title: str, command: str, **shown: str) -> RemedyTemplate:
    """Return a remedy whose command is the same in bash and in PowerShell."""
    return RemedyTemplate(title, command, command, shown)


def by_az(title: str, command: str, **shown: str) -> RemedyTemplate:
    """Return a remedy whose command is an az command."""
    return RemedyTemplate(title, command, command, shown, az=True)


def _filled(text: str, values: Mapping[str, Value], quote: Quote) -> str:
    def word(place: re.Match[str]) -> str:
        value = values[place[1]]
        if callable(value):
            return value(quote)
        return str(value) if isinstance(value, int | PlainWord) else quote(value)

    return _PLACEHOLDER.sub(word, text)
