"""Write a round of checks as text: a line as each ends, then what is wrong, once each."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Collection, Mapping, Sequence

from rich.cells import cell_len, set_cell_size

from stacktui.check.streak import outcome_word, since_text
from stacktui.cli.check_output import TextWriter
from stacktui.cli.output import out
from stacktui.cli.status_line import StatusLine, cut
from stacktui.diagnosis.finding import SIDES
from stacktui.diagnosis.round import CheckResult, shared_verdicts
from stacktui.text.counts import count_of
from stacktui.text.sanitize import escape_control_chars

# The most cells of a name in the line of its check, and the most names in one line.
_NAME, _NAMES = 28, 12
# The most names of those that are still to come.
_LEFT = 3


class RoundText:
    """Writes the lines; on a terminal each is cut to its width."""

    def __init__(self, names: Sequence[str]) -> None:
        longest = max((cell_len(escape_control_chars(each)) for each in names), default=0)
        self._name = min(longest, _NAME)
        self._width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None

    def line(self, result: CheckResult) -> None:
        """Write state, name, verdict and side, seconds, and what to do."""
        name = set_cell_size(cut(escape_control_chars(result.name), self._name), self._name)
        text = f"{_SYMBOLS[result.ok]} {name}  {_state(result)}".rstrip()
        out(text if self._width is None else cut(text, self._width))

    def close(self, results: Sequence[CheckResult], seconds: float) -> None:
        """Write the sum, and each verdict in full once."""
        out("")
        out(f"{counts(results)} in {seconds:.1f} s")
        if failed := [each for each in results if each.error]:
            out("")
        for each in failed:
            out(f"✗ {each.name}: {each.error}")
        for shared in shared_verdicts(results):
            first = next(each for each in results if each.name == shared.names[0])
            out("")
            out(f"{shared.title(len(results))}: {_listed(shared.names)}")
            if len(shared.names) > 1:
                out(f"What follows is about {first.name}")
            TextWriter().write_finding("✗", shared.finding, _since(first))


_SYMBOLS = {True: "✓", False: "✗", None: "–"}


def _since(result: CheckResult) -> str:
    return since_text(result.since, result.report.started) if result.report else ""


def _state(result: CheckResult) -> str:
    report, verdict = result.report, result.verdict
    if report is None:
        return result.brief or result.error
    seconds = f"{report.seconds:5.2f} s"
    if verdict is not None:
        todo = verdict.remedies[0].title if verdict.remedies else verdict.title
        since = _since(result).partition(";")[0]
        found = (verdict.id, f"side: {SIDES[verdict.side]}", todo, since)
        return f"{seconds}  {' · '.join(filter(None, found))}"
    seen = result.diagnosis.also_seen_distinct if result.diagnosis else ()
    also = "".join(f" · ! {finding.id}" for finding in seen)
    if result.diagnosis and (az := result.diagnosis.az_line):
        also = f" · {az}{also}"
    state = outcome_word(result.ok, "", metadata_only=result.metadata_only)
    return f"{seconds}  {state}{f' ({result.skipped})' if result.skipped else ''}{also}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more


def counts(results: Collection[CheckResult]) -> str:
    """`20 checked: 5 ok · 1 metadata ok · 13 faults · 1 undecided`."""
    bare = sum(each.metadata_only for each in results)
    ok = sum(each.ok is True for each in results) - bare
    undecided = sum(each.ok is None for each in results)
    parts = [
        f"{ok} ok",
        *([f"{bare} metadata ok"] if bare else []),
        count_of(len(results) - ok - bare - undecided, "fault"),
        *([f"{undecided} undecided"] if undecided else []),
    ]
    return f"{len(results)} checked: {' · '.join(parts)}"


class RoundProgress(StatusLine):
    """How many checks are done, and which are to come if they are few."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self._names = names

    def show_results(self, results: Mapping[str, CheckResult]) -> None:
        if left := [escape_control_chars(each) for each in self._names if each not in results]:
            named = f": {', '.join(left)}" if len(left) <= _LEFT else ""
            self.show(f"{counts(results.values())}, {len(left)} to come{named}")
