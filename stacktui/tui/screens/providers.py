"""The resource providers of a subscription: registration, types, api-versions and locations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.screens.action_screen import ActionScreen
from stacktui.tui.widgets.list_pane import ListPane, Row

if TYPE_CHECKING:
    from stacktui.resources.listing import Rows
    from stacktui.resources.model import Provider, ResourceType

# How many api-versions of a type are shown, the newest first, as ARM lists them.
_VERSIONS = 3
# The widest column of the names of types.
_LABEL = 30


class Providers(ActionScreen):
    """Shows the providers, those that the documents' samples need first; changes nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "move(1)", "move the bar", show=False),
        Binding("k", "move(-1)", "move the bar", show=False),
    ]

    def __init__(self, found: Rows[Provider]) -> None:
        super().__init__("Provider", "Resource providers")
        self._providers = {
            each.namespace: each
            for each in sorted(found.rows, key=lambda each: (not each.needed, each.namespace))
        }
        self._whole = found.error is None

    def on_mount(self) -> None:
        glyphs = self.services.screen_style.glyphs
        rows = []
        for namespace, each in self._providers.items():
            usual = each.registered
            style = TextStyle.OK if usual else TextStyle.WARNING if each.needed else TextStyle.DIM
            symbol = glyphs.ok if usual else glyphs.warning if each.needed else glyphs.skipped
            needed = (Span("for the samples" if each.needed else "", TextStyle.DIM),)
            state = (Span(f"{symbol} {each.state}", style),)
            rows.append(Row(namespace, (Span(namespace),), ((needed, state), (state,))))
        self.set_choices(rows)
        self._show()
        if not self._whole:
            self.warn("not all could be read")

    @on(ListPane.Chosen)
    def _show(self) -> None:
        provider = self._providers.get(self.choices.chosen or "")
        if provider is None:
            self.set_text([line("The subscription has none.")])
            return
        lines: list[Line] = [line(Span(provider.namespace, TextStyle.STRONG))]
        if not provider.registered and provider.needed:
            lines += [line("Register it before its resources can be made; its owner may:")]
            command = f"az provider register --namespace {provider.namespace}"
            lines += [line(Span(f"  {command}", TextStyle.ACCENT))]
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


def _locations(type_: ResourceType) -> str:
    return ", ".join(type_.locations) or "none named"


def _versions(known: Sequence[str]) -> str:
    newest = sorted(known, reverse=True)
    more = f" and {len(known) - _VERSIONS} older" if len(known) > _VERSIONS else ""
    return ", ".join(newest[:_VERSIONS]) + more
