"""A step of a check as data, and what it can use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from stacktui.check.report import Fault, OptionalFacts
from stacktui.check.target import CheckTarget
from stacktui.identities.token_source import TokenSource
from stacktui.text.sanitize import Redactor
from stacktui.transport.limits import Limits
from stacktui.transport.session import HttpSession

if TYPE_CHECKING:
    from stacktui.check.credentials import CredentialReader
    from stacktui.check.pinning import Pin

R = TypeVar("R")
# Called with the login host, the page to open, the code to type there, and the seconds it is valid.
ShowPrompt = Callable[[str, str, str, float], None]


@dataclass(slots=True)
class StepContext:
    """What a step can use; `results` are those of the steps before, in order.

    `partial` is what the step has done so far, in case that it fails. `attended` says that a person
    is there to sign in. `prompt` shows one what to do. `tokens` keeps the token for others.
    """

    target: CheckTarget
    session: HttpSession
    redactor: Redactor
    pin: Pin
    credential: CredentialReader
    prompt: ShowPrompt
    tokens: TokenSource
    attended: bool = True
    results: list[object] = field(default_factory=list)
    partial: OptionalFacts | None = None

    def result(self, kind: type[R]) -> R:
        """Return the result of this type of an earlier step, of which `needs` tells."""
        return next(each for each in self.results if isinstance(each, kind))


@dataclass(frozen=True, slots=True)
class Skip:
    """Why a step must not run, in words; `inconclusive` where that leaves the check undecided."""

    why: str
    inconclusive: bool = False


def _usual(limits: Limits) -> float:
    return limits.step


def _always(_target: CheckTarget) -> bool:
    return True


def _never(_context: StepContext) -> Skip | None:
    return None


def _no_matter(_context: StepContext, _fault: Fault) -> None:
    """Do nothing."""


def _as_it_is(result: Any, _redactor: Redactor) -> Any:
    return result


@dataclass(frozen=True, slots=True)
class Step:
    """One step. It runs if all that it `needs`, by name, ended well.

    `run` returns its result, or a Skip where it finds only then that it must not run, and raises
    FaultError; `limit` are its seconds, by default the environment's step limit. `facts` turns the
    result into what a report may hold. `failed` is called with a fault, that of its limit too.
    `skip` says why it must not run, if so; `applies` says of which targets it is a step at all. The
    fault of an `optional` step fails no check: the step is skipped, and the reason is the fault.
    """

    name: str
    run: Callable[[StepContext], Awaitable[object]]
    needs: tuple[str, ...] = ()
    optional: bool = False
    skip: Callable[[StepContext], Skip | None] = _never
    applies: Callable[[CheckTarget], bool] = _always
    facts: Callable[[Any, Redactor], Any] = _as_it_is
    failed: Callable[[StepContext, Fault], None] = _no_matter
    limit: Callable[[Limits], float] = _usual
