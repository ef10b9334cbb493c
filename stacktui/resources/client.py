"""Reading from ARM (PROTOCOL.md section 4). The token is sent to the environment's origin only."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import quote

from stacktui.environments.model import Environment
from stacktui.environments.profiles import PROFILES
from stacktui.errors import FaultError
from stacktui.identities.token import Token
from stacktui.resources.model import (
    ArmError,
    ArmFault,
    ArmProblem,
    ResourceGroup,
    ResourceGroupList,
    Subscription,
)
from stacktui.text.json_fields import text
from stacktui.transport.arm_error import read_arm_error
from stacktui.transport.host import origin_of
from stacktui.transport.json_body import JsonError, parse_json
from stacktui.transport.limits import MIB, LimitName
from stacktui.transport.session import Answer, HttpSession

R = TypeVar("R")
# The most bytes of one listing, over all pages, and the most JSON values of one page, which take
# many times the memory of their text. Both grow with the limit of rows: a row is below 2 KiB.
MAX_BYTES, BYTES_A_ROW = 32 * MIB, 6 * 1024
MAX_VALUES, VALUES_A_ROW = 250_000, 50
# Rows to read before yielding to the event loop, so that time-outs and `esc` work.
_CHUNK = 100
# ARM's codes for a subscription that cannot be used, where others may be.
_SUBSCRIPTION_REFUSED = frozenset({"SubscriptionNotFound", "DisabledSubscription"})
# Seconds: the fault is known already, and must be reported within the step's limit.
_BESIDE = 3.0
# An id is a GUID, but any other single path segment is accepted.
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,79}")


class ArmClient:
    """A client of one environment's ARM with one token.

    Every method raises ArmError, and what `HttpSession.fetch` raises.
    """

    def __init__(self, session: HttpSession, environment: Environment, token: Token) -> None:
        self._session = session
        self._arm = environment.arm
        self._profile = PROFILES[environment.profile]
        self._token = token
        self._limits = session.limits
        self._max_bytes = max(MAX_BYTES, BYTES_A_ROW * self._limits.rows)
        self._max_values = max(MAX_VALUES, VALUES_A_ROW * self._limits.rows)

    async def subscriptions(self) -> tuple[Subscription, ...]:
        """Return all subscriptions that the token's holder can see."""
        url = f"{self._arm}/subscriptions?api-version={self._profile.subscriptions}"
        found, _ = await self._pages(url, "the subscriptions", self._subscription)
        return found

    async def first_enabled_subscription(self) -> str:
        """Return the id of the first enabled subscription; ArmError where there is none."""
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
        """Return all resource groups of a subscription, from all pages."""
        if not _ID.fullmatch(subscription):
            # Not sent: `..` would lead to another path.
            message = f"no usable subscription id: {subscription}"
            raise self._error(ArmProblem.SHAPE, "the resource groups", 0, message=message)
        path = f"/subscriptions/{quote(subscription, safe='')}/resourcegroups"
        url = f"{self._arm}{path}?api-version={self._profile.resources}"
        groups, pages = await self._pages(url, "the resource groups", self._group)
        return ResourceGroupList(self._session.redactor.sanitize(subscription, 80), groups, pages)

    async def with_subscriptions(self, error: ArmError) -> ArmError:
        """Return `error` with the visible subscriptions added, where it says that one is not.

        Returns `error` itself where they cannot be listed soon.
        """
        if error.fault.code not in _SUBSCRIPTION_REFUSED:
            return error
        try:
            async with asyncio.timeout(_BESIDE):
                return ArmError(replace(error.fault, seen=await self.subscriptions()))
        except (FaultError, TimeoutError):
            return error

    async def read(self, path: str, version: str, what: str) -> Mapping[str, Any]:
        """Return the object at a path of ARM; `what` names it in a fault."""
        answer = await self._get(f"{self._arm}{path}?api-version={version}", what)
        return self._parsed(answer, what)

    async def rows(
        self, path: str, version: str, what: str, read: Callable[[Mapping[str, Any]], R]
    ) -> tuple[R, ...]:
        """Return the rows of a list at a path of ARM, from all pages, converted by `read`."""
        found, _ = await self._pages(f"{self._arm}{path}?api-version={version}", what, read)
        return found

    def text(self, row: Mapping[str, Any], *path: str) -> str:
        """Return a text of a row, sanitised; empty where there is none."""
        return self._session.redactor.sanitize(text(row, *path), 200)

    def _subscription(self, row: Mapping[str, Any]) -> Subscription:
        """Raises ValueError where the id is not usable."""
        id_ = self.text(row, "subscriptionId")
        if not _ID.fullmatch(id_):
            raise ValueError(f"no usable subscription id: {id_}")
        return Subscription(id_, self.text(row, "displayName"), self.text(row, "state"))

    def _group(self, row: Mapping[str, Any]) -> ResourceGroup:
        return ResourceGroup(
            self.text(row, "name"),
            self.text(row, "location"),
            self.text(row, "properties", "provisioningState"),
        )

    async def _pages(
        self, url: str, what: str, read: Callable[[Mapping[str, Any]], R]
    ) -> tuple[tuple[R, ...], int]:
        """Return the rows of all pages, converted by `read`, and the number of pages.

        Rows are converted page by page, so that a hostile page's other values are not kept.
        """
        rows: list[R] = []
        seen: set[str] = set()
        size = 0
        while True:
            if len(seen) >= self._limits.pages:
                message = f"over {self._limits.pages:,} pages"
                problem = ArmProblem.PAGING_LIMIT
                raise self._error(problem, what, 200, message=message, setting=LimitName.PAGES)
            seen.add(url)
            answer = await self._get(url, what)
            size += len(answer.body)
            if size > self._max_bytes:
                raise self._too_large(what, f"over {self._max_bytes // MIB} MiB in all", answer)
            link = await self._page(answer, what, read, rows)
            if not link:
                return tuple(rows), len(seen)
            if link in seen:
                problem = ArmProblem.PAGING_LOOP
                raise self._error(problem, what, 200, message=link, answer=answer)
            if origin_of(link) != origin_of(self._arm):
                problem = ArmProblem.PAGING_FOREIGN_HOST
                raise self._error(problem, what, 200, message=link, answer=answer)
            url = link

    async def _page(
        self, answer: Answer, what: str, read: Callable[[Mapping[str, Any]], R], rows: list[R]
    ) -> str:
        """Add one page's rows to `rows`; return its nextLink, empty on the last page."""
        page = self._parsed(answer, what)
        value, link = page.get("value"), page.get("nextLink")
        if not isinstance(value, list):
            raise self._shape(what, "no list of values", answer)
        if not isinstance(link, str | None):
            raise self._shape(what, "a nextLink that is no text", answer)
        if len(rows) + len(value) > self._limits.rows:
            message = f"over {self._limits.rows:,} rows"
            raise self._too_large(what, message, answer, setting=LimitName.ROWS)
        for number, row in enumerate(value):
            if number % _CHUNK == 0:
                await asyncio.sleep(0)
            if not isinstance(row, dict):
                raise self._shape(what, "a row that is no object", answer)
            try:
                rows.append(read(row))
            except ValueError as error:
                raise self._shape(what, str(error), answer) from None
        return link or ""

    async def _get(self, url: str, what: str) -> Answer:
        headers = {"Authorization": f"Bearer {self._token.value}"}
        limit = self._limits.page
        answer = await self._session.fetch(
            "GET", url, headers=headers, limit=limit, confidential=True
        )
        if answer.status != 200:
            raise self._refused(answer, what)
        return answer

    def _parsed(self, answer: Answer, what: str) -> dict[str, Any]:
        # Count in the text, before parsing: each value but the first of a list or an object follows
        # a comma. Commas inside strings count too; the limit has room for them.
        if sum(map(answer.body.count, (b",", b"[", b"{"))) > self._max_values:
            message = f"over {self._max_values:,} values on a page"
            raise self._too_large(what, message, answer)
        try:
            page = parse_json(answer.body)
        except JsonError as error:
            problem = ArmProblem.NOT_JSON
            raise self._error(problem, what, 200, message=str(error), answer=answer) from None
        if not isinstance(page, dict):
            raise self._shape(what, "no object", answer)
        return page

    def _shape(self, what: str, message: str, answer: Answer) -> ArmError:
        return self._error(ArmProblem.SHAPE, what, 200, message=message, answer=answer)

    def _too_large(
        self, what: str, message: str, answer: Answer, setting: LimitName | None = None
    ) -> ArmError:
        problem = ArmProblem.TOO_LARGE
        return self._error(problem, what, 200, message=message, answer=answer, setting=setting)

    def _refused(self, answer: Answer, what: str) -> ArmError:
        code, message = read_arm_error(answer.body, self._session.redactor)
        return self._error(ArmProblem.REFUSED, what, answer.status, code, message, answer)

    def _error(
        self,
        problem: ArmProblem,
        what: str,
        status: int,
        code: str = "",
        message: str = "",
        answer: Answer | None = None,
        setting: LimitName | None = None,
    ) -> ArmError:
        response = answer.exchange.response if answer else None
        fault = ArmFault(
            problem,
            what,
            status,
            code=code,
            message=self._session.redactor.sanitize_untrusted(message),
            request_id=(response.header("x-ms-request-id") if response else "") or "",
            correlation_id=(response.header("x-ms-correlation-request-id") if response else "")
            or "",
            limit=getattr(self._limits, setting) if setting else None,
            setting=setting,
        )
        return ArmError(fault)
