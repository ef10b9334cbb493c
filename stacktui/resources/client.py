"""The client of ARM (PROTOCOL.md section 4): `request`, `pages` and `poll`.

The token is sent to the environment's origin only: to no redirect, no foreign `nextLink` and no
foreign `Location`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stacktui.environments.discovery import fetch_metadata
from stacktui.environments.metadata import Metadata
from stacktui.environments.model import Environment
from stacktui.errors import FaultError
from stacktui.identities.token import Token, TokenFacts
from stacktui.resources.api_versions import (
    has_version,
    known_version,
    listed_version,
    resource_type,
)
from stacktui.resources.model import ArmError, ArmFault, ArmProblem, OperationError
from stacktui.resources.response import FORGOTTEN, ArmResponse
from stacktui.resources.retry import NO_RETRY, RetryPolicy, Wait, is_passing, no_answer, status_of
from stacktui.text.html_page import looks_like_html, page_title
from stacktui.text.json_fields import mapping, text
from stacktui.transport.arm_error import read_arm_error
from stacktui.transport.host import origin_of
from stacktui.transport.json_body import JsonError, parse_json
from stacktui.transport.records import Exchange, TransportError
from stacktui.transport.session import Answer, HttpSession

# Returns a token to send; where one is given that ARM refused, another, if there is any.
GetToken = Callable[[Token | None], Awaitable[Token]]
# The most JSON values of one page, which take many times the memory of their text. It grows with
# the limit of rows: a row is below 2 KiB.
MAX_VALUES, VALUES_A_ROW = 250_000, 50
# No list of ARM has as many pages.
MAX_PAGES = 10_000
# Seconds before a request is repeated, times the number of repeats.
_PAUSE = 0.2
# Seconds. Deleting a group of many resources takes tens of minutes.
POLL_TIMEOUT = 2 * 3600.0


def only(token: Token) -> GetToken:
    """Return a `GetToken` that has this one token."""

    async def get_token(_refused: Token | None) -> Token:
        return token

    return get_token


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, unsanitised; `next_link` is empty on the last. `size` is in bytes."""

    rows: tuple[Mapping[str, Any], ...]
    next_link: str
    size: int
    exchange: Exchange


class ArmClient:
    """A client of one environment's ARM, for one identity.

    `config` is the file that the environment is of, for the commands that errors name.
    Every method raises ArmError, what `HttpSession.fetch` raises, and what `get_token` raises.
    """

    def __init__(
        self,
        session: HttpSession,
        environment: Environment,
        get_token: GetToken,
        retry: RetryPolicy = NO_RETRY,
        config: Path | None = None,
    ) -> None:
        self.limits = session.limits
        self.redactor = session.redactor
        self.environment, self.config = environment, config
        self._session = session
        self._arm = environment.arm
        self._own_endpoints = environment.endpoints
        self._profile = environment.profile
        self._get_token = get_token
        self._retry = retry
        self._providers: dict[str, Mapping[str, Any]] = {}
        self._max_values = max(MAX_VALUES, VALUES_A_ROW * session.limits.rows)

    async def request(
        self,
        method: str,
        path: str,
        api_version: str | None = None,
        body: object = None,
        *,
        what: str = "",
    ) -> ArmResponse:
        """Send a request to a path of ARM, and return the response, of a status from 200 to 299.

        Without `api_version`, that of the path's query is sent, else the profile's, else the newest
        that ARM lists. A `body` of bytes is JSON already. `what` names what is asked for in a
        fault. A repeated DELETE may end with 404: it is done.
        """
        url = await self._url(path, api_version)
        return await self._ask(method, url, what or f"{method} {path.partition('?')[0]}", body)

    async def read(
        self, path: str, api_version: str | None = None, *, what: str = ""
    ) -> Mapping[str, Any]:
        """Return the object at a path of ARM."""
        what = what or path
        answer = await self._page(await self._url(path, api_version), what)
        return self._object(answer, what)

    async def token(self) -> Token:
        """Return the token that requests are sent with."""
        return await self._get_token(None)

    async def token_facts(self) -> TokenFacts:
        """Return who is signed in."""
        return (await self.token()).facts

    async def metadata(self) -> Metadata:
        """Return the stamp's metadata, asked for without a token. Raises MetadataError too."""
        return await fetch_metadata(self._session, self._arm, self._own_endpoints)

    async def pages(
        self, path: str, api_version: str | None = None, *, what: str = "", start: str = ""
    ) -> AsyncGenerator[Page, None]:
        """Yield the pages of the list at a path of ARM, as they arrive, to the last.

        `start` is the `next_link` of a page that was read before: those after it are yielded.
        """
        what = what or path.partition("?")[0]
        if start:
            self._require_own(start, what, ArmProblem.PAGING_FOREIGN_HOST)
        url = start or await self._url(path, api_version)
        seen: set[str] = set()
        while len(seen) < MAX_PAGES:
            seen.add(url)
            answer = await self._page(url, what)
            page = self._parsed_page(answer, what)
            yield page
            if not (url := page.next_link):
                return
            self._require_own(url, what, ArmProblem.PAGING_FOREIGN_HOST, answer.exchange)
            if url in seen:
                problem = ArmProblem.PAGING_LOOP
                raise self.error(problem, what, 200, message=url, exchange=answer.exchange)
        message = f"over {MAX_PAGES:,} pages"
        raise self.error(ArmProblem.PAGING_LIMIT, what, 200, message=message)

    async def poll(
        self,
        response: ArmResponse,
        *,
        what: str = "",
        longest: float = POLL_TIMEOUT,
        misses: int = 0,
    ) -> ArmResponse:
        """Wait for the end of the operation that a response began, and return its result.

        Both styles (PROTOCOL.md section 4): `Azure-AsyncOperation`, whose body has the status only,
        so that the result of a PUT, PATCH or POST is read after it, and `Location`, which answers
        202 until the end. A response of 404 or 405 says nothing of how it ended: ask for the
        resource. Waits at most `longest` seconds. At most `misses` polls in a row may fail for a
        reason that passes (`is_passing`). Raises OperationError where the operation failed, does
        not end, or leads to another host.
        """
        what = what or f"the end of {response.method}"
        clock = asyncio.get_running_loop().time
        ends = clock() + longest
        last, missed, shown = response, 0, (what, 202)
        while url := last.operation_url:
            self._require_own(url, what, ArmProblem.OPERATION_FOREIGN_HOST, last.exchange)
            seconds = last.interval
            if clock() + seconds > ends:
                message = f"the operation has not ended in {longest:g} s"
                problem = ArmProblem.OPERATION_TIMEOUT
                raise self.error(problem, what, last.status, "", message, last.exchange)
            await self.wait(*shown, seconds)
            try:
                last = last.polled(await self.operation(url, what))
                missed, shown = 0, (what, 202)
            except FaultError as error:
                missed, shown = missed + 1, (no_answer(error, what), status_of(error))
                if missed > misses or not is_passing(error):
                    raise
        if last is response or not (url := response.result_url(last)):
            return last
        self._require_own(url, what, ArmProblem.OPERATION_FOREIGN_HOST, last.exchange)
        accept = FORGOTTEN if response.method == "POST" else frozenset[int]()
        return await self._ask("GET", url, what, accept=accept)

    async def operation(self, url: str, what: str) -> ArmResponse:
        """Return what ARM says of an operation at its URL, now, as `poll` does of its end."""
        self._require_own(url, what, ArmProblem.OPERATION_FOREIGN_HOST)
        answer = await self._ask("GET", url, what, accept=FORGOTTEN)
        self._require_success(answer, what)
        return answer

    async def wait(self, what: str, status: int, seconds: float) -> None:
        """Wait, visibly, before asking again for `what`, which ARM answered with `status`.

        `status` is 0 for what ARM was not asked, or did not answer; `what` says which.
        """
        self._retry.on_wait(Wait(self.redactor.sanitize(what, 200), status, seconds))
        await asyncio.sleep(seconds)

    def text(self, row: Mapping[str, Any], *path: str, limit: int = 200) -> str:
        """Return a text of a row, sanitised; empty where there is none."""
        return self.redactor.sanitize(text(row, *path), limit)

    def error(
        self,
        problem: ArmProblem,
        what: str,
        status: int,
        code: str = "",
        message: str = "",
        exchange: Exchange | None = None,
        page: bytes = b"",
    ) -> ArmError:
        """Return the error of a fault; `message` may be unsanitised. `page` is the body, if that
        may be a page."""
        response = exchange.response if exchange else None
        header = response.header if response else lambda _name: None
        redactor = self.redactor
        kind = OperationError if problem.startswith("operation-") else ArmError
        return kind(
            ArmFault(
                problem,
                redactor.sanitize(what, 200),
                status,
                code=code,
                message=redactor.sanitize_untrusted(message),
                request_id=header("x-ms-request-id") or "",
                correlation_id=header("x-ms-correlation-request-id") or "",
                page_title=(page_title(page, redactor) if looks_like_html(page) else None) or "",
            )
        )

    def is_own(self, url: str) -> bool:
        """Return whether a URL is of the environment's origin, which alone gets the token."""
        return origin_of(url) == origin_of(self._arm)

    async def _url(self, path: str, api_version: str | None) -> str:
        """Return the URL of a path with its api-version; ArmError for one that is no plain path."""
        segments = path.partition("?")[0].split("/")
        if not path.startswith("/") or not {".", ".."}.isdisjoint(segments) or "#" in path:
            raise self.error(ArmProblem.SHAPE, path, 0, message=f"no usable path: {path}")
        if api_version is None and has_version(path):
            return f"{self._arm}{path}"
        version = api_version or await self.version_of(path)
        return f"{self._arm}{path}{'&' if '?' in path else '?'}api-version={version}"

    async def version_of(self, path: str) -> str:
        """Return the api-version for a path: the profile's, else the newest that ARM lists."""
        kind = resource_type(path)
        if version := known_version(self._profile, kind):
            return version
        namespace = kind.partition("/")[0]
        if namespace not in self._providers:
            first, *rest = path.strip("/").split("/")
            of_subscription = first.lower() == "subscriptions" and rest
            scope = f"/subscriptions/{rest[0]}" if of_subscription else ""
            what = f"the provider {namespace}"
            self._providers[namespace] = await self.read(
                f"{scope}/providers/{namespace}", what=what
            )
        if version := listed_version(self._providers[namespace], kind):
            return version
        message = f"neither the profile {self._profile} nor ARM's list has an api-version of {kind}"
        raise self.error(ArmProblem.NO_API_VERSION, kind, 0, message=message)

    async def _page(self, url: str, what: str) -> Answer:
        """Return the response to a GET, which must be 200."""
        answer, _ = await self._send("GET", url, what, None)
        if answer.status != 200:
            raise self._refused(answer, what)
        return answer

    async def _ask(
        self,
        method: str,
        url: str,
        what: str,
        body: object = None,
        accept: frozenset[int] = frozenset(),
    ) -> ArmResponse:
        answer, repeated = await self._send(method, url, what, body)
        done = method == "DELETE" and repeated and answer.status == 404
        if not (200 <= answer.status < 300 or done or answer.status in accept):
            raise self._refused(answer, what)
        good = answer.status < 300 and answer.body.strip()
        document = self._parsed(answer, what) if good else None
        return ArmResponse(
            method,
            url,
            answer.status,
            answer.headers,
            document,
            answer.exchange,
            answer.body,
            repeated,
        )

    async def _send(self, method: str, url: str, what: str, body: object) -> tuple[Answer, bool]:
        """Return the response, and whether an earlier try may have been carried out.

        ARM may refuse a token that it took before, once: then another is asked for.
        """
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        token, renewed, repeats, waited = await self._get_token(None), False, 0, 0.0
        unavailable = False
        while True:
            try:
                answer = await self._session.fetch(
                    method,
                    url,
                    headers=headers | {"Authorization": f"Bearer {token.value}"},
                    body=content,
                    limit=self.limits.page,
                    confidential=True,
                    audience=token.facts.resource,
                )
            except TransportError as error:
                if not self._retry.repeats(method, error.fault.kind, repeats):
                    raise
                repeats += 1
                await asyncio.sleep(_PAUSE * repeats)
                continue
            if answer.status == 401 and not renewed:
                renewed, refused, token = True, token, await self._get_token(token)
                if token.value != refused.value:
                    continue
            seconds = self._retry.wait(method, answer.status, answer.exchange, waited)
            if seconds is None:
                return answer, repeats > 0 or unavailable
            unavailable |= answer.status >= 500
            waited += seconds
            await self.wait(what, answer.status, seconds)

    def _parsed_page(self, answer: Answer, what: str) -> Page:
        page = self._object(answer, what)
        value, link = page.get("value"), page.get("nextLink")
        if not isinstance(value, list):
            raise self._shape(what, "no list of values", answer)
        if not isinstance(link, str | None):
            raise self._shape(what, "a nextLink that is no text", answer)
        if not all(isinstance(row, dict) for row in value):
            raise self._shape(what, "a row that is no object", answer)
        return Page(tuple(value), link or "", len(answer.body), answer.exchange)

    def _object(self, answer: Answer, what: str) -> Mapping[str, Any]:
        found = self._parsed(answer, what)
        if not isinstance(found, dict):
            raise self._shape(what, "no object", answer)
        return found

    def _parsed(self, answer: Answer, what: str) -> Any:
        # Count in the text, before parsing: each value but the first of a list or an object follows
        # a comma. Commas inside strings count too; the limit has room for them.
        if sum(map(answer.body.count, (b",", b"[", b"{"))) > self._max_values:
            message = f"over {self._max_values:,} values on a page"
            problem = ArmProblem.TOO_LARGE
            raise self.error(problem, what, 200, message=message, exchange=answer.exchange)
        try:
            return parse_json(answer.body)
        except JsonError as error:
            problem, message = ArmProblem.NOT_JSON, str(error)
            raise self.error(
                problem, what, answer.status, "", message, answer.exchange, answer.body
            ) from None

    def _shape(self, what: str, message: str, answer: Answer) -> ArmError:
        return self.error(
            ArmProblem.SHAPE, what, answer.status, message=message, exchange=answer.exchange
        )

    def _refused(self, answer: Answer, what: str) -> ArmError:
        code, message = read_arm_error(answer.body, self.redactor)
        problem = ArmProblem.REFUSED
        return self.error(problem, what, answer.status, code, message, answer.exchange, answer.body)

    def _require_own(
        self, url: str, what: str, problem: ArmProblem, exchange: Exchange | None = None
    ) -> None:
        """Raise ArmError for a URL that leaves the environment's origin."""
        if not self.is_own(url):
            status = exchange.response.status if exchange and exchange.response else 0
            raise self.error(problem, what, status, message=url, exchange=exchange)

    def _require_success(self, response: ArmResponse, what: str) -> None:
        """Raise OperationError where the body says that the operation failed."""
        if state := response.failed_state:
            redactor, error = self.redactor, mapping(response.document, "error")
            code = redactor.sanitize_untrusted(text(error, "code") or state, 80)
            problem, message = ArmProblem.OPERATION_FAILED, text(error, "message")
            raise self.error(problem, what, response.status, code, message, response.exchange)
