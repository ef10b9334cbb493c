"""The optional step that reads how the stamp itself is: its build, updates and alerts.

Of the operator's endpoint only (PROTOCOL.md section 8), and only of those who may read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from stacktui.check.operator_health import UPDATING, Alert, OperatorHealth
from stacktui.check.step import Step, StepContext
from stacktui.check.step_names import StepName
from stacktui.check.target import CheckTarget
from stacktui.environments.model import Environment
from stacktui.environments.naming import OPERATOR_ENDPOINT
from stacktui.identities.token import Token
from stacktui.resources.client import ArmClient, only
from stacktui.resources.listing import list_rows
from stacktui.resources.model import ArmError
from stacktui.resources.subscriptions import first_enabled_subscription

_UPDATE_VERSIONS = ("2021-07-01", "2016-05-01")
_HEALTH_VERSION = "2016-05-01"
# More alerts than this say no more than that there are many.
_MAX_ALERTS = 20


async def _run(context: StepContext) -> OperatorHealth:
    environment = context.target.environment
    client = ArmClient(context.session, environment, only(context.result(Token)))
    subscription = environment.subscription or await first_enabled_subscription(client)
    providers, region = _providers(environment, subscription)
    health = f"{providers}/Microsoft.InfrastructureInsights.Admin/regionHealths/{region}"
    location, version, found = await update_location(client, environment, subscription)
    state = client.text(found, "properties", "state")
    began = await _began(client, location, version) if state == UPDATING else None

    def alert_of(row: Mapping[str, Any]) -> Alert | None:
        is_active = client.text(row, "properties", "state").lower() == "active"
        title, severity = (client.text(row, "properties", key) for key in ("title", "severity"))
        return Alert(title, severity) if is_active else None

    alerts = await list_rows(
        client, f"{health}/alerts", alert_of, _HEALTH_VERSION, what="the alerts"
    )
    active = sorted(filter(None, alerts.rows), key=lambda each: not each.is_critical)
    return OperatorHealth(
        client.text(found, "properties", "currentVersion"),
        state,
        began,
        tuple(active[:_MAX_ALERTS]),
    )


async def update_location(
    client: ArmClient, environment: Environment, subscription: str
) -> tuple[str, str, Mapping[str, Any]]:
    """Return the path of the stamp's update location, the api-version that it knows, and the
    location, of which `currentVersion` is the build. Raises ArmError."""
    providers, region = _providers(environment, subscription)
    path = f"{providers}/Microsoft.Update.Admin/updateLocations/{region}"
    newest, older = _UPDATE_VERSIONS
    try:
        return path, newest, await client.read(path, newest, what="the update state")
    except ArmError as error:
        if error.fault.status != 400:  # an api-version that is not known is a bad request
            raise
    return path, older, await client.read(path, older, what="the update state")


async def _began(client: ArmClient, location: str, version: str) -> datetime | None:
    """Return when the running update began; None where it cannot be told."""

    def name_of(row: Mapping[str, Any]) -> str:
        state = client.text(row, "properties", "state").lower()
        name = client.text(row, "name").rpartition("/")[2]
        return name if state in ("installing", "inprogress", "preparing") else ""

    def start_of(row: Mapping[str, Any]) -> datetime | None:
        running = client.text(row, "properties", "state").lower() == "inprogress"
        return _time(client.text(row, "properties", "timeStarted")) if running else None

    try:
        path = f"{location}/updates"
        names = await list_rows(client, path, name_of, version, what="the updates")
        for name in filter(None, names.rows):
            runs = f"{location}/updates/{quote(name, safe='')}/updateRuns"
            starts = await list_rows(client, runs, start_of, version, what="the update's runs")
            if known := [each for each in starts.rows if each is not None]:
                return max(known)
    except ArmError:  # that it is being updated is known without
        pass
    return None


def _time(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _providers(environment: Environment, subscription: str) -> tuple[str, str]:
    """Return the path of the operators' providers, and the region."""
    region = quote((urlsplit(environment.arm).hostname or "").split(".")[1], safe="")
    group = f"/subscriptions/{quote(subscription, safe='')}/resourceGroups/System.{region}"
    return f"{group}/providers", region


def _applies(target: CheckTarget) -> bool:
    host = urlsplit(target.environment.arm).hostname or ""
    return host.startswith(f"{OPERATOR_ENDPOINT}.")


OPERATOR_HEALTH = Step(
    "operator-health", _run, needs=(StepName.TOKEN,), optional=True, applies=_applies
)
