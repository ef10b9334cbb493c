"""The engine of a look: what is slow to import, and what blocks."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import cast

from stacktui.certificates import survey as surveys
from stacktui.certificates.chain import describe
from stacktui.certificates.document import readiness
from stacktui.certificates.matrix import judge, load_column
from stacktui.certificates.stores import find_stores, read_stores
from stacktui.certificates.survey import Survey, SurveyEvent
from stacktui.check.target import Target
from stacktui.check.trust import trust_of
from stacktui.config.locations import own_bundle
from stacktui.tui.survey_state import Stores, SurveyResult


def survey(target: Target, whole: bool) -> AsyncGenerator[SurveyEvent, None]:
    """Look at the endpoints of the target's environment."""
    events = surveys.survey(target.environment, trust_of(target), whole=whole)
    return cast("AsyncGenerator[SurveyEvent, None]", events)


def open_stores(target: Target) -> Stores:
    """Find, load and read every trust store of this box."""
    now = datetime.now(UTC)
    stores = find_stores(target.environment.ca, own_bundle())
    columns = tuple(map(load_column, stores))
    return Stores(columns, read_stores(stores, now))


def weigh(target: Target, whole: bool, found: Survey, stores: Stores) -> SurveyResult:
    """Judge every chain by every store and by the readiness rules, and read every certificate."""
    matrix = judge(found.presented, stores.columns)
    return SurveyResult(
        target,
        whole,
        found,
        matrix,
        stores.states,
        tuple(
            readiness(found, row, cells[0])
            for row, cells in zip(matrix.rows, matrix.cells, strict=True)
        ),
        {der: describe(der) for der in surveys.chains(found.presented)},
    )
