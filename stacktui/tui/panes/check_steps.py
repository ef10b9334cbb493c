"""The lines of a check's steps: their state, their phases, and what the running one waits for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stacktui.check.report import StepOutcome
from stacktui.check.step_names import STANDING, step_label
from stacktui.check.write_probe import WRITING
from stacktui.transport.records import Phase, PhaseName
from stacktui.tui.formatting import duration, elapsed_line, milliseconds, under_way_line
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, line, width_of
from stacktui.tui.live_check import LiveCheck, LiveStep

SYMBOLS = {
    StepOutcome.OK: lambda glyphs: Span(glyphs.ok, TextStyle.OK),
    StepOutcome.FAILED: lambda glyphs: Span(glyphs.failed, TextStyle.ERROR),
    StepOutcome.SKIPPED: lambda glyphs: Span(glyphs.skipped, TextStyle.DIM),
}
PHASES = {
    PhaseName.DNS: "dns",
    PhaseName.TCP: "tcp",
    PhaseName.PROXY: "proxy",
    PhaseName.TLS: "tls",
    PhaseName.REQUEST: "send",
    PhaseName.FIRST_BYTE: "wait",
    PhaseName.BODY: "body",
}
UNDER_WAY = {
    PhaseName.DNS: "looking up",
    PhaseName.TCP: "connecting to",
    PhaseName.PROXY: "asking the proxy for",
    PhaseName.TLS: "TLS handshake with",
    PhaseName.REQUEST: "sending to",
    PhaseName.FIRST_BYTE: "waiting for first byte from",
    PhaseName.BODY: "reading from",
}
# The limit in `Limits` that ends a phase; the others end with the step's.
LIMIT_OF = {
    PhaseName.DNS: "dns",
    PhaseName.TCP: "connect",
    PhaseName.PROXY: "first_byte",
    PhaseName.TLS: "tls",
    PhaseName.FIRST_BYTE: "first_byte",
}
# From this inner width on, a step's phases are on the step's line.
WIDE = 66
NAME = max(map(len, STANDING)) + 1
# Phases shorter than this (seconds) are not shown.
WORTH_MENTIONING = 0.0005
# Sending a request is not shown if it takes less than this (seconds).
WORTH_A_WORD = 0.010
HARD = "\u00a0"


def waiting_lines(check: LiveCheck, width: int, glyphs: Glyphs, now: float) -> list[Line]:
    """Return how long the check has run, and in how many seconds what it waits for is given up.

    `now` is `time.monotonic()`. What it waits for is on the step's line, if that is wide enough.
    """
    if check.started is None:
        said = Span("queued" if check.queued else "starting", TextStyle.DIM)
        lines = [under_way_line([said], glyphs)]
    else:
        lines = [elapsed_line(now - check.began, _seconds_left(check, now), glyphs)]
    step = check.running_step
    if width < WIDE and step is not None and check.prompt is None:
        lines.append(line("  ", *_under_way(step, glyphs), indent=2))
    return lines


def _seconds_left(check: LiveCheck, now: float) -> float | None:
    """Return the seconds until a limit ends what runs; None while a person is waited for."""
    step, limits = check.running_step, check.target.environment.limits
    if step is None or check.prompt is not None:
        return None
    ends = step.began + limits.step + (limits.probe if step.name in WRITING else 0.0)
    phase = step.under_way
    if phase is not None and (limit := LIMIT_OF.get(phase.name)) is not None:
        ends = min(ends, phase.at + getattr(limits, limit))
    return ends - now


def step_lines(step: LiveStep, width: int, glyphs: Glyphs, *, brief: bool) -> list[Line]:
    """Return a step as one line, or with its phases below if it is too long and not `brief`."""
    name = step_label(step.name).ljust(NAME)
    if step.step is None:
        if not step.running:
            seen = phase_spans(step.phases, glyphs)  # of a step that was cancelled
            took = [Span(" " * 8)] if seen else []
            head = line(Span(f"{glyphs.pending} {name}", TextStyle.DIM), *took)
            return _two(head, seen or None, width, brief)
        head = line(Span(f"{glyphs.running} {name}", TextStyle.ACCENT), Span(" " * 8))
        spent = phase_spans(step.phases, glyphs)
        if width >= WIDE and (waits := _under_way(step, glyphs)):
            dot = [Span(glyphs.dot.rstrip() + HARD, TextStyle.DIM)] if spent else []
            spent += [*dot, *waits]
        return _two(head, spent, width, brief)
    symbol = SYMBOLS[step.step.outcome](glyphs)
    if step.step.outcome is StepOutcome.SKIPPED:
        why = f"skipped: {step.step.evidence.skipped}"
        return _two(
            line(symbol, Span(f" {name}", TextStyle.DIM)), [Span(why, TextStyle.DIM)], width, brief
        )
    head = line(symbol, f" {name}", duration(step.step.seconds).rjust(8))
    phases = step.phases
    if brief and width < WIDE:
        phases = tuple(phase for phase in phases if not phase.ok)
    return _two(head, phase_spans(phases, glyphs), width, brief)


def _two(head: Line, rest: Sequence[Span] | None, width: int, brief: bool) -> list[Line]:
    start = 2 + NAME + 8 + 2
    if rest is None:
        return [head] if width >= WIDE or brief else [head, BLANK]
    if width >= WIDE:
        gap = " " * (start - width_of(head.spans))
        return [Line((*head.spans, Span(gap), *rest), indent=start)]
    if brief:
        room = width - width_of(head.spans) - 2
        return [Line((*head.spans, Span("  "), *rest)) if width_of(rest) <= room else head]
    return [head, line("  ", *rest, indent=2)]


def phase_spans(phases: Iterable[Phase], glyphs: Glyphs, *, every: bool = False) -> list[Span]:
    """Return `dns 2 · tcp 4 · tls 31`: milliseconds, summed over the requests of a step.

    Very short phases are left out, unless `every` is true.
    """
    spent: dict[str, float] = {}
    failed = set()
    for phase in phases:
        word = PHASES[phase.name]
        spent[word] = spent.get(word, 0.0) + phase.seconds
        if not phase.ok:
            failed.add(word)
    # Sending a request takes hardly any time, unless something is wrong.
    sending = PHASES[PhaseName.REQUEST]
    if not every and sending not in failed and spent.get(sending, 1.0) < WORTH_A_WORD:
        del spent[sending]
    spans: list[Span] = []
    for word, seconds in spent.items():
        if seconds < WORTH_MENTIONING and word not in failed and not every:
            continue
        if spans:
            spans.append(Span(glyphs.dot.rstrip() + HARD, TextStyle.DIM))
        if word in failed:
            spans.append(
                Span(f"{glyphs.failed}{HARD}{word}{HARD}{milliseconds(seconds)}", TextStyle.ERROR)
            )
        else:
            spans += [Span(f"{word}{HARD}", TextStyle.DIM), Span(milliseconds(seconds))]
    return spans


def _under_way(step: LiveStep, glyphs: Glyphs) -> list[Span]:
    """Return the phase that the check is waiting for, as text: an animation would cost bytes."""
    if step.under_way is None:
        return [] if step.phases else [Span("starting", TextStyle.ACCENT)]
    phase, host = UNDER_WAY[step.under_way.name], step.under_way.host
    words = f"{phase} {host}".replace(" ", HARD, phase.count(" "))
    return [Span(words + glyphs.ellipsis, TextStyle.ACCENT)]
