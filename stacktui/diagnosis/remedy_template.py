"""A remedy as it is written once: filled with a finding's values, or shown before any is met."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from stacktui.diagnosis.finding import Action, Remedy
from stacktui.text.shell import bash, for_az, powershell

Quote = Callable[[str], str]


class PlainWord(str):
    """A text that is one word of every shell as it stands: a variable's name, a fingerprint."""

    __slots__ = ()


# A text becomes one word of the shell; a number stands as it is; a function makes of the shell's
# quoting what is more than one word, or none.
Value = str | int | Callable[[Quote], str]
# `${NAME}` is the shell's own.
_PLACEHOLDER = re.compile(r"(?<!\$)\{([a-z_]+)\}")
# What the catalogue shows for the places that `ReportContext.places` fills.
_SHOWN = {"environment": " NAME", "config": "", "section": "the environment"}


@dataclass(frozen=True, slots=True)
class RemedyTemplate:
    """A remedy in which `{host}`, in its title or its commands, stands for a value.

    Commands are one for bash and one for PowerShell, or the same for both (`for_both`). `shown`
    has what a reader of the catalogue sees for a place, where that is not its name in capitals.
    `az`: a command of az's, the same for both, and none for PowerShell where `shell.for_az` has
    none.
    """

    title: str
    bash: str = ""
    powershell: str = ""
    shown: Mapping[str, str] = field(default_factory=dict)
    az: bool = False

    def fill(self, action: Action | None = None, /, **values: Value) -> Remedy:
        """The remedy with these values; KeyError for a place that has none."""
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
        """The same of a command of az's, without one for PowerShell where `shell.for_az` has
        none."""
        _, in_powershell = for_az(lambda quote: _filled(self.powershell, values, quote))
        return replace(self.fill(**values), powershell=in_powershell)

    def in_catalogue(self) -> Remedy:
        """The remedy as the catalogue shows it, with HOST, NAME and the like for its places."""
        known = _SHOWN | dict(self.shown)

        def word(place: re.Match[str]) -> str:
            return known.get(place[1], place[1].upper())

        title, for_bash, for_powershell = (
            _PLACEHOLDER.sub(word, each) for each in (self.title, self.bash, self.powershell)
        )
        return Remedy(title, for_bash, for_powershell)


def for_both(title: str, command: str, **shown: str) -> RemedyTemplate:
    """A remedy whose command is the same in bash and in PowerShell."""
    return RemedyTemplate(title, command, command, shown)


def by_az(title: str, command: str, **shown: str) -> RemedyTemplate:
    """A remedy whose command is az's."""
    return RemedyTemplate(title, command, command, shown, az=True)


def _filled(text: str, values: Mapping[str, Value], quote: Quote) -> str:
    def word(place: re.Match[str]) -> str:
        value = values[place[1]]
        if callable(value):
            return value(quote)
        return str(value) if isinstance(value, int | PlainWord) else quote(value)

    return _PLACEHOLDER.sub(word, text)
