"""Read-only mode in the app: what writes is in one set of actions, which is hidden and refused."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

import stacktui
from stacktui.config import read_only
from stacktui.tui.keys import WRITING

from . import canned
from .canned import CONFIG, canned_app
from .screen import read, settle, text_of, until, write

ROOT = Path(stacktui.__file__).parent
FAULT = canned.events_of(canned.UNTRUSTED)
Function = ast.FunctionDef | ast.AsyncFunctionDef
# What changes a file of the user's, in the end. The history is not one: it has its own database.
# And the screens that write in ARM, by an engine that is loaded late.
WRITERS = {"write_atomically", "set_mode", "run_suspended", "CreateGroup", "TagGroup",
           "DeleteGroup", "WriteProbeScreen"}  # fmt: skip
# A check writes the record of a stamp on its own, but not in read-only mode.
ALONE = "record_first"
BELOW = ("config/", "environments/", "certificates/", "identities/", "check/", "diagnosis/",
         "exchange/importing", "exchange/identity_import")  # fmt: skip
# The modules of what is always on screen; the other screens are opened by its actions.
BOARD = ("app", "files_app", "dashboard", "certificate_actions", "check_actions", "config_actions",
         "group_actions", "group_change_actions", "pane_grid")  # fmt: skip
# Whose methods are called through these.
OWNERS = {
    "self.services": ("StacktuiApp", "FilesApp"),
    "self.app": ("StacktuiApp", "FilesApp"),
    "self.config": ("ConfigStore",),
}


@pytest.fixture
def _read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_only, "_asked_by", {"--read-only": True})


def uses_in(*places: str) -> tuple[dict[str, set[str]], set[str]]:
    """Return what each function, class and method (`Class.method`) uses, called or passed on; and
    the actions of what is always on screen. A class uses what its methods and its bases use."""
    uses: dict[str, set[str]] = defaultdict(set)
    actions = set()
    for path in sorted(ROOT.rglob("*.py")):
        if not path.relative_to(ROOT).as_posix().startswith(places):
            continue
        board = path.stem in BOARD or path.parent.name in ("panes", "widgets")
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, Function):
                uses[node.name] |= names_in(node, ())
            bases = [ast.unparse(base).partition("[")[0] for base in getattr(node, "bases", ())]
            for each in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(each, Function):
                    uses[f"{node.name}.{each.name}"] |= names_in(each, (node.name, *bases))
                    uses[node.name].add(f"{node.name}.{each.name}")
                    if board and each.name.startswith("action_"):
                        actions.add(f"{node.name}.{each.name}")
            if isinstance(node, ast.ClassDef):
                uses[node.name].update(bases)
    return uses, actions


def names_in(function: Function, owners: Sequence[str]) -> set[str]:
    hints = [
        each.annotation for each in ast.walk(function) if isinstance(each, ast.arg | ast.AnnAssign)
    ]
    unused = {id(each) for hint in hints if hint for each in ast.walk(hint)}
    used = set()
    for each in ast.walk(function):
        if isinstance(each, ast.Name) and id(each) not in unused:
            used.add(each.id)
        elif isinstance(each, ast.Attribute):
            of = ast.unparse(each.value)
            whose = owners if of == "self" else OWNERS.get(of, ())
            used |= {f"{name}.{each.attr}" for name in whose}
    return used


def closure(start: str, uses: Mapping[str, set[str]]) -> set[str]:
    reached, waiting = set(), {start}
    while waiting:
        reached |= waiting
        waiting = {more for each in waiting for more in uses.get(each, ())} - reached
    return reached


def test_every_action_that_leads_to_a_write_is_in_the_set() -> None:
    below, _ = uses_in(*BELOW)
    del below[ALONE]
    uses, actions = uses_in("tui/")
    for name, used in below.items():
        uses[name] |= used
    named = {name.partition(".action_")[2]: closure(name, uses) for name in actions}
    writing = {action for action, reached in named.items() if reached & WRITERS}
    # What they show is of use without being written (test_groups, test_export_environment,
    # test_identity_actions).
    shows = {"choose_subscription", "export_environment", "test_identity"}
    assert writing - shows == WRITING & set(named)
    assert {"use", "add", "fix", "trust", "untrust", "export", "edit_config"} <= writing


@pytest.mark.usefixtures("_read_only")
async def test_what_writes_is_hidden_and_does_nothing(config: Path) -> None:
    app = canned_app(config, FAULT, text=CONFIG)
    async with app.run_test(size=(120, 40)) as pilot:
        shown = await until(pilot, "read-only")
        assert "make active" not in shown
        assert "add environment" not in shown
        await pilot.press("c")
        shown = await until(pilot, "✗ tls-untrusted-root")
        assert "f fix" not in shown
        for keys in ("j", "space", "a", "e", "D", "t", "f", "ctrl+e", "2", "T", "U", "x"):
            await pilot.press(keys)
            await settle(pilot)
            assert app.screen is app.dashboard
        await pilot.press("question_mark")
        shown = await until(pilot, "Everywhere")
        for words in ("fix", "make active", "trust its root", "export for az", "edit the config"):
            assert f" {words}" not in shown
        await pilot.press("escape", "colon")
        await until(pilot, "Commands and places")
        assert "export for az" not in text_of(app)
    assert read(config) == CONFIG


async def test_the_config_turns_it_on_and_off(config: Path) -> None:
    app = canned_app(config, text="read_only = true\n" + CONFIG)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, "read-only")
        await pilot.press("space")
        await settle(pilot)
        assert read(config).startswith("read_only = true\n")
        write(config, CONFIG)
        await pilot.press("r")
        await until(pilot, "the config was read again")
        await pilot.press("k")
        shown = await until(pilot, "space make active")
        assert "read-only" not in shown
