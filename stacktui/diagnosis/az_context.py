"""What a rule reads of one `az` on this machine, beside the finished check."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from stacktui.azure_cli.presence import BUILT_IN_CLOUDS
from stacktui.check.report import Report
from stacktui.diagnosis.context import FailureContext, ReportContext
from stacktui.diagnosis.finding import Finding
from stacktui.environments.model import parse_arm_url
from stacktui.exchange.az_setup import LAST_WORKING, version_of

if TYPE_CHECKING:
    from stacktui.azure_cli.facts import AzFacts
    from stacktui.azure_cli.ini_files import AzCloud
    from stacktui.check.az_clients import AzClient, AzHost


class AzContext(ReportContext):
    """A finished check, and an `az`: would that register the stamp, sign in and list groups?"""

    def __init__(
        self, report: Report, az: AzFacts, client: AzClient, verdict: Finding | None
    ) -> None:
        super().__init__(report)
        self.az, self.client, self.verdict = az, client, verdict

    @property
    def launcher(self) -> str:
        return str(self.client.installation.launcher)

    @cached_property
    def version(self) -> tuple[int, int] | None:
        """Major and minor version; None where its files do not say it."""
        return version_of(self.client.installation)

    @property
    def is_too_new(self) -> bool:
        return self.version is not None and self.version > LAST_WORKING

    @cached_property
    def failure(self) -> FailureContext | None:
        failed = self.report.failed
        return FailureContext(self.report, failed) if failed else None

    @cached_property
    def clouds(self) -> tuple[AzCloud, ...]:
        """az's clouds for the stamp, the active one first; without any, az has to register it."""
        arm = self.environment.arm
        found = [each for each in self.az.clouds if _arm_of(each) == arm]
        return tuple(sorted(found, key=lambda each: each.name != self.az.active))

    @property
    def cloud(self) -> AzCloud | None:
        return self.clouds[0] if self.clouds else None

    @property
    def knows_active(self) -> bool:
        """Whether the cloud that az is told to use is one that it has."""
        names = (*BUILT_IN_CLOUDS.values(), *(each.name for each in self.az.clouds))
        return self.az.active in names

    @property
    def login_endpoint(self) -> str:
        """The login endpoint that az has registered, or would; empty where it is not known."""
        if self.cloud is not None and self.cloud.login:
            return self.cloud.login
        return self.metadata.login_endpoint if self.metadata else ""

    @property
    def login_host(self) -> str:
        try:
            return urlsplit(self.login_endpoint).hostname or ""
        except ValueError:
            return ""

    @property
    def login_as_az_has_it(self) -> str:
        """The same as it stands in az's files, or would: with its slash at the end."""
        if self.cloud is not None and self.cloud.login:
            return self.cloud.login
        return self.metadata.login_as_given if self.metadata else ""

    @property
    def is_adfs(self) -> bool:
        """Whether az takes the login endpoint for one of AD FS: by its end alone."""
        return self.login_endpoint.rstrip("/").lower().endswith("adfs")

    @property
    def arm_host(self) -> AzHost | None:
        return next((each for each in self.client.hosts if self._is_arm(each)), None)

    @property
    def other_hosts(self) -> tuple[AzHost, ...]:
        """The hosts besides ARM: that of the login."""
        return tuple(each for each in self.client.hosts if not self._is_arm(each))

    def _is_arm(self, host: AzHost) -> bool:
        return (host.host, host.port) == self._arm


def _arm_of(cloud: AzCloud) -> str:
    try:
        return parse_arm_url(cloud.arm)
    except ValueError:
        return ""
