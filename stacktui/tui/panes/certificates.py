"""Pane 2: the certificates of the hosts, whether they are trusted, and those of identities."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from stacktui.certificates.levels import Level, level_of
from stacktui.identities.certificate_file import IdentityFile, references
from stacktui.text.counts import count_of, time_span
from stacktui.tui.app_state import AppState
from stacktui.tui.check_state import CheckState
from stacktui.tui.formatting import elapsed_line
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, dotted, line, width_of
from stacktui.tui.panes import trust_matrix
from stacktui.tui.widgets.list_pane import Cell, Columns, ListPane, Row

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate
    from stacktui.certificates.scan import EndpointChain
    from stacktui.transport.records import ConnectionFacts
    from stacktui.tui.scan_state import EvaluatedScan, LiveScan, ScannedHost

IDENTITY = "identity "
# Roles are padded to the longest, up to this.
MAX_ROLE_WIDTH = 15
# If fewer cells than this are left for the host's name, only the role is shown.
MIN_HOST_WIDTH = 12
# A reason is cut to this in the list; the detail shows all of it.
MAX_REASON_WIDTH = 32
LEVELS = {
    Level.WARNING: TextStyle.WARNING,
    Level.CRITICAL: TextStyle.WARNING,
    Level.FAIL: TextStyle.ERROR,
}
# The most hosts by name that a scan is said to wait for.
WAITING = 3
# By the value of `TransportFaultKind`, which is imported with the first check.
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


class CertificatesPane(ListPane):
    """One row per host and per identity certificate; zoomed, a matrix of hosts and trust stores."""

    caption = "Certificates"
    strip_captions = ("Certificates", "Certs")
    number = "2"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "screen.scan(False)", "scan hosts", id="scan"),
        Binding("L", "screen.scan(True)", "scan all names", id="scan_all"),
        Binding("T", "screen.trust", "trust its root", id="trust"),
        Binding("enter", "screen.zoom", "matrix", id="open"),
        Binding("x", "screen.export", "export for az", id="export"),
        Binding("U", "screen.untrust", "untrust a root", id="untrust"),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._app_state: AppState | None = None
        self._hosts = 0

    def update(self, app_state: AppState) -> None:
        self._app_state = app_state
        glyphs, result = self.screen_style.glyphs, app_state.last_scan
        matrix = result if self.zoomed else None
        self.name_width = trust_matrix.NAME_WIDTH if matrix else ListPane.name_width
        hosts = host_rows(app_state, glyphs, matrix)
        rows = hosts + [
            identity_row(each, app_state, glyphs, matrix)
            for each in references(app_state.identities)
            if app_state.identity_files is not None
        ]
        first, *shorter = summaries(app_state, glyphs)
        header = trust_matrix.header(matrix, glyphs) if matrix else None
        if hosts and not self._hosts:
            # The user asked for the hosts, not for the identities' rows that were there before.
            self.choose(hosts[0].key)
        self._hosts = len(hosts)
        self.show(rows, first, empty(app_state, glyphs), short_summaries=shorter, header=header)

    def zoom_changed(self) -> None:
        if self._app_state is not None:
            self.update(self._app_state)


# Rows


def endpoint_key(connection: ConnectionFacts) -> str:
    return f"{connection.host}:{connection.port}"


def host_rows(app_state: AppState, glyphs: Glyphs, matrix: EvaluatedScan | None) -> list[Row]:
    """Return the endpoints of the last scan, else the hosts that the last check connected to."""
    result = app_state.last_scan
    if result is None:
        seen = app_state.check.connections if app_state.check else ()
        return [check_row(each, app_state, glyphs) for each in seen]
    longest = max((len(row.seen.endpoint.role) for row in result.rows), default=0)
    role_width = min(longest, MAX_ROLE_WIDTH)
    return [host_row(row, role_width, result, glyphs, matrix) for row in result.rows]


def check_row(connection: ConnectionFacts, app_state: AppState, glyphs: Glyphs) -> Row:
    tls = connection.tls
    leaf = app_state.certificates.get(tls.chain[0]) if tls and tls.chain else None
    state = check_state(connection, glyphs)
    days = days_span(leaf, reference_time(app_state), glyphs)
    issuer = Span(leaf.issuer_name if leaf else "", TextStyle.DIM)
    name = (Span(connection.host + port_suffix(connection.port)),)
    return Row(endpoint_key(connection), name, column_sets(state, days, (issuer,)))


def host_row(
    row: ScannedHost,
    role_width: int,
    result: EvaluatedScan,
    glyphs: Glyphs,
    matrix: EvaluatedScan | None,
) -> Row:
    endpoint = row.seen.endpoint
    role = Span(endpoint.role, TextStyle.DIM if row.seen.absent else TextStyle.TEXT)
    gap = Span(" " * (max(0, role_width - len(role.text)) + 2))
    name = (role, gap, Span(endpoint.name + port_suffix(endpoint.port), TextStyle.DIM))
    state = host_state(row, glyphs)
    days = days_span(row.leaf, result.scan.taken, glyphs) if row.leaf else Span("")
    note = no_chain_reason(row.seen) or (row.leaf.issuer_name if row.leaf else "")
    if len(note) > MAX_REASON_WIDTH:
        note = note[: MAX_REASON_WIDTH - 1] + glyphs.ellipsis
    columns = column_sets(state, days, (Span(note, TextStyle.DIM),))
    if matrix is not None:
        columns = trust_matrix.column_sets(columns, trust_matrix.signs(row.cells, glyphs))
    return Row(endpoint.key, name, columns, (role,), role_width + 2 + MIN_HOST_WIDTH)


def identity_row(
    identity: str, app_state: AppState, glyphs: Glyphs, matrix: EvaluatedScan | None
) -> Row:
    file = (app_state.identity_files or {}).get(identity)
    state, days = identity_state(file, glyphs), Span("")
    issuer = ""
    if file is not None and file.chain:
        days = days_span(file.chain[0], file.read, glyphs)
        issuer = file.chain[0].issuer_name
    columns = column_sets(state, days, (Span(issuer, TextStyle.DIM),))
    if matrix is not None:
        blank = (Span(""),) * len(matrix.matrix.columns)
        columns = trust_matrix.column_sets(columns, blank)
    name = (Span(IDENTITY, TextStyle.DIM), Span(identity))
    short_name = (Span("id ", TextStyle.DIM), Span(identity))
    return Row(IDENTITY + identity, name, columns, short_name, width_of(name))


def column_sets(state: Span, days: Span, note: Cell) -> tuple[Columns, ...]:
    """Return the column sets of a row; the last has the worse of state and days only."""
    brief = state if state.style is not TextStyle.OK or not days.text else days
    return ((state,), (days,), note), ((state,), (days,)), ((brief,),)


# States, each a symbol and a word


def check_state(connection: ConnectionFacts, glyphs: Glyphs) -> Span:
    """Return the result of the verification during the check."""
    tls = connection.tls
    if tls is None or not tls.verify_code:
        return Span(f"{glyphs.ok} trusted", TextStyle.OK)
    # Imports `ssl`, which the check has already imported.
    from stacktui.certificates.verify import word_of

    return Span(f"{glyphs.failed} {word_of(tls.verify_code)}", TextStyle.ERROR)


def host_state(row: ScannedHost, glyphs: Glyphs) -> Span:
    """Return the verdict of the store in use, or of the readiness rules if it trusts the chain."""
    seen, verdict = row.seen, row.verdict
    if seen.absent:
        return Span(f"{glyphs.skipped} absent", TextStyle.DIM)
    if not seen.chain:
        word = FAULT_WORDS.get(seen.fault.kind, "unreachable") if seen.fault else "no chain"
        return Span(f"{glyphs.failed} {word}", TextStyle.ERROR)
    if verdict is None:
        return Span(f"{glyphs.warning} not judged", TextStyle.WARNING)
    if not verdict.ok:
        return Span(f"{glyphs.failed} {verdict.word}", TextStyle.ERROR)
    if any(each.level is Level.FAIL for each in row.results if each.rule != "expiry"):
        return Span(f"{glyphs.warning} not ready", TextStyle.WARNING)
    return Span(f"{glyphs.ok} trusted", TextStyle.OK)


def identity_state(file: IdentityFile | None, glyphs: Glyphs) -> Span:
    if file is None:
        return Span(f"{glyphs.pending} reading", TextStyle.DIM)
    if file.problem:
        return Span(f"{glyphs.failed} {file.word}", TextStyle.ERROR)
    return Span(f"{glyphs.ok} usable", TextStyle.OK)


def days_span(leaf: Certificate | None, now: datetime, glyphs: Glyphs) -> Span:
    """Return the days until a certificate expires, styled by the limits of the readiness rules."""
    time = leaf.time_left(now) if leaf else None
    left = time.days if time is not None else None
    if time is None or left is None:
        return Span(f"{glyphs.pending} {'unreadable' if leaf else 'reading'}", TextStyle.DIM)
    if left < 0:
        return Span(f"{glyphs.failed} {count_of(left, 'day')}", TextStyle.ERROR)
    style = LEVELS.get(level_of(left), TextStyle.OK)
    sign = {TextStyle.OK: glyphs.ok, TextStyle.WARNING: glyphs.warning}.get(style, glyphs.failed)
    return Span(f"{sign} {time_span(time)}", style)


def no_chain_reason(seen: EndpointChain) -> str:
    """Return in one line why there is no chain; empty if there is one."""
    if seen.chain:
        return ""
    if seen.absent:
        return seen.why_absent
    return seen.fault.detail if seen.fault else "no certificate came"


def chain_of(chosen: str, app_state: AppState) -> tuple[bytes, ...]:
    """Return the chain that the row's host presents (DER, leaf first), empty for other rows."""
    if app_state.last_scan is not None:
        rows = app_state.last_scan.rows
        return next((row.seen.chain for row in rows if row.seen.endpoint.key == chosen), ())
    for each in app_state.check.connections if app_state.check else ():
        if endpoint_key(each) == chosen and each.tls is not None:
            return each.tls.chain
    return ()


def is_problem(row: ScannedHost) -> bool:
    """Whether the host is unreachable, not trusted, or fails a readiness rule."""
    if row.seen.absent:
        return False
    failed = any(each.level is Level.FAIL for each in row.results)
    return row.verdict is None or not row.verdict.ok or failed


# The title line


def summaries(app_state: AppState, glyphs: Glyphs) -> list[tuple[Span, ...]]:
    """Return the summaries for the title, the longest first."""
    live = app_state.current_scan
    if live is not None and live.running:
        spent = Span(f"{monotonic() - live.began:.0f} s", TextStyle.ACCENT)
        running = Span(f"{glyphs.running} ", TextStyle.ACCENT)
        if not live.known:
            return [dotted([Span("scanning", TextStyle.ACCENT), spent], glyphs), (running, spent)]
        count = Span(f"{live.done} of {live.known}", TextStyle.ACCENT)
        both, scanning = dotted([count, spent], glyphs), Span("scanning ", TextStyle.ACCENT)
        return [(scanning, *both), (running, *both)]
    hosts, bad, leaves = _totals(app_state)
    if not hosts and not bad:
        return [()]
    known = Span(count_of(hosts, "host"), TextStyle.DIM)
    problems = [Span(count_of(bad, "problem"), TextStyle.ERROR)] if bad else []
    soonest = _soonest(leaves, reference_time(app_state))
    return [
        dotted([known, *problems, *soonest], glyphs),
        dotted([*problems, *soonest], glyphs) or (known,),
        tuple(problems or soonest or [known]),
        (Span(f"{glyphs.failed} {bad}", TextStyle.ERROR),) if bad else (),
    ]


def _totals(app_state: AppState) -> tuple[int, int, list[Certificate]]:
    """Return the number of hosts, the number of rows with a problem, and all known leaves."""
    files = (app_state.identity_files or {}).values()
    unusable = sum(1 for each in files if each.problem)
    identity_leaves = [each.chain[0] for each in files if each.chain]
    result = app_state.last_scan
    if result is not None:
        hosts = [row for row in result.rows if not row.seen.absent]
        leaves = [row.leaf for row in hosts if row.leaf is not None]
        return len(hosts), unusable + sum(map(is_problem, hosts)), [*leaves, *identity_leaves]
    seen = app_state.check.connections if app_state.check else ()
    chains = [each.tls.chain for each in seen if each.tls and each.tls.chain]
    found = (app_state.certificates.get(chain[0]) for chain in chains)
    bad = sum(1 for each in seen if each.tls is not None and each.tls.verify_code)
    return (
        len(seen),
        unusable + bad,
        [*(each for each in found if each is not None), *identity_leaves],
    )


def _soonest(leaves: Sequence[Certificate], now: datetime) -> list[Span]:
    left = [time for leaf in leaves if (time := leaf.time_left(now)) is not None]
    if not left:
        return []
    soonest = min(left)
    text = time_span(soonest) if soonest.days >= 0 else count_of(soonest.days, "day")
    return [Span(text, LEVELS.get(level_of(soonest.days), TextStyle.DIM))]


def scan_lines(live: LiveScan, glyphs: Glyphs) -> tuple[Line, ...]:
    """Return how long a scan has run, when it gives up, and the hosts that it waits for."""
    now = monotonic()
    done = f"scanning {live.done} of {live.known}, " if live.known else ""
    if not live.waiting:
        return (elapsed_line(now - live.began, None, glyphs), line(f"  {done}judging the chains"))
    more = f" and {len(live.waiting) - WAITING} more" if len(live.waiting) > WAITING else ""
    hosts = ", ".join(live.waiting[:WAITING]) + more
    waits = Span(f"{done}waiting for {hosts}{glyphs.ellipsis}", TextStyle.ACCENT)
    return (elapsed_line(now - live.began, live.ends - now, glyphs), line("  ", waits, indent=2))


def empty(app_state: AppState, glyphs: Glyphs) -> tuple[Line, ...]:
    """Return why the list is empty, and which key fills it."""
    live, check = app_state.current_scan, app_state.check
    how = line("In this pane, ", Span("l", TextStyle.KEY), " scans what each host presents.")
    if app_state.environment is None:
        return (line(Span("What each host presents, and who trusts it.", TextStyle.DIM)),)
    if live is not None and live.running:
        return scan_lines(live, glyphs)
    if live is not None and live.state is CheckState.CANCELLED:
        return (line(Span("The scan was cancelled.", TextStyle.DIM)), BLANK, how)
    if live is not None and live.state is CheckState.BROKEN:
        return (line(Span(live.error, TextStyle.ERROR)), BLANK, how)
    if check is not None and check.running:
        return (line(Span("No TLS handshake yet.", TextStyle.DIM)),)
    if check is not None:
        return (line(Span("The last check saw no certificate.", TextStyle.DIM)), BLANK, how)
    return (how,)


def reference_time(app_state: AppState) -> datetime:
    """Return the time of the scan or check on screen, from which the days left are counted."""
    if app_state.last_scan is not None:
        return app_state.last_scan.scan.taken
    check = app_state.check
    return check.started if check and check.started else datetime.now(UTC)


def port_suffix(port: int) -> str:
    return "" if port == 443 else f":{port}"
