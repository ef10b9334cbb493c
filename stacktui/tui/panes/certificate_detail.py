"""The detail of one host, or of an identity's certificate: trust, chain, readiness.

Imported with the first detail that is shown, not before the first frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from stacktui.certificates.formatting import VALID, fields_of, time_left
from stacktui.certificates.levels import Level, level_of
from stacktui.certificates.verify import DATES, ROOTLESS, VerifyCode
from stacktui.identities.certificate_file import IdentityFile
from stacktui.text.counts import count_of, time_span
from stacktui.tui.app_state import AppState
from stacktui.tui.formatting import clock, day
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.panes import trust_matrix
from stacktui.tui.panes.certificates import (
    IDENTITY,
    LEVELS,
    check_state,
    endpoint_key,
    host_state,
    identity_state,
    no_chain_reason,
    port_suffix,
    reference_time,
    scan_lines,
)

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate
    from stacktui.certificates.readiness import RuleResult
    from stacktui.transport.records import ConnectionFacts
    from stacktui.tui.scan_state import EvaluatedScan, ScannedHost

LABEL = 14
# Fields that are rarely needed.
_DIM = ("SHA-1", "MD5")
# Deeper certificates of a chain are not indented further.
MAX_DEPTH = 3
NamedLines = tuple[str, tuple[Line, ...]]


def detail(chosen: str, app_state: AppState, glyphs: Glyphs, *, zoomed: bool) -> NamedLines:
    """Return the name and the detail of the chosen row; while the pane is `zoomed` with the
    stores first, as the legend of the matrix."""
    result, head = app_state.last_scan, _scan(app_state, glyphs)
    if chosen.startswith(IDENTITY):
        name = chosen.removeprefix(IDENTITY)
        file = (app_state.identity_files or {}).get(name)
        lines = identity_lines(file, glyphs)
        if zoomed and result is not None:
            lines += [BLANK, *_stores(result, glyphs)]
        return chosen, (*head, *lines)
    if result is not None:
        for row in result.rows:
            if row.seen.endpoint.key == chosen:
                lines = host_lines(row, result, glyphs, zoomed=zoomed)
                return row.seen.endpoint.name, (*head, *lines)
        return "", ()
    for each in app_state.check.connections if app_state.check else ():
        if endpoint_key(each) == chosen:
            return each.host, (*head, *check_lines(each, app_state, glyphs))
    return "", ()


def _scan(app_state: AppState, glyphs: Glyphs) -> tuple[Line, ...]:
    """Return what the running scan waits for, or the internal error of the last.

    The hint bar is too short for a file's name.
    """
    live = app_state.current_scan
    if live is not None and live.running:
        return (*scan_lines(live, glyphs), BLANK)
    if live is None or not live.error:
        return ()
    return (label_value("last scan", Span(live.error, TextStyle.ERROR)), BLANK)


# A host of the last scan


def host_lines(
    row: ScannedHost, result: EvaluatedScan, glyphs: Glyphs, *, zoomed: bool
) -> list[Line]:
    now, seen = result.scan.taken, row.seen
    head, connection = _head(row, result, glyphs), _connection(row, result)
    if not seen.chain:
        stores = _stores(result, glyphs) if zoomed else []
        return [*head, *stores, *connection]
    legend = trust_matrix.legend(result, row.cells, glyphs, brief=zoomed)
    trusted = [_title("who trusts it"), *legend]
    chain = [result.certificates.get(der) for der in seen.chain]
    tree = [BLANK, _title("chain"), *tree_lines(chain, now, glyphs)]
    rules = readiness_lines(row.results, glyphs)
    if zoomed:
        return [*head, *trusted, BLANK, *connection, *tree, *rules]
    return [*head, *connection, *tree, BLANK, *trusted, *rules]


def _stores(result: EvaluatedScan, glyphs: Glyphs) -> list[Line]:
    """Return the legend of the matrix, for rows without a verdict."""
    return [_title("the stores"), *trust_matrix.legend(result, None, glyphs, brief=True)]


def _head(row: ScannedHost, result: EvaluatedScan, glyphs: Glyphs) -> list[Line]:
    """Return the host, its state, and the fix if there is a problem."""
    seen = row.seen
    endpoint = seen.endpoint
    wildcard = endpoint.name != endpoint.host
    what = "  asked by a made-up name" if wildcard else f"  {endpoint.role}"
    lines = [
        label_value("host", endpoint.name + port_suffix(endpoint.port), Span(what, TextStyle.DIM)),
        label_value(
            "state", host_state(row, glyphs), *_reason(row), *_days_left(row, result.scan.taken)
        ),
    ]
    problem = result.matrix.columns[0].problem
    if seen.chain and problem:
        lines.append(label_value("", Span(problem, TextStyle.ERROR)))
    if fix := _fix(row):
        lines.append(label_value("fix", *fix))
    if result.scan.no_metadata and endpoint.roles[:1] == ("ARM",):
        why = f"no metadata, so hosts may be missing: {result.scan.no_metadata}"
        lines.append(label_value("besides", Span(f"{glyphs.warning} {why}", TextStyle.WARNING)))
    return lines


def _connection(row: ScannedHost, result: EvaluatedScan) -> list[Line]:
    """Return how the host was reached, and how many stores trust it."""
    lines = []
    if row.verdict is not None:
        trusting = sum(1 for cell in row.cells if cell is not None and cell.ok)
        lines.append(
            label_value("trusted by", f"{trusting} of {count_of(len(row.cells), 'store')}")
        )
    if row.seen.connection is not None:
        lines += _protocol_and_address(row.seen.connection)
    again = (Span("l", TextStyle.KEY), Span(" scans again", TextStyle.DIM))
    return [*lines, label_value("scanned", f"{clock(result.scan.taken)}  ", *again)]


def _protocol_and_address(connection: ConnectionFacts) -> list[Line]:
    tls, lines = connection.tls, []
    if tls is not None and tls.protocol:
        cipher = Span(f"  {tls.cipher or ''}", TextStyle.DIM)
        lines.append(label_value("protocol", tls.protocol, cipher))
    if connection.addresses:
        lines.append(label_value("address", ", ".join(connection.addresses)))
    return lines


def _reason(row: ScannedHost) -> tuple[Span, ...]:
    """Return the reason for the state."""
    if row.verdict is not None and not row.verdict.ok:
        return (Span(f"  {row.verdict.message}", TextStyle.DIM),)
    why = no_chain_reason(row.seen)
    for each in row.results:
        if each.level is Level.FAIL and row.verdict is not None:
            why = why or f"{each.rule}: {each.text}"
    return (Span(f"  {why}", TextStyle.DIM),) if why else ()


def _days_left(row: ScannedHost, now: datetime) -> tuple[Span, ...]:
    """Return the time left of a trusted certificate."""
    left = row.leaf.time_left(now) if row.leaf else None
    if left is None or row.verdict is None or not row.verdict.ok:
        return ()
    return (Span(f"  {time_span(left)} left", LEVELS.get(level_of(left.days), TextStyle.DIM)),)


def _fix(row: ScannedHost) -> tuple[Span, ...]:
    """Return the key that fixes it, or what the stamp's operator must do."""
    verdict = row.verdict
    if verdict is None or verdict.ok:
        return ()
    # A self-signed leaf has no root to trust.
    if verdict.code in ROOTLESS - {VerifyCode.DEPTH_ZERO_SELF_SIGNED_CERT}:
        return (Span("T", TextStyle.KEY), Span(" finds its root, to trust it"))
    if verdict.code in DATES:
        return (Span("the stamp's operator must renew it; check this machine's clock too"),)
    return (Span("the stamp's operator must replace the certificate"),)


def check_lines(connection: ConnectionFacts, app_state: AppState, glyphs: Glyphs) -> list[Line]:
    """Return the detail of a host of the last check, which verified with the store in use only."""
    tls, now = connection.tls, reference_time(app_state)
    if tls is None:
        return [label_value("host", endpoint_key(connection))]
    lines = [
        label_value("host", endpoint_key(connection)),
        label_value("state", check_state(connection, glyphs)),
    ]
    if tls.verify_message:
        lines.append(label_value("", Span(tls.verify_message, TextStyle.DIM)))
    lines += _protocol_and_address(connection)
    if tls.unverified_probe:
        lines.append(
            label_value(
                "", Span("seen in a second handshake; nothing was sent over it", TextStyle.DIM)
            )
        )
    asked = (
        Span("l", TextStyle.KEY),
        Span(" verifies with every store of this machine", TextStyle.DIM),
    )
    lines.append(label_value("trusted by", *asked))
    chain = [app_state.certificates.get(der) for der in tls.chain]
    return [*lines, BLANK, _title("chain"), *tree_lines(chain, now, glyphs)]


# Certificates


def tree_lines(chain: Sequence[Certificate | None], now: datetime, glyphs: Glyphs) -> list[Line]:
    """Return the chain as a tree, leaf first, with every field of each certificate."""
    lines: list[Line] = []
    for position, certificate in enumerate(chain):
        indent = " " * (2 * min(position, MAX_DEPTH))
        branch = f"{indent}{glyphs.branch} " if position else ""
        place = f"{position + 1} of {len(chain)}"
        if certificate is None:
            lines.append(
                line(Span(f"{branch}reading", TextStyle.DIM), right=(Span(place, TextStyle.DIM),))
            )
            continue
        name = certificate.common_name or "unreadable"
        kind = "" if certificate.unreadable else f"{certificate.kind}, "
        lines.append(
            line(
                Span(branch, TextStyle.DIM),
                Span(name, TextStyle.STRONG),
                right=(Span(f"{kind}{place}", TextStyle.DIM),),
                indent=len(branch),
            )
        )
        lines += field_lines(certificate, now, " " * (2 * min(position + 1, MAX_DEPTH)))
        if position + 1 < len(chain):
            lines.append(BLANK)
    return lines


def field_lines(certificate: Certificate, now: datetime, indent: str = "") -> list[Line]:
    """Return the fields of one certificate."""

    def field(label: str, *values: str | Span) -> Line:
        return label_value(indent + label, *values, width=len(indent) + LABEL)

    return [
        field(label, *validity(certificate, now)) if label == VALID
        else field(label, Span(value, TextStyle.DIM if label in _DIM else TextStyle.TEXT))
        for label, value in fields_of(certificate, now)
    ]  # fmt: skip


def validity(certificate: Certificate, now: datetime) -> tuple[Span, ...]:
    """Return the dates, and the time left in the style of its level."""
    if certificate.not_before is None or certificate.not_after is None:
        return ()
    span = Span(f"{day(certificate.not_before)} to {day(certificate.not_after)}")
    style = TextStyle.ERROR
    if certificate.not_before <= now <= certificate.not_after:
        style = LEVELS.get(level_of(certificate.days_left(now) or 0), TextStyle.DIM)
    return (span, Span(f"  {time_left(certificate, now)}", style))


# Readiness


def readiness_lines(results: Sequence[RuleResult], glyphs: Glyphs) -> list[Line]:
    """Return the rules that the certificate fails, with the fixes; empty if there are none."""
    found = [each for each in results if each.level in LEVELS]
    if not found:
        return []
    lines = [BLANK, _title("readiness, by the vendor's rules")]
    for each in found:
        style = LEVELS[each.level]
        sign = glyphs.failed if each.level is Level.FAIL else glyphs.warning
        lines.append(
            line(Span(f"{sign} {each.level.value}  ", style), f"{each.rule}: {each.text}", indent=2)
        )
        if each.remedy:
            lines.append(line("  ", Span("fix  ", TextStyle.DIM), each.remedy, indent=7))
    return lines


# An identity's certificate


def identity_lines(file: IdentityFile | None, glyphs: Glyphs) -> list[Line]:
    if file is None:
        return [label_value("state", identity_state(file, glyphs))]
    lines = [
        label_value("file", str(file.path)),
        label_value(
            "state", identity_state(file, glyphs), Span(f"  {file.problem}", TextStyle.DIM)
        ),
    ]
    if file.remedy:
        lines.append(label_value("fix", file.remedy))
    if not file.chain:
        return lines
    thumbprint = file.chain[0].sha1.replace(":", "")
    lines.append(label_value("thumbprint", Span(thumbprint, TextStyle.STRONG)))
    lines.append(label_value("", Span("as Entra and AD FS show it", TextStyle.DIM)))
    return [*lines, BLANK, *tree_lines(file.chain, file.read, glyphs)]


def _title(text: str) -> Line:
    return line(Span(text, TextStyle.ACCENT))
