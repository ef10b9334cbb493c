"""The state of an identity: how its last sign-in ended, and how it is with its certificate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stacktui.check.step_names import StepName
from stacktui.environments.model import Environment
from stacktui.identities.model import CertificateRef, Identity
from stacktui.text.times import moment_text, rough_duration
from stacktui.tui.app_state import AppState
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import Span, TextStyle
from stacktui.tui.panes.certificates import days_span, identity_state

if TYPE_CHECKING:
    from stacktui.check.summary import CheckSummary
    from stacktui.identities.token_source import SignInOutcome

_FAILED, _NOT_TRIED = "failed", "not tried"
# How the ids of verdicts begin, and the kinds of faults, where no connection came about.
_UNREACHABLE = ("dns-", "tcp-", "proxy-", "login-unreachable")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
# The least seconds to a change: a timer may be early, and sees the words of before then.
_LATER = 1.0


@dataclass(frozen=True, slots=True)
class IdentityState:
    """`words` are the whole state, `brief` the same in a word or two, `sign` the symbol of both."""

    sign: str
    words: str
    brief: str
    style: TextStyle

    def span(self, *, brief: bool = False) -> Span:
        return Span(f"{self.sign} {self.brief if brief else self.words}", self.style)


def now() -> datetime:
    return datetime.now(UTC)


def users_by_identity(environments: Iterable[Environment]) -> Mapping[str, Sequence[str]]:
    """Return the environments that name each identity."""
    found: dict[str, list[str]] = {}
    for each in environments:
        if each.identity is not None:
            found.setdefault(each.identity, []).append(each.name)
    return found


def state_of(
    identity: Identity, users: Sequence[str], app_state: AppState, glyphs: Glyphs
) -> IdentityState:
    """Return the state by the last sign-in, of this run or else by the history of checks.

    `users` are the environments that name the identity.
    """
    check = app_state.check
    if check and check.target.identity == identity and check.step_under_way == StepName.TOKEN:
        return IdentityState(glyphs.running, "signing in", "signing in", TextStyle.ACCENT)
    if (outcome := last_sign_in(identity, app_state)) is not None:
        if outcome.facts is None and is_unreachable(outcome):
            words = f"{_NOT_TRIED}: {outcome.wanted.environment.name} cannot be reached"
            return IdentityState(glyphs.skipped, words, _NOT_TRIED, TextStyle.DIM)
        if outcome.facts is None:
            words = f"{_FAILED}: {why_failed(outcome, app_state)}"
            return IdentityState(glyphs.failed, words, _FAILED, TextStyle.ERROR)
        left = seconds_left(outcome)
        if left is None:
            return IdentityState(glyphs.ok, "token valid", "valid", TextStyle.OK)
        if left <= 0:
            return IdentityState(glyphs.skipped, "expired", "expired", TextStyle.DIM)
        said = time_left(left)
        return IdentityState(glyphs.ok, f"token valid for {said}", said, TextStyle.OK)
    if (last := last_in_history(users, app_state)) is not None:
        at = moment_text(last.started, now(), None)
        if _token_outcome(last) == _FAILED and last.verdict.startswith(_UNREACHABLE):
            words = f"{_NOT_TRIED} {at}: {last.verdict}"
            return IdentityState(glyphs.skipped, words, _NOT_TRIED, TextStyle.DIM)
        if _token_outcome(last) == _FAILED:
            words = f"{_FAILED} {at}: {last.verdict}"
            return IdentityState(glyphs.failed, words, _FAILED, TextStyle.DIM)
        return IdentityState(glyphs.skipped, f"signed in {at}", "signed in", TextStyle.DIM)
    return IdentityState(glyphs.skipped, "never tried", "never", TextStyle.DIM)


def last_sign_in(identity: Identity, app_state: AppState) -> SignInOutcome | None:
    """Return how the last sign-in of this run ended: to the current environment, else to any."""
    settings, tokens = app_state.settings, app_state.tokens
    if settings is None or tokens is None:
        return None

    def with_these_settings(outcome: SignInOutcome) -> bool:
        wanted = outcome.wanted
        environment = settings.environments.get(wanted.environment.name)
        known = environment, identity.configured, settings.named
        return known == (wanted.environment, wanted.identity.configured, wanted.config)

    here = tokens.outcome(identity.name, app_state.current or "")
    if here is not None and with_these_settings(here):
        return here
    return next(filter(with_these_settings, tokens.outcomes(identity.name)), None)


def last_in_history(users: Sequence[str], app_state: AppState) -> CheckSummary | None:
    """Return the last check before this start that tried to sign in, as `last_sign_in` chooses.

    The history does not name the identity: the environment may have had another one then.
    """
    recalled = map(app_state.history.get, users)
    tried = [each.last for each in recalled if each and each.last and _token_outcome(each.last)]
    here = [each for each in tried if each.environment == app_state.current]
    return next(iter(here), None) or max(tried, key=lambda each: each.started, default=None)


def _token_outcome(last: CheckSummary) -> str:
    """Return how the step that signs in ended; empty where it did not run."""
    outcomes = {name: outcome for name, outcome, _ in last.steps}
    return outcomes.get(StepName.TOKEN, "skipped").replace("skipped", "")


def why_failed(outcome: SignInOutcome, app_state: AppState) -> str:
    """Return why a sign-in failed: the verdict's id, if a check found it, else the fault."""
    check = app_state.checks.get(outcome.wanted.environment.name)
    if check and check.verdict and check.evidence(StepName.TOKEN).fault is outcome.fault:
        return check.verdict.id
    return fault_of(outcome)


def is_unreachable(outcome: SignInOutcome) -> bool:
    """Return whether a sign-in failed before any host was reached."""
    # Whoever has signed in has imported it.
    from stacktui.transport.records import TransportFault

    fault = outcome.fault
    return isinstance(fault, TransportFault) and fault.kind.startswith(_UNREACHABLE)


def fault_of(outcome: SignInOutcome) -> str:
    """Return the fault of a sign-in in one line."""
    # Whoever has signed in has imported it.
    from stacktui.check.fault_text import fault_summary

    return fault_summary(outcome.fault)


def seconds_left(outcome: SignInOutcome) -> float | None:
    """Return how long the token is valid, negative once it has expired; None if unknown."""
    return None if outcome.ends is None else outcome.ends - now().timestamp()


def time_left(seconds: float) -> str:
    """Return `43 min` or `3 h`, rounded down; `seconds` is positive."""
    if seconds >= 2 * _MINUTE:
        return rough_duration(seconds)
    return "1 min" if seconds >= _MINUTE else "under a minute"


def seconds_to_change(app_state: AppState) -> float | None:
    """Return when the time left of some token has other words; None where none has any left."""
    outcomes = [last_sign_in(each, app_state) for each in app_state.identities]
    found = [seconds_left(each) for each in outcomes if each is not None and each.facts]
    return min((_to_change(each) for each in found if each and each > 0), default=None)


def _to_change(left: float) -> float:
    unit = _MINUTE if left < 2 * _HOUR else _HOUR if left < 2 * _DAY else _DAY
    return max(_LATER, left % unit)


def certificate_span(identity: Identity, app_state: AppState, glyphs: Glyphs) -> Span:
    """Return the days left of the certificate that signs in, or what is wrong with its file.

    Empty without one, and before the files are read.
    """
    if not isinstance(identity.credential, CertificateRef) or app_state.identity_files is None:
        return Span("")
    file = app_state.identity_files.get(identity.name)
    if file is None or file.problem or not file.chain:
        return identity_state(file, glyphs)
    return days_span(file.chain[0], file.read, glyphs)
