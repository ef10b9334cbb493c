"""A write to ARM whose end may be unknown: look, and send it again only where it left nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from stacktui.errors import FaultError, StacktuiError
from stacktui.resources.model import ArmError
from stacktui.transport.records import TransportError

T = TypeVar("T")
# How often a write is sent that left nothing, though nobody refused it.
_TRIES = 2
_THERE = ("is there", "is not there")


class ChangeError(StacktuiError):
    """Something in ARM cannot be changed as asked; `str()` says why, `help` what to do.

    `cause` is the fault that led to it, if one did. `unknown` says that something was sent whose
    end nobody knows; else nothing was changed. `unregistered` is the namespace of a resource
    provider that is to be registered first.
    """

    def __init__(
        self,
        message: str,
        help_: str = "",
        cause: FaultError[Any] | None = None,
        *,
        unknown: bool = False,
        unregistered: str = "",
    ) -> None:
        super().__init__(message)
        self.help, self.cause, self.unknown = help_, cause, unknown
        self.unregistered = unregistered


async def written(
    write: Callable[[], Awaitable[object]],
    read: Callable[[], Awaitable[T | None]],
    what: str,
    failure: type[ChangeError],
    done: tuple[str, str] = _THERE,
) -> T:
    """Return what `read` finds after `write`, whose own end may be unknown.

    A write that nobody refused and that left nothing is sent once more: each is the same again.
    Raises the refusal, or `failure` that says what is unknown; `done` is in words that `what` is,
    and that it is not.
    """
    for _ in range(_TRIES):
        cause: ArmError | TransportError | None = None
        try:
            await write()
        except (ArmError, TransportError) as error:
            cause = error
        try:
            found = await read()
        except FaultError as error:
            raise failure(
                f"whether {what} {done[0]} is unknown: {cause or 'it was sent'}; looking for it: "
                f"{error}",
                "run this again: it looks first, and makes nothing twice",
                cause or error,
                unknown=True,
            ) from None
        if found is not None:
            return found
        if isinstance(cause, ArmError) and cause.refused:
            raise cause
    raise failure(
        f"{what} {done[1]}, though it was sent: {cause or 'ARM took it'}",
        "it may still come: run this again, it looks first, and makes nothing twice",
        cause,
        unknown=True,
    )
