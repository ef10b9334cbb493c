"""One-line summaries of a check's facts, the same on every screen and in the headless text."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlsplit

from stacktui.check.events import SignInPrompt
from stacktui.check.report import OptionalFacts, StepResult
from stacktui.check.target import CheckTarget
from stacktui.environments.metadata import IdentityProvider, Metadata
from stacktui.identities.token import ADFS_HOTFIX, TokenFacts
from stacktui.resources.model import ResourceGroupList
from stacktui.text.counts import count_of
from stacktui.text.sanitize import escape_control_chars
from stacktui.transport.records import Phase, PhaseName

# What a phase is called where space is short.
# Seconds: what a step takes besides its requests is mostly less.
_WORTH_NAMING = 0.05
_SHORT = {PhaseName.FIRST_BYTE: "wait", PhaseName.REQUEST: "send"}
PROVIDERS = {IdentityProvider.ENTRA: "Entra ID", IdentityProvider.ADFS: "AD FS"}


def target_summary(target: CheckTarget) -> str:
    """`AzureStackUser · management.… · 2020-09-01-hybrid · ops (service principal)`."""
    environment, identity = target.environment, target.identity
    who = f"{identity.name} ({identity.kind.words})" if identity else "no identity"
    host = urlsplit(environment.arm).netloc
    return escape_control_chars(" · ".join((environment.name, host, environment.profile, who)))


def prompt_summary(prompt: SignInPrompt) -> str:
    """Return what the user must do now, and by when."""
    return f"to sign in at {prompt.host}, {prompt_words(prompt.page, prompt.code, prompt.until)}"


def prompt_words(page: str, code: str, until: datetime) -> str:
    return f"open {page} in a browser and type the code {code} there, by {until:%H:%M:%S} UTC"


def phase_summary(phases: Iterable[Phase]) -> str:
    """`dns 2 · tcp 4 · tls 31 · wait 48 · body 2`, in ms, the same phase added up.

    A phase that took less than half a millisecond is left out, unless it failed.
    """
    totals: dict[PhaseName, float] = {}
    failed = {phase.name for phase in phases if not phase.ok}
    for phase in phases:
        totals[phase.name] = totals.get(phase.name, 0.0) + phase.seconds
    return " · ".join(
        f"{_SHORT.get(name, name.value)} {seconds * 1000:.0f}"
        for name, seconds in totals.items()
        if seconds >= 0.0005 or name in failed
    )


def time_summary(step: StepResult) -> str:
    """Return the phases of a step, and the time that is in none: loading code, or waiting.

    That is left out where it is short (`_WORTH_NAMING`).
    """
    spent = phase_summary(step.phases)
    rest = step.seconds - sum(phase.seconds for phase in step.phases)
    if rest < _WORTH_NAMING:
        return spent
    return " · ".join(filter(None, (spent, f"outside the network {rest * 1000:.0f}")))


def result_summary(result: Metadata | TokenFacts | ResourceGroupList | OptionalFacts) -> str:
    """Return what a step found, in a few words."""
    match result:
        case Metadata():
            login = _host_of(result.login_endpoint)
            return escape_control_chars(f"{PROVIDERS[result.identity_provider]} at {login}")
        case TokenFacts():
            until = f"until {result.ends:%H:%M} UTC" if result.ends else "no expiry told"
            said = f"for {result.subject or 'an unnamed subject'}, {until}"
            if result.is_of_old_adfs:
                said += f"; AD FS took the scope /openid only: a build before {ADFS_HOTFIX}"
            return said
        case ResourceGroupList():
            first = "the first " if result.cut else ""
            return f"{first}{count_of(len(result.groups), 'group')} in {result.subscription}"
        case OptionalFacts():
            return str(result)


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).netloc
    except ValueError:  # a part of it was redacted, and `[redacted]` is no host
        return url
