"""The history of checks: what is kept, by several processes, in files of every state."""

from __future__ import annotations

import errno
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from stacktui.check import history, history_database
from stacktui.check.history import read_history, recall, record
from stacktui.check.history_database import HistoryError
from stacktui.check.history_reader import HistoryReader
from stacktui.check.history_writer import HistoryWriter
from stacktui.check.streak import Since, since_of, since_text, with_check
from stacktui.check.summary import CheckSummary
from stacktui.check.target import CheckTarget
from stacktui.config.locations import history_file
from stacktui.environments.model import Environment

START = datetime(2026, 5, 3, 18, 0, 0, 250_001, UTC)
ARM = "https://management.local.azurestack.external"
posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and links of POSIX")


def target(name: str = "West", arm: str = ARM, config: str = "config.toml") -> CheckTarget:
    return CheckTarget(Environment(name, arm), config=Path(config))


def summary(minutes: float = 0, verdict: str = "", name: str = "West") -> CheckSummary:
    return CheckSummary(
        name,
        START + timedelta(minutes=minutes),
        0.25,
        not verdict,
        verdict,
        "network" if verdict else "",
        (("metadata", "ok", 0.1), ("token", "failed" if verdict else "ok", 0.125)),
        {"dns": 0.001, "tls": 0.02},
        {"management.local:443": START + timedelta(days=20)},
        -1.0,
        "run",
    )


def add(*verdicts: str, place: CheckTarget | None = None, at: float = 0) -> None:
    place = place or target()
    for number, verdict in enumerate(verdicts):
        found = summary(at + 10 * number, verdict, place.environment.name)
        assert record([(place, found)]) == ""


def outcomes(place: CheckTarget | None = None) -> list[tuple[str, int]]:
    streaks, _ = read_history(place or target())
    return [(each.outcome, each.checks) for each in streaks]


def test_what_is_written_is_read() -> None:
    assert recall([target()]) == {"West": history.Recalled()}
    assert read_history(target()) == ((), ())
    assert not history_file().exists()
    add("", "", "tls-intercepted")
    streaks, checks = read_history(target())
    assert checks == (summary(20, "tls-intercepted"), summary(10), summary(0))
    assert [(each.began, each.last, each.side) for each in streaks] == [
        (START + timedelta(minutes=20), START + timedelta(minutes=20), "network"),
        (START, START + timedelta(minutes=10), ""),
    ]
    assert recall([target(), target("East")]) == {
        "West": history.Recalled(checks[0], streaks),
        "East": history.Recalled(),
    }


def test_an_undecided_check_is_an_outcome_of_its_own() -> None:
    undecided = replace(summary(30), ok=None)
    add("")
    assert record([(target(), undecided), (target(), replace(undecided, ok=True))]) == ""
    assert outcomes() == [("ok", 1), ("undecided", 1), ("ok", 1)]
    assert read_history(target())[1][1] == undecided


def test_an_undecided_check_ends_no_streak_of_a_fault() -> None:
    undecided = replace(summary(30), ok=None)
    broken = [summary(minutes, "tls-expired") for minutes in (10, 20, 40)]
    checks = [summary(0), *broken[:2], undecided, broken[2]]
    assert record([(target(), each) for each in checks]) == ""
    since = since_of(recall([target()])["West"].streaks)
    assert (since.since, since.checks, since.before) == (broken[0].started, 3, "ok")
    assert since_of(with_check((), undecided)).checks == 1


def test_a_check_without_an_identity_is_an_outcome_of_its_own() -> None:
    bare = replace(summary(30), steps=(("metadata", "ok", 0.1), ("token", "skipped", 0.0)))
    add("")
    assert record([(target(), each) for each in (bare, bare, summary(50))]) == ""
    assert outcomes() == [("ok", 1), ("metadata ok, sign-in not tried", 2), ("ok", 1)]
    streaks, checks = read_history(target())
    assert checks[1] == bare
    assert [(each.ok, each.verdict) for each in streaks] == [(True, "")] * 3
    assert since_of(with_check(streaks[1:], bare)).checks == 3
    assert since_of(with_check(streaks[1:], summary(60))).before == streaks[1].outcome


@pytest.mark.parametrize(
    "other",
    [target("East"), target(arm="https://management.east.example"), target(config="other.toml")],
)
def test_no_other_environment_shares_it(other: CheckTarget) -> None:
    add("tls-expired")
    assert recall([other]) == {other.environment.name: history.Recalled()}
    add("", place=other)
    assert (outcomes(), outcomes(other)) == ([("tls-expired", 1)], [("ok", 1)])


def test_a_path_written_otherwise_is_the_same_config(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    add("", place=target(config=str(tmp_path / "config.toml")))
    assert outcomes(target(config=str(tmp_path / "link" / "config.toml"))) == [("ok", 1)]


def test_old_checks_and_too_many_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    add("tls-expired", "", place=target("Gone"))
    monkeypatch.setattr(history, "MOST", 5)
    days = history.DAYS * 24 * 60
    add("", *["tls-expired", ""] * 4, at=days - 1)
    streaks, checks = read_history(target())
    assert (len(streaks), len(checks)) == (5, 5)
    assert checks[0].started == START + timedelta(minutes=days + 79)
    assert read_history(target("Gone")) == ((), ())
    # A streak outlives its checks.
    add(*[""] * 12, at=days + 90)
    assert outcomes()[0] == ("ok", 13)
    assert len(read_history(target())[1]) == 5


@posix
def test_only_its_owner_can_read_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.umask(0)
    try:
        add("")
        files = list(history_file().parent.iterdir())
        modes = {each.name: oct(each.stat().st_mode & 0o777) for each in files}
    finally:
        os.umask(before)
    name = history_file().name
    assert modes == dict.fromkeys((name, f"{name}-wal", f"{name}-shm"), "0o600")
    for folder in (history_file().parent, history_file().parent.parent):
        assert folder.stat().st_mode & 0o777 == 0o700


def journal_mode() -> str:
    with closing(sqlite3.connect(history_file())) as opened:
        return str(opened.execute("PRAGMA journal_mode").fetchone()[0])


def test_it_has_a_write_ahead_log_that_stays_small() -> None:
    """A check does not wait for the disk: the log is written into the database now and then."""
    log = history_file().with_name(f"{history_file().name}-wal")
    sizes = []
    for number in range(100):
        add("" if number % 2 else "tls-expired", at=number)
        sizes.append(log.stat().st_size if log.exists() else 0)
    assert sizes[1] > sizes[0] > 0
    assert max(sizes) < 1.5 * 1024 * 1024
    assert history_file().stat().st_size > 10 * 4096
    assert journal_mode() == "wal"
    assert outcomes()[0] == ("ok", 1)


@pytest.mark.parametrize("before", [0, 2])
def test_without_shared_memory_it_has_a_rollback_journal(before: int) -> None:
    """As on a file system that cannot map files: what was in the log is not lost."""
    add(*[""] * before)
    history_file().parent.mkdir(parents=True, exist_ok=True)
    shared = history_file().with_name(f"{history_file().name}-shm")
    shared.unlink(missing_ok=True)
    shared.mkdir()  # it can be opened, but not be written
    add("", "", at=60)
    assert outcomes() == [("ok", before + 2)]
    assert journal_mode() == "delete"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_on_a_network_file_system_it_has_a_rollback_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add("", "")
    assert journal_mode() == "wal"
    device = history_file().stat().st_dev
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 0:1 / / rw - ext4 /dev/sda rw\nbroken\n"
        f"36 22 {os.major(device)}:{os.minor(device)} / /home rw,noatime shared:1 - nfs4 srv:/ rw\n"
    )
    monkeypatch.setattr(history_database, "_MOUNTS", mounts)
    add("", at=60)
    assert journal_mode() == "delete"
    assert outcomes() == [("ok", 3)]


def write_log() -> None:
    """Write what the log holds into the database, which would mend it."""
    with closing(sqlite3.connect(history_file())) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def corrupt(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[100:] = bytes(255 for _ in content[100:])
    path.write_bytes(content)


@pytest.mark.parametrize("damage", ["text", "pages", "other"])
def test_a_damaged_file_is_set_aside(damage: str) -> None:
    add("tls-expired")
    write_log()
    path = history_file()
    match damage:
        case "text":
            path.write_text("no database, but long enough to be one" * 100)
        case "pages":
            corrupt(path)
        case "other":
            with closing(sqlite3.connect(path)) as opened:
                opened.execute("ALTER TABLE checks RENAME TO cheques")
    content = path.read_bytes()
    assert recall([target()]) == {}
    with pytest.raises(HistoryError, match=r"history\.sqlite is damaged"):
        read_history(target())
    aside = path.with_name("history.sqlite.damaged")
    assert record([(target(), summary())]) == f"the history was damaged: it is now {aside}"
    assert outcomes() == [("ok", 1)]
    assert damage == "other" or aside.read_bytes() == content
    add("", at=10)
    assert outcomes() == [("ok", 2)]


def test_rows_that_we_do_not_write_are_damage_too() -> None:
    add("")
    with closing(sqlite3.connect(history_file())) as opened:
        opened.execute("UPDATE checks SET facts = '{}'")
        opened.commit()
    assert recall([target()]) == {}
    with pytest.raises(HistoryError, match="is damaged"):
        read_history(target())


def test_a_log_of_a_damaged_file_is_not_applied_to_the_next() -> None:
    add("tls-expired")
    write_log()
    add("tls-expired", at=10)
    path = history_file()
    path.write_bytes(path.read_bytes()[:100] + b"!" * 8192)
    assert path.with_name(f"{path.name}-wal").stat().st_size
    assert "was damaged" in record([(target(), summary())])
    assert outcomes() == [("ok", 1)]


def test_an_empty_file_is_a_new_history() -> None:
    history_file().parent.mkdir(parents=True)
    history_file().touch()
    assert recall([target()]) == {"West": history.Recalled()}
    add("")
    assert outcomes() == [("ok", 1)]


def test_that_of_a_later_version_is_left_alone() -> None:
    add("")
    with closing(sqlite3.connect(history_file())) as opened:
        opened.execute("PRAGMA user_version = 2")
    before = history_file().read_bytes()
    told = f"not in the history: {history_file()} is of version 2, not 1"
    assert record([(target(), summary())]) == told
    assert recall([target()]) == {}
    assert history_file().read_bytes() == before


@posix
def test_a_link_to_nothing_is_not_written_through(tmp_path: Path) -> None:
    history_file().parent.mkdir(parents=True)
    history_file().symlink_to(tmp_path / "elsewhere")
    assert "leads to no file" in record([(target(), summary())])
    assert recall([target()]) == {"West": history.Recalled()}
    assert not (tmp_path / "elsewhere").exists()
    (tmp_path / "elsewhere").touch()
    add("")
    assert outcomes() == [("ok", 1)]


@posix
def test_what_is_no_file_is_told() -> None:
    history_file().parent.mkdir(parents=True)
    os.mkfifo(history_file())
    assert record([(target(), summary())]) == f"not in the history: {history_file()} is no file"
    history_file().unlink()
    history_file().parent.rmdir()
    history_file().parent.touch()
    assert "cannot be written (" in record([(target(), summary())])
    assert recall([target()]) == {}


@pytest.fixture
def locked() -> Iterator[None]:
    """Another program has the database for itself, and does not write."""
    add("tls-expired")
    with closing(sqlite3.connect(history_file(), isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=DELETE")
        other.execute("BEGIN EXCLUSIVE")
        yield


@pytest.mark.usefixtures("locked")
async def test_a_locked_one_delays_a_check_by_a_second_at_most() -> None:
    told: list[str] = []
    writer = HistoryWriter(told.append)
    started = time.monotonic()
    reader = HistoryReader([target()])
    assert await reader.since(summary()) is None
    writer.add(target(), summary())
    writer.close()
    assert time.monotonic() - started < 2 * history.PATIENCE + 0.5
    assert told == [f"not in the history: another program holds {history_file()} locked"]


async def test_one_that_hangs_delays_a_round_as_little_as_a_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As where the state directory is on a share whose server is dead."""
    free = Event()
    monkeypatch.setattr(history, "recall", lambda _: free.wait())
    reader, started = HistoryReader([target()]), time.monotonic()
    for number in range(20):
        assert await reader.since(summary(number)) is None
    free.set()
    assert time.monotonic() - started < 2


def test_a_clock_that_was_put_back_gives_no_time_that_is_to_come() -> None:
    for minutes in (60, 50, 90, 80):
        before = recall([target()])["West"].streaks
        told = since_of(with_check(before, summary(minutes)))
        add("", at=minutes)
        assert told == since_of(read_history(target())[0])
        assert told.since <= START + timedelta(minutes=minutes)
    (streak,), _ = read_history(target())
    earliest, latest = START + timedelta(minutes=50), START + timedelta(minutes=90)
    assert (streak.began, streak.last, streak.seconds, streak.checks) == (
        earliest, latest, 40 * 60, 4,
    )  # fmt: skip


async def test_the_writer_loses_nothing_and_does_not_wait() -> None:
    told: list[str] = []
    writer = HistoryWriter(told.append)
    writer.close()  # nothing was added
    for number in range(100):
        writer.add(target(), summary(number))
    writer.close()
    writer.add(target(), summary(200))
    writer.close()
    assert told == []
    assert outcomes() == [("ok", 101)]


async def test_since_when_it_is_so() -> None:
    async def since(found: CheckSummary) -> Since | None:
        return await HistoryReader([target()]).since(found)

    assert await since(summary()) == Since(START)
    add(*[""] * 49, "tls-expired", "tls-expired")
    assert await since(summary(510, "tls-expired")) == Since(
        START + timedelta(minutes=490), 3, "ok", 480 * 60
    )
    assert await since(summary(510)) == Since(
        START + timedelta(minutes=510), 1, "tls-expired", 10 * 60
    )


def test_the_words_for_it() -> None:
    streaks = read_history(target())[0]
    now = START + timedelta(minutes=510)
    assert since_text(None, now) == since_text(since_of(with_check(streaks, summary())), now) == ""
    add(*[""] * 49, "tls-expired", "tls-expired")
    streaks = read_history(target())[0]
    third = since_of(with_check(streaks, summary(510, "tls-expired")))
    assert since_text(third, now) == "since 02:10 UTC (3 checks); before: ok for 8 h"
    later = now + timedelta(days=1)
    assert since_text(third, later).startswith("since 2026-05-04 02:10 UTC (3 checks); ")
    assert since_text(third, now, None).startswith("since ")
    first = since_of(with_check(streaks, summary(510)))
    assert since_text(first, now) == "since this check; before: tls-expired for 10 min"


APPEND = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from stacktui.check.history import record
from stacktui.check.summary import CheckSummary
from stacktui.check.target import CheckTarget
from stacktui.environments.model import Environment

name, most = sys.argv[1], int(sys.argv[2])
for number in range(most):
    part = f"{name}-{number // 400}"
    place = CheckTarget(Environment(part, "https://a.b"), config=Path("c.toml"))
    found = CheckSummary(part, datetime.now(UTC), number, True)
    warning = record([(place, found)], 20)
    print(warning or number, flush=True)
"""


def appending(name: str, most: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", APPEND, name, str(most)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def kept(name: str) -> list[float]:
    checks = read_history(CheckTarget(Environment(name, "https://a.b"), config=Path("c.toml")))[1]
    return sorted(each.seconds for each in checks)


@pytest.mark.timeout(300)
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_process_loses_nothing_that_it_was_told_is_written() -> None:
    dice = random.Random(12)
    for run in range(10):
        with appending(f"killed{run}", 100_000) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(dice.randrange(1, 40))]
            time.sleep(dice.random() / 50)
            process.send_signal(signal.SIGKILL)
            lines += process.stdout.readlines()
        told = [int(each) for each in lines if each.endswith("\n")]
        assert told == list(range(len(told)))
        with closing(sqlite3.connect(history_file())) as opened:
            assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = [row for part in range(len(told) // 400 + 1) for row in kept(f"killed{run}-{part}")]
        # At most the one that it could not tell of any more.
        assert rows[: len(told)] == told
        assert len(rows) <= len(told) + 1


@pytest.mark.timeout(300)
def test_many_processes_at_once() -> None:
    processes = [appending("same", 40) for _ in range(6)]
    said = [process.communicate()[0].split() for process in processes]
    assert said == [[str(number) for number in range(40)]] * 6
    assert kept("same-0") == sorted([*range(40)] * 6)
    place = CheckTarget(Environment("same-0", "https://a.b"), config=Path("c.toml"))
    assert outcomes(place) == [("ok", 240)]


async def test_a_machine_that_gives_out_ends_no_check(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_descriptors(_: object, patience: float = 0.0) -> str:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(history, "record", without_descriptors)
    monkeypatch.setattr(history, "recall", without_descriptors)
    told: list[str] = []
    writer = HistoryWriter(told.append)
    assert await HistoryReader([target()]).since(summary()) is None
    for _ in range(2):
        writer.add(target(), summary())
        writer.close()
    assert len(told) == 1
    assert told[0].startswith("not in the history: ")
