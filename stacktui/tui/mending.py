"""The mends that stacktui can carry out itself: which there are, what they change, and the doing.

Nothing here knows of a screen. What touches files blocks, and raises NotDoneError.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from stacktui.check.accepting import AcceptError, accept, ask_stamp, differences
from stacktui.check.report import Report
from stacktui.check.settings import load_settings
from stacktui.check.target import Target
from stacktui.config.document import ConfigError
from stacktui.config.locations import stamps_file
from stacktui.diagnosis.finding import Action, ActionKind, Diagnosis, Finding, Remedy
from stacktui.environments.config import change_environment
from stacktui.environments.model import Environment
from stacktui.text.sanitize import visible
from stacktui.transport.limits import Limits
from stacktui.transport.proxy import without_credentials
from stacktui.tui.background import NotDoneError
from stacktui.tui.words import command_of

# What `f` does, said beside the mend.
DOES = {
    ActionKind.TRUST_ROOT: "trusts it",
    ActionKind.SET: "sets it",
    ActionKind.ACCEPT: "accepts it",
}
UNSET = "not set"


@dataclass(frozen=True, slots=True)
class Mend:
    """A remedy of a finding that stacktui can carry out; `beside` the verdict, or of it."""

    finding: Finding
    remedy: Remedy
    action: Action
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What a mend changes in which file: each value's name, and what it is before and after.

    `then` says what follows from it. `carry_out` does it, says in a line what was done, and raises
    NotDoneError with nothing changed. Where it cannot be done, `why_not` says why.
    """

    file: Path
    values: tuple[tuple[str, str, str], ...] = ()
    then: str = ""
    carry_out: Callable[[], str] | None = None
    why_not: str = ""


def mends_of(diagnosis: Diagnosis | None) -> tuple[Mend, ...]:
    """Every one once: the verdict's first, then those of what was also seen."""
    found: dict[Action, Mend] = {}
    for finding in _findings(diagnosis):
        for remedy in finding.remedies:
            if remedy.action is not None:
                beside = diagnosis is not None and finding is not diagnosis.verdict
                found.setdefault(remedy.action, Mend(finding, remedy, remedy.action, beside))
    return tuple(found.values())


def copied_of(diagnosis: Diagnosis | None) -> Remedy | None:
    """The remedy whose command `y` copies: the verdict's first that has one.

    Without a verdict it is that of what was also seen.
    """
    findings = _findings(diagnosis)
    if diagnosis is not None and diagnosis.verdict is not None:
        findings = findings[:1]
    remedies = (remedy for finding in findings for remedy in finding.remedies)
    return next(filter(command_of, remedies), None)


def _findings(diagnosis: Diagnosis | None) -> Sequence[Finding]:
    if diagnosis is None:
        return ()
    verdict = (diagnosis.verdict,) if diagnosis.verdict else ()
    return (*verdict, *diagnosis.also_seen)


def chain_at(report: Report, host: str, port: int) -> tuple[bytes, ...]:
    """What a host presented (DER, leaf first), then what was found to be missing of it."""
    steps = (exchange for step in report.steps for exchange in step.evidence.exchanges)
    for exchange in (*steps, *(probe.exchange for probe in report.probes)):
        seen = exchange.connection
        if seen and seen.tls and seen.tls.chain and (seen.host, seen.port) == (host, port):
            missing = report.completion
            if missing is None or (missing.host, missing.port) != (host, port):
                return seen.tls.chain
            return (*seen.tls.chain, *(each.der for each in missing.found))
    return ()


# Carrying one out


def change_of(mend: Mend, config: Path, name: str, limits: Limits) -> Change:
    """What it changes, of an environment of the config as it is now; never raises.

    To accept a stamp, it is asked first, within `limits`: that may take as long as a step of a
    check.
    """
    accepts = mend.action.kind is ActionKind.ACCEPT
    try:
        target = _target(config, name)
        if not accepts:
            return _setting(mend.action, config, target.environment)
        environment = replace(target.environment, limits=limits)
        return _acceptance(replace(target, environment=environment))
    except (ConfigError, AcceptError) as error:
        return Change(stamps_file() if accepts else config, why_not=str(error))


def _target(config: Path, name: str) -> Target:
    settings = load_settings(config)
    if name not in settings.environments:
        raise ConfigError(config, f"environments.{visible(name)} is not there any more")
    return settings.target(name)


def _setting(action: Action, config: Path, environment: Environment) -> Change:
    key, value, name = action.key, action.value, environment.name
    before, after = _value(environment, key), value or UNSET

    def carry_out() -> str:
        try:
            change_environment(config, name, {key: value})
        except ConfigError as error:
            raise NotDoneError(str(error)) from None
        return visible(f"{key} of {name} was {before} and is now {after}")

    then = "Everything else in the file stays as it is. Then the check runs again."
    return Change(config, ((f"{key} of {name}", before, after),), then, carry_out)


def _value(environment: Environment, key: str) -> str:
    """As the config has it, or its default."""
    value = str(getattr(environment, key, None) or UNSET)
    return without_credentials(value) if key == "proxy" else value


def _acceptance(target: Target) -> Change:
    offer = asyncio.run(ask_stamp(target))

    def carry_out() -> str:
        try:
            accept(target, offer)
        except AcceptError as error:
            raise NotDoneError(str(error)) from None
        return visible(f"{target.environment.name} is accepted as it is now")

    then = "Then the check runs again, and sends its secret where the stamp says now."
    return Change(stamps_file(), tuple(differences(offer)), then, carry_out)
