"""A diagnosed report as GitHub-flavoured Markdown, for a ticket.

The same report gives the same text. Like the report, it holds no secret. Text from names, responses
and certificates is escaped, so that it makes no link, table cell, fence or mention.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import chain as joined
from typing import TYPE_CHECKING

from stacktui import __version__
from stacktui.certificates.chain import Certificate, describe
from stacktui.check.fault_text import fault_summary
from stacktui.check.report import Probe, Report, StepOutcome, StepResult
from stacktui.check.streak import Since, outcome_word, since_text
from stacktui.check.summary import METADATA_ONLY
from stacktui.diagnosis.finding import SIDES, Diagnosis, Finding, Remedy
from stacktui.diagnosis.round import CheckResult
from stacktui.identities.faults import SignInFault
from stacktui.resources.model import ArmFault
from stacktui.text.markdown_escape import code, fenced, prose, table
from stacktui.transport.records import ConnectionFacts, Exchange, Phase

if TYPE_CHECKING:
    from stacktui.certificates.chain_completion import FoundIssuer

# A ticket takes about 64 KiB; the number of requests, certificates and names is unlimited.
_REQUESTS = 40
_CERTIFICATES = 8
_NAMES = 12
# The headers that support asks for first.
_IDS = ("x-ms-request-id", "x-ms-correlation-request-id", "x-ms-client-request-id")
_NONE = "–"
Lines = list[str]


def report_markdown(report: Report, diagnosis: Diagnosis, since: Since | None = None) -> str:
    """Return the whole document, with a trailing line break; `since` is since when it is so."""
    sections = (
        [_title(report, diagnosis)],
        *(_finding(each, "Verdict") for each in (diagnosis.verdict,) if each),
        *(_finding(each, "Also seen") for each in diagnosis.also_seen_distinct),
        *(
            _finding(each, "az here would meet")
            for _, found in diagnosis.of_az_alone[:1]
            for each in found
        ),
        _circumstances(report, diagnosis, since_text(since, report.started)),
        _timeline(report),
        _answer(report),
        _probes(report),
        _chain(report),
        _ids(report),
    )
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def round_table(results: Sequence[CheckResult], seconds: float) -> str:
    """Return a round of checks as a table, with a trailing line break; `seconds` is how long."""
    rows = []
    for each in results:
        verdict, report = each.verdict, each.report
        state = outcome_word(each.ok, "", metadata_only=each.metadata_only)
        rows.append(
            (
                prose(each.name),
                state if report is not None else "not checked",
                prose(verdict.id) if verdict else _NONE,
                SIDES[verdict.side] if verdict else _NONE,
                f"{report.seconds:.2f} s" if report else _NONE,
                prose(verdict.title if verdict else each.error or each.skipped) or _NONE,
            )
        )
    broken = sum(each.ok is False for each in results)
    title = f"# stacktui: {len(results)} environments, {broken or 'none'} with a fault"
    heads = ("environment", "state", "verdict", "side", "took", "what")
    lines = [title, "", *table(heads, rows), "", f"All in {seconds:.1f} s."]
    return "\n".join(lines) + "\n"


def _title(report: Report, diagnosis: Diagnosis) -> str:
    found = diagnosis.verdict
    ending = METADATA_ONLY if report.metadata_only else "healthy"
    if found is not None:
        ending = f"{prose(found.id)}, side: {SIDES[found.side]}"
    return f"# stacktui: {prose(report.target.environment.name)}: {ending}"


def _circumstances(report: Report, diagnosis: Diagnosis, since: str) -> Lines:
    """Return what was checked, when, as whom, and with which proxy and trust."""
    environment, identity = report.target.environment, report.target.identity
    rows = [
        ("environment", prose(environment.name)),
        ("Azure Resource Manager", code(environment.arm)),
        (
            "identity",
            f"{prose(identity.name)} ({identity.kind.words})" if identity else "none",
        ),
        ("profile", code(environment.profile)),
        ("checked from", prose(report.box) or _NONE),
        ("checked", f"{_time(report.started)}, in {report.seconds:.2f} s"),
        *((("so", prose(since)),) if since else ()),
        ("proxy", "; ".join(map(prose, _ways(report))) or _NONE),
        ("trusted", "; ".join(map(prose, _trust(report))) or _NONE),
        *(("az here", prose(each)) for each in _az(report, diagnosis)),
        ("by", f"stacktui {code(__version__)}"),
    ]
    return table(("what", "value"), rows)


def _ways(report: Report) -> Iterable[str]:
    seen = (each.connection.proxy for each in _exchanges(report) if each.connection)
    return dict.fromkeys(f"{each.url or 'none'} ({each.source})" for each in seen)


def _az(report: Report, diagnosis: Diagnosis) -> Iterable[str]:
    """Yield each az of this machine, and what it would fail at."""
    results = {each.path: each for each in diagnosis.az}
    for each in report.az.installations if report.az else ():
        judged = results.get(str(each.launcher))
        fails = f": would fail: {judged.summary}" if judged and judged.works is False else ""
        yield f"{each.version or '?'} ({each.launcher}){fails}"


def _trust(report: Report) -> Iterable[str]:
    used = (step.evidence.trust for step in report.steps)
    sources = joined.from_iterable(each.sources for each in used if each)
    return dict.fromkeys(f"{each.setting} ({each.path})" for each in sources)


# Findings


def _finding(finding: Finding, what: str) -> Lines:
    lines = [
        f"## {what}: {prose(finding.id)}, side: {SIDES[finding.side]}",
        "",
        prose(finding.title),
    ]
    for number, remedy in enumerate(finding.remedies, 1):
        lines += ["", *_remedy(remedy, number)]
    lines += ["", *(f"- {prose(each)}" for each in finding.evidence)]
    if finding.az_says:
        lines += ["", f"What az says: {code(finding.az_says)}"]
    return lines


def _remedy(remedy: Remedy, number: int) -> Lines:
    lines = [f"**Fix {number}.** {prose(remedy.title)}"]
    for language, command in (("bash", remedy.bash), ("powershell", remedy.powershell)):
        if command:
            lines += ["", *fenced(language, command)]
    return lines


# Timeline


def _timeline(report: Report) -> Lines:
    rows = []
    for step in report.steps:
        asked = [(step.name, each) for each in step.evidence.exchanges]
        rows += [(name, *_cells(each)) for name, each in asked]
        if not asked:
            rows.append((step.name, _NONE, _NONE, _NONE, _without_request(step)))
    more = len(rows) - _REQUESTS
    if more > 0:
        half = _REQUESTS // 2
        rows[half:-half] = [("…", f"{more} more requests", _NONE, _NONE, _NONE)]
    head = ("step", "request", "reached", "phases in ms", "answer")
    return ["## Timeline", "", *table(head, rows)]


def _cells(exchange: Exchange) -> tuple[str, str, str, str]:
    asked = f"{exchange.method} {exchange.url}"
    return code(asked), _reached(exchange.connection), _phases(exchange.phases), _answered(exchange)


def _reached(connection: ConnectionFacts | None) -> str:
    if connection is None:
        return _NONE
    addresses = connection.addresses or (connection.pinned or "",)
    return prose(", ".join(filter(None, addresses)))


def _phases(phases: Sequence[Phase]) -> str:
    said = (
        f"{each.name.value} {each.seconds * 1000:.1f}{'' if each.ok else ' failed'}"
        for each in phases
    )
    return ", ".join(said) or _NONE


def _answered(exchange: Exchange) -> str:
    response, fault = exchange.response, exchange.fault
    said = f"{response.status}, {response.size:,} bytes" if response else ""
    return "; ".join(filter(None, (said, prose(fault.detail) if fault else ""))) or _NONE


def _without_request(step: StepResult) -> str:
    evidence = step.evidence
    if step.outcome is StepOutcome.SKIPPED:
        return f"skipped: {prose(evidence.skipped)}"
    return prose(fault_summary(evidence.fault)) if evidence.fault else _NONE


def _answer(report: Report) -> Lines:
    """Return the last response, as far as it was kept."""
    last = report.failed.evidence.last if report.failed else None
    response = last.response if last else None
    if response is None:
        return []
    rows = [(code(name), code(value)) for name, value in response.headers]
    lines = ["## The answer that decided", "", *table(("header", "value"), rows)]
    return [*lines, "", *fenced("text", response.excerpt)] if response.excerpt else lines


def _probes(report: Report) -> Lines:
    if not report.probes:
        return []
    rows = [(prose(each.role), *_probed(each)) for each in report.probes]
    head = ("host", "asked", "reached", "phases in ms", "outcome")
    return ["## Looked at after the failure", "", *table(head, rows)]


def _probed(probe: Probe) -> tuple[str, str, str, str]:
    exchange = probe.exchange
    way = (_reached(exchange.connection), _phases(exchange.phases))
    return (
        code(exchange.url),
        *way,
        prose(exchange.fault.detail) if exchange.fault else "TLS works",
    )


# Certificates and ids


def _chain(report: Report) -> Lines:
    """Return the chain that the failing host presented."""
    last = report.failed.evidence.last if report.failed else None
    seen = last.connection if last else None
    if seen is None or seen.tls is None or not seen.tls.chain:
        return []
    shown = [describe(der) for der in seen.tls.chain[:_CERTIFICATES]]
    rows = [_certificate(str(number), each) for number, each in enumerate(shown, 1)]
    more = len(seen.tls.chain) - len(shown)
    if more:
        rows.append(("…", f"{more} more certificates", _NONE, _NONE, _NONE))
    rows += [_certificate("not presented", describe(each.der)) for each in _missing(report, seen)]
    head = ("", "subject", "issuer", "valid (UTC)", "SHA-256")
    lines = [f"## Presented by {code(f'{seen.host}:{seen.port}')}", "", *table(head, rows)]
    if names := shown[0].shown_names:
        rest = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
        lines += ["", f"Names of the leaf: {', '.join(map(code, names[:_NAMES]))}{rest}"]
    if seen.tls.verify_message:
        lines += ["", f"OpenSSL says: {prose(seen.tls.verify_message)}"]
    return lines


def _missing(report: Report, seen: ConnectionFacts) -> Sequence[FoundIssuer]:
    """Return the issuers that were found beyond the presented chain."""
    found = report.completion
    mine = found is not None and (found.host, found.port) == (seen.host, seen.port)
    return found.found if found is not None and mine else ()


def _certificate(place: str, each: Certificate) -> tuple[str, ...]:
    if each.unreadable:
        return (
            place,
            f"unreadable: {prose(each.unreadable)}",
            _NONE,
            _NONE,
            code(each.sha256),
        )
    between = [f"{at:%Y-%m-%d %H:%M}" for at in (each.not_before, each.not_after) if at]
    return (
        place, code(each.subject), code(each.issuer), " to ".join(between) or _NONE,
        code(each.sha256),
    )  # fmt: skip


def _ids(report: Report) -> Lines:
    found: dict[tuple[str, str], None] = {}
    for step in report.steps:
        match step.evidence.fault:
            case SignInFault(correlation_id=each) if each:
                found["sign-in correlation id", each] = None
            case ArmFault(request_id=first, correlation_id=second):
                pairs = zip(_IDS, (first, second), strict=False)
                found |= {pair: None for pair in pairs if pair[1]}
        for exchange in step.evidence.exchanges:
            headers = exchange.response.headers if exchange.response else ()
            found |= {pair: None for pair in headers if pair[0] in _IDS}
    rows = [(name, code(value)) for name, value in list(found)[:_REQUESTS]]
    return ["## Ids for support", "", *table(("id", "value"), rows)] if rows else []


def _exchanges(report: Report) -> Iterable[Exchange]:
    steps = joined.from_iterable(step.evidence.exchanges for step in report.steps)
    return joined(steps, (probe.exchange for probe in report.probes))


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
