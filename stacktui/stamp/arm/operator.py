"""What operators read of a stamp at `adminmanagement` (PROTOCOL.md section 8).

Its update state and its alerts, in the default provider subscription.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from stacktui.stamp.arm.errors import CloudError, Code
from stacktui.stamp.clock import Clock
from stacktui.stamp.health import StampHealth
from stacktui.stamp.hosts import Hosts
from stacktui.stamp.messages import Request, Response, json_response

OPERATOR_LABEL = "adminmanagement."
_NEXT = "1.2301.2.58"


READ_UPDATES = "Microsoft.Update.Admin/updateLocations/read"
READ_ALERTS = "Microsoft.InfrastructureInsights.Admin/regionHealths/alerts/read"


@dataclass(frozen=True, slots=True)
class OperatorApi:
    """The administrator's providers: Microsoft.Update.Admin and InfrastructureInsights.Admin."""

    hosts: Hosts
    clock: Clock
    build: str
    state: StampHealth

    def update_location(self, request: Request) -> Response:
        updating = self.state.updating is not None
        properties = {
            "currentVersion": f"1.{self.build}.0.9",
            "currentOemVersion": "2.1.1908.7",
            "lastUpdated": _iso(self.clock.now() - timedelta(days=40)),
            "state": "UpdateInProgress" if updating else "AppliedSuccessfully",
        }
        return self._one(request, "Microsoft.Update.Admin/updateLocations", properties)

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

    def alerts(self, request: Request) -> Response:
        rows = {
            f"alert-{number}": {"title": title, "severity": severity, "state": "Active"}
            for number, (title, severity) in enumerate(self.state.alerts)
        }
        closed = {"title": "An alert of last week", "severity": "Critical", "state": "Closed"}
        return self._list(request, rows | {"alert-closed": closed})

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
