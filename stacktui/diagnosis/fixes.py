"""The remedies that stacktui can carry out itself: list, plan and apply them.

Functions that touch files block, and raise StacktuiError.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from stacktui.certificates.file_repair import WORDS
from stacktui.check.open_files import ModeError, mode_of, set_mode
from stacktui.check.pinning import accept, ask_stamp, differences
from stacktui.check.settings import load_settings
from stacktui.check.target import CheckTarget
from stacktui.config.document import ConfigError
from stacktui.config.locations import stamps_file
from stacktui.diagnosis.finding import Action, ActionKind, Diagnosis, Finding, Remedy
from stacktui.environments.config import change_environment
from stacktui.environments.model import Environment
from stacktui.errors import StacktuiError
from stacktui.text.sanitize import escape_control_chars
from stacktui.transport.limits import Limits
from stacktui.transport.proxy import without_credentials

UNSET = "not set"
# Defects of a file that are shown before it is repaired.
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Fix:
    """A remedy that stacktui can carry out; `also_seen` when the finding is not the verdict."""

    finding: Finding
    remedy: Remedy
    action: Action
    also_seen: bool = False


# The kinds that `plan_fix` has no plan for: each has a screen that asks for more than a yes.
ASKS = (
    ActionKind.TRUST_ROOT,
    ActionKind.ASK_SECRET,
    ActionKind.GRANT,
    ActionKind.REMOVE_LEFTOVERS,
)


@dataclass(frozen=True, slots=True)
class FixPlan:
    """What a fix changes in `file`: the name of each value, and the value before and after.

    `then` says what happens next. `carry_out` applies the fix and returns a line about it; if it
    raises StacktuiError, nothing was changed. `why_not` says why a fix cannot be applied.
    """

    file: Path
    values: tuple[tuple[str, str, str], ...] = ()
    then: str = ""
    carry_out: Callable[[], str] | None = None
    why_not: str = ""


def fixes_of(diagnosis: Diagnosis | None, *, can_grant: bool = False) -> tuple[Fix, ...]:
    """Return each fix once: the verdict's first, then those of `also_seen`.

    `can_grant` says whether there is an identity that could grant a role.
    """
    found: dict[Action, Fix] = {}
    if diagnosis is None:
        return ()
    verdict = diagnosis.verdict
    for finding in (*([verdict] if verdict else []), *diagnosis.also_seen):
        for remedy in finding.remedies:
            if remedy.action is not None and (can_grant or remedy.action.kind != ActionKind.GRANT):
                fix = Fix(finding, remedy, remedy.action, also_seen=finding is not verdict)
                found.setdefault(remedy.action, fix)
    return tuple(found.values())


# Applying a fix


def plan_fix(fix: Fix, config: Path, name: str, limits: Limits) -> FixPlan:
    """Return what the fix changes in environment `name` of the config file; never raises.

    ACCEPT asks the stamp first, within `limits`: that may take as long as a step of a check.
    """
    accepts = fix.action.kind is ActionKind.ACCEPT
    if fix.action.kind is ActionKind.REPAIR:
        return _repair(Path(fix.action.key))
    if fix.action.kind is ActionKind.CHMOD:
        return _mode(Path(fix.action.key), int(fix.action.value, 8))
    try:
        target = _target(config, name)
        if not accepts:
            return _setting(fix.action, config, target.environment)
        environment = replace(target.environment, limits=limits)
        return _acceptance(replace(target, environment=environment))
    except StacktuiError as error:
        return FixPlan(stamps_file() if accepts else config, why_not=str(error))


def _target(config: Path, name: str) -> CheckTarget:
    settings = load_settings(config)
    if name not in settings.environments:
        raise ConfigError(
            config, f"environments.{escape_control_chars(name)} is not there any more"
        )
    return settings.target(name)


def _setting(action: Action, config: Path, environment: Environment) -> FixPlan:
    key, value, name = action.key, action.value, environment.name
    before, after = _value(environment, key), value or UNSET

    def carry_out() -> str:
        change_environment(config, name, {key: value})
        return escape_control_chars(f"{key} of {name} was {before} and is now {after}")

    then = "Everything else in the file stays as it is. Then the check runs again."
    return FixPlan(config, ((f"{key} of {name}", before, after),), then, carry_out)


def _value(environment: Environment, key: str) -> str:
    """Return the value of `key` from the config, or its default."""
    value = str(getattr(environment, key, None) or UNSET)
    return without_credentials(value) if key == "proxy" else value


def _mode(path: Path, mode: int) -> FixPlan:
    def carry_out() -> str:
        return escape_control_chars(f"{path} had mode {set_mode(path, mode):04o}, now {mode:04o}")

    try:
        values = (("the mode", f"{mode_of(path):04o}", f"{mode:04o}"),)
    except ModeError as error:
        return FixPlan(path, why_not=str(error))
    return FixPlan(path, values, "Then the check runs again.", carry_out)


def _repair(path: Path) -> FixPlan:
    from stacktui.certificates.repair_file import carry_out_repair, plan_repair

    try:
        plan = plan_repair(path)
    except StacktuiError as error:
        return FixPlan(path, why_not=str(error))
    if plan.repair is None:
        return FixPlan(path, why_not="the file is in order now")
    if not os.access(path, os.W_OK):
        return FixPlan(path, why_not="this user may not write it")

    def carry_out() -> str:
        backup = carry_out_repair(plan)
        return escape_control_chars(f"{path} is PEM as every program reads it; before: {backup}")

    values = tuple((f"line {each.line}", WORDS[each.kind], "PEM") for each in plan.repair.defects)
    then = escape_control_chars(f"The file as it was stays at {plan.backup}.")
    return FixPlan(path, values[:_SHOWN], f"{then} Then the check runs again.", carry_out)


def _acceptance(target: CheckTarget) -> FixPlan:
    offer = asyncio.run(ask_stamp(target))

    def carry_out() -> str:
        accept(target, offer)
        return escape_control_chars(f"{target.environment.name} is accepted as it is now")

    then = "Then the check runs again, and sends its secret where the stamp says now."
    return FixPlan(stamps_file(), tuple(differences(offer)), then, carry_out)
