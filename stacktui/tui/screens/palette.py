"""The palette of the dashboard: its commands, panes and environments, found by typing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.app import App
from textual.binding import ActiveBinding

from stacktui.tui.keys import keys_of
from stacktui.tui.screens.picker_screen import Choice, PickerScreen
from stacktui.tui.widgets.panel import Panel

# Keys that move; they are not commands of the palette.
_MOVES = ("move", "scroll", "page", "step", "go", "palette", "interrupt", "app.interrupt")


class Palette(PickerScreen):
    """Returns the kind of what was chosen, and its name: see `run`."""

    def __init__(
        self,
        bindings: Iterable[ActiveBinding],
        focused: object,
        panes: Sequence[Panel],
        environments: Sequence[str],
    ) -> None:
        found = keys_of(bindings, focused)
        self._keys = {key.action: key for key in found if not key.action.startswith(_MOVES)}
        numbered = [each for each in panes if each.number]
        super().__init__(
            "Commands and places",
            [
                *(Choice(f"command {key.action}", key.does, key.keys[0])
                  for key in self._keys.values()),
                *(Choice(f"pane {each.id}", each.caption, each.number) for each in numbered),
                *(Choice(f"environment {name}", name, "environment") for name in environments),
            ],
        )  # fmt: skip

    async def run_command(self, app: App[object], action: str) -> None:
        """Run a command that was chosen, where its key is bound."""
        await app.run_action(action, self._keys[action].node)
