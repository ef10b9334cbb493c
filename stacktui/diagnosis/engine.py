"""Apply the catalogue's rules to a failed check, and name the limit that was hit, if one was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from stacktui.diagnosis.catalogue.unexplained import unexplained
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import FaultInfo
from stacktui.diagnosis.finding import Finding, Remedy, finding
from stacktui.identities.faults import ImdsFault
from stacktui.resources.model import ArmFault, ArmProblem
from stacktui.text.shell import bash, powershell
from stacktui.transport.limits import LIMIT_SETTINGS

# The factor by which the remedy raises a limit that was hit.
_MORE = 3


def findings(failure: FailureContext, faults: Iterable[FaultInfo]) -> list[Finding]:
    """Return what the faults' rules find, in order; `unexplained` if none applies. Never empty.

    What the `beside_rules` find of other faults comes last.
    """
    faults = tuple(faults)
    found = [seen for fault in faults for seen in fault.examine(failure)]
    found = found or [unexplained(failure)]
    told = {each.id for each in found}
    beside = [
        seen for fault in faults if fault.id not in told for seen in fault.examine_beside(failure)
    ]
    first, *others = found
    return [_with_limit(failure, _with_done(failure, first)), *others, *beside]


def next_findings(failure: FailureContext, faults: Iterable[FaultInfo]) -> Iterator[Finding]:
    """Yield what would fail next, as ARM refuses the request also with an api-version it knows."""
    fault = failure.fault
    refusal = fault.next_refusal if isinstance(fault, ArmFault) else None
    if not isinstance(fault, ArmFault) or refusal is None:
        return
    said = (refusal.code, refusal.message, refusal.request_id, refusal.correlation_id)
    next_fault = ArmFault(ArmProblem.REFUSED, fault.what, refusal.status, *said)
    evidence = replace(failure.step.evidence, fault=next_fault)
    next_failure = FailureContext(failure.report, replace(failure.step, evidence=evidence))
    for each in (seen for fault_info in faults for seen in fault_info.examine(next_failure)):
        yield replace(each, title=f"Once the profile fits: {each.title}")


def _with_done(failure: FailureContext, found: Finding) -> Finding:
    """Add what a step that writes had done before it failed."""
    done = failure.step.evidence.result
    if done is None:
        return found
    evidence = (*found.evidence, str(done))
    return finding(found.id, found.title, found.side, evidence, found.remedies, found.az_says)


def _with_limit(failure: FailureContext, found: Finding) -> Finding:
    """Add the limit that was hit, its setting, and the command that raises it."""
    fault = failure.fault.cause if isinstance(failure.fault, ImdsFault) else failure.fault
    name, limit = getattr(fault, "setting", None), getattr(fault, "limit", None)
    if name is None or limit is None:
        return found
    line = f"limit hit: {name} = {limit:g} s (limits.{name} under {failure.section})"
    more = _more(failure, name, limit)
    settings = " ".join(f"limits.{each}={value:g}" for each, value in more.items())
    remedy = Remedy(
        f"If it is only slow, wait longer; `environments set` keeps it: {settings}",
        _command(failure, more, bash),
        _command(failure, more, powershell),
    )
    evidence, remedies = (*found.evidence, line), (*found.remedies, remedy)
    return finding(found.id, found.title, found.side, evidence, remedies, found.az_says)


def _more(failure: FailureContext, name: str, limit: float) -> dict[str, float]:
    """Return the raised limit, and a step limit that leaves room for it."""
    limits, allowed = failure.environment.limits, LIMIT_SETTINGS
    more = {name: min(limit * _MORE, allowed[name].most)}
    if name != "step" and more[name] >= limits.step:
        more["step"] = min(limits.step + more[name], allowed["step"].most)
    return more


def _command(failure: FailureContext, limits: dict[str, float], quote: Callable[[str], str]) -> str:
    options = "".join(f" --limit {name}={value:g}" for name, value in limits.items())
    return failure.command("check", quote, f"{failure.probe_option}{options}")
