"""Looking at endpoints beside the screen: one look at a time, cancelled at once.

Light to import; the network and the certificate library come with the first look.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from stacktui.config.error_file import describe_error
from stacktui.transport.background import in_background
from stacktui.tui.check_state import CheckState
from stacktui.tui.survey_state import LiveSurvey, Stores, SurveyResult

if TYPE_CHECKING:
    from textual.app import App
    from textual.worker import Worker

    from stacktui.certificates.survey import Survey, SurveyEvent
    from stacktui.check.target import Target


@dataclass(frozen=True, slots=True)
class SurveyEngine:
    """What the dashboard needs to look. `open_stores` and `weigh` block."""

    survey: Callable[[Target, bool], AsyncGenerator[SurveyEvent, None]]
    open_stores: Callable[[Target], Stores]
    weigh: Callable[[Target, bool, Survey, Stores], SurveyResult]


def load_survey_engine() -> SurveyEngine:
    """Import what a look needs; blocks for as long as that takes."""
    from stacktui.tui.survey_engine import open_stores, survey, weigh

    return SurveyEngine(survey, open_stores, weigh)


@dataclass(slots=True)
class Surveyor:
    """Runs one look at a time. `tell` hears its state after every event, `finish` its result."""

    app: App[Any]
    load: Callable[[], SurveyEngine]
    tell: Callable[[LiveSurvey], None]
    finish: Callable[[SurveyResult], None]
    _live: LiveSurvey | None = None
    _worker: Worker[None] | None = field(default=None, repr=False)

    @property
    def running(self) -> bool:
        return self._live is not None and self._live.running

    def start(self, target: Target, *, whole: bool) -> None:
        """Begin a look; one that runs already is cancelled."""
        self._stop()
        self._live = LiveSurvey(target, whole)
        self.tell(self._live)
        self._worker = self.app.run_worker(
            self._run(self._live), group="survey", exit_on_error=False
        )

    def cancel(self) -> None:
        """End the running look, if any, and say so at once; its clean-up goes on behind."""
        if self._live is not None and self._live.running:
            self._stop()
            self._move_to(self._live, replace(self._live, state=CheckState.CANCELLED))

    def _stop(self) -> None:
        if self._worker is not None:
            self._worker.cancel()

    def _move_to(self, before: LiveSurvey, after: LiveSurvey) -> LiveSurvey:
        """Tell the new state, unless the look is no longer the one that counts."""
        if self._live is before:
            self._live = after
            self.tell(after)
        return after

    async def _run(self, live: LiveSurvey) -> None:
        try:
            engine = await in_background(self.load)
            # The engine has imported it by now.
            from stacktui.certificates.survey import SurveyProgress

            target, whole = live.target, live.whole
            # Stores load while the hosts are asked.
            opening = asyncio.ensure_future(in_background(lambda: engine.open_stores(target)))
            opening.add_done_callback(_retrieve)
            found: Survey | None = None
            try:
                async with aclosing(engine.survey(target, whole)) as events:
                    async for event in events:
                        if isinstance(event, SurveyProgress):
                            after = replace(live, done=event.done, known=event.known)
                            live = self._move_to(live, after)
                        else:
                            found = event
                stores = await opening
            finally:
                opening.cancel()
            if found is None:
                raise AssertionError("a look ends with its result")
            survey = found
            result = await in_background(lambda: engine.weigh(target, whole, survey, stores))
            if self._live is live:
                self.finish(result)
            self._move_to(live, replace(live, state=CheckState.FINISHED))
        except Exception as error:
            failed = replace(live, state=CheckState.BROKEN, error=describe_error(error))
            self._move_to(live, failed)


def _retrieve(opening: asyncio.Future[Stores]) -> None:
    """Take the exception of stores that nobody waits for any more, or asyncio writes it out."""
    if not opening.cancelled():
        opening.exception()
