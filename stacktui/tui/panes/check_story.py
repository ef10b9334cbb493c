"""What the check pane tells of a check: steps, phases, the verdict, and every request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stacktui.check.report import Outcome, Report, StepName
from stacktui.diagnosis.finding import Finding, Remedy, Side
from stacktui.resources.model import ResourceGroupList
from stacktui.transport.facts import Exchange, Phase, PhaseName
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Role, Span, field, line, width_of
from stacktui.tui.live import LiveCheck, LiveStep
from stacktui.tui.session import CheckState
from stacktui.tui.words import STEP_WORDS, command_of, count_of, duration, milliseconds

STEPS = dict(zip(StepName, STEP_WORDS, strict=True))
SIDES = {
    Side.BOX: "this box",
    Side.NETWORK: "the network",
    Side.SIGN_IN: "sign-in",
    Side.STAMP: "the stamp",
}
SYMBOLS = {
    Outcome.OK: lambda glyphs: Span(glyphs.ok, Role.OK),
    Outcome.FAILED: lambda glyphs: Span(glyphs.failed, Role.ERROR),
    Outcome.SKIPPED: lambda glyphs: Span(glyphs.skipped, Role.DIM),
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
# From this inner width on a step's phases stand on its own line.
WIDE = 66
NAME = max(map(len, STEP_WORDS)) + 1
LABEL = 6
# Seconds from which on a phase is worth mentioning at all.
WORTH_MENTIONING = 0.0005
# Seconds from which on sending a request is worth a word.
WORTH_A_WORD = 0.010
HARD = "\u00a0"


def check_lines(check: LiveCheck, width: int, glyphs: Glyphs) -> list[Line]:
    """The whole check as far as it got; the three steps always come first."""
    judged = check.verdict is not None
    lines: list[Line] = []
    for step in check.steps:
        lines += step_lines(step, width, glyphs, brief=judged)
    return [*lines, BLANK, *_outcome(check, width, glyphs)]


def step_lines(step: LiveStep, width: int, glyphs: Glyphs, *, brief: bool) -> list[Line]:
    """One line where there is room; else its phases stand under it, unless `brief`."""
    name = STEPS[step.name].ljust(NAME)
    if step.step is None:
        if not step.running:
            return _two(line(Span(f"{glyphs.pending} {name}", Role.DIM)), None, width, brief)
        head = line(Span(f"{glyphs.running} {name}", Role.ACCENT), Span(" " * 8))
        return _two(
            head, [*phase_spans(step.phases, glyphs), *_under_way(step, glyphs)], width, brief
        )
    symbol = SYMBOLS[step.step.outcome](glyphs)
    if step.step.outcome is Outcome.SKIPPED:
        why = f"skipped: {step.step.evidence.skipped}"
        return _two(line(symbol, Span(f" {name}", Role.DIM)), [Span(why, Role.DIM)], width, brief)
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
        return [Line((*head.spans, Span(gap), *rest), hang=start)]
    if brief:
        room = width - width_of(head.spans) - 2
        return [Line((*head.spans, Span("  "), *rest)) if width_of(rest) <= room else head]
    return [head, line("  ", *rest, hang=2)]


def phase_spans(phases: Iterable[Phase], glyphs: Glyphs) -> list[Span]:
    """`dns 2 · tcp 4 · tls 31`: milliseconds, summed over the requests of a step."""
    spent: dict[str, float] = {}
    failed = set()
    for phase in phases:
        word = PHASES[phase.name]
        spent[word] = spent.get(word, 0.0) + phase.seconds
        if not phase.ok:
            failed.add(word)
    # Sending a request takes next to no time, unless something is wrong with it.
    sending = PHASES[PhaseName.REQUEST]
    if sending not in failed and spent.get(sending, 1.0) < WORTH_A_WORD:
        del spent[sending]
    spans: list[Span] = []
    for word, seconds in spent.items():
        if seconds < WORTH_MENTIONING and word not in failed:
            continue
        if spans:
            spans.append(Span(glyphs.dot.rstrip() + HARD, Role.DIM))
        if word in failed:
            spans.append(
                Span(f"{glyphs.failed}{HARD}{word}{HARD}{milliseconds(seconds)}", Role.ERROR)
            )
        else:
            spans += [Span(f"{word}{HARD}", Role.DIM), Span(milliseconds(seconds))]
    return spans


def _under_way(step: LiveStep, glyphs: Glyphs) -> list[Span]:
    """The phase that is being waited for, in words that need no animation."""
    before = [Span(glyphs.dot.rstrip() + HARD, Role.DIM)] if step.phases else []
    if step.under_way is None:
        return [] if step.phases else [Span("starting", Role.ACCENT)]
    phase, host = UNDER_WAY[step.under_way.name], step.under_way.host
    words = f"{phase} {host}".replace(" ", HARD, phase.count(" "))
    return [*before, Span(words + glyphs.ellipsis, Role.ACCENT)]


def _outcome(check: LiveCheck, width: int, glyphs: Glyphs) -> list[Line]:
    match check.state:
        case CheckState.RUNNING:
            return [line(Span("esc", Role.KEY), Span(" cancels", Role.DIM))]
        case CheckState.CANCELLED:
            return [
                line(
                    Span(f"{glyphs.skipped} cancelled", Role.WARNING),
                    Span("  press ", Role.DIM),
                    Span("c", Role.KEY),
                    Span(" to check again", Role.DIM),
                )
            ]
        case CheckState.BROKEN:
            return [
                line(Span(f"{glyphs.failed} our own error: {check.error}", Role.ERROR)),
                line(Span("A defect of stacktui, not of your stamp: please report it.", Role.DIM)),
            ]
    if check.report is not None and check.healthy:
        return [*healthy_lines(check.report, glyphs), *_also_seen(check, glyphs)]
    if check.verdict is None:
        return [line(Span(f"{glyphs.failed} fault found", Role.ERROR))]
    return [*verdict_lines(check.verdict, width, glyphs), *_also_seen(check, glyphs)]


def healthy_lines(report: Report, glyphs: Glyphs) -> list[Line]:
    """An explicit verdict for good news too."""
    groups = report.step(StepName.RESOURCE_GROUPS).evidence.result
    total = (Span(f"{duration(report.seconds)} in all", Role.DIM),)
    if isinstance(groups, ResourceGroupList):
        count = count_of(len(groups.groups), "resource group")
        said = f"Signed in and read {count}. Nothing is wrong."
    else:
        said = "The stamp answers. Sign-in was not tried."
    return [line(Span(f"{glyphs.ok} OK", Role.OK), right=total), line(said)]


def verdict_lines(finding: Finding, width: int, glyphs: Glyphs) -> list[Line]:
    """What is wrong, whose side it is on, why we think so, how to mend it, what az says.

    Where it is narrow, and so likely to be short, the mend comes before the reasons.
    """
    side = (Span("side: ", Role.DIM), Span(SIDES[finding.side], Role.STRONG))
    said = [
        line(Span(f"{glyphs.failed} {finding.id}", Role.ERROR), right=side),
        line(Span(finding.title, Role.STRONG)),
    ]
    why = [
        field("why" if index == 0 else "", seen, width=LABEL)
        for index, seen in enumerate(finding.evidence)
    ]
    copied = next(filter(command_of, finding.remedies), None)
    mend = [
        text
        for index, remedy in enumerate(finding.remedies)
        for text in remedy_lines(remedy, "mend" if index == 0 else "or", copied=remedy is copied)
    ]
    az = [field("az", Span(finding.az_says, Role.DIM), width=LABEL)] if finding.az_says else []
    return [*said, *why, *mend, *az] if width >= WIDE else [*said, *mend, *why, *az]


def remedy_lines(remedy: Remedy, label: str, *, copied: bool) -> list[Line]:
    """A mend in words, and under it the command that can be pasted; `y` copies the first one."""
    key = (Span("y", Role.KEY), Span(" copies", Role.DIM)) if copied else ()
    title = field(label, remedy.title, width=LABEL)
    commands = command_of(remedy).splitlines()
    return [
        Line(title.spans, key, title.hang),
        *(field("", Span(command, Role.ACCENT), width=LABEL) for command in commands),
    ]


def _also_seen(check: LiveCheck, glyphs: Glyphs) -> list[Line]:
    seen = check.diagnosis.also_seen if check.diagnosis else ()
    lines = [BLANK] if seen else []
    for finding in seen:
        lines.append(
            line(Span(f"{glyphs.warning} {finding.id}  ", Role.WARNING), finding.title, hang=2)
        )
        if finding.remedies:
            lines.append(field("  mend", finding.remedies[0].title, width=LABEL + 2))
    return lines


def timeline(report: Report, glyphs: Glyphs) -> list[Line]:
    """Every request of the check with its phases and what was answered."""
    lines: list[Line] = []
    for step in report.steps:
        for exchange in step.evidence.exchanges:
            lines += [BLANK, *_exchange(exchange, glyphs)]
    return lines


def _exchange(exchange: Exchange, glyphs: Glyphs) -> list[Line]:
    seconds = sum(phase.seconds for phase in exchange.phases)
    lines = [
        line(
            Span(f"{exchange.method} ", Role.DIM),
            exchange.url,
            right=(Span(duration(seconds), Role.DIM),),
            hang=5,
        ),
        field("  phases", *phase_spans(exchange.phases, glyphs)),
    ]
    connection, response = exchange.connection, exchange.response
    if connection is not None:
        via = connection.proxy.url or "direct"
        where = ", ".join(connection.addresses) or connection.host
        lines.append(
            field("  reached", f"{where} ", Span(f"{via} ({connection.proxy.source})", Role.DIM))
        )
    if response is not None:
        lines.append(field("  answered", f"{response.status}, {response.size} bytes"))
        lines += [field("", Span(f"{name}: {value}", Role.DIM)) for name, value in response.headers]
        if response.excerpt:
            lines.append(field("  body", Span(response.excerpt, Role.DIM)))
    if exchange.fault is not None:
        lines.append(field("  failed", Span(exchange.fault.detail, Role.ERROR)))
    return lines
