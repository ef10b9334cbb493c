"""The resource providers of a subscription: registration, types, api-versions and locations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from stacktui.tui.arm_task import StreamTask, now
from stacktui.tui.check_state import CheckState
from stacktui.tui.keys import may_run
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.panes.change_lines import failure_lines, running_lines
from stacktui.tui.screens.action_screen import ActionScreen, question
from stacktui.tui.task_state import TaskState
from stacktui.tui.widgets.list_pane import ListPane, Row

if TYPE_CHECKING:
    from stacktui.check.target import CheckTarget
    from stacktui.resources.listing import Rows
    from stacktui.resources.model import Provider, ResourceType

# How many api-versions of a type are shown, the newest first, as ARM lists them.
_VERSIONS = 3
# The widest column of the names of types.
_LABEL = 30


@dataclass(frozen=True, slots=True)
class LiveRegistration(TaskState):
    """A registration of `namespace` that is waited for, or was; `provider` is how it is."""

    namespace: str = ""
    provider: Provider | None = None

    def with_provider(self, provider: Provider) -> LiveRegistration:
        return replace(self, provider=provider)


class Providers(ActionScreen):
    """Shows the providers, those that the documents' samples need first, and registers them.

    `at` is the one to show first, of those of the `subscription`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "register_provider", "register it"),
        Binding("y", "confirm", "yes"),
        Binding("escape", "decline", "no"),
        Binding("escape", "stop_waiting", "stop waiting"),
        Binding("escape", "leave", "back"),
        Binding("j", "move(1)", "move the bar", show=False),
        Binding("k", "move(-1)", "move the bar", show=False),
    ]

    def __init__(
        self, target: CheckTarget, subscription: str, found: Rows[Provider], at: str = ""
    ) -> None:
        super().__init__("Provider", "Resource providers")
        self._target, self._subscription, self._at = target, subscription, at
        self._live: LiveRegistration | None = None
        self._began = 0.0
        self._stream: StreamTask[LiveRegistration]
        self._providers = {
            each.namespace: each
            for each in sorted(found.rows, key=lambda each: (not each.needed, each.namespace))
        }
        self._whole = found.error is None

    def on_mount(self) -> None:
        self._stream = self.services.new_task(self._on_state)
        self.set_interval(1.0, self._tick)
        self.set_choices(self._rows_shown())
        self.choices.choose(self._at or self.choices.chosen)
        self._show()
        if not self._whole:
            self.warn("not all could be read")

    def on_unmount(self) -> None:
        self._stream.cancel()

    def _rows_shown(self) -> list[Row]:
        glyphs = self.services.screen_style.glyphs
        rows = []
        for namespace, each in self._providers.items():
            usual = each.registered
            style = TextStyle.OK if usual else TextStyle.WARNING if each.needed else TextStyle.DIM
            symbol = glyphs.ok if usual else glyphs.warning if each.needed else glyphs.skipped
            needed = (Span("for the samples" if each.needed else "", TextStyle.DIM),)
            state = (Span(f"{symbol} {each.state}", style),)
            rows.append(Row(namespace, (Span(namespace),), ((needed, state), (state,))))
        return rows

    @property
    def _provider(self) -> Provider | None:
        return self._providers.get(self.choices.chosen or "")

    @property
    def _waiting_for(self) -> bool:
        return self._live is not None and self._live.running

    @on(ListPane.Chosen)
    def _chosen(self) -> None:
        self.asking = False
        self._show()

    def _show(self) -> None:
        provider = self._provider
        if provider is None:
            self.set_text([line("The subscription has none.")])
            return
        lines: list[Line] = [*self._registration(provider)]
        if provider.registered:
            lines = [line(Span(provider.namespace, TextStyle.STRONG)), *lines]
        elif not lines:
            need = "; the documents' samples need it" if provider.needed else ""
            lines = [
                line(Span(provider.namespace, TextStyle.STRONG), f": {provider.state}{need}."),
                line("Its resources can be made once it is Registered."),
            ]
        # On most stamps all types are in the same place, which is then said once.
        different = len({each.locations for each in provider.types}) > 1
        if provider.types and not different:
            lines += [label_value("locations", _locations(provider.types[0]))]
        lines.append(BLANK)
        width = min(_LABEL, max((len(each.name) + 2 for each in provider.types), default=0))
        for each in provider.types:
            versions = f"  {_versions(each.api_versions)}"
            where = Span(f"  {_locations(each)}" if different else "", TextStyle.DIM)
            lines += [label_value(each.name, versions, where, width=width)]
        self.set_text(lines)

    def _registration(self, provider: Provider) -> list[Line]:
        """Return the question, or how the registration of a provider goes."""
        live, namespace = self._live, provider.namespace
        if self.asking:
            where = f"subscription {self._subscription} in {self._target.environment.name}"
            return [
                question(f"Register {namespace}?"),
                line(
                    f"For {where}. It takes minutes, and {namespace}/register/action, which "
                    "Contributor and Owner have."
                ),
            ]
        if live is None or live.namespace != namespace:
            return []
        glyphs = self.services.screen_style.glyphs
        if live.running:
            what = f"{namespace}: {live.provider.state if live.provider else 'ARM is asked'}"
            return running_lines(what, live, self._began, glyphs, "stops waiting")
        if live.state is CheckState.CANCELLED:
            on = "No longer waited for: what was sent goes on in ARM."
            look = (Span("enter", TextStyle.KEY), " looks, and waits again.")
            return [line(Span(on, TextStyle.WARNING)), line(*look)]
        if live.state is CheckState.FINISHED:
            style = TextStyle.OK if provider.registered else TextStyle.WARNING
            symbol = glyphs.ok if provider.registered else glyphs.warning
            return [line(Span(f"{symbol} {namespace} is {provider.state}", style))]
        what, begun = f"the registration of {namespace}", live.provider is not None
        return failure_lines(what, live, glyphs, key="enter", unknown=begun)

    def _on_state(self, live: LiveRegistration) -> None:
        self._live = live
        if (found := live.provider) is not None and live.namespace in self._providers:
            self._providers[live.namespace] = replace(found, namespace=live.namespace)
            self.choices.show(self._rows_shown(), ())
        self._show()

    def _tick(self) -> None:
        """Show the seconds."""
        if self._waiting_for and self.app.screen is self:
            self._show()

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "register_provider":
                free = not (self.asking or self._waiting_for)
                provider = self._provider
                wanted = provider is not None and not provider.registered
                return free and wanted and may_run(action)
            case "stop_waiting":
                return self._waiting_for
            case "leave":
                return not (self.asking or self._waiting_for)
            case _:
                return super().check_action(action, parameters)

    def action_register_provider(self) -> None:
        """Ask, unless ARM registers it already: then only wait."""
        provider = self._provider
        if provider is not None and provider.registering:
            self.action_confirm()
        else:
            self.asking = True
            self._show()

    def action_decline(self) -> None:
        self.asking = False
        self._show()

    def action_stop_waiting(self) -> None:
        self._stream.cancel()

    def action_confirm(self) -> None:
        if (provider := self._provider) is None:
            return
        self.asking, self._began = False, monotonic()
        target, subscription, namespace = self._target, self._subscription, provider.namespace
        self._stream.begin(
            LiveRegistration(target, now(), namespace=namespace),
            lambda engine, waits: engine.register(target, subscription, namespace, waits),
            LiveRegistration.with_provider,
        )


def _locations(type_: ResourceType) -> str:
    return ", ".join(type_.locations) or "none named"


def _versions(known: Sequence[str]) -> str:
    newest = sorted(known, reverse=True)
    more = f" and {len(known) - _VERSIONS} older" if len(known) > _VERSIONS else ""
    return ", ".join(newest[:_VERSIONS]) + more
