"""What a token says, in words: its claims, never the token itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from stacktui.identities.model import Identity, PromptSecret
from stacktui.text.times import moment_text
from stacktui.tui.app_state import AppState
from stacktui.tui.formatting import clock, day
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.panes.identity_state import (
    fault_of,
    last_in_history,
    last_sign_in,
    now,
    seconds_left,
    state_of,
    time_left,
)

if TYPE_CHECKING:
    from stacktui.identities.token import TokenFacts
    from stacktui.identities.token_source import SignInOutcome

# The claims that have words, in the order of the screen: Entra's and AD FS's names of the same.
_WORDS = {
    "aud": "audience",
    "iss": "issuer",
    "tid": "tenant",
    "upn": "user",
    "preferred_username": "user",
    "unique_name": "user",
    "appid": "application",
    "azp": "application",
    "oid": "object id",
    "scp": "scopes",
    "roles": "app roles",
    "exp": "expires",
}
# The widest column of the names of other claims.
_WIDEST = 22


def state_lines(
    identity: Identity, users: Sequence[str], app_state: AppState, glyphs: Glyphs
) -> Iterator[Line]:
    """Yield the state, where and when it came about, and what to do for another one."""
    state, outcome = state_of(identity, users, app_state, glyphs), last_sign_in(identity, app_state)
    last = last_in_history(users, app_state)
    yield label_value("state", state.span())
    if outcome is not None:
        began = datetime.fromtimestamp(outcome.at, UTC)
        where = f"{outcome.wanted.environment.name}, {moment_text(began, now(), None)}"
        yield label_value("signed in to" if outcome.facts else "tried at", where)
        if outcome.facts is None and (why := fault_of(outcome)) not in state.words:
            yield label_value("why", why)
    elif last is not None:
        said = f"the last check of {last.environment} before this start; as whom it does not say"
        yield label_value("by", Span(said, TextStyle.DIM))
    asks = isinstance(identity.secret, PromptSecret)
    used = app_state.current in users
    if state.style not in (TextStyle.OK, TextStyle.ACCENT) and (used or asks):
        does = f" asks for its {identity.secret_name}" if asks else " signs in"
        yield label_value("", Span("c" if used else "T", TextStyle.KEY), Span(does, TextStyle.DIM))


def token_lines(outcome: SignInOutcome, facts: TokenFacts, glyphs: Glyphs) -> Iterator[Line]:
    """Yield the claims that matter, in words, and then the others."""
    claims = dict(facts.claims)
    shown = [name for name in _WORDS if claims.get(name)]
    if not claims:
        yield label_value("claims", Span("the token has none that can be read", TextStyle.DIM))
    for name in shown:
        first, *more = _values(name, claims[name], outcome, facts, glyphs)
        yield replace(label_value(_WORDS[name], *first), right=(Span(name, TextStyle.DIM),))
        yield from (label_value("", *spans) for spans in more)
    yield label_value("signed in at", facts.authority)
    others = [(name, value) for name, value in facts.claims if name not in shown]
    if others:
        yield BLANK
        yield line(Span("other claims", TextStyle.ACCENT))
    width = min(_WIDEST, max((len(name) + 2 for name, _ in others), default=0))
    for name, value in others:
        yield label_value(f"{name:<{width - 1}} ", value, width=width)


def _values(
    name: str, value: str, outcome: SignInOutcome, facts: TokenFacts, glyphs: Glyphs
) -> Iterator[tuple[Span, ...]]:
    """Yield the lines of a claim's value."""
    if name == "aud":
        yield from _audience(value, outcome, facts, glyphs)
    elif name == "exp" and facts.expires is not None:
        yield from _expires(facts.expires, outcome)
    else:
        yield (Span(value),)


def _audience(
    value: str, outcome: SignInOutcome, facts: TokenFacts, glyphs: Glyphs
) -> Iterator[tuple[Span, ...]]:
    environment, wanted = outcome.wanted.environment, facts.resource
    if not facts.is_for(wanted, urlsplit(environment.arm).hostname or ""):
        yield (Span(f"{glyphs.failed} {value}", TextStyle.ERROR),)
        yield (Span(f"not that of {environment.name}, which is", TextStyle.ERROR),)
        yield (Span(f"  {wanted}"),)
        return
    yield Span(f"{glyphs.ok} ", TextStyle.OK), Span(value)
    said = f"that of {environment.name}, byte for byte"
    if value != wanted:
        said = f"the public cloud takes it for {wanted}"
    yield (Span(said, TextStyle.DIM),)


def _expires(expires: datetime, outcome: SignInOutcome) -> Iterator[tuple[Span, ...]]:
    local, left = expires.astimezone(), seconds_left(outcome)
    said = "" if left is None else f"  in {time_left(left)}" if left > 0 else "  it has expired"
    if local.utcoffset():
        yield Span(f"{day(local)} {clock(expires)}"), Span(said, TextStyle.DIM)
        said = ""
    yield Span(f"{expires:%Y-%m-%d %H:%M:%S} UTC"), Span(said, TextStyle.DIM)
