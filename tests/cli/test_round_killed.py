"""`kill -9` at random in a round of 50: what was written is whole, and the next round goes on."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from stacktui.check.history import recall
from stacktui.check.settings import load_settings
from stacktui.config.locations import config_directory, history_file, stamps_file
from stacktui.environments.record import read_record
from stacktui.stamp import StampOptions, run_in_thread
from tests.cli.killed import KILLED, ended, started
from tests.cli.test_check_round import config_of

pytestmark = pytest.mark.exhaustive

COUNT, ROUNDS = 50, 5


def recorded(config: Path) -> int:
    """How many are recorded; every record can be read."""
    environments = load_settings(config).environments.values()
    return sum(read_record(config, each) is not None for each in environments)


def in_history(config: Path) -> int:
    """How many are in the history, which is whole."""
    if history_file().exists():
        with closing(sqlite3.connect(history_file())) as history:
            assert history.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    settings = load_settings(config)
    return sum(
        each.last is not None for each in recall([*map(settings.target, settings.names)]).values()
    )


def test_a_killed_round_tears_nothing(tmp_path: Path) -> None:
    chance = random.Random(20)
    with run_in_thread(StampOptions(domain="local.azurestack.external")) as stamp:
        config = config_of(stamp, tmp_path, *["good"] * COUNT)
        content, before, killed = config.read_bytes(), 0, 0
        for _ in range(ROUNDS):
            round_ = started("check", "--all", "--config", str(config))
            time.sleep(chance.uniform(0.15, 0.6))
            os.kill(round_.pid or 0, signal.SIGKILL)
            killed += ended(round_) == KILLED
            assert config.read_bytes() == content
            now = recorded(config)
            assert now >= before
            before = now
            assert in_history(config) <= COUNT
        assert ended(started("check", "--all", "--config", str(config))) == 0
    assert killed > ROUNDS // 2
    assert recorded(config) == in_history(config) == COUNT
    assert {each.name for each in config_directory().iterdir()} == {stamps_file().name}
