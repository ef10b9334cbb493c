"""CONTRIBUTING.md lists every key with its action."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from textual.binding import Binding
from textual.dom import DOMNode

from stacktui.tui import app, keys, panes, screens, widgets

CONTRIBUTING = Path(__file__).parents[2] / "CONTRIBUTING.md"


def bound() -> Iterator[type[DOMNode]]:
    """Yield the classes that bind keys, in the order of their modules."""
    modules = [app]
    for package in (screens, panes, widgets):
        names = sorted(each.name for each in iter_modules(package.__path__))
        modules += [import_module(f"{package.__name__}.{name}") for name in names]
    for module in modules:
        for each in vars(module).values():
            ours = isinstance(each, type) and each.__module__ == module.__name__
            if ours and "BINDINGS" in vars(each):
                yield each


def table() -> str:
    """Return a row per class: its keys, and what they do."""
    lines = ["| where | keys |", "| --- | --- |"]
    for owner in bound():
        does: dict[str, list[str]] = {}
        names: dict[str, list[str]] = {}
        for binding in owner.BINDINGS:
            assert isinstance(binding, Binding)
            does.setdefault(binding.description, []).extend(binding.key.split(","))
            names.setdefault(binding.description, []).extend([binding.id] if binding.id else [])
        cells = []
        for what, pressed in does.items():
            shown = " ".join(f"`{keys.NAMES.get(each, each)}`" for each in pressed)
            cells.append(
                f"{shown} {what}" + (f" ({', '.join(names[what])})" if names[what] else "")
            )
        lines.append(f"| `{owner.__name__}` | {'; '.join(cells)} |")
    return "\n".join(lines)


def test_every_key_is_in_the_table() -> None:
    assert table() in CONTRIBUTING.read_text(encoding="utf-8")
