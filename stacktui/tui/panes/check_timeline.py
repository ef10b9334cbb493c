"""The rest of a check's story: every request with every phase, hosts looked at, chains, trust."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from stacktui.certificates.chain import Certificate
from stacktui.certificates.words import VALID, fields_of
from stacktui.check.fault_text import fault_summary
from stacktui.check.report import Outcome, Report, Step
from stacktui.check.summary import result_summary
from stacktui.transport.facts import ConnectionFacts, Exchange
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Role, Span, field, line
from stacktui.tui.live import LiveCheck
from stacktui.tui.panes.certificate_story import validity
from stacktui.tui.panes.check_story import STEPS, SYMBOLS, phase_spans
from stacktui.tui.words import clock, day, duration

# Of what a certificate says, what tells one chain from another; the rest is in pane 2.
FIELDS = ("unreadable", "subject", "issuer", VALID, "SHA-256")
# Seconds from which on a clock is worth a word: `Date` has whole seconds, and the way takes time.
SKEW = 5
# Servers may page and present as much as they like.
REQUESTS = 100
CERTIFICATES = 20


def rest_of_story(
    check: LiveCheck, certificates: Mapping[bytes, Certificate], glyphs: Glyphs
) -> list[Line]:
    """What the whole story tells after the verdict; nothing while the check runs.

    `certificates` are those described so far, by their DER.
    """
    report = check.report
    if report is None:
        return []
    lines = [*_timeline(report, glyphs), *_probes(report, glyphs)]
    first: dict[tuple[bytes, ...], str] = {}
    for seen in check.connections:
        told = first.setdefault(seen.tls.chain if seen.tls else (), seen.host)
        if told != seen.host and seen.tls and seen.tls.chain:
            lines += [*_presented(seen), line(Span(f"  the same chain as {told}", Role.DIM))]
        else:
            lines += _chain(seen, report, certificates)
    copies = (Span("Y", Role.KEY), Span(" copies all of this as Markdown, for a ticket", Role.DIM))
    return [*lines, *_circumstances(report), BLANK, line(*copies)]


def _title(text: str, *right: Span) -> list[Line]:
    return [BLANK, line(Span(text, Role.ACCENT), right=right)]


# Requests


def _timeline(report: Report, glyphs: Glyphs) -> list[Line]:
    lines = _title("Timeline", Span(f"phases in ms, begun {clock(report.started)}", Role.DIM))
    for number, step in enumerate(report.steps):
        lines += [*([BLANK] if number else []), _step(step, glyphs)]
        for exchange in step.evidence.exchanges[:REQUESTS]:
            lines += _exchange(exchange, glyphs)
        more = len(step.evidence.exchanges) - REQUESTS
        if more > 0:
            lines.append(line(Span(f"  and {more} more requests", Role.DIM)))
    return lines


def _step(step: Step, glyphs: Glyphs) -> Line:
    evidence, said = step.evidence, ""
    if step.outcome is Outcome.SKIPPED:
        said = f"skipped: {evidence.skipped}"
    elif evidence.fault is not None:
        said = fault_summary(evidence.fault)
    elif evidence.result is not None:
        said = result_summary(evidence.result)
    took = () if step.outcome is Outcome.SKIPPED else (Span(duration(step.seconds), Role.DIM),)
    name = Span(f" {STEPS[step.name]}  ", Role.STRONG)
    return line(SYMBOLS[step.outcome](glyphs), name, Span(said, Role.DIM), right=took, hang=2)


def _exchange(exchange: Exchange, glyphs: Glyphs) -> list[Line]:
    lines = [
        line(Span(f"  {exchange.method} ", Role.DIM), exchange.url, hang=7),
        field("    phases", *phase_spans(exchange.phases, glyphs, every=True)),
        *_connection(exchange),
    ]
    response = exchange.response
    if response is not None:
        lines.append(field("    answered", f"{response.status}, {response.size:,} bytes"))
        if abs(response.clock_skew or 0) >= SKEW:
            ahead = f"{response.clock_skew:+.0f} s against this box's clock"
            lines.append(field("", Span(ahead, Role.DIM)))
        lines += [field("", Span(f"{name}: {value}", Role.DIM)) for name, value in response.headers]
        if response.excerpt:
            lines.append(field("    body", Span(response.excerpt, Role.DIM)))
    if exchange.fault is not None:
        lines.append(field("    failed", Span(exchange.fault.detail, Role.ERROR)))
    return lines


def _connection(exchange: Exchange) -> Iterator[Line]:
    """How its connection came about."""
    seen = exchange.connection
    if seen is None:
        return
    where = seen.pinned or ", ".join(seen.addresses) or seen.host
    pinned = ", pinned by resolve" if seen.pinned else ""
    via = f"{seen.proxy.url or 'direct'} ({seen.proxy.source}){pinned}"
    if seen.reused:
        via += ", a connection that was open already"
    yield field("    reached", f"{where}  ", Span(via, Role.DIM))
    for attempt in seen.attempts:
        if attempt.error:
            yield field("", Span(f"{attempt.address}:{attempt.port} {attempt.error}", Role.ERROR))
    if seen.tls is not None and seen.tls.protocol and not seen.reused:
        yield field("    TLS", f"{seen.tls.protocol}  ", Span(seen.tls.cipher or "", Role.DIM))


def _probes(report: Report, glyphs: Glyphs) -> list[Line]:
    if not report.probes:
        return []
    lines = _title("Looked at after the failure, as far as TLS; nothing was sent")
    for probe in report.probes:
        fault = probe.exchange.fault
        sign = Span(glyphs.failed, Role.ERROR) if fault else Span(glyphs.ok, Role.OK)
        connection = probe.exchange.connection
        host = connection.host if connection else probe.exchange.url
        lines += [
            line(sign, f" {probe.role}  ", Span(host, Role.DIM), hang=2),
            field("    phases", *phase_spans(probe.exchange.phases, glyphs, every=True)),
            *_connection(probe.exchange),
        ]
        if fault is not None:
            lines.append(field("    failed", Span(fault.detail, Role.ERROR)))
    return lines


# Certificates


def _chain(
    seen: ConnectionFacts, report: Report, certificates: Mapping[bytes, Certificate]
) -> list[Line]:
    """The chain that a host presented, leaf first, and what was found missing of it."""
    if seen.tls is None or not seen.tls.chain:
        return []
    lines = _presented(seen)
    for number, der in enumerate(seen.tls.chain[:CERTIFICATES], 1):
        lines += _certificate(f"{number} of {len(seen.tls.chain)}", der, certificates, report)
    missing = report.completion
    if missing is not None and (missing.host, missing.port) == (seen.host, seen.port):
        for each in missing.found:
            where = f"not presented, but in {', '.join(each.where)}"
            lines += _certificate(where, each.der, certificates, report)
    return lines


def _presented(seen: ConnectionFacts) -> list[Line]:
    lines = _title(f"Presented by {seen.host}:{seen.port}")
    if seen.tls is not None and seen.tls.verify_message:
        lines.append(line(Span(seen.tls.verify_message, Role.ERROR)))
    return lines


def _certificate(
    place: str, der: bytes, certificates: Mapping[bytes, Certificate], report: Report
) -> list[Line]:
    certificate = certificates.get(der)
    if certificate is None:
        return [line(Span(f"  {place}: reading", Role.DIM))]
    kind = Span("" if certificate.unreadable else certificate.kind, Role.DIM)
    lines = [line(Span(f"  {place}  ", Role.DIM), kind)]
    for label, value in fields_of(certificate, report.started):
        if label == VALID:
            lines.append(field(f"    {label}", *validity(certificate, report.started)))
        elif label in FIELDS:
            lines.append(field(f"    {label}", value))
    return lines


# The rest


def _circumstances(report: Report) -> list[Line]:
    """By which trust, beside which az, and what was known of the stamp before."""
    used = next((step.evidence.trust for step in report.steps if step.evidence.trust), None)
    lines = _title("Trusted here")
    sources = used.sources if used else ()
    lines += [field(f"  {each.setting}", each.path, width=len(each.setting) + 4)
              for each in sources]  # fmt: skip
    if report.az is not None and report.az.installations:
        lines += _title("az on this box")
        lines += [field(f"  {each.version or '?'}", str(each.launcher), width=10)
                  for each in report.az.installations]  # fmt: skip
    if report.recorded is not None:
        lines += _title(f"Known of this stamp since {_moment(report.recorded.recorded)}")
        lines.append(field("    login", report.recorded.login_endpoint))
        lines.append(field("    audience", report.recorded.audience))
    return lines


def _moment(moment: datetime) -> str:
    return f"{day(moment)} {clock(moment)}"
