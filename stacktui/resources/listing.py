"""A list of ARM as a check reads it: to the last page, or to the limits of rows and pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from stacktui.resources.client import ArmClient
from stacktui.resources.model import ArmProblem
from stacktui.transport.limits import MIB, LimitName

R = TypeVar("R")
# The most bytes of one listing, over all pages. It grows with the limit of rows.
MAX_BYTES, BYTES_A_ROW = 32 * MIB, 6 * 1024
# Rows to read before yielding to the event loop, so that time-outs and `esc` work.
_CHUNK = 100


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
