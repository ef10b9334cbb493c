"""The options of a check that writes: what it is to make or to delete, and what may be left."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stacktui.check.events import CheckFinished, StepFinished, StepStarted
from stacktui.check.runner import run
from stacktui.check.write_probe import PROBE_LEFTOVERS, WRITE_PROBE, leftovers, with_probe
from stacktui.cli.ask import ask
from stacktui.cli.output import err, warn
from stacktui.diagnosis import diagnose
from stacktui.text.shell import command_line, for_this_machine

if TYPE_CHECKING:
    from stacktui.check.events import CheckEvent
    from stacktui.check.report import Report
    from stacktui.check.target import CheckTarget
    from stacktui.cli.check_output import TextWriter


@dataclass(frozen=True, slots=True)
class Probing:
    """What the options say, and the groups of the probes that run, by environment."""

    write: bool = False
    remove: bool = False
    _running: dict[str, CheckTarget] = field(default_factory=dict, init=False)
    _targets: dict[str, CheckTarget] = field(default_factory=dict, init=False)
    _left: list[str] = field(default_factory=list, init=False)

    def __bool__(self) -> bool:
        return self.write or self.remove

    def on(self, target: CheckTarget) -> CheckTarget:
        """Return the target with what its check is to do; each probe has a group of its own."""
        if not self:
            return target
        target = with_probe(target, write=self.write, delete_left=self.remove)
        self._targets[target.environment.name] = target
        return target

    def see(self, event: CheckEvent) -> None:
        match event:
            case StepStarted(name=name, environment=whose) if name == WRITE_PROBE:
                self._running[whose] = self._targets[whose]
            case StepFinished(step=step, environment=whose) if step.name == WRITE_PROBE:
                self._running.pop(whose, None)

    def note_leftovers(self, report: Report) -> None:
        """Note what earlier probes left, if the check was not to delete it."""
        if report.groups is not None and not self.remove:
            left = leftovers(report.groups.groups, report.started)
            self._left.extend(each.name for each in left)

    def offer_to_remove(self, target: CheckTarget, writer: TextWriter) -> None:
        """Ask on a terminal whether to delete what was noted, and do so."""
        if not self._left or not (sys.stdin.isatty() and sys.stderr.isatty()):
            return
        if ask(f"delete {', '.join(self._left)}, which earlier probes left?"):
            asyncio.run(_remove(with_probe(target, delete_left=True), writer))

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Say which groups may be left, if the checks inside are ended before their ends."""
        try:
            yield
        finally:
            for target in self._running.values():
                warn_of_probe(target)


async def _remove(target: CheckTarget, writer: TextWriter) -> None:
    async for event in run(target, goal=PROBE_LEFTOVERS):
        if isinstance(event, StepFinished):
            writer.write(event)
        elif isinstance(event, CheckFinished) and not event.report.ok:
            writer.write_diagnosis(diagnose(event.report))


def warn_of_probe(target: CheckTarget) -> None:
    """Say which group may be left of a probe that was ended before its end."""
    warn(f"{target.environment.name}: whether the probe's group {target.write_probe} "
         "is left there is unknown; in 15 minutes this deletes it:")  # fmt: skip
    err(f"  {removing(target)}")


def removing(target: CheckTarget) -> str:
    """Return the command that deletes what probes left in an environment."""
    options: Sequence[str] = ("--config", str(target.config)) if target.config else ()
    words = ("--remove-leftovers", *options, "--", target.environment.name)
    return for_this_machine(command_line("stacktui check", words))
