"""Reading from ARM (PROTOCOL.md section 4). The token goes to the environment's origin only."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

from stacktui.environments.model import Environment
from stacktui.environments.profiles import PROFILES
from stacktui.identities.token import Token
from stacktui.resources.model import (
    ArmError,
    ArmFault,
    ArmProblem,
    ResourceGroup,
    ResourceGroupList,
    Subscription,
)
from stacktui.transport.arm_error import read_arm_error
from stacktui.transport.json_body import JsonError, parse_json
from stacktui.transport.session import Answer, Session


class ArmClient:
    """One environment's ARM with one token.

    Every method raises ArmError for what ARM said, and what `Session.fetch` raises.
    """

    def __init__(self, session: Session, environment: Environment, token: Token) -> None:
        self._session = session
        self._arm = environment.arm
        self._profile = PROFILES[environment.profile]
        self._token = token

    async def subscriptions(self) -> tuple[Subscription, ...]:
        """All subscriptions that the token's holder can see; a row without an id is none."""
        url = f"{self._arm}/subscriptions?api-version={self._profile.subscriptions}"
        rows, _ = await self._pages(url, "the subscriptions")
        return tuple(
            Subscription(
                self._text(row, "subscriptionId"),
                self._text(row, "displayName"),
                self._text(row, "state"),
            )
            for row in rows
            if self._text(row, "subscriptionId")
        )

    async def first_enabled_subscription(self) -> str:
        """The id of the first enabled subscription; ArmError when there is none."""
        found = await self.subscriptions()
        if not found:
            raise self._error(ArmProblem.NO_SUBSCRIPTIONS, "the subscriptions", 200)
        enabled = next((each.id for each in found if each.enabled), None)
        if enabled is None:
            seen = ", ".join(f"{each.id} ({each.state})" for each in found)
            problem = ArmProblem.NO_ENABLED_SUBSCRIPTION
            raise self._error(problem, "the subscriptions", 200, message=seen)
        return enabled

    async def resource_groups(self, subscription: str) -> ResourceGroupList:
        """All resource groups of a subscription, page by page until no nextLink is left."""
        path = f"/subscriptions/{quote(subscription, safe='')}/resourcegroups"
        url = f"{self._arm}{path}?api-version={self._profile.resources}"
        rows, pages = await self._pages(url, "the resource groups")
        groups = tuple(self._group(row) for row in rows)
        return ResourceGroupList(self._session.cleaner.line(subscription, 80), groups, pages)

    def _group(self, row: dict[str, Any]) -> ResourceGroup:
        properties = row.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        return ResourceGroup(
            self._text(row, "name"),
            self._text(row, "location"),
            self._text(properties, "provisioningState"),
        )

    def _text(self, row: dict[str, Any], key: str) -> str:
        value = row.get(key)
        return self._session.cleaner.line(value, 200) if isinstance(value, str) else ""

    async def _pages(self, url: str, what: str) -> tuple[list[dict[str, Any]], int]:
        rows: list[dict[str, Any]] = []
        seen: set[str] = set()
        while True:
            if len(seen) >= self._session.bounds.pages:
                raise self._error(ArmProblem.PAGING_LIMIT, what, 200, message=f"{len(seen)} pages")
            seen.add(url)
            page, answer = await self._get(url, what)
            value = page.get("value")
            if not isinstance(value, list):
                message = "no list of values"
                raise self._error(ArmProblem.SHAPE, what, 200, message=message, answer=answer)
            rows += [row for row in value if isinstance(row, dict)]
            link = page.get("nextLink")
            if not isinstance(link, str) or not link:
                return rows, len(seen)
            if link in seen:
                problem = ArmProblem.PAGING_LOOP
                raise self._error(problem, what, 200, message=link, answer=answer)
            if not self._is_ours(link):
                problem = ArmProblem.PAGING_FOREIGN_HOST
                raise self._error(problem, what, 200, message=link, answer=answer)
            url = link

    def _is_ours(self, link: str) -> bool:
        """Whether a nextLink stays on the environment's own origin (RFC 6454 section 5)."""
        try:
            theirs, ours = urlsplit(link), urlsplit(self._arm)
            return (theirs.scheme, theirs.hostname, theirs.port or 443) == (
                "https",
                ours.hostname,
                ours.port or 443,
            )
        except ValueError:
            return False

    async def _get(self, url: str, what: str) -> tuple[dict[str, Any], Answer]:
        headers = {"Authorization": f"Bearer {self._token.value}"}
        limit = self._session.bounds.page
        answer = await self._session.fetch(
            "GET", url, headers=headers, limit=limit, confidential=True
        )
        if answer.status != 200:
            raise self._refused(answer, what)
        try:
            page = parse_json(answer.body)
        except JsonError as error:
            problem = ArmProblem.NOT_JSON
            raise self._error(problem, what, 200, message=str(error), answer=answer) from None
        if not isinstance(page, dict):
            raise self._error(ArmProblem.SHAPE, what, 200, message="no object", answer=answer)
        return page, answer

    def _refused(self, answer: Answer, what: str) -> ArmError:
        code, message = read_arm_error(answer.body, self._session.cleaner)
        return self._error(ArmProblem.REFUSED, what, answer.status, code, message, answer)

    def _error(
        self,
        problem: ArmProblem,
        what: str,
        status: int,
        code: str = "",
        message: str = "",
        answer: Answer | None = None,
    ) -> ArmError:
        response = answer.exchange.response if answer else None
        fault = ArmFault(
            problem,
            what,
            status,
            code=code,
            message=self._session.cleaner.line(message),
            request_id=(response.header("x-ms-request-id") if response else "") or "",
            correlation_id=(response.header("x-ms-correlation-request-id") if response else "")
            or "",
        )
        return ArmError(fault)
