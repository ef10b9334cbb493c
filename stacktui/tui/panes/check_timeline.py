"""What a zoomed check shows after the verdict: requests with phases, probes, chains, trust."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from stacktui.certificates.chain import Certificate
from stacktui.certificates.formatting import VALID, fields_of
from stacktui.check.fault_text import fault_summary
from stacktui.check.report import Report, StepOutcome, StepResult
from stacktui.check.step_names import step_label
from stacktui.check.summary_text import result_summary
from stacktui.transport.records import ConnectionFacts, Exchange
from stacktui.tui.formatting import clock, day, duration
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.live_check import LiveCheck
from stacktui.tui.panes.certificate_detail import validity
from stacktui.tui.panes.check_steps import SYMBOLS, phase_spans

# The fields that distinguish chains; pane 2 shows all fields.
FIELDS = ("unreadable", "subject", "issuer", VALID, "SHA-256")
# A smaller skew (seconds) is not shown: `Date` has whole seconds, and latency adds to it.
MIN_SKEW = 5
# Bounds on what is shown: a server may send any number of pages and certificates.
MAX_REQUESTS = 100
MAX_CERTIFICATES = 20


def timeline_lines(
    check: LiveCheck, certificates: Mapping[bytes, Certificate], glyphs: Glyphs
) -> list[Line]:
    """Return the lines after the verdict; empty while the check runs.

    `certificates` are those parsed so far, by their DER.
    """
    report = check.report
    if report is None:
        return []
    lines = [*_timeline(report, glyphs), *_probes(report, glyphs)]
    first: dict[tuple[bytes, ...], str] = {}
    for seen in check.connections:
        same = first.setdefault(seen.tls.chain if seen.tls else (), seen.host)
        if same != seen.host and seen.tls and seen.tls.chain:
            lines += [*_presented(seen), line(Span(f"  the same chain as {same}", TextStyle.DIM))]
        else:
            lines += _chain(seen, report, certificates)
    copies = (
        Span("Y", TextStyle.KEY),
        Span(" copies all of this as Markdown, for a ticket", TextStyle.DIM),
    )
    return [*lines, *_context(report), BLANK, line(*copies)]


def _title(text: str, *right: Span) -> list[Line]:
    return [BLANK, line(Span(text, TextStyle.ACCENT), right=right)]


# Requests


def _timeline(report: Report, glyphs: Glyphs) -> list[Line]:
    lines = _title("Timeline", Span(f"phases in ms, begun {clock(report.started)}", TextStyle.DIM))
    for number, step in enumerate(report.steps):
        lines += [*([BLANK] if number else []), _step(step, glyphs)]
        for exchange in step.evidence.exchanges[:MAX_REQUESTS]:
            lines += _exchange(exchange, glyphs)
        more = len(step.evidence.exchanges) - MAX_REQUESTS
        if more > 0:
            lines.append(line(Span(f"  and {more} more requests", TextStyle.DIM)))
    return lines


def _step(step: StepResult, glyphs: Glyphs) -> Line:
    evidence, result = step.evidence, ""
    if step.outcome is StepOutcome.SKIPPED:
        result = f"skipped: {evidence.skipped}"
    elif evidence.fault is not None:
        result = fault_summary(evidence.fault)
    elif evidence.result is not None:
        result = result_summary(evidence.result)
    took = (
        ()
        if step.outcome is StepOutcome.SKIPPED
        else (Span(duration(step.seconds), TextStyle.DIM),)
    )
    name = Span(f" {step_label(step.name)}  ", TextStyle.STRONG)
    return line(
        SYMBOLS[step.outcome](glyphs), name, Span(result, TextStyle.DIM), right=took, indent=2
    )


def _exchange(exchange: Exchange, glyphs: Glyphs) -> list[Line]:
    lines = [
        line(Span(f"  {exchange.method} ", TextStyle.DIM), exchange.url, indent=7),
        label_value("    phases", *phase_spans(exchange.phases, glyphs, every=True)),
        *_connection(exchange),
    ]
    response = exchange.response
    if response is not None:
        lines.append(label_value("    answered", f"{response.status}, {response.size:,} bytes"))
        if abs(response.clock_skew or 0) >= MIN_SKEW:
            ahead = f"{response.clock_skew:+.0f} s against this machine's clock"
            lines.append(label_value("", Span(ahead, TextStyle.DIM)))
        lines += [
            label_value("", Span(f"{name}: {value}", TextStyle.DIM))
            for name, value in response.headers
        ]
        if response.excerpt:
            lines.append(label_value("    body", Span(response.excerpt, TextStyle.DIM)))
    if exchange.fault is not None:
        lines.append(label_value("    failed", Span(exchange.fault.detail, TextStyle.ERROR)))
    return lines


def _connection(exchange: Exchange) -> Iterator[Line]:
    """Return the address, proxy, failed attempts and TLS version of its connection."""
    seen = exchange.connection
    if seen is None:
        return
    where = seen.pinned or ", ".join(seen.addresses) or seen.host
    pinned = ", pinned by resolve" if seen.pinned else ""
    via = f"{seen.proxy.url or 'direct'} ({seen.proxy.source}){pinned}"
    if seen.reused:
        via += ", a connection that was open already"
    yield label_value("    reached", f"{where}  ", Span(via, TextStyle.DIM))
    for attempt in seen.attempts:
        if attempt.error:
            yield label_value(
                "", Span(f"{attempt.address}:{attempt.port} {attempt.error}", TextStyle.ERROR)
            )
    if seen.tls is not None and seen.tls.protocol and not seen.reused:
        yield label_value(
            "    TLS", f"{seen.tls.protocol}  ", Span(seen.tls.cipher or "", TextStyle.DIM)
        )


def _probes(report: Report, glyphs: Glyphs) -> list[Line]:
    if not report.probes:
        return []
    lines = _title("Probed after the failure, up to TLS; nothing was sent")
    for probe in report.probes:
        fault = probe.exchange.fault
        sign = Span(glyphs.failed, TextStyle.ERROR) if fault else Span(glyphs.ok, TextStyle.OK)
        connection = probe.exchange.connection
        host = connection.host if connection else probe.exchange.url
        lines += [
            line(sign, f" {probe.role}  ", Span(host, TextStyle.DIM), indent=2),
            label_value("    phases", *phase_spans(probe.exchange.phases, glyphs, every=True)),
            *_connection(probe.exchange),
        ]
        if fault is not None:
            lines.append(label_value("    failed", Span(fault.detail, TextStyle.ERROR)))
    return lines


# Certificates


def _chain(
    seen: ConnectionFacts, report: Report, certificates: Mapping[bytes, Certificate]
) -> list[Line]:
    """Return the chain that a host presented, leaf first, and its missing issuers if found."""
    if seen.tls is None or not seen.tls.chain:
        return []
    lines = _presented(seen)
    for number, der in enumerate(seen.tls.chain[:MAX_CERTIFICATES], 1):
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
        lines.append(line(Span(seen.tls.verify_message, TextStyle.ERROR)))
    return lines


def _certificate(
    place: str, der: bytes, certificates: Mapping[bytes, Certificate], report: Report
) -> list[Line]:
    certificate = certificates.get(der)
    if certificate is None:
        return [line(Span(f"  {place}: reading", TextStyle.DIM))]
    kind = Span("" if certificate.unreadable else certificate.kind, TextStyle.DIM)
    lines = [line(Span(f"  {place}  ", TextStyle.DIM), kind)]
    for label, value in fields_of(certificate, report.started):
        if label == VALID:
            lines.append(label_value(f"    {label}", *validity(certificate, report.started)))
        elif label in FIELDS:
            lines.append(label_value(f"    {label}", value))
    return lines


# Context


def _context(report: Report) -> list[Line]:
    """Return the trust sources, the az installations, and the record of the stamp."""
    used = next((step.evidence.trust for step in report.steps if step.evidence.trust), None)
    lines = _title("Trusted here")
    sources = used.sources if used else ()
    lines += [label_value(f"  {each.setting}", each.path, width=len(each.setting) + 4)
              for each in sources]  # fmt: skip
    if report.az is not None and report.az.installations:
        lines += _title("az on this machine")
        lines += [label_value(f"  {each.version or '?'}", str(each.launcher), width=10)
                  for each in report.az.installations]  # fmt: skip
    if report.recorded is not None:
        lines += _title(f"Known of this stamp since {_date_time(report.recorded.recorded)}")
        lines.append(label_value("    login", report.recorded.login_endpoint))
        lines.append(label_value("    audience", report.recorded.audience))
    return lines


def _date_time(moment: datetime) -> str:
    return f"{day(moment)} {clock(moment)}"
