"""What there is to say of one host, or of one identity's certificate: chain, trust, readiness.

Imported with the first detail that is shown, not before the first frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from stacktui.certificates.readiness import Level, level_of
from stacktui.certificates.words import VALID, fields_of, time_left
from stacktui.identities.certificate_file import IdentityFile
from stacktui.tui.app_state import AppState
from stacktui.tui.formatting import clock, count_of, day
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
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

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate
    from stacktui.certificates.readiness import Judgement
    from stacktui.transport.facts import ConnectionFacts
    from stacktui.tui.survey_state import Row, SurveyResult

LABEL = 14
# Fields that few look for.
_DIM = ("SHA-1", "MD5")
# A chain that is deeper than this is not indented any further.
DEEPEST = 3
Named = tuple[str, tuple[Line, ...]]


def detail(chosen: str, app_state: AppState, glyphs: Glyphs, *, whole: bool) -> Named:
    """The name of the chosen row, and what there is to say of it; `whole` leads with the stores,
    as the columns of a matrix need their legend."""
    result = app_state.surveyed
    if chosen.startswith(IDENTITY):
        name = chosen.removeprefix(IDENTITY)
        file = (app_state.identity_files or {}).get(name)
        lines = identity_lines(file, glyphs)
        if whole and result is not None:
            lines += [
                BLANK,
                _title("the stores"),
                *trust_matrix.legend(result, None, glyphs, brief=True),
            ]
        return chosen, tuple(lines)
    broken = _broken(app_state)
    if result is not None:
        for row in result.rows:
            if row.seen.endpoint.key == chosen:
                lines = host_lines(row, result, glyphs, whole=whole)
                return row.seen.endpoint.name, (*broken, *lines)
        return "", ()
    for each in app_state.check.connections if app_state.check else ():
        if key(each) == chosen:
            return each.host, (*broken, *check_lines(each, app_state, glyphs))
    return "", ()


def _broken(app_state: AppState) -> tuple[Line, ...]:
    """Why the last look ended early; the bar below has no room for the name of a file."""
    live = app_state.looking
    if live is None or not live.error:
        return ()
    return (label_value("last look", Span(f"internal error: {live.error}", TextStyle.ERROR)), BLANK)


# A host that was looked at


def host_lines(row: Row, result: SurveyResult, glyphs: Glyphs, *, whole: bool) -> list[Line]:
    now, seen = result.survey.taken, row.seen
    head, circumstances = _head(row, result, glyphs), _circumstances(row, result)
    if not seen.chain:
        stores = _stores(result, glyphs) if whole else []
        return [*head, *stores, *circumstances]
    legend = trust_matrix.legend(result, row.cells, glyphs, brief=whole)
    trusted = [_title("who trusts it"), *legend]
    chain = [result.certificates.get(der) for der in seen.chain]
    tree = [BLANK, _title("chain"), *tree_lines(chain, now, glyphs)]
    rules = readiness_lines(row.judgements, glyphs)
    if whole:
        return [*head, *trusted, BLANK, *circumstances, *tree, *rules]
    return [*head, *circumstances, *tree, BLANK, *trusted, *rules]


def _stores(result: SurveyResult, glyphs: Glyphs) -> list[Line]:
    """What the columns of the matrix are, for rows that no store has a verdict on."""
    return [_title("the stores"), *trust_matrix.legend(result, None, glyphs, brief=True)]


def _head(row: Row, result: SurveyResult, glyphs: Glyphs) -> list[Line]:
    """Whose certificate it is, how it stands, and which key to press if it does not stand well."""
    seen = row.seen
    endpoint = seen.endpoint
    made_up = endpoint.name != endpoint.host
    what = "  asked by a made-up name" if made_up else f"  {endpoint.role}"
    port = "" if endpoint.port == 443 else f":{endpoint.port}"
    lines = [
        label_value("host", f"{endpoint.name}{port}", Span(what, TextStyle.DIM)),
        label_value(
            "state", host_state(row, glyphs), *_said(row), *_left(row, result.survey.taken)
        ),
    ]
    problem = result.matrix.columns[0].problem
    if seen.chain and problem:
        lines.append(label_value("", Span(problem, TextStyle.ERROR)))
    if mend := _mend(row):
        lines.append(label_value("mend", *mend))
    if result.survey.no_metadata and endpoint.roles[:1] == ("ARM",):
        why = f"no metadata, so hosts may be missing: {result.survey.no_metadata}"
        lines.append(label_value("besides", Span(f"{glyphs.warning} {why}", TextStyle.WARNING)))
    return lines


def _circumstances(row: Row, result: SurveyResult) -> list[Line]:
    """How it was seen."""
    connection = row.seen.connection
    tls = connection.tls if connection else None
    lines = []
    if row.verdict is not None:
        trusting = sum(1 for cell in row.cells if cell is not None and cell.ok)
        lines.append(
            label_value("trusted by", f"{trusting} of {count_of(len(row.cells), 'store')}")
        )
    if tls is not None and tls.protocol:
        lines.append(
            label_value("protocol", tls.protocol, Span(f"  {tls.cipher or ''}", TextStyle.DIM))
        )
    if connection is not None and connection.addresses:
        lines.append(label_value("address", ", ".join(connection.addresses)))
    again = (Span("l", TextStyle.KEY), Span(" looks again", TextStyle.DIM))
    return [*lines, label_value("looked at", f"{clock(result.survey.taken)}  ", *again)]


def _said(row: Row) -> tuple[Span, ...]:
    """The words behind the state's word."""
    if row.verdict is not None and not row.verdict.ok:
        return (Span(f"  {row.verdict.message}", TextStyle.DIM),)
    why = reason(row.seen)
    for each in row.judgements:
        if each.level is Level.FAIL and row.verdict is not None:
            why = why or f"{each.rule}: {each.text}"
    return (Span(f"  {why}", TextStyle.DIM),) if why else ()


def _left(row: Row, now: datetime) -> tuple[Span, ...]:
    """The days that a trusted certificate has left."""
    left = row.leaf.days_left(now) if row.leaf else None
    if left is None or row.verdict is None or not row.verdict.ok:
        return ()
    return (Span(f"  {count_of(left, 'day')} left", LEVELS.get(level_of(left), TextStyle.DIM)),)


def _mend(row: Row) -> tuple[Span, ...]:
    """Which key helps; none does against what only the stamp's operator can change."""
    verdict = row.verdict
    if verdict is None or verdict.ok:
        return ()
    from stacktui.certificates.verify import DATES, ROOTLESS, VerifyCode

    # A leaf that signed itself has no root.
    if verdict.code in ROOTLESS - {VerifyCode.DEPTH_ZERO_SELF_SIGNED_CERT}:
        return (Span("T", TextStyle.KEY), Span(" looks for its root, to trust it"))
    if verdict.code in DATES:
        return (Span("the stamp's operator must renew it; check this box's clock too"),)
    return (Span("the stamp's operator must replace the certificate"),)


def check_lines(connection: ConnectionFacts, app_state: AppState, glyphs: Glyphs) -> list[Line]:
    """A host that the last check saw: nothing was asked but of the store in use."""
    tls, now = connection.tls, moment(app_state)
    if tls is None:
        return [label_value("host", key(connection))]
    lines = [
        label_value("host", key(connection)),
        label_value("state", check_state(connection, glyphs)),
    ]
    if tls.verify_message:
        lines.append(label_value("", Span(tls.verify_message, TextStyle.DIM)))
    if tls.protocol:
        lines.append(
            label_value("protocol", tls.protocol, Span(f"  {tls.cipher or ''}", TextStyle.DIM))
        )
    if connection.addresses:
        lines.append(label_value("address", ", ".join(connection.addresses)))
    if tls.looked:
        lines.append(
            label_value("", Span("seen by a second look; nothing was sent over it", TextStyle.DIM))
        )
    asked = (Span("l", TextStyle.KEY), Span(" asks every store of this box", TextStyle.DIM))
    lines.append(label_value("trusted by", *asked))
    chain = [app_state.certificates.get(der) for der in tls.chain]
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
            lines.append(
                line(Span(f"{branch}reading", TextStyle.DIM), right=(Span(place, TextStyle.DIM),))
            )
            continue
        named = certificate.common_name or "unreadable"
        kind = "" if certificate.unreadable else f"{certificate.kind}, "
        lines.append(
            line(
                Span(branch, TextStyle.DIM),
                Span(named, TextStyle.STRONG),
                right=(Span(f"{kind}{place}", TextStyle.DIM),),
                indent=len(branch),
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
        return label_value(indent + label, *values, width=len(indent) + LABEL)

    return [
        said(label, *validity(certificate, now)) if label == VALID
        else said(label, Span(value, TextStyle.DIM if label in _DIM else TextStyle.TEXT))
        for label, value in fields_of(certificate, now)
    ]  # fmt: skip


def validity(certificate: Certificate, now: datetime) -> tuple[Span, ...]:
    if certificate.not_before is None or certificate.not_after is None:
        return ()
    span = Span(f"{day(certificate.not_before)} to {day(certificate.not_after)}")
    style = TextStyle.ERROR
    if certificate.not_before <= now <= certificate.not_after:
        style = LEVELS.get(level_of(certificate.days_left(now) or 0), TextStyle.DIM)
    return (span, Span(f"  {time_left(certificate, now)}", style))


# Readiness


def readiness_lines(judgements: Sequence[Judgement], glyphs: Glyphs) -> list[Line]:
    """What the vendor's rules find, with what to do; nothing where all is well."""
    found = [each for each in judgements if each.level in LEVELS]
    if not found:
        return []
    lines = [BLANK, _title("readiness, by the vendor's rules")]
    for each in found:
        style = LEVELS[each.level]
        sign = glyphs.failed if each.level is Level.FAIL else glyphs.warning
        lines.append(
            line(Span(f"{sign} {each.level.value}  ", style), f"{each.rule}: {each.text}", indent=2)
        )
        if each.mend:
            lines.append(line("  ", Span("mend  ", TextStyle.DIM), each.mend, indent=8))
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
    if file.mend:
        lines.append(label_value("mend", file.mend))
    if not file.chain:
        return lines
    # As the portal of Entra and AD FS show it.
    lines.append(
        label_value("thumbprint", Span(file.chain[0].sha1.replace(":", ""), TextStyle.STRONG))
    )
    lines.append(label_value("", Span("as Entra and AD FS show it", TextStyle.DIM)))
    return [*lines, BLANK, *tree_lines(file.chain, file.read, glyphs)]


def _title(text: str) -> Line:
    return line(Span(text, TextStyle.ACCENT))
