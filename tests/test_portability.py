"""Nothing of the product that Windows lacks is reached without a guard.

`mypy --platform win32` finds what the types tell: functions and constants that only POSIX has. It
finds neither an import that fails there, nor a method of an event loop that is there and only
raises NotImplementedError. Those are looked for here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PRODUCT = Path(__file__).parent.parent / "stacktui"
# "Availability: Unix" in the reference of the standard library.
MODULES = {
    "crypt", "curses", "fcntl", "grp", "nis", "ossaudiodev", "posix", "pty", "pwd", "readline",
    "resource", "spwd", "syslog", "termios", "tty",
}  # fmt: skip
# "Platform Support" in the reference of asyncio: what one of Windows' event loops lacks.
METHODS = {
    "add_reader", "add_signal_handler", "add_writer", "connect_read_pipe", "connect_write_pipe",
    "create_unix_connection", "create_unix_server", "remove_reader", "remove_signal_handler",
    "remove_writer",
}  # fmt: skip
HANDLING = {"ImportError", "ModuleNotFoundError", "NotImplementedError"}


def unguarded(node: ast.AST, guarded: bool = False) -> Iterator[str]:
    """What Windows lacks and is reached under `node`: not in a branch of a question for the
    platform, nor after one that leaves, nor where its failure is handled. Suppressing the failure
    is no guard: what was wanted is then not done, and nothing is in its place.
    """
    if not guarded:
        yield from _lacked(node)
    for field, value in ast.iter_fields(node):
        inner = guarded or (field == "body" and isinstance(node, ast.Try) and _handles(node))
        inner = inner or (isinstance(node, ast.If | ast.IfExp) and _asks(node.test))
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, ast.AST):
                yield from unguarded(each, inner)
                inner = inner or (isinstance(each, ast.If) and _asks(each.test) and _leaves(each))


def _lacked(node: ast.AST) -> set[str]:
    match node:
        case ast.Import(names=names):
            return {each.name.partition(".")[0] for each in names} & MODULES
        case ast.ImportFrom(module=str(module), level=0):
            return {module.partition(".")[0]} & MODULES
        case ast.Attribute(attr=name):
            return {name} & METHODS
    return set()


def _asks(test: ast.expr) -> bool:
    return "sys.platform" in ast.unparse(test) or "os.name" in ast.unparse(test)


def _leaves(branch: ast.If) -> bool:
    return isinstance(branch.body[-1], ast.Return | ast.Raise | ast.Continue)


def _handles(node: ast.Try) -> bool:
    handled = " ".join(ast.unparse(each.type) for each in node.handlers if each.type)
    return bool(HANDLING.intersection(re.findall(r"\w+", handled)))


def test_windows_lacks_nothing_that_the_product_reaches() -> None:
    reached, found = set(), {}
    for path in PRODUCT.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if names := set().union(*map(_lacked, ast.walk(tree))):
            reached |= names
            found[path.name] = [*unguarded(tree)]
    assert {"fcntl", "add_signal_handler"} <= reached
    assert not any(found.values()), found


@pytest.mark.parametrize(
    "code",
    [
        "import os, fcntl",
        "from termios import tcgetattr",
        "def f():\n import curses.ascii",
        "with suppress(NotImplementedError):\n loop.add_signal_handler(2, f)",
        "try:\n import pwd\nexcept OSError:\n pass",
        "try:\n pass\nexcept ImportError:\n import pwd",
        "import tty\nif sys.platform == 'win32':\n raise OSError",
        "def f():\n if sys.platform == 'win32':\n  return\n\nimport tty",
        "if sys.platform == 'win32':\n x = 1\nimport tty",
    ],
)
def test_what_has_no_guard_is_found(code: str) -> None:
    assert len([*unguarded(ast.parse(code))]) == 1


@pytest.mark.parametrize(
    "code",
    [
        "import os\nfrom .tty import x\nresource = 1",
        "if sys.platform != 'win32':\n import tty",
        "if sys.platform == 'win32':\n pass\nelse:\n import tty",
        "def f():\n if os.name == 'nt':\n  return\n def g():\n  import tty",
        "try:\n import pwd\nexcept ImportError:\n pwd = None",
        "try:\n loop.add_reader(1, f)\nexcept NotImplementedError:\n g()",
    ],
)
def test_what_has_a_guard_is_not(code: str) -> None:
    assert [*unguarded(ast.parse(code))] == []
