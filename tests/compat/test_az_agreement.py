"""What the check says of az, and what az 2.66.2 then does."""

from __future__ import annotations

from pathlib import Path

import pytest

from .agreement import Situation, compare
from .own_venv import wanted
from .situations import DOZEN, OTHERS

ALL = pytest.mark.skipif(
    not wanted(release=True), reason="set STACKTUI_COMPAT=release for all situations"
)


@pytest.mark.parametrize("situation", DOZEN, ids=lambda each: each.name)
def test_az_does_what_the_check_says(situation: Situation, az_path: Path, tmp_path: Path) -> None:
    compare(situation, az_path, tmp_path)


@ALL
@pytest.mark.parametrize("situation", OTHERS, ids=lambda each: each.name)
def test_in_every_situation(situation: Situation, az_path: Path, tmp_path: Path) -> None:
    compare(situation, az_path, tmp_path)


def test_it_is_said_of_nearly_all() -> None:
    """At least forty situations, of which at most two cannot be told."""
    every = [*DOZEN, *OTHERS]
    assert len({each.name for each in every}) == len(every) >= 40
    assert sum(each.works is None for each in every) <= 2
