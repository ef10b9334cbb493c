"""The tree in the docstring of `stacktui.errors` is the tree of the classes."""

from __future__ import annotations

import re
from importlib import import_module
from inspect import isclass
from pkgutil import walk_packages

import stacktui
from stacktui import errors
from stacktui.errors import FaultError, StacktuiError


def classes() -> set[type[Exception]]:
    """Every public error class of the product. The stamp's are its own."""
    outside = ("stacktui.stamp", "stacktui.__main__")
    names = [each.name for each in walk_packages(stacktui.__path__, "stacktui.")]
    modules = [import_module(name) for name in names if not name.startswith(outside)]
    found = {value for module in modules for value in vars(module).values() if isclass(value)}
    return {
        each
        for each in found
        if issubclass(each, Exception)
        and each.__module__.startswith("stacktui.")
        and not each.__module__.startswith(outside)
        and not each.__name__.startswith("_")
    }


def test_every_error_stands_in_the_tree_below_its_base() -> None:
    drawn: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    for found in re.finditer(r"^[ │├└─]*(\w+Error) ", errors.__doc__ or "", re.MULTILINE):
        depth = found.start(1) - found.start()
        path = [each for each in path if each[0] < depth]
        drawn[found[1]] = path[-1][1] if path else "Exception"
        path.append((depth, found[1]))
    bases = {each.__name__: each.__mro__[1].__name__ for each in classes()}
    assert bases == drawn


def test_a_message_is_one_harmless_line() -> None:
    assert str(StacktuiError("one\ntwo\x1b[31m")) == r"one\ntwo\x1b[31m"
    assert str(FaultError("a fault of\u202e no known kind")) == r"a fault of\u202e no known kind"
