"""Values inside commands that a user will paste: quoted, since hosts and ids come from outside.

What cannot be printed is written as an escape of the shell's own: pasted into a terminal, a raw
ESC or line break would act before any shell reads the quotes around it.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence

# The characters that PowerShell takes for a single quote.
_POWERSHELL_QUOTES = "'‘’‚‛"
# What means nothing to cmd.exe, quoted or not; a file's name on Windows has backslashes.
_PLAIN = re.compile(r"[A-Za-z0-9\-._:/@\\]+")


def bash(value: str) -> str:
    """`value` as one word of bash."""
    if value.isprintable():
        return shlex.quote(value)
    return "$'" + "".join(map(_bash_char, value)) + "'"


def _bash_char(char: str) -> str:
    if char.isprintable():
        return f"\\{char}" if char in "\\'" else char
    return "".join(f"\\x{byte:02x}" for byte in _utf8(char))


def _utf8(char: str) -> bytes:
    try:
        # A path's byte that is no UTF-8 is a lone surrogate in Python (PEP 383).
        return char.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return char.encode("utf-8", "surrogatepass")


def powershell(value: str) -> str:
    """`value` as one string of PowerShell, in an expression or as an argument.

    Always quoted: a bare word is a string only as an argument, and a command elsewhere.
    """
    parts = ["'"]
    for char in value:
        if char.isprintable():
            # PowerShell also ends a literal at typographic quotes; each is doubled like its own.
            parts.append(char * 2 if char in _POWERSHELL_QUOTES else char)
        else:
            units = char.encode("utf-16-be", "surrogatepass")
            codes = (units[:2], units[2:]) if len(units) > 2 else (units,)
            chars = "+".join(f"[char]0x{code.hex()}" for code in codes)
            parts.append(f"'+{chars}+'")
    literal = "".join((*parts, "'"))
    return literal if value.isprintable() else f"({literal})"


def command_line(command: str, arguments: Sequence[str]) -> dict[str, str]:
    """A command of ours with arguments from outside, by shell: `bash`, `powershell`."""
    return {
        shell: " ".join((command, *(each if _is_bare(each) else quote(each) for each in arguments)))
        for shell, quote in (("bash", bash), ("powershell", powershell))
    }


def for_this_machine(lines: Mapping[str, str]) -> str:
    """The line for the shell that this machine's users have."""
    return lines["powershell" if sys.platform == "win32" else "bash"]


def _is_bare(word: str) -> bool:
    """Whether a word needs no quotes in either shell: an option, a fingerprint, a plain name."""
    return word.isascii() and word.lstrip("-").isalnum()


def for_az(command: Callable[[Callable[[str], str]], str]) -> tuple[str, str]:
    """A command of az's in bash and in PowerShell; `command` puts it together of quoted words.

    The latter is empty where a word is not plain: on Windows az is a batch file (`az.cmd`).
    PowerShell takes its own quotes off, and cmd.exe then reads the words as a command of its own.
    """
    words: list[str] = []

    def noted(value: str) -> str:
        words.append(value)
        return powershell(value)

    in_powershell = command(noted)
    plain = all(_PLAIN.fullmatch(word) for word in words)
    return command(bash), in_powershell if plain else ""


def toml(value: str) -> str:
    """`value` as a TOML basic string."""
    return '"' + "".join(map(_toml_char, value)) + '"'


def _toml_char(char: str) -> str:
    if char in '\\"':
        return f"\\{char}"
    return char if char.isprintable() else f"\\U{ord(char):08x}"


def toml_table(group: str, name: str) -> str:
    """The header of one table of the config, as it would be written: `[environments.NAME]`."""
    bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return f"[{group}.{name if bare else toml(name)}]"
