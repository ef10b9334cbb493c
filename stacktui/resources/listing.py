"""The rows of a list of ARM: streamed to the last page, or read within a check's limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

from stacktui.errors import FaultError
from stacktui.resources.client import ArmClient
from stacktui.resources.model import ArmProblem
from stacktui.transport.limits import MIB, LimitName

R = TypeVar("R")
# The most bytes of one listing, over all pages. It grows with the limit of rows.
MAX_BYTES, BYTES_A_ROW = 32 * MIB, 6 * 1024
# Rows to read before yielding to the event loop, so that time-outs and `esc` work.
_CHUNK = 100


@dataclass(frozen=True, slots=True)
class RowPage(Generic[R]):
    """One page of a list. Iterating reads each row; `raw` are ARM's objects, unsanitised.

    `last` says that the list is whole with this page; `next_link` leads to the one after it.
    """

    raw: tuple[Mapping[str, Any], ...] = field(repr=False)
    read: Callable[[Mapping[str, Any]], R] = field(repr=False)
    last: bool
    next_link: str = field(default="", repr=False)

    def __iter__(self) -> Iterator[R]:
        return map(self.read, self.raw)

    def __len__(self) -> int:
        return len(self.raw)


RowPages = AsyncGenerator[RowPage[R], None]


@dataclass(frozen=True, slots=True)
class Rows(Generic[R]):
    """The rows of a whole list; where reading failed, those before, and the `error`."""

    rows: tuple[R, ...] = ()
    raw: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    error: FaultError[Any] | None = None


async def stream_rows(
    client: ArmClient,
    path: str,
    read: Callable[[ArmClient, Mapping[str, Any]], R],
    *,
    what: str,
    start: str = "",
    version: str | None = None,
) -> RowPages[R]:
    """Yield the pages of a list to the last, each while the next one is asked for.

    `start` and `version` are as in `ArmClient.pages`. The limits of rows and pages do not cut it.
    Raises what `ArmClient.pages` raises, after the pages before have been yielded.
    """
    async with aclosing(client.pages(path, version, what=what, start=start)) as pages:
        ahead = asyncio.ensure_future(anext(pages, None))
        try:
            while (page := await ahead) is not None:
                ahead = asyncio.ensure_future(anext(pages, None))
                await asyncio.sleep(0)  # the request leaves before the consumer's work begins
                yield RowPage(page.rows, partial(read, client), not page.next_link, page.next_link)
        finally:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)


async def collect(pages: AsyncIterable[RowPage[R]]) -> Rows[R]:
    """Return the rows of all pages; an error does not take those before it away."""
    rows, raw, error = list[R](), list[Mapping[str, Any]](), None
    try:
        async for page in pages:
            rows += page
            raw += page.raw
    except FaultError as caught:
        error = caught
    return Rows(tuple(rows), tuple(raw), error)


@dataclass(frozen=True, slots=True)
class Listing(Generic[R]):
    """The rows that were read; `cut` names the limit at which reading ended, if one did."""

    rows: tuple[R, ...]
    pages: int
    cut: LimitName | None = None


async def list_rows(
    client: ArmClient,
    path: str,
    read: Callable[[Mapping[str, Any]], R],
    api_version: str | None = None,
    *,
    what: str,
) -> Listing[R]:
    """Return the rows of a list, converted by `read`, within the limits of the client's session.

    Rows are converted page by page, so that a hostile page's other values are not kept. A
    ValueError of `read` is an ArmError.
    """
    limits, rows, pages, size = client.limits, list[R](), 0, 0
    most = max(MAX_BYTES, BYTES_A_ROW * limits.rows)
    async with aclosing(client.pages(path, api_version, what=what)) as found:
        async for page in found:
            pages += 1
            size += page.size
            if size > most:
                message = f"over {most // MIB} MiB in all"
                problem = ArmProblem.TOO_LARGE
                raise client.error(problem, what, 200, message=message, exchange=page.exchange)
            left = limits.rows - len(rows)
            for number, row in enumerate(page.rows[:left]):
                if number % _CHUNK == 0:
                    await asyncio.sleep(0)
                try:
                    rows.append(read(row))
                except ValueError as error:
                    problem, message = ArmProblem.SHAPE, str(error)
                    raise client.error(
                        problem, what, 200, message=message, exchange=page.exchange
                    ) from None
            if len(page.rows) > left or (page.next_link and len(page.rows) == left):
                return Listing(tuple(rows), pages, LimitName.ROWS)
            if page.next_link and pages >= limits.pages:
                return Listing(tuple(rows), pages, LimitName.PAGES)
    return Listing(tuple(rows), pages)
