"""What a rule reads of a finished check."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from stacktui.certificates.readiness import is_for_host
from stacktui.certificates.verify import DATES, NAMES, VerifyCode
from stacktui.check.report import Fault, Report, StepResult
from stacktui.check.target import config_of
from stacktui.environments.metadata import IdentityProvider, Metadata
from stacktui.environments.model import Environment
from stacktui.environments.naming import is_of_stamp
from stacktui.identities.model import Identity
from stacktui.resources.model import ArmFault, ArmProblem
from stacktui.text.shell import toml_table
from stacktui.transport.records import ConnectionFacts, Exchange, TransportFault, TransportFaultKind

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate
    from stacktui.certificates.chain_completion import ChainCompletion, FlawedFile, FoundIssuer
    from stacktui.transport.port_answer import PortAnswer


def described(der: bytes) -> Certificate:
    """Return a parsed certificate.

    The library is slow to import, and `explain`, which reads the catalogue, must not wait for it.
    """
    from stacktui.certificates.chain import describe

    return describe(der)


def described_path(chain: tuple[bytes, ...]) -> tuple[Certificate, ...]:
    """Return the certificates of a presented chain from the leaf up, each signed by the next."""
    from stacktui.certificates import chain as chains

    return chains.described_path(chain)


class ReportContext:
    """A finished check, healthy or not, with shortcuts to what the rules need."""

    def __init__(self, report: Report) -> None:
        self.report = report

    @property
    def environment(self) -> Environment:
        return self.report.target.environment

    @property
    def identity(self) -> Identity | None:
        return self.report.target.identity

    @property
    def section(self) -> str:
        """The header of the environment's table in the config."""
        return toml_table("environments", self.environment.name)

    def command(self, what: str, quote: Callable[[str], str], options: str = "") -> str:
        """Return a stacktui command (`check`, …) for the environment that was checked.

        `quote` quotes each word for a shell.
        """
        name = self.environment.name
        # After `--`, a name that starts with a dash is not an option; options go before it.
        return f"stacktui {what}{self.config_option(quote)}{options} -- {quote(name)}"

    def config_option(self, quote: Callable[[str], str]) -> str:
        """Return ` --config FILE` if the config is not at its default place, else ""."""
        config = self.report.target.config
        return f" --config {quote(str(config))}" if config else ""

    @property
    def probe_option(self) -> str:
        """` --write-probe` if the check made one: to check again takes one more."""
        return " --write-probe" if self.report.target.write_probe else ""

    @property
    def again(self) -> dict[str, str | Callable[[Callable[[str], str]], str]]:
        """The placeholders of a remedy that checks again."""

        def environment(quote: Callable[[str], str]) -> str:
            options = f"{self.probe_option}{self.config_option(quote)}"
            return f"{options} -- {quote(self.environment.name)}"

        return self.placeholders | {"environment": environment}

    @property
    def placeholders(self) -> dict[str, str | Callable[[Callable[[str], str]], str]]:
        """The values of the placeholders that many remedies have (`remedy_template`)."""

        def environment(quote: Callable[[str], str]) -> str:
            # After `--`, a name that starts with a dash is not an option; options go before it.
            return f"{self.config_option(quote)} -- {quote(self.environment.name)}"

        return {
            "environment": environment,
            "config": self.config_option,
            "config_file": str(config_of(self.report.target)),
            "section": self.section,
        }

    @property
    def now(self) -> datetime:
        """When the check started; a diagnosis reads no other clock."""
        return self.report.started

    @property
    def metadata(self) -> Metadata | None:
        """The stamp's metadata; None where that step did not succeed."""
        return self.report.metadata

    @property
    def adfs_signs_in(self) -> bool:
        """Whether the stamp says that AD FS signs its users in."""
        metadata = self.metadata
        return metadata is not None and metadata.identity_provider is IdentityProvider.ADFS

    @property
    def portal(self) -> str:
        """The address of the stamp's portal, or "the stamp's portal"."""
        return (self.metadata and self.metadata.portal) or "the stamp's portal"

    @cached_property
    def presented(self) -> tuple[ConnectionFacts, ...]:
        """The first connection to each host of the stamp that showed a chain."""
        found: dict[tuple[str, int], ConnectionFacts] = {}
        for step in self.report.steps:
            for exchange in step.evidence.exchanges:
                seen = exchange.connection
                if seen and seen.tls and seen.tls.chain and is_of_stamp(seen.host, self._arm[0]):
                    found.setdefault((seen.host, seen.port), seen)
        return tuple(found.values())

    @property
    def arm_connection(self) -> ConnectionFacts | None:
        """The first connection to ARM that showed a chain."""
        return next((each for each in self.presented if (each.host, each.port) == self._arm), None)

    @cached_property
    def _arm(self) -> tuple[str, int]:
        try:
            parts = urlsplit(self.environment.arm)
            return parts.hostname or "", parts.port or 443
        except ValueError:  # the config rejects such a URL; a report may have another origin
            return "", 443


class FailureContext(ReportContext):
    """A check that failed, and the step that failed in it."""

    def __init__(self, report: Report, failed: StepResult) -> None:
        super().__init__(report)
        self.step = failed
        fault = failed.evidence.fault
        if fault is None:
            raise ValueError("a failed step must have a fault")
        self.fault: Fault = fault

    @property
    def last(self) -> Exchange | None:
        return self.step.evidence.last

    @property
    def connection(self) -> ConnectionFacts | None:
        return self.last.connection if self.last else None

    @property
    def host(self) -> str:
        """The host of the request that failed."""
        return self._origin[0]

    @property
    def port(self) -> int:
        return self._origin[1]

    @property
    def at_arm(self) -> bool:
        """Whether the request that failed was for the host of the setting `arm`."""
        return self._origin == self._arm

    @cached_property
    def _origin(self) -> tuple[str, int]:
        if self.connection:
            return self.connection.host, self.connection.port
        fault = self.fault
        # A fault of no particular host, such as a step's time-out, has port 0.
        if isinstance(fault, TransportFault) and fault.host and fault.port:
            return fault.host, fault.port
        return self._arm

    @cached_property
    def presented_chain(self) -> tuple[Certificate, ...]:
        """The certificates that the failing host presented, leaf first."""
        tls = self.connection.tls if self.connection else None
        return tuple(described(der) for der in tls.chain) if tls else ()

    @cached_property
    def verified_path(self) -> tuple[Certificate, ...]:
        """Those of `presented_chain` from the leaf up, each signed by the next."""
        tls = self.connection.tls if self.connection else None
        return described_path(tls.chain) if tls else ()

    @property
    def path_end(self) -> Certificate | None:
        """The last certificate of `verified_path`."""
        return self.verified_path[-1] if self.verified_path else None

    @property
    def completion(self) -> ChainCompletion | None:
        """The issuers found for the failing host's chain beyond what it presented, if searched."""
        found = self.report.completion
        return found if found and (found.host, found.port) == self._origin else None

    @property
    def is_for_another_name(self) -> bool:
        """Whether the leaf that the failing host presented is for other names than the host's.

        As OpenSSL says where it got so far, else as the names compare. A leaf without any name is
        for no host: the name in its subject counts for no client of today.
        """
        tls = self.connection.tls if self.connection else None
        code = tls.verify_code if tls else None
        if code is None or not self.presented_chain or self.presented_chain[0].unreadable:
            return False
        if code in NAMES:
            return True
        if code in DATES or code == VerifyCode.CERT_SIGNATURE_FAILURE:
            return False  # these come after the name was compared
        return is_for_host(self.presented_chain[0], self.host) is False

    @property
    def namesakes(self) -> tuple[FoundIssuer, ...]:
        """The roots of this machine's files that have the missing issuer's name, not its key."""
        alike = self.completion.namesakes if self.completion else ()
        return tuple(each for each in alike if described(each.der).self_issued)

    @property
    def flawed_files(self) -> tuple[FlawedFile, ...]:
        """The trusted files that are read in part, and may hold what is missing."""
        return self.completion.flawed if self.completion else ()

    @property
    def root_available(self) -> bool:
        """Whether the root was presented, or is in a store of this machine."""
        if self.path_end and self.path_end.self_issued:
            return True
        return self.completion is not None and bool(self.completion.holders)

    @property
    def port_answer(self) -> PortAnswer | None:
        """What a plain request to the failing port brought, if that was asked."""
        found, fault = self.report.port_answer, self.fault
        if found is None or not isinstance(fault, TransportFault):
            return None
        return found if (found.host, found.port) == (fault.host, fault.port) else None

    @property
    def verify_code(self) -> int | None:
        """OpenSSL's verify code if the failing host's own chain does not verify, else None.

        The code of a wrong name only if nothing else is wrong, or if that is unknown
        (`TlsFacts.verify_code_ignoring_name`). None for an `https` proxy's certificate, which says
        nothing about the host behind it.
        """
        fault = self.transport(TransportFaultKind.TLS_VERIFY)
        if fault is None or (fault.host, fault.port) != self._origin:
            return None
        tls = self.connection.tls if self.connection else None
        return (tls.verify_code_ignoring_name if tls else None) or fault.verify_code

    def transport(self, kind: TransportFaultKind) -> TransportFault | None:
        """Return the fault if it is a transport fault of this kind, else None."""
        fault = self.fault
        return fault if isinstance(fault, TransportFault) and fault.kind is kind else None

    def arm(self, problem: ArmProblem) -> ArmFault | None:
        """Return the fault if it is an ARM fault of this kind, else None."""
        fault = self.fault
        return fault if isinstance(fault, ArmFault) and fault.problem is problem else None
