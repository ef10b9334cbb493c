"""Deletions that go on in ARM, remembered on disk: whoever begins one may be killed or quit.

Several processes may write at once. Nothing secret is written: an operation is found by its path.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from stacktui.config.atomic import exclusive, write_atomically
from stacktui.config.bounded_read import FileReadError, ReadProblem, read_bounded
from stacktui.config.locations import operations_file
from stacktui.environments.model import Environment
from stacktui.errors import StacktuiError, is_exhaustion
from stacktui.text.json_fields import items, mapping, number
from stacktui.text.times import utc_text

VERSION = 1
# The oldest are forgotten.
MOST = 200
_MAX_SIZE = 1024 * 1024


class OperationsFileError(StacktuiError):
    """What is remembered of operations cannot be read or written."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A deletion of the resource group at a path of ARM.

    `config` is the file that has the environment, empty for none; `began` is UTC, as RFC 3339.
    `url` is where ARM says how it goes; empty where it did not say that, or not yet.
    """

    config: str
    environment: str
    arm: str
    subscription: str
    group: str
    path: str
    began: str
    url: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        return self.config, self.environment, self.arm, self.path.casefold()


class OperationState(StrEnum):
    """How an operation is: UNKNOWN where nobody answers that."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


def deletion_of(
    config: Path | None, environment: Environment, subscription: str, group: str, path: str
) -> Operation:
    """Return an operation that begins now."""
    began = utc_text(datetime.now(UTC))
    known = _resolved(config)
    return Operation(known, environment.name, environment.arm, subscription, group, path, began)


def remembered(config: Path | None, environment: Environment) -> tuple[Operation, ...]:
    """Return the operations of an environment, oldest first. Blocks on disk.

    Raises OperationsFileError.
    """
    of = (_resolved(config), environment.name, environment.arm)
    return tuple(each for each in _read() if each.key[:3] == of)


def all_remembered(config: Path | None) -> tuple[Operation, ...]:
    """Return the operations of all environments of a config, as `remembered` does."""
    known = _resolved(config)
    return tuple(each for each in _read() if each.config == known)


def others(config: Path | None, environment: Environment) -> tuple[str, ...]:
    """Return the names of the other environments of the config that have operations."""
    found = {each.environment for each in all_remembered(config)}
    return tuple(sorted(found - {environment.name}))


def remember(operation: Operation) -> None:
    """Write an operation, or what is known of it now. Blocks on disk.

    Raises OperationsFileError, and ReadOnlyError.
    """
    _replace([operation], lambda each: each.key == operation.key)


def forget(operation: Operation) -> None:
    """Remove an operation, as `remember` writes it, but none of the same group that began later."""
    _replace([], lambda each: each.key == operation.key and each.began <= operation.began)


def _replace(by: list[Operation], same: Callable[[Operation], bool]) -> None:
    path = operations_file()
    try:
        with exclusive(path):
            before = _read()
            after = [*(each for each in before if not same(each)), *by][-MOST:]
            if after != before:
                document = {"version": VERSION, "operations": [asdict(each) for each in after]}
                write_atomically(path, (json.dumps(document, indent=1) + "\n").encode())
    except OSError as error:
        if is_exhaustion(error):
            raise
        detail = error.strerror or type(error).__name__
        raise OperationsFileError(f"{path} cannot be written: {detail}") from None


def _read() -> list[Operation]:
    path = operations_file()
    try:
        document = json.loads(read_bounded(path, _MAX_SIZE))
    except FileReadError as error:
        if error.problem is ReadProblem.MISSING and not path.is_symlink():
            return []
        raise OperationsFileError(f"{path} cannot be read: {error.detail}") from None
    except (ValueError, RecursionError):
        document = None
    version, rows = number(document, "version"), items(document, "operations")
    if version not in (None, VERSION):
        raise OperationsFileError(
            f"{path} is of version {version:g}, not {VERSION}: use the stacktui that wrote it, or "
            "remove it, and look for groups in deletion"
        )
    found = [operation for row in rows if (operation := _operation(row))]
    listed = isinstance(mapping(document).get("operations"), list)
    if version is None or not listed or len(found) != len(rows):
        raise OperationsFileError(f"{path} is damaged: remove it, and look for groups in deletion")
    return found


def _operation(row: object) -> Operation | None:
    """Return a row as a value; None for one that we would not write."""
    known = {key: value for key, value in mapping(row).items() if isinstance(value, str)}
    try:
        operation = Operation(**{name: known[name] for name in _NAMES})
        datetime.fromisoformat(operation.began).astimezone(UTC)
    except (KeyError, ValueError, OverflowError):  # OverflowError: no calendar has that day
        return None
    return operation


def _resolved(config: Path | None) -> str:
    return "" if config is None else os.path.realpath(config)


_NAMES = tuple(each.name for each in fields(Operation))
