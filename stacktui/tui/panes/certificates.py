"""Pane 2: the chain that each host of the last check presented."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Role, Span, field, line
from stacktui.tui.session import Session
from stacktui.tui.widgets.listing import ListPane, Row
from stacktui.tui.words import count_of, day

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate
    from stacktui.transport.facts import ConnectionFacts, TlsFacts

# OpenSSL's X509_V_ERR numbers that have a word of their own; all others are "not trusted".
VERIFY_WORDS = {9: "not yet valid", 10: "expired", 18: "self-signed", 62: "wrong name"}
# The portal of a stamp warns from 90 days on and is critical from 30 (PROTOCOL.md section 6).
WARNING_DAYS = 90


class CertificatesPane(ListPane):
    """One row a host; the detail of a row is its chain, leaf first."""

    caption = "Certificates"
    number = "2"

    def update(self, session: Session) -> None:
        seen = session.check.connections if session.check else ()
        rows = [row(each, session, self.look.glyphs) for each in seen]
        self.show(rows, summary(seen), empty(session))


def key(connection: ConnectionFacts) -> str:
    return f"{connection.host}:{connection.port}"


def row(connection: ConnectionFacts, session: Session, glyphs: Glyphs) -> Row:
    tls = connection.tls
    port = "" if connection.port == 443 else f":{connection.port}"
    leaf = session.certificates.get(tls.chain[0]) if tls and tls.chain else None
    issuer = (Span(leaf.issuer_name, Role.DIM),) if leaf else ()
    state = state_span(tls, leaf, _moment(session), glyphs)
    return Row(key(connection), (Span(connection.host + port),), (((state,), issuer), ((state,),)))


def state_span(
    tls: TlsFacts | None, leaf: Certificate | None, now: datetime, glyphs: Glyphs
) -> Span:
    """A symbol and a word: what verification said, else how long the leaf has to live."""
    if tls is not None and tls.verify_code:
        word = VERIFY_WORDS.get(tls.verify_code, "not trusted")
        return Span(f"{glyphs.failed} {word}", Role.ERROR)
    left = leaf.days_left(now) if leaf else None
    if left is None:
        return Span(f"{glyphs.pending} {'unreadable' if leaf else 'reading'}", Role.DIM)
    if left < 0:
        return Span(f"{glyphs.failed} expired", Role.ERROR)
    if left < WARNING_DAYS:
        return Span(f"{glyphs.warning} {count_of(left, 'day')}", Role.WARNING)
    return Span(f"{glyphs.ok} {count_of(left, 'day')}", Role.OK)


def summary(seen: Sequence[ConnectionFacts]) -> tuple[Span, ...]:
    """How many of the chains are not in order, else how many hosts there are."""
    if not seen:
        return ()
    return problems(seen) or (Span(count_of(len(seen), "host"), Role.DIM),)


def problems(seen: Sequence[ConnectionFacts]) -> tuple[Span, ...]:
    count = sum(1 for each in seen if each.tls is not None and each.tls.verify_code)
    return (Span(count_of(count, "problem"), Role.ERROR),) if count else ()


def empty(session: Session) -> tuple[Line, ...]:
    check = session.check
    if check is None:
        return (line(Span("The chains that a check sees.", Role.DIM)),)
    if check.running:
        return (line(Span("No TLS handshake yet.", Role.DIM)),)
    return (line(Span("The last check saw no certificate.", Role.DIM)),)


def detail(connection: ConnectionFacts, session: Session, glyphs: Glyphs) -> tuple[Line, ...]:
    """The chain as presented, leaf first."""
    tls, now = connection.tls, _moment(session)
    if tls is None:
        return (field("host", key(connection)),)
    described = [session.certificates.get(der) for der in tls.chain]
    lines = [
        field("host", key(connection)),
        field("state", state_span(tls, described[0] if described else None, now, glyphs)),
    ]
    if tls.verify_message:
        lines.append(field("", Span(tls.verify_message, Role.DIM)))
    if tls.protocol:
        lines.append(field("protocol", tls.protocol, Span(f"  {tls.cipher or ''}", Role.DIM)))
    if connection.addresses:
        lines.append(field("address", ", ".join(connection.addresses)))
    if tls.looked:
        lines.append(field("", Span("seen by a second look; nothing was sent over it", Role.DIM)))
    for position, certificate in enumerate(described, 1):
        lines += [BLANK, *_certificate(position, len(described), certificate, now, glyphs)]
    return tuple(lines)


def _certificate(
    position: int, count: int, certificate: Certificate | None, now: datetime, glyphs: Glyphs
) -> list[Line]:
    if certificate is None:
        return [line(Span(f"{position} of {count}", Role.DIM), "  reading")]
    if certificate.unreadable:
        return [line(Span(f"{position} of {count}", Role.DIM), "  ", certificate.unreadable)]
    kind = "root" if certificate.self_issued else "intermediate" if certificate.is_ca else "leaf"
    lines = [
        line(
            Span(certificate.common_name, Role.STRONG),
            right=(Span(f"{kind}, {position} of {count}", Role.DIM),),
        ),
        field("  issuer", certificate.issuer_name, width=14),
        field("  valid", *_validity(certificate, now, glyphs), width=14),
    ]
    if certificate.names:
        lines.append(field("  names", ", ".join(certificate.names), width=14))
    lines += [
        field("  SHA-256", Span(certificate.sha256, Role.DIM), width=14),
        field("  serial", Span(certificate.serial, Role.DIM), width=14),
    ]
    return lines


def _validity(certificate: Certificate, now: datetime, glyphs: Glyphs) -> tuple[Span, ...]:
    if certificate.not_before is None or certificate.not_after is None:
        return ()
    span = Span(f"{day(certificate.not_before)} to {day(certificate.not_after)}")
    left = certificate.days_left(now) or 0
    if certificate.not_before > now:
        return (span, Span("  not yet", Role.ERROR))
    if left < 0:
        return (span, Span(f"  expired {count_of(-left, 'day')} ago", Role.ERROR))
    return (
        span,
        Span(f"  {count_of(left, 'day')} left", Role.WARNING if left < WARNING_DAYS else Role.DIM),
    )


def _moment(session: Session) -> datetime:
    """Days are counted from the check, so that what is on screen does not change by itself."""
    check = session.check
    return check.started if check and check.started else datetime.now(UTC)
