"""What operators read of a stamp at `adminmanagement` (PROTOCOL.md section 8).

Its update state, health, alerts, nodes, backups and subscriptions, in the default provider
subscription.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from stacktui.stamp.arm.errors import CloudError, Code
from stacktui.stamp.clock import Clock
from stacktui.stamp.directory import Subscription
from stacktui.stamp.health import StampHealth
from stacktui.stamp.hosts import Hosts
from stacktui.stamp.messages import Request, Response, json_response

OPERATOR_LABEL = "adminmanagement."
_NEXT = "1.2301.2.58"


READ_UPDATES = "Microsoft.Update.Admin/updateLocations/read"
READ_ALERTS = "Microsoft.InfrastructureInsights.Admin/regionHealths/alerts/read"
READ_HEALTH = "Microsoft.InfrastructureInsights.Admin/regionHealths/read"
READ_SERVICES = "Microsoft.InfrastructureInsights.Admin/regionHealths/serviceHealths/read"
READ_FABRIC = "Microsoft.Fabric.Admin/fabricLocations/read"
READ_BACKUPS = "Microsoft.Backup.Admin/backupLocations/read"
READ_SUBSCRIPTIONS = "Microsoft.Subscriptions.Admin/subscriptions/read"

OPERATOR_ACTIONS = frozenset(
    {
        READ_UPDATES,
        READ_ALERTS,
        READ_HEALTH,
        READ_SERVICES,
        READ_FABRIC,
        READ_BACKUPS,
        READ_SUBSCRIPTIONS,
    }
)
"""The actions that only operators may perform."""

SERVICES = {
    "Compute": "Microsoft.Compute.Admin",
    "Storage": "Microsoft.Storage.Admin",
    "Network": "Microsoft.Network.Admin",
    "Key Vault": "Microsoft.KeyVault.Admin",
    "Updates": "Microsoft.Update.Admin",
}
FABRIC: dict[str, dict[str, dict[str, Any]]] = {
    "scaleunits": {
        "s-cluster": {"scaleUnitType": "HyperConverged", "state": "Running", "totalCores": 96}
    },
    "scaleunitnodes": {
        f"AzS-ERCS0{number}": {
            "scaleUnitNodeStatus": "Running",
            "powerState": "Running",
            "vendor": "Contoso",
            "model": "S2D 640",
        }
        for number in range(1, 5)
    },
    "infraroles": {
        "Privileged endpoint": {"instances": ["AzS-ERCS01"]},
        "Certificate management": {"instances": ["AzS-CA01"]},
    },
}
"""Rows of each list under a fabric location, by its name in lower case."""


@dataclass(frozen=True, slots=True)
class OperatorApi:
    """The administrator's providers: Microsoft.Update.Admin and InfrastructureInsights.Admin."""

    hosts: Hosts
    clock: Clock
    build: str
    state: StampHealth

    def update_locations(self, request: Request) -> Response:
        return self._list(request, {self.hosts.region: self._update_state()})

    def update_location(self, request: Request) -> Response:
        kind = "Microsoft.Update.Admin/updateLocations"
        return self._one(request, kind, self._update_state())

    def _update_state(self) -> dict[str, Any]:
        updating = self.state.updating is not None
        return {
            "currentVersion": f"1.{self.build}.0.9",
            "currentOemVersion": "2.1.1908.7",
            "lastUpdated": _iso(self.clock.now() - timedelta(days=40)),
            "state": "UpdateInProgress" if updating else "AppliedSuccessfully",
        }

    def updates(self, request: Request) -> Response:
        state = "Preparing" if self.state.updating is None else "Installing"
        row = {"version": _NEXT, "state": state, "displayName": f"AzS Update - {_NEXT}"}
        return self._list(request, {f"Microsoft{_NEXT}": row})

    def update_runs(self, request: Request) -> Response:
        if self.state.updating is None:
            return self._list(request, {})
        began = self.clock.now() - self.state.updating
        failed = {"state": "Failed", "timeStarted": _iso(began - timedelta(days=1))}
        running = {"state": "InProgress", "timeStarted": _iso(began)}
        return self._list(request, {"run-1": failed, "run-2": running})

    def region_healths(self, request: Request) -> Response:
        return self._list(request, {self.hosts.region: self._health()})

    def region_health(self, request: Request) -> Response:
        kind = "Microsoft.InfrastructureInsights.Admin/regionHealths"
        return self._one(request, kind, self._health())

    def alerts(self, request: Request) -> Response:
        rows = {
            f"alert-{number}": {
                "alertId": f"alert-{number}",
                "title": title,
                "severity": severity,
                "state": "Active",
                "impactedResourceDisplayName": self.hosts.region,
                "createdTimestamp": _iso(self.clock.now() - timedelta(hours=3)),
                "remediation": [
                    {"type": "Text", "text": "Restart the node, and read"},
                    {"type": "LinkBegin", "uri": "https://aka.ms/azurestackalerts"},
                    {"type": "Text", "text": "the guide"},
                    {"type": "LinkEnd"},
                    {"type": "NewLine"},
                    {"type": "Text", "text": "If the alert stays, contact support."},
                ],
            }
            for number, (title, severity) in enumerate(self.state.alerts)
        }
        closed = {"title": "An alert of last week", "severity": "Critical", "state": "Closed"}
        return self._list(request, rows | {"alert-closed": closed})

    def service_healths(self, request: Request) -> Response:
        worst = "Critical" if self.state.alerts else "Healthy"
        return self._list(
            request,
            {
                namespace: {
                    "displayName": title,
                    "namespace": namespace,
                    "healthState": worst if title == "Compute" else "Healthy",
                    "alertSummary": {"criticalAlertCount": 0, "warningAlertCount": 0},
                }
                for title, namespace in SERVICES.items()
            },
        )

    def fabric(self, request: Request) -> Response:
        """Return the scale units, their nodes or the infrastructure roles."""
        return self._list(request, FABRIC[request.path.rpartition("/")[2].lower()])

    def backup_locations(self, request: Request) -> Response:
        newest = _iso(self.clock.now() - timedelta(hours=11))
        properties = {
            "path": "\\\\backup.contoso.invalid\\stamp",
            "isBackupSchedulerEnabled": True,
            "backupFrequencyInHours": 12,
            "backupRetentionPeriodInDays": 7,
            "lastBackupTime": newest,
        }
        return self._list(request, {self.hosts.region: properties})

    def admin_subscriptions(
        self, request: Request, subscriptions: Iterable[Subscription]
    ) -> Response:
        """Return all users' subscriptions, which have no `properties`."""
        self._require_operator(request)
        rows = [
            {
                "id": f"{request.path}/{found.id}",
                "subscriptionId": found.id,
                "displayName": found.name,
                "owner": "operator@contoso.invalid",
                "tenantId": found.tenant,
                "offerId": "/delegatedProviders/default/offers/standard",
                "state": found.state.value,
            }
            for found in subscriptions
        ]
        return json_response(200, {"value": rows})

    def _health(self) -> dict[str, Any]:
        severities = [severity for _, severity in self.state.alerts]
        return {
            "alertSummary": {
                "criticalAlertCount": severities.count("Critical"),
                "warningAlertCount": severities.count("Warning"),
            },
            "usageMetrics": [
                _usage("Physical memory", "GB", 1320, 740),
                _usage("Physical storage", "TB", 31.2, 9.4),
                _usage("Public IP Address pools", "one", 250, 38),
            ],
        }

    def _one(self, request: Request, kind: str, properties: dict[str, Any]) -> Response:
        region = self.hosts.region
        self._require_operator(request)
        return json_response(
            200,
            {
                "id": request.path,
                "name": f"{region}/{region}",
                "type": kind,
                "location": region,
                "properties": properties,
            },
        )

    def _list(self, request: Request, rows: dict[str, dict[str, Any]]) -> Response:
        self._require_operator(request)
        region = self.hosts.region
        found = [
            {"id": f"{request.path}/{name}", "name": f"{region}/{name}", "properties": properties}
            for name, properties in rows.items()
        ]
        return json_response(200, {"value": found})

    def _require_operator(self, request: Request) -> None:
        if not request.headers.get("host", "").startswith(OPERATOR_LABEL):
            namespace = request.path.split("/providers/")[1].partition("/")[0]
            raise CloudError(Code.NAMESPACE_INVALID, namespace=namespace)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _usage(title: str, unit: str, available: float, used: float) -> dict[str, Any]:
    """Return a metric as `regionHealths` has it: what is free, and what is used."""
    return {
        "name": title,
        "metricsValue": [
            {"name": "Available", "value": available, "unit": unit},
            {"name": "Used", "value": used, "unit": unit},
        ],
    }
