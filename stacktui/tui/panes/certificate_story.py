"""What there is to say of one host, or of one identity's certificate: chain, trust, readiness.

Imported with the first detail that is shown, not before the first frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from stacktui.certificates.formatting import VALID, fields_of, time_left
from stacktui.certificates.readiness import Level, level_of
from stacktui.identities.certificate_file import IdentityFile
from stacktui.text.counts import count_of
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Role, Span, field, line
from stacktui.tui.panes import trust_matrix
from stacktui.tui.panes.certificates import (
    IDENTITY,
    LEVELS,
    check_state,
    host_state,
    identity_state,
    key,
    moment,
    reason,
)
from stacktui.tui.session import Session
from stacktui.tui.words import clock, day

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate
    from stacktui.certificates.readiness import RuleResult
    from stacktui.transport.facts import ConnectionFacts
    from stacktui.tui.scan_state import EvaluatedScan, ScannedHost

LABEL = 14
# Fields that few look for.
_DIM = ("SHA-1", "MD5")
# A chain that is deeper than this is not indented any further.
DEEPEST = 3
Named = tuple[str, tuple[Line, ...]]


def detail(chosen: str, session: Session, glyphs: Glyphs, *, whole: bool) -> Named:
    """The name of the chosen row, and what there is to say of it; `whole` leads with the stores,
    as the columns of a matrix need their legend."""
    result = session.last_scan
    if chosen.startswith(IDENTITY):
        name = chosen.removeprefix(IDENTITY)
        file = (session.identity_files or {}).get(name)
        lines = identity_lines(file, glyphs)
        if whole and result is not None:
            lines += [
                BLANK,
                _title("the stores"),
                *trust_matrix.legend(result, None, glyphs, brief=True),
            ]
        return chosen, tuple(lines)
    broken = _broken(session)
    if result is not None:
        for row in result.rows:
            if row.seen.endpoint.key == chosen:
                lines = host_lines(row, result, glyphs, whole=whole)
                return row.seen.endpoint.name, (*broken, *lines)
        return "", ()
    for each in session.check.connections if session.check else ():
        if key(each) == chosen:
            return each.host, (*broken, *check_lines(each, session, glyphs))
    return "", ()


def _broken(session: Session) -> tuple[Line, ...]:
    """Why the last look ended early; the bar below has no room for the name of a file."""
    live = session.looking
    if live is None or not live.error:
        return ()
    return (field("last look", Span(f"internal error: {live.error}", Role.ERROR)), BLANK)


# A host that was looked at


def host_lines(
    row: ScannedHost, result: EvaluatedScan, glyphs: Glyphs, *, whole: bool
) -> list[Line]:
    now, seen = result.scan.taken, row.seen
    head, circumstances = _head(row, result, glyphs), _circumstances(row, result)
    if not seen.chain:
        stores = _stores(result, glyphs) if whole else []
        return [*head, *stores, *circumstances]
    legend = trust_matrix.legend(result, row.cells, glyphs, brief=whole)
    trusted = [_title("who trusts it"), *legend]
    chain = [result.certificates.get(der) for der in seen.chain]
    tree = [BLANK, _title("chain"), *tree_lines(chain, now, glyphs)]
    rules = readiness_lines(row.results, glyphs)
    if whole:
        return [*head, *trusted, BLANK, *circumstances, *tree, *rules]
    return [*head, *circumstances, *tree, BLANK, *trusted, *rules]


def _stores(result: EvaluatedScan, glyphs: Glyphs) -> list[Line]:
    """What the columns of the matrix are, for rows that no store has a verdict on."""
    return [_title("the stores"), *trust_matrix.legend(result, None, glyphs, brief=True)]


def _head(row: ScannedHost, result: EvaluatedScan, glyphs: Glyphs) -> list[Line]:
    """Whose certificate it is, how it stands, and which key to press if it does not stand well."""
    seen = row.seen
    endpoint = seen.endpoint
    made_up = endpoint.name != endpoint.host
    what = "  asked by a made-up name" if made_up else f"  {endpoint.role}"
    port = "" if endpoint.port == 443 else f":{endpoint.port}"
    lines = [
        field("host", f"{endpoint.name}{port}", Span(what, Role.DIM)),
        field("state", host_state(row, glyphs), *_said(row), *_left(row, result.scan.taken)),
    ]
    problem = result.matrix.columns[0].problem
    if seen.chain and problem:
        lines.append(field("", Span(problem, Role.ERROR)))
    if mend := _mend(row):
        lines.append(field("mend", *mend))
    if result.scan.no_metadata and endpoint.roles[:1] == ("ARM",):
        why = f"no metadata, so hosts may be missing: {result.scan.no_metadata}"
        lines.append(field("besides", Span(f"{glyphs.warning} {why}", Role.WARNING)))
    return lines


def _circumstances(row: ScannedHost, result: EvaluatedScan) -> list[Line]:
    """How it was seen."""
    connection = row.seen.connection
    tls = connection.tls if connection else None
    lines = []
    if row.verdict is not None:
        trusting = sum(1 for cell in row.cells if cell is not None and cell.ok)
        lines.append(field("trusted by", f"{trusting} of {count_of(len(row.cells), 'store')}"))
    if tls is not None and tls.protocol:
        lines.append(field("protocol", tls.protocol, Span(f"  {tls.cipher or ''}", Role.DIM)))
    if connection is not None and connection.addresses:
        lines.append(field("address", ", ".join(connection.addresses)))
    again = (Span("l", Role.KEY), Span(" looks again", Role.DIM))
    return [*lines, field("looked at", f"{clock(result.scan.taken)}  ", *again)]


def _said(row: ScannedHost) -> tuple[Span, ...]:
    """The words behind the state's word."""
    if row.verdict is not None and not row.verdict.ok:
        return (Span(f"  {row.verdict.message}", Role.DIM),)
    why = reason(row.seen)
    for each in row.results:
        if each.level is Level.FAIL and row.verdict is not None:
            why = why or f"{each.rule}: {each.text}"
    return (Span(f"  {why}", Role.DIM),) if why else ()


def _left(row: ScannedHost, now: datetime) -> tuple[Span, ...]:
    """The days that a trusted certificate has left."""
    left = row.leaf.days_left(now) if row.leaf else None
    if left is None or row.verdict is None or not row.verdict.ok:
        return ()
    return (Span(f"  {count_of(left, 'day')} left", LEVELS.get(level_of(left), Role.DIM)),)


def _mend(row: ScannedHost) -> tuple[Span, ...]:
    """Which key helps; none does against what only the stamp's operator can change."""
    verdict = row.verdict
    if verdict is None or verdict.ok:
        return ()
    from stacktui.certificates.verify import DATES, ROOTLESS, VerifyCode

    # A leaf that signed itself has no root.
    if verdict.code in ROOTLESS - {VerifyCode.DEPTH_ZERO_SELF_SIGNED_CERT}:
        return (Span("T", Role.KEY), Span(" looks for its root, to trust it"))
    if verdict.code in DATES:
        return (Span("the stamp's operator must renew it; check this box's clock too"),)
    return (Span("the stamp's operator must replace the certificate"),)


def check_lines(connection: ConnectionFacts, session: Session, glyphs: Glyphs) -> list[Line]:
    """A host that the last check saw: nothing was asked but of the store in use."""
    tls, now = connection.tls, moment(session)
    if tls is None:
        return [field("host", key(connection))]
    lines = [
        field("host", key(connection)),
        field("state", check_state(connection, glyphs)),
    ]
    if tls.verify_message:
        lines.append(field("", Span(tls.verify_message, Role.DIM)))
    if tls.protocol:
        lines.append(field("protocol", tls.protocol, Span(f"  {tls.cipher or ''}", Role.DIM)))
    if connection.addresses:
        lines.append(field("address", ", ".join(connection.addresses)))
    if tls.looked:
        lines.append(field("", Span("seen by a second look; nothing was sent over it", Role.DIM)))
    asked = (Span("l", Role.KEY), Span(" asks every store of this box", Role.DIM))
    lines.append(field("trusted by", *asked))
    chain = [session.certificates.get(der) for der in tls.chain]
    return [*lines, BLANK, _title("chain"), *tree_lines(chain, now, glyphs)]


# Certificates


def tree_lines(chain: Sequence[Certificate | None], now: datetime, glyphs: Glyphs) -> list[Line]:
    """The chain as a tree, leaf first, every field of each."""
    lines: list[Line] = []
    for position, certificate in enumerate(chain):
        indent = " " * (2 * min(position, DEEPEST))
        branch = f"{indent}{glyphs.branch} " if position else ""
        place = f"{position + 1} of {len(chain)}"
        if certificate is None:
            lines.append(line(Span(f"{branch}reading", Role.DIM), right=(Span(place, Role.DIM),)))
            continue
        named = certificate.common_name or "unreadable"
        kind = "" if certificate.unreadable else f"{certificate.kind}, "
        lines.append(
            line(
                Span(branch, Role.DIM),
                Span(named, Role.STRONG),
                right=(Span(f"{kind}{place}", Role.DIM),),
                hang=len(branch),
            )
        )
        under = " " * (2 * min(position + 1, DEEPEST))
        lines += field_lines(certificate, now, under)
        if position + 1 < len(chain):
            lines.append(BLANK)
    return lines


def field_lines(certificate: Certificate, now: datetime, indent: str = "") -> list[Line]:
    """What one certificate says, in the order in which one looks for it."""

    def said(label: str, *values: str | Span) -> Line:
        return field(indent + label, *values, width=len(indent) + LABEL)

    return [
        said(label, *validity(certificate, now)) if label == VALID
        else said(label, Span(value, Role.DIM if label in _DIM else Role.TEXT))
        for label, value in fields_of(certificate, now)
    ]  # fmt: skip


def validity(certificate: Certificate, now: datetime) -> tuple[Span, ...]:
    if certificate.not_before is None or certificate.not_after is None:
        return ()
    span = Span(f"{day(certificate.not_before)} to {day(certificate.not_after)}")
    role = Role.ERROR
    if certificate.not_before <= now <= certificate.not_after:
        role = LEVELS.get(level_of(certificate.days_left(now) or 0), Role.DIM)
    return (span, Span(f"  {time_left(certificate, now)}", role))


# Readiness


def readiness_lines(results: Sequence[RuleResult], glyphs: Glyphs) -> list[Line]:
    """What the vendor's rules find, with what to do; nothing where all is well."""
    found = [each for each in results if each.level in LEVELS]
    if not found:
        return []
    lines = [BLANK, _title("readiness, by the vendor's rules")]
    for each in found:
        role = LEVELS[each.level]
        sign = glyphs.failed if each.level is Level.FAIL else glyphs.warning
        lines.append(
            line(Span(f"{sign} {each.level.value}  ", role), f"{each.rule}: {each.text}", hang=2)
        )
        if each.remedy:
            lines.append(line("  ", Span("mend  ", Role.DIM), each.remedy, hang=8))
    return lines


# An identity's certificate


def identity_lines(file: IdentityFile | None, glyphs: Glyphs) -> list[Line]:
    if file is None:
        return [field("state", identity_state(file, glyphs))]
    lines = [
        field("file", str(file.path)),
        field("state", identity_state(file, glyphs), Span(f"  {file.problem}", Role.DIM)),
    ]
    if file.remedy:
        lines.append(field("mend", file.remedy))
    if not file.chain:
        return lines
    # As the portal of Entra and AD FS show it.
    lines.append(field("thumbprint", Span(file.chain[0].sha1.replace(":", ""), Role.STRONG)))
    lines.append(field("", Span("as Entra and AD FS show it", Role.DIM)))
    return [*lines, BLANK, *tree_lines(file.chain, file.read, glyphs)]


def _title(text: str) -> Line:
    return line(Span(text, Role.ACCENT))
