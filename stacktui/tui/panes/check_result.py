"""The lines of the check pane: steps, phases, the verdict, and the advisories."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from stacktui.check.events import SignInPrompt
from stacktui.check.report import Report
from stacktui.check.streak import since_text
from stacktui.check.summary import METADATA_ONLY
from stacktui.check.write_probe import ProbeLeftovers, WriteProbe
from stacktui.diagnosis.finding import SIDES, ActionKind, Finding, Remedy
from stacktui.diagnosis.fixes import fixes_of
from stacktui.diagnosis.remedies import ON_A_TERMINAL
from stacktui.text.counts import count_of
from stacktui.tui.check_state import CheckState
from stacktui.tui.formatting import clock, command_of, duration, with_commands
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.live_check import LiveCheck, LiveStep
from stacktui.tui.panes.check_steps import step_lines, waiting_lines

# What `f` does, shown beside the remedy.
DOES = {
    ActionKind.TRUST_ROOT: "trusts it",
    ActionKind.SET: "sets it",
    ActionKind.ACCEPT: "accepts it",
    ActionKind.CHMOD: "sets its mode",
    ActionKind.REPAIR: "repairs it",
    ActionKind.ASK_SECRET: "asks for it",
    ActionKind.GRANT: "grants it",
    ActionKind.REMOVE_LEFTOVERS: "deletes them",
}
LABEL = 6
_MISSING = "secret-missing"


def check_lines(
    check: LiveCheck,
    width: int,
    glyphs: Glyphs,
    *,
    whole: bool = False,
    now: float = 0.0,
    can_grant: bool = False,
    granted_at: datetime | None = None,
) -> list[Line]:
    """Return the outcome, its remedies, what was also seen, and the evidence, in this order.

    With `whole` what was also seen is shown in full, after the evidence. `now` is
    `time.monotonic()`, of which a running check shows how long it waits. `can_grant` is as in
    `fixes_of`; `granted_at` is when a role was granted.
    """
    judged = check.verdict is not None
    steps = [
        text
        for step in check.steps
        for text in (*step_lines(step, width, glyphs, brief=judged), *_written_lines(step))
    ]
    if check.running:
        waiting = waiting_lines(check, width, glyphs, now)
        return [*waiting, *prompt_lines(check.prompt), BLANK, *steps]
    keys = Keys.of(check, can_grant=can_grant)
    evidence = [*steps, *(_evidence_lines(check.verdict) if check.verdict else ())]
    seen = check.diagnosis.also_seen_distinct if check.diagnosis else ()
    show = _seen_whole if whole else _seen_briefly
    also = [text for finding in seen for text in show(finding, glyphs, keys)]
    also += _of_az(check, glyphs, keys, whole=whole)
    outcome = _outcome(check, glyphs, keys)
    if granted_at is not None:
        outcome[2:2] = _granted_lines(check, granted_at)
    if whole:
        return [*outcome, BLANK, *evidence, *also]
    return [*outcome, *([BLANK, *also] if also else []), BLANK, *evidence]


def _written_lines(step: LiveStep) -> list[Line]:
    """Return what a step that writes has made and deleted, with the times."""
    result = step.step.evidence.result if step.step else None
    if not isinstance(result, WriteProbe | ProbeLeftovers):
        return []
    return [line(Span(f"  {result}", TextStyle.DIM), indent=2)]


def _outcome(check: LiveCheck, glyphs: Glyphs, keys: Keys) -> list[Line]:
    match check.state:
        case CheckState.CANCELLED:
            return [
                line(
                    Span(f"{glyphs.skipped} cancelled", TextStyle.WARNING),
                    Span("  press ", TextStyle.DIM),
                    Span("c", TextStyle.KEY),
                    Span(" to check again", TextStyle.DIM),
                ),
                *(_left_lines(check) if check.may_leave_group else ()),
            ]
        case CheckState.BROKEN:
            return [
                line(Span(f"{glyphs.failed} {check.error}", TextStyle.ERROR)),
                line(Span("This is no fault of your stamp.", TextStyle.DIM)),
            ]
    if check.report is not None and check.healthy:
        az = check.diagnosis.az_line if check.diagnosis else ""
        said = healthy_lines(check.report, glyphs, az)
    elif check.verdict is not None:
        said = _verdict_and_remedies(check.verdict, glyphs, keys)
        if check.diagnosis and (az := check.diagnosis.az_line):
            said[2:2] = [line(Span(az, TextStyle.DIM))]
    else:
        return [line(Span(f"{glyphs.failed} fault found", TextStyle.ERROR))]
    said[2:2] = _since_lines(check)
    return said


def _left_lines(check: LiveCheck) -> list[Line]:
    """Return what a write probe may have left that did not come to its end."""
    said = f"Whether the probe's group {check.target.write_probe} is left there is unknown: in 15 "
    said += "minutes a check finds it, and f deletes it."
    return [line(Span(said, TextStyle.WARNING))]


def _since_lines(check: LiveCheck) -> list[Line]:
    """Return since when the outcome is so, if that is known."""
    text = since_text(check.since, check.report.started, None) if check.report else ""
    return [line(Span(text, TextStyle.DIM))] if text else []


def _granted_lines(check: LiveCheck, at: datetime) -> list[Line]:
    """Return that a role, whose lack was found, may not count yet."""
    fixes = fixes_of(check.diagnosis, can_grant=True)
    if not any(each.action.kind is ActionKind.GRANT for each in fixes):
        return []
    said = f"The role was granted at {clock(at)}, and can take minutes to count:  "
    again = Span("c", TextStyle.KEY), Span(" checks again", TextStyle.DIM)
    return [line(Span(said, TextStyle.WARNING), *again)]


def prompt_lines(prompt: SignInPrompt | None) -> list[Line]:
    """Return the page to open and the code to type, while the check waits for the sign-in."""
    if prompt is None:
        return []
    code = label_value("code", Span(prompt.code, TextStyle.STRONG), width=LABEL)
    copies = (Span("y", TextStyle.KEY), Span(" copies it", TextStyle.DIM))
    return [
        line(f"To sign in at {prompt.host}, open this page in a browser, on any machine:"),
        label_value("page", Span(prompt.page, TextStyle.STRONG), width=LABEL),
        Line(code.spans, copies, code.indent),
        label_value("by", clock(prompt.until), width=LABEL),
        BLANK,
    ]


def healthy_lines(report: Report, glyphs: Glyphs, az: str = "") -> list[Line]:
    """Return the lines of a healthy check; `az` is what az would fail at."""
    groups = report.groups
    total = (Span(f"{duration(report.seconds)} in all", TextStyle.DIM),)
    if groups is not None:
        count = count_of(len(groups.groups), "resource group")
        read = f"the first {count}" if groups.cut else count
        said = f"Signed in and read {read}. Nothing is wrong."
    elif report.token is not None:
        ends = f" until {clock(report.token.ends)}" if report.token.ends else ""
        said = f"Signed in: there is a token{ends}. No resource was read."
    else:
        said = "The stamp answers. Sign-in was not tried."
    if not report.conclusive:
        why = "A device code needs a person: c checks this environment alone."
        symbol = Span(f"{glyphs.skipped} undecided", TextStyle.WARNING)
        return [line(symbol, right=total), line(said), line(why)]
    word = METADATA_ONLY if report.metadata_only else "OK for stacktui" if az else "OK"
    spans = [Span(f"{glyphs.ok} {word}", TextStyle.OK)]
    if az:
        spans.append(Span(f" {glyphs.dot.strip()} {az}", TextStyle.WARNING))
    return [line(*spans, right=total), line(said)]


@dataclass(frozen=True, slots=True)
class Keys:
    """Which remedy `f` carries out, the words for that, and whose command `y` copies.

    Where there are several commands they are `numbered`, and none is `copied` at once.
    """

    fixed: Remedy | None = None
    does: str = ""
    copied: Remedy | None = None
    numbered: tuple[Remedy, ...] = ()

    @classmethod
    def of(cls, check: LiveCheck, *, can_grant: bool) -> Keys:
        first = next(iter(fixes_of(check.diagnosis, can_grant=can_grant)), None)
        does = DOES[first.action.kind] if first else ""
        if first and first.action.kind is ActionKind.ASK_SECRET and first.finding.id != _MISSING:
            does += " again"
        fixed = first.remedy if first else None
        remedies = with_commands(check.diagnosis)
        if len(remedies) > 1:
            return cls(fixed, does, numbered=remedies)
        return cls(fixed, does, next(iter(remedies), None))

    def number(self, remedy: Remedy) -> str:
        """Return `y2` where `y`, then `2` copies the remedy's command; else ""."""
        return next((f"y{at}" for at, each in enumerate(self.numbered, 1) if each is remedy), "")

    def at(self, remedy: Remedy) -> tuple[Span, ...]:
        """Return the keys that act on a remedy."""
        spans: list[Span] = []
        if remedy is self.fixed:
            spans += [Span("f", TextStyle.KEY), Span(f" {self.does}", TextStyle.DIM)]
        if remedy is self.copied:
            blank = [Span("  ", TextStyle.DIM)] if spans else []
            spans += [*blank, Span("y", TextStyle.KEY), Span(" copies", TextStyle.DIM)]
        return tuple(spans)


def verdict_lines(finding: Finding, glyphs: Glyphs, keys: Keys) -> list[Line]:
    """Return what is wrong, whose side it is on, the remedies, the evidence, and what az says."""
    return [*_verdict_and_remedies(finding, glyphs, keys), *_evidence_lines(finding)]


def _verdict_and_remedies(finding: Finding, glyphs: Glyphs, keys: Keys) -> list[Line]:
    return [
        line(Span(f"{glyphs.failed} {finding.id}", TextStyle.ERROR), right=_side(finding)),
        line(Span(finding.title, TextStyle.STRONG)),
        *_remedy_lines(finding, keys),
    ]


def _evidence_lines(finding: Finding) -> list[Line]:
    az = [label_value("az", Span(finding.az_says, TextStyle.DIM), width=LABEL)]
    return [*_why_lines(finding), *(az if finding.az_says else [])]


def _side(finding: Finding) -> tuple[Span, ...]:
    return (Span("side: ", TextStyle.DIM), Span(SIDES[finding.side], TextStyle.STRONG))


def _why_lines(finding: Finding) -> list[Line]:
    return [
        label_value("why" if index == 0 else "", seen, width=LABEL)
        for index, seen in enumerate(finding.evidence)
    ]


def _remedy_lines(finding: Finding, keys: Keys) -> list[Line]:
    lines = [
        text
        for index, remedy in enumerate(finding.remedies)
        for text in remedy_lines(remedy, "fix" if index == 0 else "or", keys)
    ]
    if finding.owner:
        lines.append(_send_line(finding.owner))
    return lines


def _send_line(owner: str) -> Line:
    what = f"{owner} the report: it has the times, request ids and chains"
    copies = (Span("Y", TextStyle.KEY), Span(" copies it", TextStyle.DIM))
    text = label_value("send", what, width=LABEL)
    return Line(text.spans, copies, text.indent, right_last=True)


def remedy_lines(remedy: Remedy, label: str, keys: Keys) -> list[Line]:
    """Return a remedy and its command, with the keys that act on it."""
    # What f does is said beside the key.
    title = label_value(label, remedy.title.removesuffix(ON_A_TERMINAL), width=LABEL)
    lines = [Line(title.spans, keys.at(remedy), title.indent, right_last=True)]
    number = Span(keys.number(remedy).ljust(LABEL), TextStyle.KEY)
    for command in command_of(remedy).splitlines():
        lines.append(line(number, Span(command, TextStyle.ACCENT), indent=LABEL))
        number = Span(" " * LABEL)
    return lines


def _of_az(check: LiveCheck, glyphs: Glyphs, keys: Keys, *, whole: bool) -> list[Line]:
    """Return what az would fail at, and this check did not; of the first az alone, if briefly."""
    found = check.diagnosis.of_az_alone if check.diagnosis else ()
    lines = []
    for client, findings in found if whole else found[:1]:
        if whole:
            head = f"{client.name} {client.version} ({client.path}) would fail"
            lines += [BLANK, line(Span(head, TextStyle.STRONG))]
        show = _seen_whole if whole else _seen_briefly
        lines += [text for finding in findings for text in show(finding, glyphs, keys)]
    return lines


def _seen_briefly(finding: Finding, glyphs: Glyphs, keys: Keys) -> list[Line]:
    """Return a finding's title and the remedy that a key acts on, else its first."""
    said = [
        line(Span(f"{glyphs.warning} {finding.id}  ", TextStyle.WARNING), finding.title, indent=2)
    ]
    acted_on = [each for each in finding.remedies if keys.at(each) or keys.number(each)]
    for remedy in (acted_on or finding.remedies)[:1]:
        title = label_value("  fix", remedy.title.removesuffix(ON_A_TERMINAL), width=LABEL + 2)
        number = (Span(keys.number(remedy), TextStyle.KEY),)
        acts = keys.at(remedy) or number
        said.append(Line(title.spans, acts, title.indent, right_last=True))
    return said


def _seen_whole(finding: Finding, glyphs: Glyphs, keys: Keys) -> list[Line]:
    return [
        BLANK,
        line(Span(f"{glyphs.warning} {finding.id}", TextStyle.WARNING), right=_side(finding)),
        line(Span(finding.title, TextStyle.STRONG)),
        *_why_lines(finding),
        *_remedy_lines(finding, keys),
    ]
