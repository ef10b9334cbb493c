"""Reading the lines of a shell script as values: nothing is ever executed.

A value that only running the script could tell is None. Each pattern reads a text in linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stacktui.exchange.shells import Shell, Value
from stacktui.identities.model import EnvSecret, FileSecret

Part = Value | None
# A word is made of parts: `"$X"y` of a variable and a text.
Word = list[Part]


@dataclass(frozen=True, slots=True)
class Command:
    """The words of a command, and of the one whose output it reads."""

    words: tuple[Part, ...]
    source: tuple[Part, ...] = ()


@dataclass(slots=True)
class Script:
    """What a script says: the variables that it sets, the last value of each, and its commands.

    `credential` is a user name with its secret, as PowerShell's cmdlets are given them.
    """

    shell: Shell
    variables: dict[str, Part] = field(default_factory=dict)
    commands: list[Command] = field(default_factory=list)
    credential: tuple[Part, Part] | None = None


_OF_CMD = re.compile(
    r'^[ \t]*@?(?:set\s+(?:/p\s+)?"?[A-Za-z_]\w*=|(?:rem|call)\b)', re.IGNORECASE | re.MULTILINE
)
_OF_POWERSHELL = re.compile(
    r"^[ \t]*(?:\$(?:env:)?\w+[ \t]*=|(?:Add|Set|Connect|Login)-Az)", re.IGNORECASE | re.MULTILINE
)


def read_script(text: str) -> Script:
    """Return what a script of bash, PowerShell or cmd says; which of them is told by its lines."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if _OF_POWERSHELL.search(text):
        return _read_powershell(text)
    return _read_cmd(text) if _OF_CMD.search(text) else _read_bash(text)


def _joined(word: Sequence[Part]) -> Part:
    """Return the value of a word: a text, or one reference and nothing else."""
    texts = [part for part in word if isinstance(part, str)]
    if len(texts) == len(word):
        return "".join(texts)
    return next(part for part in word if not isinstance(part, str)) if len(word) == 1 else None


def _add(script: Script, pipeline: list[list[Word]]) -> None:
    """Add the commands of a pipeline."""
    source: tuple[Part, ...] = ()
    for words in pipeline:
        if words:
            values = tuple(map(_joined, words))
            script.commands.append(Command(values, source))
            source = values


# bash

_BASH_WORD = r"""(?:'[^']*'|\$'(?:[^'\\]|\\.)*'|"(?:[^"\\$`]|\\.)*"|\\.|[^\s'"\\$|;&<>()`])+"""
_BASH = re.compile(
    rf"""(?P<end>\n|;|&&|\|\||&)|(?P<pipe>\|)|(?P<blank>(?:[ \t]|\\\n)+)
    |(?P<single>'[^']*')|(?P<ansi>\$'(?:[^'\\]|\\.)*')
    |(?P<file>"\$\(cat\ (?:--\ )?(?P<path>{_BASH_WORD})\)"
        |\$\(cat\ (?:--\ )?(?P<bare>{_BASH_WORD})\))
    |(?P<double>"(?:[^"\\]|\\.)*")|(?P<variable>\$(?:\w+|\{{\w+(?::\?[^{{}}\n]*)?\}}))
    |\\(?P<escaped>.)|(?P<text>[^\s'"\\$|;&<>()`]+)|(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_IN_DOUBLE = re.compile(
    r"""\\(?P<escaped>["$`\\\n])|(?P<variable>\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*(?::\?[^{}]*)?\}))
    |(?P<run>\$[({]|`)|(?P<text>[^\\$`]+|.)""",
    re.VERBOSE | re.DOTALL,
)
_ANSI = re.compile(r"\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|(.))|([^\\]+)", re.DOTALL)
_ANSI_CHARS = {"n": "\n", "t": "\t", "r": "\r", "e": "\x1b", "a": "\a", "b": "\b"}
_NAME = re.compile(r"[A-Za-z_]\w*")


def _read_bash(text: str) -> Script:
    script = Script(Shell.BASH)
    for pipeline in _bash_pipelines(text):
        for words in pipeline:
            _take_assignments(script, words)
        _add(script, pipeline)
    return script


def _take_assignments(script: Script, words: list[Word]) -> None:
    """Move the assignments before a command, or behind `export`, into the script's variables."""
    if words and words[0] in (["export"], ["declare"]):
        del words[0]
        while words and words[0] and str(words[0][0]).startswith("-"):
            del words[0]
    while words and words[0] and isinstance(first := words[0][0], str):
        name, sign, rest = first.partition("=")
        if not sign or not _NAME.fullmatch(name):
            return
        script.variables[name] = _joined([*[rest] * bool(rest), *words.pop(0)[1:]])


def _bash_pipelines(text: str) -> Iterator[list[list[Word]]]:
    pipeline: list[list[Word]] = [[]]
    word: Word | None = None
    place = 0
    while place < len(text):
        if word is None and text[place] == "#":
            place = (text.find("\n", place) + 1 or len(text) + 1) - 1
            continue
        found = _BASH.match(text, place)
        if found is None:
            break
        place = found.end()
        kind, value = found.lastgroup, found[0]
        if kind in ("end", "pipe", "blank"):
            if word is not None:
                pipeline[-1].append(word)
                word = None
            if kind == "pipe":
                pipeline.append([])
            elif kind == "end":
                yield pipeline
                pipeline = [[]]
            continue
        word = [] if word is None else word
        word += _bash_parts(found, value)
    if word is not None:
        pipeline[-1].append(word)
    yield pipeline


def _bash_parts(found: re.Match[str], value: str) -> Word:
    if found["file"]:
        path = "".join(
            str(part)
            for inner in _bash_pipelines(found["path"] or found["bare"])
            for words in inner
            for word in words
            for part in word
        )
        return [FileSecret(Path(path))]
    match found.lastgroup:
        case "single":
            return [value[1:-1]]
        case "ansi":
            return [_unescaped(value[2:-1])]
        case "double":
            return list(_in_double(value[1:-1])) or [""]
        case "variable":
            return [EnvSecret(_variable(value))]
        case "escaped":
            return ["" if found["escaped"] == "\n" else found["escaped"]]
        case "text":
            return [value]
    return [None]


def _variable(text: str) -> str:
    return text.strip("${}").partition(":")[0]


def _in_double(text: str) -> Iterator[Part]:
    for found in _IN_DOUBLE.finditer(text):
        if found["escaped"]:
            yield "" if found["escaped"] == "\n" else found["escaped"]
        elif found["variable"]:
            yield EnvSecret(_variable(found["variable"]))
        else:
            yield None if found["run"] else found["text"]


def _unescaped(text: str) -> str:
    """Return the content of `$'…'`, whose `\\x` are bytes of UTF-8."""

    def part(found: re.Match[str]) -> bytes:
        byte, code, char, plain = found.groups()
        if byte:
            return bytes([int(byte, 16)])
        given = chr(int(code, 16)) if code else _ANSI_CHARS.get(char, char) if char else plain
        return given.encode("utf-8", "surrogatepass")

    return b"".join(map(part, _ANSI.finditer(text))).decode("utf-8", "surrogateescape")


# PowerShell

_QUOTES = "'‘’‚‛"
_POWERSHELL = re.compile(
    rf"""(?P<end>[\n;])|(?P<pipe>\|)|(?P<blank>(?:[ \t,]|`\n)+)
    |(?P<single>[{_QUOTES}](?:[^{_QUOTES}]|[{_QUOTES}]{{2}})*[{_QUOTES}])
    |(?P<double>"(?:[^"`]|`.|"")*")|(?P<env>\$(?:env:\w+|\{{env:\w+\}}))|\$(?P<own>\w+)
    |(?P<char>\[char\]0x[0-9a-fA-F]{{4}})|(?P<open>\()|(?P<close>\)(?:\.\w+(?:\([^()\n]*\))?)*)
    |`(?P<escaped>.)|(?P<text>[^\s'"`$|;(),+\[{_QUOTES}]+)|(?P<other>.)""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_ASSIGNMENT = re.compile(r"[ \t]*\$(?P<env>env:)?(?P<name>\w+)[ \t]*=", re.IGNORECASE)
_CREDENTIAL = re.compile(r"[\w.]*PSCredential", re.IGNORECASE)


def _read_powershell(text: str) -> Script:
    script = Script(Shell.POWERSHELL)
    own: dict[str, Part] = {}
    place = 0
    while place < len(text):
        target = _ASSIGNMENT.match(text, place)
        place, pipeline = _powershell_pipeline(text, target.end() if target else place, own)
        if target is None:
            _add(script, pipeline)
        elif target["env"]:
            script.variables[target["name"]] = _only([_joined(word) for word in pipeline[0]])
        else:
            own[target["name"].lower()] = _assigned(script, [_joined(w) for w in pipeline[0]])
    return script


def _only(values: Sequence[Part]) -> Part:
    return values[0] if len(values) == 1 else None


def _assigned(script: Script, values: Sequence[Part]) -> Part:
    """Return the value of a variable; a user name with its secret is the script's credential."""
    match values:
        case ["New-Object", str(kind), user, secret] if _CREDENTIAL.fullmatch(kind):
            script.credential = (user, secret)
            return None
        case ["ConvertTo-SecureString", *rest]:
            return _only([each for each in rest if not _is_option(each)])
    return _only(values)


def _is_option(value: Part) -> bool:
    return isinstance(value, str) and value.startswith("-")


def _powershell_pipeline(
    text: str, place: int, own: Mapping[str, Part]
) -> tuple[int, list[list[Word]]]:
    """Return where the statement at `place` ends, and its pipeline.

    `own` are the script's own variables. Parentheses count as blanks, but for
    `(Get-Content … PATH)`, the content of a file, and `('a'+[char]0x000a+'b')`, a text.
    """
    pipeline: list[list[Word]] = [[]]
    word: Word | None = None
    group: list[Word] | None = None
    while found := _POWERSHELL.match(text, place):
        if word is None and found[0].startswith("#"):
            end = text.find("\n", place)
            place = len(text) if end < 0 else end
            continue
        place, kind = found.end(), found.lastgroup
        if kind not in ("end", "pipe", "blank", "open", "close"):
            if found[0] != "+":
                word = [] if word is None else word
                word.append(_powershell_part(found, own))
            continue
        words = pipeline[-1] if group is None else group
        words += [] if word is None else [word]
        word = None
        if kind == "end":
            break
        if kind == "open" and group is None:
            group = []
        elif kind == "close" and group is not None:
            pipeline[-1] += _grouped(group)
            group = None
        elif kind == "pipe" and group is None:
            pipeline.append([])
    pipeline[-1] += (group or []) + ([] if word is None else [word])
    return place, pipeline


def _grouped(words: list[Word]) -> list[Word]:
    """Return the words that stood in parentheses; as one, the file that `Get-Content` reads."""
    if words and words[0] == ["Get-Content"]:
        texts = [each for word in words[1:] if isinstance(each := _joined(word), str)]
        paths = [each for each in texts if not _is_option(each) and each.upper() != "UTF8"]
        return [[FileSecret(Path(paths[-1])) if paths else None]]
    return words


def _powershell_part(found: re.Match[str], own: Mapping[str, Part]) -> Part:
    value = found[0]
    match found.lastgroup:
        case "single":
            return re.sub(rf"([{_QUOTES}])[{_QUOTES}]", r"\1", value[1:-1])
        case "double" if "$" not in value:
            return re.sub(r"`(.)", r"\1", value[1:-1].replace('""', '"'), flags=re.DOTALL)
        case "env":
            return EnvSecret(value.strip("${}").partition(":")[2])
        case "own":
            return own.get(found["own"].lower())
        case "char":
            return chr(int(value[-4:], 16))
        case "escaped":
            return found["escaped"]
        case "text":
            return value
    return None


# cmd

_CMD = re.compile(
    r"""(?P<end>\n|&)|(?P<pipe>\|)|(?P<blank>(?:[ \t]|\^\n)+)|(?P<quoted>"[^"\n]*"?)
    |(?P<variable>%\w+%)|\^(?P<escaped>.)|(?P<text>[^\s"%^&|]+)|(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_SET = re.compile(
    r"""\s*@?set\s+(?:"(?P<name>\w+)=(?P<value>[^"\n]*)"|(?P<bare>\w+)=(?P<rest>[^\n]*))\s*""",
    re.IGNORECASE,
)
_SET_FROM_FILE = re.compile(
    r"""\s*@?set\s+/p\s+"?(?P<name>\w+)=[^"<\n]*(?:"\s*)?<\s*+"?+(?P<path>[^"\n]+)"?\s*""",
    re.IGNORECASE,
)
# How cmd takes a variable from another.
_SET_FROM_ENV = re.compile(
    r"""for /f [^(\n]*\('powershell -NoProfile -Command "\$env:(?P<of>\w+)"'\)"""
    r""" do set "(?P<name>\w+)=%%?i\"""",
    re.IGNORECASE,
)
_REM = re.compile(r"\s*@?(?:rem\b|::|echo\b)", re.IGNORECASE)
_IN_QUOTES = re.compile(r"%(\w+)%|([^%]+|%)")


def _read_cmd(text: str) -> Script:
    script = Script(Shell.CMD)
    for line in text.replace("^\n", " ").splitlines():
        if found := _SET_FROM_FILE.fullmatch(line):
            script.variables[found["name"]] = FileSecret(Path(found["path"].rstrip()))
        elif found := _SET_FROM_ENV.fullmatch(line):
            script.variables[found["name"]] = EnvSecret(found["of"])
        elif found := _SET.fullmatch(line):
            name, value = found["name"] or found["bare"], found["value"] or found["rest"] or ""
            script.variables[name] = _joined(list(_expanded(value)))
        elif not _REM.match(line):
            _add(script, _cmd_pipeline(line))
    return script


def _expanded(text: str) -> Iterator[Part]:
    for found in _IN_QUOTES.finditer(text):
        yield EnvSecret(found[1]) if found[1] else found[2]


def _cmd_pipeline(line: str) -> list[list[Word]]:
    pipeline: list[list[Word]] = [[]]
    word: Word | None = None
    for found in _CMD.finditer(line):
        kind, value = found.lastgroup, found[0]
        if kind in ("end", "pipe", "blank"):
            pipeline[-1] += [word] if word is not None else []
            word = None
            if kind != "blank":
                pipeline.append([])
            continue
        inner = value.strip('"') if kind == "quoted" else found["escaped"] or value
        parts = [inner] if kind in ("escaped", "text", "other") else list(_expanded(inner))
        word = [] if word is None else word
        word += parts or [""]
    pipeline[-1] += [word] if word is not None else []
    return [words[1:] if words[:1] in ([["call"]], [["@call"]]) else words for words in pipeline]
