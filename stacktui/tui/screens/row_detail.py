"""The detail of the row that is highlighted in the open pane, whichever that is."""

from __future__ import annotations

from stacktui.tui.app_state import AppState
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import Line
from stacktui.tui.panes import environment_detail, group_detail, identities
from stacktui.tui.screens.pane_grid import PaneGrid


def detail_of_row(
    grid: PaneGrid, app_state: AppState, glyphs: Glyphs
) -> tuple[str, tuple[Line, ...]]:
    """Return the name and the detail of the open pane's highlighted row."""
    key = grid.open.chosen
    if key is None:
        return "", ()
    if grid.open is grid.environments and (error := app_state.unusable):
        return key, environment_detail.unusable_detail(error, glyphs)
    if grid.open is grid.environments and app_state.environment:
        return key, environment_detail.detail(app_state.environment, app_state, glyphs)
    if grid.open is grid.certificates:
        # Imported with the first detail: a scan or a check has already imported most of it.
        from stacktui.tui.panes.certificate_detail import detail

        return detail(key, app_state, glyphs, zoomed=grid.certificates.zoomed)
    if grid.open is grid.identities and app_state.settings:
        if (error := app_state.settings.identity_errors.get(key)) is not None:
            return key, environment_detail.unusable_detail(error, glyphs)
        return key, identities.detail(app_state.settings.identities[key], app_state, glyphs)
    return group_detail.detail(key, app_state, glyphs)
