"""Pane 2: what each host presents, who trusts it, and the certificates that identities use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from stacktui.certificates.readiness import Level, level_of, worst
from stacktui.identities.certificate_file import IdentityFile, references
from stacktui.text.counts import count_of
from stacktui.tui.check_state import CheckState
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Role, Span, line, width_of
from stacktui.tui.panes import trust_matrix
from stacktui.tui.session import Session
from stacktui.tui.widgets.listing import ListPane, Row

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate
    from stacktui.certificates.scan import EndpointChain
    from stacktui.transport.facts import ConnectionFacts
    from stacktui.tui.scan_state import EvaluatedScan, ScannedHost

IDENTITY = "identity "
# Roles are padded to the longest, up to this.
ROLE_ROOM = 15
# With less of a host's name than this to be seen beside its role, the role must do.
HOST_ROOM = 12
# A reason is cut to this in the list; the detail has all of it.
REASON_ROOM = 32
LEVELS = {Level.WARNING: Role.WARNING, Level.CRITICAL: Role.WARNING, Level.FAIL: Role.ERROR}
# By the value of `TransportFaultKind`, which comes with the network.
FAULT_WORDS = {
    "dns-not-found": "no such name",
    "dns-timeout": "no DNS",
    "tcp-refused": "refused",
    "tcp-timeout": "no answer",
    "tcp-unreachable": "no route",
    "tcp-reset": "reset",
    "tls-not-tls": "no TLS",
    "tls-refused": "TLS refused",
    "tls-reset": "TLS reset",
    "tls-timeout": "TLS silent",
}
Spans = tuple[Span, ...]
Form = tuple[Spans, ...]


class CertificatesPane(ListPane):
    """One row a host, and one an identity's certificate. Alone on the screen, it is a matrix of
    hosts and trust stores."""

    caption = "Certificates"
    number = "2"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "screen.look(False)", "look at hosts"),
        Binding("L", "screen.look(True)", "look at all names"),
        Binding("T", "screen.trust", "trust its root"),
        Binding("enter", "screen.zoom", "matrix"),
        Binding("x", "screen.export", "export for az"),
        Binding("U", "screen.untrust", "untrust a root"),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._session: Session | None = None
        self._hosts = 0
        self.whole = False

    def update(self, session: Session) -> None:
        self._session = session
        glyphs, result = self.look.glyphs, session.last_scan
        matrix = result if self.whole else None
        self.name_room = trust_matrix.NAME_ROOM if matrix else ListPane.name_room
        hosts = host_rows(session, glyphs, matrix)
        rows = hosts + [
            identity_row(each, session, glyphs, matrix)
            for each in references(session.identities)
            if session.identity_files is not None
        ]
        first, *shorter = summaries(session, glyphs)
        header = trust_matrix.header(matrix, glyphs) if matrix else None
        if hosts and not self._hosts:
            # They are what was asked for, not the certificates that were there before.
            self.choose(hosts[0].key)
        self._hosts = len(hosts)
        self.show(rows, first, empty(session), shorter=shorter, header=header)

    def show_whole(self, whole: bool) -> None:
        if whole is not self.whole:
            self.whole = whole
            if self._session is not None:
                self.update(self._session)


# Rows


def key(connection: ConnectionFacts) -> str:
    return f"{connection.host}:{connection.port}"


def host_rows(session: Session, glyphs: Glyphs, matrix: EvaluatedScan | None) -> list[Row]:
    """The endpoints of the last look, else the hosts that the last check saw."""
    result = session.last_scan
    if result is None:
        seen = session.check.connections if session.check else ()
        return [check_row(each, session, glyphs) for each in seen]
    longest = max((len(row.seen.endpoint.role) for row in result.rows), default=0)
    room = min(longest, ROLE_ROOM)
    return [host_row(row, room, result, glyphs, matrix) for row in result.rows]


def check_row(connection: ConnectionFacts, session: Session, glyphs: Glyphs) -> Row:
    tls = connection.tls
    leaf = session.certificates.get(tls.chain[0]) if tls and tls.chain else None
    state = check_state(connection, glyphs)
    days = days_span(leaf, moment(session), glyphs)
    issuer = Span(leaf.issuer_name if leaf else "", Role.DIM)
    name = (Span(connection.host + _port(connection.port)),)
    return Row(key(connection), name, forms(state, days, (issuer,)))


def host_row(
    row: ScannedHost, room: int, result: EvaluatedScan, glyphs: Glyphs, matrix: EvaluatedScan | None
) -> Row:
    endpoint = row.seen.endpoint
    role = Span(endpoint.role, Role.DIM if row.seen.absent else Role.TEXT)
    gap = Span(" " * (max(0, room - len(role.text)) + 2))
    name = (role, gap, Span(endpoint.name + _port(endpoint.port), Role.DIM))
    state = host_state(row, glyphs)
    days = days_span(row.leaf, result.scan.taken, glyphs) if row.leaf else Span("")
    note = reason(row.seen) or (row.leaf.issuer_name if row.leaf else "")
    if len(note) > REASON_ROOM:
        note = note[: REASON_ROOM - 1] + glyphs.ellipsis
    listed = forms(state, days, (Span(note, Role.DIM),))
    if matrix is not None:
        listed = trust_matrix.forms(listed, trust_matrix.signs(row.cells, glyphs))
    return Row(endpoint.key, name, listed, (role,), room + 2 + HOST_ROOM)


def identity_row(
    identity: str, session: Session, glyphs: Glyphs, matrix: EvaluatedScan | None
) -> Row:
    file = (session.identity_files or {}).get(identity)
    state, days = identity_state(file, glyphs), Span("")
    issuer = ""
    if file is not None and file.chain:
        days = days_span(file.chain[0], file.read, glyphs)
        issuer = file.chain[0].issuer_name
    listed = forms(state, days, (Span(issuer, Role.DIM),))
    if matrix is not None:
        nothing = (Span(""),) * len(matrix.matrix.columns)
        listed = trust_matrix.forms(listed, nothing)
    name = (Span(IDENTITY, Role.DIM), Span(identity))
    short = (Span("id ", Role.DIM), Span(identity))
    return Row(IDENTITY + identity, name, listed, short, width_of(name))


def forms(state: Span, days: Span, note: Spans) -> tuple[Form, ...]:
    """The columns of a row; where there is room for one only, the worse of state and days."""
    brief = state if state.role is not Role.OK or not days.text else days
    return ((state,), (days,), note), ((state,), (days,)), ((brief,),)


# States: a symbol and a word


def check_state(connection: ConnectionFacts, glyphs: Glyphs) -> Span:
    """What verification said during the check."""
    tls = connection.tls
    if tls is None or not tls.verify_code:
        return Span(f"{glyphs.ok} trusted", Role.OK)
    # Imports `ssl`: there is a check by now, so that it is loaded.
    from stacktui.certificates.verify import word_of

    return Span(f"{glyphs.failed} {word_of(tls.verify_code)}", Role.ERROR)


def host_state(row: ScannedHost, glyphs: Glyphs) -> Span:
    """What the store in use says, then what the readiness rules say."""
    seen, verdict = row.seen, row.verdict
    if seen.absent:
        return Span(f"{glyphs.skipped} absent", Role.DIM)
    if not seen.chain:
        word = FAULT_WORDS.get(seen.fault.kind, "unreachable") if seen.fault else "no chain"
        return Span(f"{glyphs.failed} {word}", Role.ERROR)
    if verdict is None:
        return Span(f"{glyphs.warning} not judged", Role.WARNING)
    if not verdict.ok:
        return Span(f"{glyphs.failed} {verdict.word}", Role.ERROR)
    if worst([each for each in row.results if each.rule != "expiry"]) is Level.FAIL:
        return Span(f"{glyphs.warning} not ready", Role.WARNING)
    return Span(f"{glyphs.ok} trusted", Role.OK)


def identity_state(file: IdentityFile | None, glyphs: Glyphs) -> Span:
    if file is None:
        return Span(f"{glyphs.pending} reading", Role.DIM)
    if file.problem:
        return Span(f"{glyphs.failed} {file.word}", Role.ERROR)
    return Span(f"{glyphs.ok} usable", Role.OK)


def days_span(leaf: Certificate | None, now: datetime, glyphs: Glyphs) -> Span:
    """How long a certificate has to live, by the limits of the readiness rules."""
    left = leaf.days_left(now) if leaf else None
    if left is None:
        return Span(f"{glyphs.pending} {'unreadable' if leaf else 'reading'}", Role.DIM)
    if left < 0:
        return Span(f"{glyphs.failed} {count_of(left, 'day')}", Role.ERROR)
    role = LEVELS.get(level_of(left), Role.OK)
    sign = {Role.OK: glyphs.ok, Role.WARNING: glyphs.warning}.get(role, glyphs.failed)
    return Span(f"{sign} {count_of(left, 'day')}", role)


def reason(seen: EndpointChain) -> str:
    """Why there is no chain, in one line; empty where there is one."""
    if seen.chain:
        return ""
    if seen.absent:
        return "this stamp has no such host"
    return seen.fault.detail if seen.fault else "no certificate came"


def chain_of(chosen: str, session: Session) -> tuple[bytes, ...]:
    """What the host of a row presents, DER, leaf first; nothing for other rows."""
    if session.last_scan is not None:
        rows = session.last_scan.rows
        return next((row.seen.chain for row in rows if row.seen.endpoint.key == chosen), ())
    for each in session.check.connections if session.check else ():
        if key(each) == chosen and each.tls is not None:
            return each.tls.chain
    return ()


def is_problem(row: ScannedHost) -> bool:
    """Not as it should be: unreachable, not trusted, or failing a readiness rule."""
    if row.seen.absent:
        return False
    return row.verdict is None or not row.verdict.ok or worst(row.results) is Level.FAIL


# The title line


def summaries(session: Session, glyphs: Glyphs) -> list[Spans]:
    """What the title says at the right, from the longest to the shortest."""
    live = session.looking
    if live is not None and live.running:
        count = Span(f"{live.done} of {live.known}" if live.known else "looking", Role.ACCENT)
        return [(Span("looking ", Role.ACCENT), count), (count,)] if live.known else [(count,)]
    hosts, bad, leaves = _counted(session)
    if not hosts and not bad:
        return [()]
    known = Span(count_of(hosts, "host"), Role.DIM)
    problems = [Span(count_of(bad, "problem"), Role.ERROR)] if bad else []
    soonest = _soonest(leaves, moment(session))
    return [
        _dotted([known, *problems, *soonest], glyphs),
        _dotted([*problems, *soonest], glyphs) or (known,),
        tuple(problems or soonest or [known]),
        (Span(f"{glyphs.failed} {bad}", Role.ERROR),) if bad else (),
    ]


def _counted(session: Session) -> tuple[int, int, list[Certificate]]:
    """How many hosts there are, how many rows are not as they should be, and all leaves known."""
    files = (session.identity_files or {}).values()
    unusable = sum(1 for each in files if each.problem)
    signing = [each.chain[0] for each in files if each.chain]
    result = session.last_scan
    if result is not None:
        there = [row for row in result.rows if not row.seen.absent]
        leaves = [row.leaf for row in there if row.leaf is not None]
        return len(there), unusable + sum(map(is_problem, there)), [*leaves, *signing]
    seen = session.check.connections if session.check else ()
    chains = [each.tls.chain for each in seen if each.tls and each.tls.chain]
    found = (session.certificates.get(chain[0]) for chain in chains)
    bad = sum(1 for each in seen if each.tls is not None and each.tls.verify_code)
    return len(seen), unusable + bad, [*(each for each in found if each is not None), *signing]


def _soonest(leaves: Sequence[Certificate], now: datetime) -> list[Span]:
    left = [days for leaf in leaves if (days := leaf.days_left(now)) is not None]
    if not left:
        return []
    return [Span(count_of(min(left), "day"), LEVELS.get(level_of(min(left)), Role.DIM))]


def _dotted(parts: Sequence[Span], glyphs: Glyphs) -> Spans:
    dot = Span(glyphs.dot, Role.DIM)
    return tuple(span for part in parts for span in (dot, part))[1:]


def empty(session: Session) -> tuple[Line, ...]:
    """What to do when there is nothing to see yet."""
    live, check = session.looking, session.check
    how = line("In this pane, ", Span("l", Role.KEY), " looks at what each host presents.")
    if session.environment is None:
        return (line(Span("What each host presents, and who trusts it.", Role.DIM)),)
    if live is not None and live.running:
        return (line(Span("Asking the hosts for their certificates.", Role.DIM)),)
    if live is not None and live.state is CheckState.CANCELLED:
        return (line(Span("The look was cancelled.", Role.DIM)), BLANK, how)
    if live is not None and live.state is CheckState.BROKEN:
        return (line(Span(f"Internal error: {live.error}", Role.ERROR)), BLANK, how)
    if check is not None and check.running:
        return (line(Span("No TLS handshake yet.", Role.DIM)),)
    if check is not None:
        return (line(Span("The last check saw no certificate.", Role.DIM)), BLANK, how)
    return (how,)


def moment(session: Session) -> datetime:
    """Days are counted from the look or the check, so that what is on screen stays true to it."""
    if session.last_scan is not None:
        return session.last_scan.scan.taken
    check = session.check
    return check.started if check and check.started else datetime.now(UTC)


def _port(port: int) -> str:
    return "" if port == 443 else f":{port}"
