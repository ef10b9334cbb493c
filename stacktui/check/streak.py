"""Since when an environment is as it is, and what it was before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from stacktui.check.summary import METADATA_ONLY, CheckSummary
from stacktui.text.counts import count_of
from stacktui.text.times import moment_text, rough_duration


def outcome_word(ok: bool | None, verdict: str, *, metadata_only: bool = False) -> str:
    """Return `ok`, that sign-in was not tried, the id of the verdict, or `undecided`."""
    if ok is None:
        return "undecided"
    if metadata_only:
        return METADATA_ONLY
    return "ok" if ok else verdict or "fault"


@dataclass(frozen=True, slots=True)
class Streak:
    """Consecutive checks of one environment with the same `outcome`.

    `began` and `last` are the earliest and the latest start of them, in UTC.
    """

    began: datetime
    last: datetime
    ok: bool | None
    verdict: str = ""
    side: str = ""
    checks: int = 1
    metadata_only: bool = False

    @property
    def outcome(self) -> str:
        return outcome_word(self.ok, self.verdict, metadata_only=self.metadata_only)

    @property
    def seconds(self) -> float:
        """From the earliest start to the latest."""
        return (self.last - self.began).total_seconds()


@dataclass(frozen=True, slots=True)
class Recalled:
    """What is known of an environment's checks: the last one, and the last streaks, newest first.

    Both are empty where there was no check.
    """

    last: CheckSummary | None = None
    streaks: tuple[Streak, ...] = ()


@dataclass(frozen=True, slots=True)
class Since:
    """Since when a finished check's outcome is so: the start of the first of `checks` in a row.

    `before` is the outcome before that, which lasted `lasted` seconds; None where nothing is known
    of it.
    """

    since: datetime
    checks: int = 1
    before: str | None = None
    lasted: float = 0.0


def with_check(streaks: Sequence[Streak], summary: CheckSummary) -> Sequence[Streak]:
    """Return the streaks, newest first, with a check that ended after them."""
    started, bare = summary.started, summary.metadata_only
    new = Streak(started, started, summary.ok, summary.verdict, summary.side, metadata_only=bare)
    if streaks and _same(same := streaks[0], new):
        began, last = min(same.began, started), max(same.last, started)
        return (replace(same, began=began, last=last, checks=same.checks + 1), *streaks[1:])
    return (new, *streaks)


def _same(one: Streak, other: Streak) -> bool:
    return (one.ok, one.outcome) == (other.ok, other.outcome)


def since_of(streaks: Sequence[Streak]) -> Since:
    """Return since when it is so, by the streaks, newest first; there is at least one.

    A check that decided nothing ends no streak of those that did.
    """
    newest, *before = streaks
    if newest.ok is not None:
        before = [each for each in before if each.ok is not None]
    while before and _same(newest, before[0]):
        older = before.pop(0)
        newest = replace(newest, began=older.began, checks=newest.checks + older.checks)
    if not before:
        return Since(newest.began, newest.checks)
    return Since(newest.began, newest.checks, before[0].outcome, before[0].seconds)


def since_text(since: Since | None, now: datetime, zone: tzinfo | None = UTC) -> str:
    """Return `since 02:10 UTC (3 checks); before: ok for 8 h`; empty where nothing was before.

    `now` is when the check began. `zone` is None for local time, which is not named.
    """
    if since is None or (since.checks == 1 and since.before is None):
        return ""
    text = "since this check"
    if since.checks > 1:
        began = moment_text(since.since, now, zone)
        text = f"since {began} ({count_of(since.checks, 'check')})"
    if since.before is None:
        return text
    lasted = f" for {rough_duration(since.lasted)}" if since.lasted >= 1 else ""
    return f"{text}; before: {since.before}{lasted}"
