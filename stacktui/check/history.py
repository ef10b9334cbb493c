"""The history of checks: what each found, and since when that is so.

Whatever is wrong with it is told and ends no check. It holds no secret, no body and no name of a
person: an environment's rows have its key, which is a hash, as the path of the config holds the
user's name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

from stacktui.check.history_database import (
    DamagedHistoryError,
    HistoryError,
    make_file,
    opened,
    set_aside,
)
from stacktui.check.streak import Recalled, Streak
from stacktui.check.summary import CheckSummary
from stacktui.check.target import CheckTarget, config_of
from stacktui.config.locations import history_file
from stacktui.text.sanitize import escape_control_chars

if TYPE_CHECKING:
    import sqlite3

# How many streaks are recalled: the last two, and those that decided nothing between them.
RECALLED = 20
# How long checks and streaks are kept, and how many of each for an environment.
DAYS, MOST = 90, 500
# What a streak's row has as `verdict` where sign-in was not tried; no fault has that id.
_METADATA_ONLY = "metadata-only"
# Seconds to wait for another process that writes: a check reads once and writes once.
PATIENCE = 0.5
T = TypeVar("T")


def record(entries: Sequence[tuple[CheckTarget, CheckSummary]], patience: float = PATIENCE) -> str:
    """Add checks, all or none. Returns a warning in one line, or "". Blocks on disk.

    Waits up to `patience` seconds for another process that writes. A damaged file is set aside.
    """
    path = history_file()
    try:
        known = make_file(path)
        try:
            with opened(path, patience, write=True) as history:
                _add(history, entries)
        except DamagedHistoryError:
            aside = set_aside(path, known, patience)
            make_file(path)
            with opened(path, patience, write=True) as history:
                _add(history, entries)
            return escape_control_chars(f"the history was damaged: it is now {aside}")
    except OSError as error:
        what = error.strerror or type(error).__name__
        return escape_control_chars(f"not in the history: {path} cannot be written ({what})")
    except HistoryError as error:
        return f"not in the history: {error}"
    return ""


def recall(targets: Iterable[CheckTarget]) -> dict[str, Recalled]:
    """Return what is known of these environments, by name; nothing if it cannot be read.

    Blocks on disk.
    """
    found: dict[str, Recalled] = {}
    with suppress(HistoryError, OSError), _opened_to_read() as history:
        for target in targets:
            known = Recalled()
            if history is not None:
                last = next(iter(_checks(history, target, 1)), None)
                known = Recalled(last, _streaks(history, target, RECALLED))
            found[target.environment.name] = known
    return found


def read_history(target: CheckTarget) -> tuple[tuple[Streak, ...], tuple[CheckSummary, ...]]:
    """Return an environment's streaks and checks, newest first. Raises HistoryError."""
    with _opened_to_read() as history:
        if history is None:
            return (), ()
        return _streaks(history, target, MOST), _checks(history, target, MOST)


@contextmanager
def _opened_to_read() -> Iterator[sqlite3.Connection | None]:
    """Open the history; None where there is none yet. Raises HistoryError."""
    path = history_file()
    try:
        empty = path.stat().st_size == 0
        if not empty:
            make_file(path)
    except FileNotFoundError:
        empty = True
    except OSError as error:
        what = error.strerror or type(error).__name__
        raise HistoryError(f"{path} cannot be read ({what})") from None
    if empty:
        yield None
        return
    with opened(path, PATIENCE, write=False) as history:
        yield history


def _key(target: CheckTarget) -> str:
    """Return what an environment's rows are found by: config, name and ARM endpoint, hashed."""
    environment = target.environment
    known = [os.path.realpath(config_of(target)), environment.name, environment.arm]
    return sha256(json.dumps(known).encode()).hexdigest()[:32]


def _add(history: sqlite3.Connection, entries: Sequence[tuple[CheckTarget, CheckSummary]]) -> None:
    for target, summary in entries:
        key = _key(target)
        history.execute(
            "INSERT INTO checks VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", (key, *_row(summary))
        )
        _extend_streak(history, key, summary)
    newest = max(summary.started for _, summary in entries)
    oldest = (newest - timedelta(days=DAYS)).timestamp()
    history.execute("DELETE FROM checks WHERE started < ?", (oldest,))
    history.execute("DELETE FROM streaks WHERE last < ?", (oldest,))
    for key in {_key(target) for target, _ in entries}:
        for table in ("checks", "streaks"):
            history.execute(
                f"DELETE FROM {table} WHERE key = ?1 AND id <= (SELECT id FROM {table}"  # noqa: S608
                " WHERE key = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
                (key, MOST),
            )


def _extend_streak(history: sqlite3.Connection, key: str, summary: CheckSummary) -> None:
    verdict = _METADATA_ONLY if summary.metadata_only else summary.verdict
    started, outcome = summary.started.timestamp(), (summary.ok, verdict)
    last = history.execute(
        "SELECT id, ok, verdict FROM streaks WHERE key = ? ORDER BY id DESC LIMIT 1", (key,)
    ).fetchone()
    if last is not None and (_ok(last[1]), last[2]) == outcome:
        history.execute(
            # A clock that was put back, or a check that ended after a later one, shortens nothing.
            "UPDATE streaks SET began = min(began, ?1), last = max(last, ?1), side = ?2,"
            " checks = checks + 1 WHERE id = ?3",
            (started, summary.side, last[0]),
        )
    else:
        history.execute(
            "INSERT INTO streaks VALUES (NULL, ?, ?, ?, ?, ?, ?, 1)",
            (key, started, started, *outcome, summary.side),
        )


def _streaks(history: sqlite3.Connection, target: CheckTarget, most: int) -> tuple[Streak, ...]:
    rows = history.execute(
        "SELECT began, last, ok, verdict, side, checks FROM streaks WHERE key = ?"
        " ORDER BY id DESC LIMIT ?",
        (_key(target), most),
    )
    return _parsed(rows, _streak)


def _checks(
    history: sqlite3.Connection, target: CheckTarget, most: int
) -> tuple[CheckSummary, ...]:
    rows = history.execute(
        "SELECT environment, started, seconds, ok, verdict, side, facts FROM checks WHERE key = ?"
        " ORDER BY id DESC LIMIT ?",
        (_key(target), most),
    )
    return _parsed(rows, _summary)


def _parsed(rows: Iterable[Sequence[Any]], parse: Callable[..., T]) -> tuple[T, ...]:
    """Return the rows as values. Raises HistoryError for one that we would not write."""
    try:
        return tuple(parse(*row) for row in rows)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        raise DamagedHistoryError(f"{history_file()} is damaged") from None


def _streak(
    began: float, last: float, ok: int | None, verdict: str, side: str, checks: int
) -> Streak:
    bare = verdict == _METADATA_ONLY
    verdict = "" if bare else verdict
    return Streak(_moment(began), _moment(last), _ok(ok), verdict, side, checks, bare)


def _row(summary: CheckSummary) -> tuple[object, ...]:
    facts = {
        "run_id": summary.run_id,
        "steps": summary.steps,
        "phases": summary.phases,
        "expiries": {host: ends.timestamp() for host, ends in summary.expiries.items()},
        "skew": summary.skew,
    }
    return (
        summary.environment,
        summary.started.timestamp(),
        summary.seconds,
        summary.ok,
        summary.verdict,
        summary.side,
        json.dumps(facts),
    )


def _summary(
    environment: str,
    started: float,
    seconds: float,
    ok: int | None,
    verdict: str,
    side: str,
    facts: str,
) -> CheckSummary:
    known = json.loads(facts)
    return CheckSummary(
        environment=environment,
        started=_moment(started),
        seconds=float(seconds),
        ok=_ok(ok),
        verdict=verdict,
        side=side,
        steps=tuple((name, outcome, took) for name, outcome, took in known["steps"]),
        phases=known["phases"],
        expiries={host: _moment(ends) for host, ends in known["expiries"].items()},
        skew=known["skew"],
        run_id=known["run_id"],
    )


def _ok(value: int | None) -> bool | None:
    return None if value is None else bool(value)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
