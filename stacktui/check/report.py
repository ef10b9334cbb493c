"""The result of a check, as frozen data.

Every text in a report has been sanitised (`text.sanitize`); nothing in it is secret. Times are
UTC, durations seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from stacktui.certificates.trust import TrustFileFault, TrustUsed
from stacktui.check.open_files import OpenFile
from stacktui.check.step_names import StepName
from stacktui.check.target import CheckTarget
from stacktui.environments.metadata import Metadata, MetadataFault
from stacktui.environments.record import DriftFault, RecordFault, StampRecord
from stacktui.identities.faults import (
    AzureCliFault,
    CertificateFault,
    ImdsFault,
    SecretFault,
    SignInFault,
)
from stacktui.identities.token import TokenFacts
from stacktui.resources.model import ArmFault, ResourceGroupList
from stacktui.transport.records import Exchange, Phase, TransportFault

if TYPE_CHECKING:
    from stacktui.azure_cli.facts import AzFacts
    from stacktui.certificates.additions import LostAddition
    from stacktui.certificates.certifi_repair import CertifiRepair
    from stacktui.certificates.chain_completion import ChainCompletion
    from stacktui.check.az_clients import AzClient
    from stacktui.check.clients import PythonClient
    from stacktui.transport.port_answer import PortAnswer

R = TypeVar("R")


class StepOutcome(StrEnum):
    """How a step ended."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


# Why a step failed, by layer; the diagnosis matches on the type.
Fault = (
    TransportFault
    | TrustFileFault
    | MetadataFault
    | DriftFault
    | RecordFault
    | SecretFault
    | CertificateFault
    | SignInFault
    | ImdsFault
    | AzureCliFault
    | ArmFault
)


@dataclass(frozen=True, slots=True)
class OptionalFacts:
    """The base of what optional steps find: published whole, by the names of its fields.

    `str()` sums it up in a few words.
    """


@dataclass(frozen=True, slots=True)
class Evidence:
    """The facts of one step.

    `fault` is set if and only if the step failed, `result` if it succeeded, or is what a step that
    writes had done before it failed, `skipped` (why, in
    words) if it did not run, or is optional and could not; `inconclusive` says that the check is
    undecided without it. `exchanges` are all requests made, in order; the last one decided,
    except that subscriptions are listed after one was refused (`ArmFault.seen`), and
    that groups are asked for with another api-version (`ArmFault.next_refusal`).
    """

    exchanges: tuple[Exchange, ...] = ()
    trust: TrustUsed | None = None
    fault: Fault | None = None
    result: Metadata | TokenFacts | ResourceGroupList | OptionalFacts | None = None
    skipped: str = ""
    inconclusive: bool = False

    @property
    def last(self) -> Exchange | None:
        """The last exchange, which decided; of a step that failed and then cleaned up, or asked
        with another api-version, that of its fault."""
        cleaned_up = self.fault is not None and self.result is not None
        asked_on = isinstance(self.fault, ArmFault) and self.fault.status == 400
        went_on = cleaned_up or asked_on
        decided = [each for each in self.exchanges if went_on and self._is_of_fault(each)]
        return next(reversed(decided or self.exchanges), None)

    def _is_of_fault(self, exchange: Exchange) -> bool:
        fault, response = self.fault, exchange.response
        if not isinstance(fault, ArmFault) or response is None:
            return exchange.fault is not None and exchange.fault is fault
        id_ = response.header("x-ms-request-id") or ""
        return (response.status, id_) == (fault.status, fault.request_id)


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step of a check; `phases` are those of all its exchanges, in order."""

    name: str
    outcome: StepOutcome
    seconds: float
    evidence: Evidence

    @property
    def phases(self) -> tuple[Phase, ...]:
        return tuple(phase for each in self.evidence.exchanges for phase in each.phases)


@dataclass(frozen=True, slots=True)
class Probe:
    """A host that the failed check did not reach, probed as far as TLS without a secret.

    `exchange` has no response; its fault, if any, is why the next step would have failed there.
    """

    role: str
    seconds: float
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class Report:
    """A whole check. `steps` holds all of the target's, in order.

    `recorded` is the stamp's record from before this check. After a failure, `probes` are the
    hosts that were not reached, `completion` is what an unverified chain lacks, and `siblings` are
    names of the same stamp that exist where ARM's does not, `repair` is what can be done about
    a certifi that cannot be used, and `port_answer` is what stands on a port that ended a
    handshake. `lost` are additions to other
    programs' trust stores that are not there any more. `az` is what is known of the Azure CLI on
    this machine, None where it is not there, and `az_clients` what each `az` would meet. `box` is
    this machine's name. `unrecorded` says why
    a stamp without a record could not be recorded, after a check in which no step failed.
    `open_files` are those that others on this machine may read or change. `clients` are this
    machine's Python environments with azure packages.
    """

    target: CheckTarget
    started: datetime
    seconds: float
    steps: tuple[StepResult, ...]
    lost: tuple[LostAddition, ...] = ()
    recorded: StampRecord | None = None
    probes: tuple[Probe, ...] = ()
    completion: ChainCompletion | None = None
    siblings: tuple[str, ...] = ()
    repair: CertifiRepair | None = None
    port_answer: PortAnswer | None = None
    az: AzFacts | None = None
    box: str = ""
    unrecorded: str = ""
    open_files: tuple[OpenFile, ...] = ()
    clients: tuple[PythonClient, ...] = ()
    az_clients: tuple[AzClient, ...] = ()

    @property
    def ok(self) -> bool:
        """No step failed; skipped steps do not count."""
        return self.failed is None

    @property
    def conclusive(self) -> bool:
        """Whether the check is decided: one without a person cannot sign in with a device code."""
        return not self.ok or not any(step.evidence.inconclusive for step in self.steps)

    @property
    def metadata_only(self) -> bool:
        """Whether it is healthy as far as it went, as there is no identity to sign in with."""
        skipped = [step.name for step in self.steps if step.outcome is StepOutcome.SKIPPED]
        return self.ok and self.conclusive and StepName.TOKEN in skipped

    @property
    def failed(self) -> StepResult | None:
        """The step that failed; there is at most one, as the later ones are skipped."""
        return next((step for step in self.steps if step.outcome is StepOutcome.FAILED), None)

    def step(self, name: str) -> StepResult:
        return next(step for step in self.steps if step.name == name)

    @property
    def metadata(self) -> Metadata | None:
        """The stamp's metadata; None where that step did not succeed."""
        return self.result(Metadata)

    @property
    def token(self) -> TokenFacts | None:
        """The token's claims; None where there is no token."""
        return self.result(TokenFacts)

    @property
    def groups(self) -> ResourceGroupList | None:
        """The listed resource groups; None where that step did not succeed."""
        return self.result(ResourceGroupList)

    def result(self, kind: type[R]) -> R | None:
        """Return what the step found whose result has this type; None where it did not succeed."""
        results = (step.evidence.result for step in self.steps)
        return next((each for each in results if isinstance(each, kind)), None)

    def chain_at(self, host: str, port: int) -> tuple[bytes, ...]:
        """What a host presented (DER, leaf first), then what was found to be missing of it."""
        steps = (exchange for step in self.steps for exchange in step.evidence.exchanges)
        for exchange in (*steps, *(probe.exchange for probe in self.probes)):
            seen = exchange.connection
            if seen and seen.tls and seen.tls.chain and (seen.host, seen.port) == (host, port):
                missing = self.completion
                if missing is None or (missing.host, missing.port) != (host, port):
                    return seen.tls.chain
                return (*seen.tls.chain, *(each.der for each in missing.found))
        return ()
