"""Write a round of checks as text: a line as each ends, then what is wrong, once each."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Collection, Sequence

from rich.cells import cell_len, set_cell_size

from stacktui.check.streak import outcome_word, since_text
from stacktui.cli.check_output import TextWriter
from stacktui.cli.output import out
from stacktui.diagnosis.finding import SIDES
from stacktui.diagnosis.round import CheckResult, SharedVerdict, shared_verdicts
from stacktui.text.counts import count_of
from stacktui.text.sanitize import escape_control_chars

# The most cells of a name and the most names in one line; a longer name is cut.
_NAME, _NAMES = 28, 12
# Seconds between two updates of the progress.
_PAUSE = 0.1


class RoundText:
    """Writes the lines; on a terminal each is cut to its width."""

    def __init__(self, names: Sequence[str]) -> None:
        longest = max((cell_len(escape_control_chars(each)) for each in names), default=0)
        self._name = min(longest, _NAME)
        self._width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None

    def line(self, result: CheckResult) -> None:
        """Write state, name, verdict and side, seconds, and what to do."""
        name = set_cell_size(escape_control_chars(result.name), self._name)
        text = f"{_SYMBOLS[result.ok]} {name}  {_state(result)}".rstrip()
        if self._width is not None and cell_len(text) > self._width:
            text = set_cell_size(text, self._width - 1) + "…"
        out(text)

    def close(self, results: Sequence[CheckResult], seconds: float) -> None:
        """Write the sum, and each verdict in full once."""
        out("")
        out(f"{counts(results)} in {seconds:.1f} s")
        if failed := [each for each in results if each.error]:
            out("")
        for each in failed:
            out(f"✗ {each.name}: {each.error}")
        for shared in shared_verdicts(results):
            self._verdict(shared, len(results))

    def _verdict(self, shared: SharedVerdict, total: int) -> None:
        out("")
        out(f"{shared.title(total)}: {_listed(shared.names)}")
        TextWriter().write_finding("✗", shared.finding)


_SYMBOLS = {True: "✓", False: "✗", None: "–"}


def _state(result: CheckResult) -> str:
    report, verdict = result.report, result.verdict
    if report is None:
        return result.brief or result.error
    seconds = f"{report.seconds:5.2f} s"
    if verdict is not None:
        todo = verdict.remedies[0].title if verdict.remedies else verdict.title
        since = since_text(result.since, report.started).partition(";")[0]
        found = (verdict.id, f"side: {SIDES[verdict.side]}", since, todo)
        return f"{seconds}  {' · '.join(filter(None, found))}"
    skipped = next((step.evidence.skipped for step in report.steps if step.evidence.skipped), "")
    seen = result.diagnosis.also_seen_distinct if result.diagnosis else ()
    also = "".join(f" · ! {finding.id}" for finding in seen)
    state = outcome_word(result.ok, "", metadata_only=result.metadata_only)
    return f"{seconds}  {state}{f' ({skipped})' if skipped else ''}{also}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more


def counts(results: Collection[CheckResult]) -> str:
    """`20 checked: 6 ok · 13 faults · 1 undecided`."""
    ok = sum(each.ok is True for each in results)
    undecided = sum(each.ok is None for each in results)
    faults = count_of(len(results) - ok - undecided, "fault")
    left = f" · {undecided} undecided" if undecided else ""
    return f"{len(results)} checked: {ok} ok · {faults}{left}"


class RoundProgress:
    """A line on stderr, if that is a terminal, which goes before anything else is written."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._shown = False
        self._next = 0.0
        self._on = sys.stderr.isatty()

    def show(self, results: Collection[CheckResult]) -> None:
        now = time.monotonic()
        if not self._on or now < self._next or len(results) == self._total:
            return
        self._next, self._shown = now + _PAUSE, True
        sys.stderr.write(f"\r\x1b[K{counts(results)}, {self._total - len(results)} to come")
        sys.stderr.flush()

    def clear(self) -> None:
        if self._shown:
            self._shown = False
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
