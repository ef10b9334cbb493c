"""The resources inside a group: a list, and what ARM says of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from stacktui.errors import StacktuiError
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.panes.resources import state_span
from stacktui.tui.screens.list_screen import ListScreen
from stacktui.tui.widgets.list_pane import Row, Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stacktui.check.target import CheckTarget
    from stacktui.resources.model import Resource, ResourceDetails


class ResourcesScreen(ListScreen["Resource"]):
    """Lists the resources of a group; `enter` reads one, `esc` leads back to its row."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "details"),
        Binding("i", "copy", "copy id, link, JSON"),
    ]

    def __init__(
        self,
        group: str,
        resources: Sequence[Resource],
        target: CheckTarget,
        portal_link: Callable[[str], str],
    ) -> None:
        super().__init__("Resource", f"Resources in {group}")
        self._resources = {str(at): each for at, each in enumerate(resources)}
        self._target = target
        self._portal_link = portal_link
        self._details: ResourceDetails | None = None

    def on_mount(self) -> None:
        super().on_mount()
        keys, text = tuple(self._resources), self._filtered_by
        self.choices.show(Rows(keys, lambda key: _row(key, self._resources[key]), text), ())
        self.share_height()
        self.show_hints()

    def _filtered_by(self, key: str) -> str:
        resource = self._resources[key]
        return f"{resource.name} {resource.type} {resource.location}".lower()

    @property
    def _resource(self) -> Resource | None:
        return self.opened or self._resources.get(self.choices.chosen or "")

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "copy":
            return self._resource is not None
        return super().check_action(action, parameters)

    def action_open(self) -> None:
        """Read the resource, and show it in place of the list."""
        if (resource := self._resource) is None:
            return
        self.show_opened(resource)
        self._text.scroll_to_top()
        self.set_text([*_known(resource), BLANK, line(Span("Reading it.", TextStyle.DIM))])
        work = self._read(resource)
        self.run_worker(work, group="resource", exclusive=True, exit_on_error=False)

    async def _read(self, resource: Resource) -> None:
        glyphs = self.services.screen_style.glyphs
        try:
            found = await self.services.arm_reader.read(
                lambda engine: engine.resource(self._target, resource.id)
            )
            lines = _detail(found, glyphs, self._portal_link(resource.id))
        except StacktuiError as error:
            found = None
            why = Span(f"{glyphs.failed} not read: {error}", TextStyle.ERROR)
            lines = [*_known(resource), BLANK, line(why)]
        if self.opened is resource:
            self._details = found
            self.set_text(lines)

    def action_leave(self) -> None:
        self._details = None
        super().action_leave()

    def action_copy(self) -> None:
        from stacktui.tui.screens.picker_screen import PickerScreen, text_choices

        if (resource := self._resource) is None:
            return
        texts = {
            "name": resource.name,
            "id": resource.id,
            "URL at ARM": f"{self._target.environment.arm}{resource.id}" if resource.id else "",
            "link to the portal": self._portal_link(resource.id) if resource.id else "",
            "JSON": self._details.document if self._details is not None else "",
        }

        def copy(text: str | None) -> None:
            if text is not None:
                self.services.copier.copy(text, text.splitlines()[0], self._hints.notice)

        self.app.push_screen(PickerScreen("Copy of the resource", text_choices(texts)), copy)


def _row(key: str, resource: Resource) -> Row:
    kind = (Span(resource.type, TextStyle.DIM),)
    short = (Span(resource.type.rpartition("/")[2], TextStyle.DIM),)
    location = (Span(resource.location, TextStyle.DIM),)
    return Row(key, (Span(resource.name),), ((kind, location), (kind,), (short,)))


def _known(resource: Resource) -> list[Line]:
    labels = (("name", resource.name), ("type", resource.type), ("location", resource.location))
    return [label_value(label, text) for label, text in labels]


def _detail(found: ResourceDetails, glyphs: Glyphs, portal: str) -> list[Line]:
    lines = _known(found.resource)
    if found.state:
        lines.append(label_value("state", state_span(found.state, glyphs)))
    texts = (("kind", found.kind), ("sku", found.sku))
    lines += [label_value(label, text) for label, text in texts if text]
    for at, (name, value) in enumerate(found.tags.items()):
        label = "" if at else "tags"
        lines.append(label_value(label, Span(f"{name} = ", TextStyle.DIM), Span(value)))
    lines += [BLANK, label_value("id", found.resource.id)]
    if portal:
        lines.append(label_value("portal", portal))
    document = found.document.splitlines()
    return [*lines, BLANK, *(line(Span(text, TextStyle.DIM)) for text in document)]
