"""No two modules of the product need each other: not for typing, and not inside functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import stacktui

FOLDER = Path(stacktui.__file__).parent
MODULES = {
    ".".join(path.relative_to(FOLDER.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in FOLDER.rglob("*.py")
}


def imported(path: Path) -> Iterator[str]:
    """The product's modules that a file imports, wherever it does."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            for each in node.names:
                inner = f"{node.module}.{each.name}"
                yield inner if inner in MODULES else node.module
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names)


def test_imports_go_round_in_no_circle() -> None:
    graph = {name: {*imported(path)} & MODULES.keys() - {name} for name, path in MODULES.items()}
    assert sum(map(len, graph.values())) > len(MODULES)  # it sees them at all
    TopologicalSorter(graph).prepare()  # CycleError names the modules of a circle
