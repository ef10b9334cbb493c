"""Pane 3: the identities, whom they are for, how their last sign-in ended, and their secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType

from stacktui.check.settings import Settings
from stacktui.identities.model import CertificateRef, Identity, IdentityKind
from stacktui.identities.origin import IdentityOrigin
from stacktui.text.counts import count_of
from stacktui.tui.app_state import AppState
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.panes.identity_state import (
    certificate_span,
    last_sign_in,
    seconds_left,
    state_of,
    users_by_identity,
)
from stacktui.tui.panes.role_lines import role_lines
from stacktui.tui.panes.token_lines import state_lines, token_lines
from stacktui.tui.widgets.list_pane import Columns, ListPane, Row, Rows

# What a cell of the list is cut to; the detail shows all of it.
_MAX_STATE, _MAX_TENANT, _MAX_USER, _BRIEF_USER = 34, 24, 20, 10
# From this width on there is room for whom an identity is for: the pane has it on 120 columns.
_ROOM = 45


class IdentitiesPane(ListPane):
    """Shows all identities of the config, with a state for the current environment's."""

    caption = "Identities"
    strip_captions = ("Identities", "Ids")
    number = "3"
    name_width = 14

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "screen.add_identity", "add identity", id="add"),
        Binding("e", "screen.edit_identity", "edit", id="edit"),
        Binding("T", "screen.test_identity", "test", id="test"),
        Binding("o", "screen.read_roles", "roles", id="roles"),
        Binding("i", "screen.copy_identity", "copy id, token", id="copy_identity", show=False),
        Binding("A", "screen.duplicate_identity", "copy identity", id="copy", show=False),
        Binding("I", "screen.import_identities", "import from az", id="import", show=False),
        Binding(
            "M", "screen.managed_identity", "managed identity", id="managed_identity", show=False
        ),
        Binding("D", "screen.remove_identity", "remove", id="remove", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._in_use: str | None = None
        self._settings: Settings | None = None
        self._users: Mapping[str, Sequence[str]] = {}

    def update(self, app_state: AppState) -> None:
        glyphs = self.screen_style.glyphs
        settings, environment = app_state.settings, app_state.environment
        known = settings.identities if settings else {}
        in_use = known.get((environment and environment.identity) or "")
        if in_use is not None and in_use.name != self._in_use:
            self.choose(in_use.name)  # the bar goes along with the environment
        self._in_use = in_use.name if in_use else None
        names = (*known, *(settings.identity_errors if settings else ()))
        if settings is not self._settings:
            self._settings, self._users = settings, users_by_identity(app_state.environments)

        has_days = any(isinstance(each.credential, CertificateRef) for each in known.values())

        def make(name: str) -> Row:
            layout = Layout(has_days, self.outer_size.width < _ROOM)
            return row(name, self._users.get(name, ()), app_state, glyphs, layout)

        rows = Rows(
            tuple(sorted(names, key=lambda name: in_use is None or name != in_use.name)),
            make,
            lambda name: make(name).text,
        )
        short = [(self._short_state(in_use, app_state, glyphs),)] if in_use else []
        self.show(rows, summary(app_state), empty(app_state), short_summaries=short)

    def _short_state(self, identity: Identity, app_state: AppState, glyphs: Glyphs) -> Span:
        state = state_of(identity, self._users.get(identity.name, ()), app_state, glyphs)
        return Span(f"{identity.name} {state.sign}", state.style)


@dataclass(frozen=True, slots=True)
class Layout:
    """Whether some row has days of a certificate; whether there is no room for whom it is for."""

    has_days: bool
    narrow: bool


def row(
    name: str, users: Sequence[str], app_state: AppState, glyphs: Glyphs, layout: Layout
) -> Row:
    identity = app_state.settings.identities.get(name) if app_state.settings else None
    if identity is None:
        unusable = Span(f"{glyphs.failed} unusable", TextStyle.ERROR)
        sets = _column_sets(("",) * 4, unusable, unusable, Span(""), layout)
        return Row(name, (Span(name),), sets)
    tenant = _cut(identity.tenant or "", _MAX_TENANT, glyphs)
    whom = count_of(len(users), "environment") if len(users) > 1 else next(iter(users), "nobody")
    whom, whom_briefly = _cut(whom, _MAX_USER, glyphs), _cut(whom, _BRIEF_USER, glyphs)
    about = (identity.kind.words, tenant, whom, whom_briefly)
    state = state_of(identity, users, app_state, glyphs)
    whole, brief = state.span(), state.span(brief=True)
    whole = Span(_cut(whole.text, _MAX_STATE, glyphs), whole.style)
    certificate = certificate_span(identity, app_state, glyphs)
    mark = (Span(f"{glyphs.active} ", TextStyle.ACCENT),) if _in_use(identity, app_state) else ()
    sets = _column_sets(about, whole, brief, certificate, layout)
    return Row(name, (*mark, Span(name)), sets)


def _column_sets(
    about: Sequence[str], state: Span, brief: Span, certificate: Span, layout: Layout
) -> tuple[Columns, ...]:
    """Return the column sets of a row; `about` are kind, tenant, whom it is for, and the same
    briefly."""
    kind, tenant, whom, whom_briefly = ((Span(text, TextStyle.DIM),) for text in about)
    whole, less = (state,), (brief,)
    days: Columns = ((certificate,),) if layout.has_days else ()
    urgent = certificate.style in (TextStyle.WARNING, TextStyle.ERROR)
    never = state.style is TextStyle.DIM and certificate.text
    worst = certificate if urgent or never else brief
    least: tuple[Columns, ...] = ((less, *days), ((worst,),))
    if not layout.narrow:
        least = (
            (whom_briefly, less, *days),
            (whom, (worst,)),
            (whom_briefly, (worst,)),
        )
    return (
        (kind, tenant, whom, whole, *days),
        (kind, whom, whole, *days),
        (kind, whom, less, *days),
        (whom, whole, *days),
        (whom, less, *days),
        *least,
    )


def _cut(text: str, width: int, glyphs: Glyphs) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}{glyphs.ellipsis}"


def summary(app_state: AppState) -> tuple[Span, ...]:
    environment, settings = app_state.environment, app_state.settings
    if environment is None or settings is None:
        return ()
    if environment.identity is None:
        return (Span("none in use", TextStyle.DIM),)
    identity = settings.identities.get(environment.identity)
    token = "token" if identity is not None and _has_token(identity, app_state) else "no token"
    return (Span(f"{environment.identity}, {token}", TextStyle.DIM),)


def _has_token(identity: Identity, app_state: AppState) -> bool:
    """Return whether there is a token for the current environment that has not expired."""
    outcome = last_sign_in(identity, app_state)
    if outcome is None or outcome.facts is None:
        return False
    left = seconds_left(outcome)
    here = outcome.wanted.environment.name == app_state.current
    return here and (left is None or left > 0)


def empty(app_state: AppState) -> tuple[Line, ...]:
    if not app_state.environments:
        return (line(Span("Who signs in to an environment.", TextStyle.DIM)),)
    offer = line(
        Span("a", TextStyle.KEY), "  add one; an environment names it: e in its pane", indent=3
    )
    return (line("No identities yet."), BLANK, offer)


def detail(identity: Identity, app_state: AppState, glyphs: Glyphs) -> tuple[Line, ...]:
    """Return the identity's settings, the claims of its token, and its roles; never the token."""
    users = users_by_identity(app_state.environments).get(identity.name, ())
    lines = [
        *state_lines(identity, users, app_state, glyphs),
        *role_lines(identity, app_state, glyphs),
        BLANK,
        label_value("kind", identity.kind.words),
        *_account(identity),
        *_credential(identity),
        *_certificate(identity, app_state, glyphs),
        label_value("for", ", ".join(users) or Span("no environment names it", TextStyle.DIM)),
        label_value("came from", came_from(identity, app_state)),
    ]
    outcome = last_sign_in(identity, app_state)
    facts = outcome.facts if outcome else None
    claims = [BLANK, *token_lines(outcome, facts, glyphs)] if outcome and facts else []
    return (*lines, *claims)


def _account(identity: Identity) -> list[Line]:
    """Return the account and its tenant."""
    known = (
        ("user name", identity.username),
        ("client id", identity.client_id),
        ("object id", identity.object_id),
        ("resource id", identity.resource_id),
    )
    lines = [label_value(label, value) for label, value in known if value]
    if identity.kind is IdentityKind.MANAGED_IDENTITY:
        return lines or [label_value("which", "the machine's own")]
    whose = "from az" if identity.kind is IdentityKind.AZURE_CLI else "from the environment"
    return [*lines, label_value("tenant", identity.tenant or Span(whose, TextStyle.DIM))]


def came_from(identity: Identity, app_state: AppState) -> str:
    """Return where it came from; the line of its table only once the config was read for that."""
    known = app_state.identity_origins.get(identity.name)
    if known is None:
        known = IdentityOrigin(app_state.config, imported_from=identity.imported_from)
    return known.words


def _credential(identity: Identity) -> list[Line]:
    lines, found = [], identity.credential
    if isinstance(found, CertificateRef):
        lines.append(label_value("certificate", str(found.path)))
    if identity.secret is not None:
        label = identity.secret_name.removeprefix("certificate ")
        lines.append(label_value(label, f"from {identity.secret}"))
    return lines


def _certificate(identity: Identity, app_state: AppState, glyphs: Glyphs) -> list[Line]:
    """Return the days left of the certificate, or why its file cannot be used."""
    state = certificate_span(identity, app_state, glyphs)
    file = (app_state.identity_files or {}).get(identity.name)
    why = Span(f"  {file.problem}" if file and file.problem else "", TextStyle.DIM)
    return [label_value("", state, why)] if state.text else []


def _in_use(identity: Identity, app_state: AppState) -> bool:
    environment = app_state.environment
    return environment is not None and environment.identity == identity.name
