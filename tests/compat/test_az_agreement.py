"""What the check says of az, and what az 2.66.2 then does."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.product import stacktui, write_config

from .agreement import ADFS, Situation, compare, judged, played
from .az import Az
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


def test_written_into_az_the_stamp_needs_no_metadata(az_path: Path, tmp_path: Path) -> None:
    """The remedy of all that az fails at in the metadata."""
    situation = Situation("a list", idp=ADFS, stamp={"metadata_form": "list"})
    with played(situation, az_path, tmp_path) as machine:
        stamp, az = machine.stamp, machine.az
        config = write_config(tmp_path, stamp.describe())
        (finding,) = judged(az, config)["findings"]
        remedy = shlex.split(finding["remedies"][0]["bash"])
        done = stacktui(*remedy[1:3], "--yes", *remedy[3:], **az.environment())
        assert done.code == 0, done.err
        assert judged(az, config)["works"] is True
        named = Az(az.path, az.folder, {**az.extra, "AZURE_CLOUD_NAME": "Test"})
        named.ok(
            "login", "--service-principal",
            "-u", stamp.client_id, "-p", stamp.secret, "--tenant", stamp.tenant,
        )  # fmt: skip


def test_it_is_said_of_nearly_all() -> None:
    """At least forty situations, of which at most two cannot be told."""
    every = [*DOZEN, *OTHERS]
    assert len({each.name for each in every}) == len(every) >= 40
    assert sum(each.works is None for each in every) <= 2
