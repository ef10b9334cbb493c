"""What the check says of later releases of az, and what they then do (see `tests.compat`)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.compat import az as real
from tests.compat.agreement import Situation, compare
from tests.compat.own_venv import wanted
from tests.compat.release.test_later_az import LAST, NEWEST
from tests.compat.situations import DOZEN, OTHERS

pytestmark = pytest.mark.skipif(
    not wanted(release=True),
    reason="set STACKTUI_COMPAT=release to have later releases of az installed (1.3 GB each)",
)
BY_NAME = {each.name: each for each in (*DOZEN, *OTHERS)}
ON_NEWEST = (
    replace(
        BY_NAME["healthy, to be registered"], works=False, first="az-too-new", says="list indices"
    ),
    replace(
        BY_NAME["healthy, registered"], works=False, first="az-too-new", says="InvalidApiVersion"
    ),
    BY_NAME["metadata answers 500"],
    BY_NAME["no listener"],
    BY_NAME["az's own certifi"],
)


def installed(version: str, folder: Path) -> Path:
    """Install an az; its first command compiles what it imports, which can take a minute."""
    path = real.install(version)
    assert real.Az(path, folder / "first", seconds=300)("cloud", "list").code == 0
    return path


@pytest.fixture(scope="module")
def last(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(LAST, tmp_path_factory.mktemp("last"))


@pytest.fixture(scope="module")
def newest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(NEWEST, tmp_path_factory.mktemp("newest"))


@pytest.mark.parametrize("situation", DOZEN, ids=lambda each: each.name)
def test_the_last_that_works(situation: Situation, last: Path, tmp_path: Path) -> None:
    compare(situation, last, tmp_path)


@pytest.mark.parametrize("situation", ON_NEWEST, ids=lambda each: each.name)
def test_the_newest(situation: Situation, newest: Path, tmp_path: Path) -> None:
    """It has no hybrid profile to be registered with."""
    compare(replace(situation, profile=False), newest, tmp_path)
