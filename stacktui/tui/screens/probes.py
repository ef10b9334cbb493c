"""A check that also writes, after a question; and deleting what such checks have left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import ClassVar

from textual.binding import Binding, BindingType

from stacktui.check.fault_text import fault_lines
from stacktui.check.report import Report, StepOutcome, StepResult
from stacktui.check.target import CheckTarget
from stacktui.check.write_probe import PREFIX, PROBE_LEFTOVERS, TAG, leftovers, made_at
from stacktui.tui.arm_task import StreamTask, now
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.panes.change_lines import error_lines, running_lines
from stacktui.tui.screens.action_screen import ActionScreen, question
from stacktui.tui.task_state import TaskState


class WriteProbeScreen(ActionScreen):
    """Says what a write probe makes and deletes, and asks; returns the text `probe` for a yes."""

    def __init__(self, target: CheckTarget) -> None:
        super().__init__(f"Write probe in {target.environment.name}", "")
        self._target = target

    def on_mount(self) -> None:
        self.asking = True
        environment, identity = self._target.environment, self._target.identity
        limits = environment.limits
        self.set_text(
            [
                question("Check, and make and delete a resource group?"),
                BLANK,
                label_value("makes", Span(f"the resource group {PREFIX}…", TextStyle.STRONG),
                            f", of a new name, with the tag {TAG}"),
                label_value("where", f"{environment.name}, at the stamp's first location"),
                label_value("as", f"{identity.name} ({identity.kind.words})" if identity else ""),
                label_value("deletes", "that group alone, whatever fails; ARM is waited for "
                                       f"{limits.probe:g} s at most"),
                label_value("shows", "how long it took to create, to read and to delete it"),
                BLANK,
                line(Span("A group that is left nevertheless has our tag: the next check finds it, "
                          "and f deletes it.", TextStyle.DIM)),
            ]
        )  # fmt: skip

    def action_decline(self) -> None:
        self.dismiss(None)

    def action_confirm(self) -> None:
        self.dismiss("probe")


@dataclass(frozen=True, slots=True)
class LiveRemoval(TaskState):
    """A deletion of leftovers; `steps` are those of its check that have ended, by name."""

    steps: Mapping[str, StepResult] = field(default_factory=dict)

    def with_step(self, step: StepResult) -> LiveRemoval:
        return replace(self, steps={**self.steps, step.name: step})


class RemoveLeftovers(ActionScreen):
    """Deletes the groups that probes left, after a question; returns what was done."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "confirm", "yes"),
        Binding("escape", "decline", "no"),
        Binding("escape", "cancel", "stop waiting"),
        Binding("escape", "leave", "back"),
    ]

    def __init__(self, report: Report) -> None:
        super().__init__("Groups of write probes", "")
        self._report, self._target = report, report.target
        self._live: LiveRemoval | None = None
        self._began = 0.0
        self._stream: StreamTask[LiveRemoval]

    def on_mount(self) -> None:
        self._stream = self.services.new_task(self._on_state)
        self.set_interval(1.0, self._tick)
        self.asking = True
        self._show()

    def on_unmount(self) -> None:
        self._stream.cancel()

    def _facts(self) -> list[Line]:
        listed = self._report.groups
        found = leftovers(listed.groups, self._report.started) if listed else ()
        lines = [
            label_value("environment", self._target.environment.name),
            label_value("subscription", listed.subscription if listed else ""),
        ]
        for at, each in enumerate(found):
            made = Span(f"  made {made_at(each):%Y-%m-%d %H:%M} UTC", TextStyle.DIM)
            lines.append(label_value("" if at else "deletes", each.name, made))
        said = "Only those that still have our tag and are empty when they are read again."
        return [*lines, BLANK, line(Span(said, TextStyle.DIM))]

    def _on_state(self, live: LiveRemoval) -> None:
        self._live = live
        step = live.steps.get(PROBE_LEFTOVERS)
        if live.running or step is None or step.outcome is not StepOutcome.OK:
            self._show()
        else:
            self.dismiss(f"{self._target.environment.name}: {step.evidence.result}")

    def _tick(self) -> None:
        """Show the seconds."""
        if self._live is not None and self._live.running:
            self._show()

    def _show(self) -> None:
        live, glyphs = self._live, self.services.screen_style.glyphs
        if live is None:
            head = [question("Delete them?")]
        elif live.running:
            said = "ARM deletes them" if live.steps else "ARM is asked"
            head = running_lines(said, live, self._began, glyphs, "stops waiting")
        else:
            lines = error_lines(live.caught, live.error) if live.error else []
            for each in live.steps.values():
                lines += _fault_of(each)
            said = "not all are known to be deleted: what was sent goes on in ARM"
            head = [line(Span(f"{glyphs.warning} {said}", TextStyle.WARNING)), *lines]
        self.set_text([*head, BLANK, *self._facts()])

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        running = self._live is not None and self._live.running
        match action:
            case "cancel":
                return running
            case "leave":
                return not (running or self.asking)
            case _:
                return super().check_action(action, parameters)

    def action_decline(self) -> None:
        self.dismiss(None)

    def action_cancel(self) -> None:
        self._stream.cancel()

    def action_confirm(self) -> None:
        self.asking, self._began, target = False, monotonic(), self._target
        self._stream.begin(
            LiveRemoval(target, now()),
            lambda engine, _: engine.remove_leftovers(target),
            LiveRemoval.with_step,
        )


def _fault_of(step: StepResult) -> list[Line]:
    """Return every fact of what a step met."""
    fault = step.evidence.fault
    return [label_value("why", text) for text in fault_lines(fault)] if fault else []
