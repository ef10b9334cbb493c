"""Quoting values in commands that a user will paste, since hosts and ids come from outside.

Unprintable characters become escapes of the shell: a raw ESC or line break, pasted into a terminal,
would act before the shell reads the quotes.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence

# The characters that PowerShell takes for a single quote.
_POWERSHELL_QUOTES = "'‘’‚‛"
# Characters without a meaning to cmd.exe, quoted or not; paths on Windows have backslashes.
_PLAIN = re.compile(r"[A-Za-z0-9\-._:/@\\]+")
# What cmd.exe interprets within quotes too, or takes for their end; `call` doubles a caret.
_NOT_FOR_CMD = frozenset('"%!^')


def bash(value: str) -> str:
    """Return `value` as one word of bash."""
    if value.isprintable():
        return shlex.quote(value)
    return "$'" + "".join(map(_bash_char, value)) + "'"


def _bash_char(char: str) -> str:
    if char.isprintable():
        return f"\\{char}" if char in "\\'" else char
    return "".join(f"\\x{byte:02x}" for byte in _utf8(char))


def _utf8(char: str) -> bytes:
    try:
        # A byte of a path that is not UTF-8 is a lone surrogate in Python (PEP 383).
        return char.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return char.encode("utf-8", "surrogatepass")


def powershell(value: str) -> str:
    """Return `value` as one string of PowerShell, in an expression or as an argument.

    Always quoted: a bare word is a string only as an argument, but a command elsewhere.
    """
    parts = ["'"]
    for char in value:
        if char.isprintable():
            # Typographic quotes also end a literal in PowerShell, so each is doubled.
            parts.append(char * 2 if char in _POWERSHELL_QUOTES else char)
        else:
            units = char.encode("utf-16-be", "surrogatepass")
            codes = (units[:2], units[2:]) if len(units) > 2 else (units,)
            chars = "+".join(f"[char]0x{code.hex()}" for code in codes)
            parts.append(f"'+{chars}+'")
    literal = "".join((*parts, "'"))
    return literal if value.isprintable() else f"({literal})"


def cmd(value: str) -> str:
    """Return `value` as one word of cmd.exe, in quotes unless it is plain.

    Raises ValueError for a value that cmd cannot be given, in a batch file or typed.
    """
    if value.endswith("\\") and not _PLAIN.fullmatch(value):
        raise ValueError("a backslash before the quote would be read as part of it")
    return value if _PLAIN.fullmatch(value) else f'"{in_cmd_quotes(value)}"'


def in_cmd_quotes(value: str) -> str:
    """Return `value` as it stands between quotes in cmd.exe. Raises ValueError as `cmd` does."""
    if not value.isprintable() or _NOT_FOR_CMD & set(value):
        raise ValueError("cmd cannot hold such a value")
    return value


def powershell_for_batch(value: str) -> str:
    """Return `value` as an argument that PowerShell gives a batch file, as az is one on Windows.

    Raises ValueError where cmd.exe would interpret it after PowerShell has removed the quotes.
    """
    if not _PLAIN.fullmatch(value.replace(" ", "")):
        raise ValueError("a batch file cannot be given such a value")
    return powershell(value)


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
    """Return an az command for bash and PowerShell; `command` builds it, given a quoting function.

    The latter is empty where a word is not plain: on Windows az is a batch file (`az.cmd`), and
    cmd.exe would interpret the words after PowerShell has removed its quotes.
    """
    words: list[str] = []

    def noted(value: str) -> str:
        words.append(value)
        return powershell(value)

    in_powershell = command(noted)
    plain = all(_PLAIN.fullmatch(word) for word in words)
    return command(bash), in_powershell if plain else ""


def toml(value: str) -> str:
    """Return `value` as a TOML basic string."""
    return '"' + "".join(map(_toml_char, value)) + '"'


def _toml_char(char: str) -> str:
    if char in '\\"':
        return f"\\{char}"
    return char if char.isprintable() else f"\\U{ord(char):08x}"


def toml_table(group: str, name: str) -> str:
    """Return the header of one table of the config: `[environments.NAME]`."""
    bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return f"[{group}.{name if bare else toml(name)}]"
