"""What is remembered of a stamp: it comes back as it was, and no file of any kind does harm."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stacktui.check.events import CheckFinished
from stacktui.check.pipeline import run
from stacktui.check.settings import load_settings
from stacktui.check.target import Target
from stacktui.config.atomic import PRIVATE
from stacktui.config.locations import kept_in, stamps_file
from stacktui.environments.metadata import IdentityProvider, Metadata
from stacktui.environments.model import Environment
from stacktui.environments.record import (
    MAX_SIZE,
    VERSION,
    StampRecord,
    drifts,
    is_recordable,
    read_record,
    record_of,
    write_record,
)
from stacktui.transport.text import HELD_BACK, Cleaner
from tests.diagnosis.servers import Script, config_for, said, scripted

CONFIG = Path("/home/ops/config.toml")
WEST = Environment("West", "https://management.west.example")
WHEN = datetime(2026, 5, 3, 8, 0, 12, tzinfo=UTC)
RECORD = StampRecord(WEST.arm, "https://adfs.west.example/adfs", "https://arm/1", WHEN, b"\x30\x01")
# A read or a write that takes longer holds up a check.
AT_ONCE = 2.0


@pytest.fixture(autouse=True)
def _place(tmp_path: Path) -> Iterator[None]:
    with kept_in(tmp_path):
        yield


def metadata(login: str = RECORD.login_endpoint, audience: str = RECORD.audience) -> Metadata:
    return Metadata("2015-01-01", login, audience, IdentityProvider.ADFS)


def stored() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(stamps_file().read_bytes())
    return document


def test_what_was_recorded_comes_back() -> None:
    assert read_record(CONFIG, WEST) is None
    assert write_record(CONFIG, WEST, RECORD) == ""
    assert read_record(CONFIG, WEST) == RECORD
    assert stamps_file().stat().st_mode & 0o777 == PRIVATE


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    name=st.text(max_size=20),
    login=st.text(max_size=60),
    audience=st.text(max_size=60),
    top=st.binary(max_size=60),
    when=st.datetimes(timezones=st.just(UTC)).map(lambda each: each.replace(microsecond=0)),
)
def test_anything_that_is_recorded_comes_back(
    name: str, login: str, audience: str, top: bytes, when: datetime
) -> None:
    environment = Environment(name, WEST.arm)
    record = StampRecord(WEST.arm, login, audience, when, top)
    assert write_record(CONFIG, environment, record) == ""
    assert read_record(CONFIG, environment) == record


def test_a_time_of_another_zone_is_the_same_moment() -> None:
    there = WHEN.astimezone(timezone(timedelta(hours=9)))
    write_record(CONFIG, WEST, StampRecord(WEST.arm, "https://l", "a", there))
    found = read_record(CONFIG, WEST)
    assert found is not None
    assert (found.recorded, found.recorded.tzinfo) == (WHEN, UTC)


def test_forgetting_takes_one_and_leaves_the_others() -> None:
    east = Environment("East", WEST.arm)
    for each in (WEST, east):
        write_record(CONFIG, each, RECORD)
    assert write_record(CONFIG, WEST, None) == ""
    assert read_record(CONFIG, WEST) is None
    assert read_record(CONFIG, east) == RECORD
    assert write_record(CONFIG, WEST, None) == ""  # what is not there can be forgotten too


def test_a_record_is_of_its_config_and_name_and_arm_endpoint() -> None:
    write_record(CONFIG, WEST, RECORD)
    assert read_record(CONFIG.with_name("other.toml"), WEST) is None
    assert read_record(CONFIG, Environment("west", WEST.arm)) is None
    assert read_record(CONFIG, Environment("West", f"{WEST.arm}:8443")) is None
    assert read_record(CONFIG, WEST) == RECORD


def test_a_config_is_the_same_by_its_relative_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    write_record(Path("config.toml"), WEST, RECORD)
    assert read_record(Path("/config.toml"), WEST) == RECORD


def row(**changed: object) -> bytes:
    """A whole file whose only row differs from a good one."""
    write_record(CONFIG, WEST, RECORD)
    document = stored()
    (key,) = document["stamps"]
    document["stamps"][key] |= changed
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "changed",
    [
        {"login_endpoint": None},
        {"login_endpoint": 7},
        {"audience": ["https://arm/1"]},
        {"arm": {"a": 1}},
        {"recorded": "yesterday"},
        {"recorded": 0},
        {"top": "*"},
        {"top": "\u20ac"},
        {"top": None},
    ],
)
def test_a_row_that_is_not_ours_is_none_and_is_replaced(changed: dict[str, object]) -> None:
    stamps_file().write_bytes(row(**changed))
    assert read_record(CONFIG, WEST) is None
    assert write_record(CONFIG, WEST, RECORD) == ""
    assert read_record(CONFIG, WEST) == RECORD


def test_a_time_without_a_zone_is_utc() -> None:
    stamps_file().write_bytes(row(recorded="2026-05-03T08:00:12"))
    found = read_record(CONFIG, WEST)
    assert found is not None
    assert found.recorded == WHEN


def nested(levels: int) -> bytes:
    return b'{"version": 1, "stamps": {"x": ' + b"[" * levels + b"]" * levels + b"}}"


ODD = (
    b"", b"\0", b"null", b"[]", b'"text"', b"\xff\xfe{\x00}\x00", b'{"version": 1}',
    b'{"version": 1, "stamps": []}', b'{"version": 1, "stamps": {"x": {}, "y": null}}',
    b'{"version": true, "stamps": {"\\ud800": "\\udfff"}}', b'{"version": 1e999}',
    b'{"version": ' + b"9" * 5000 + b"}", b"[" * 100_000, b'{"a":' * 100_000,
    *map(nested, (300, 700, 900, 980)),
    b'{"version": 1, "stamps": {"x": NaN}}',
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=200) | st.sampled_from(ODD))
@example(nested(900))
def test_any_bytes_are_no_record_and_are_healed(content: bytes) -> None:
    stamps_file().write_bytes(content)
    assert read_record(CONFIG, WEST) is None
    assert write_record(CONFIG, WEST, RECORD) == ""
    assert read_record(CONFIG, WEST) == RECORD


def test_a_file_of_another_version_is_not_read() -> None:
    content = row().replace(b'"version": %d' % VERSION, b'"version": %d' % (VERSION + 1))
    stamps_file().write_bytes(content)
    assert read_record(CONFIG, WEST) is None
    assert stamps_file().read_bytes() == content  # reading changes nothing


@pytest.mark.parametrize("size", [MAX_SIZE + 1, 5 * 1024 * 1024, 1 << 34])
def test_a_huge_file_is_not_read_to_its_end(size: int) -> None:
    stamps_file().write_bytes(row())
    with stamps_file().open("r+b") as file:
        file.seek(0, os.SEEK_END)
        file.write(b" " * (min(size, MAX_SIZE + 1) - file.tell()))
        file.truncate(size)  # the rest takes no room on the disk
    started = time.monotonic()
    assert read_record(CONFIG, WEST) is None
    assert write_record(CONFIG, WEST, RECORD) == ""
    assert time.monotonic() - started < AT_ONCE
    assert read_record(CONFIG, WEST) == RECORD


def test_as_many_environments_as_anybody_has_are_kept(tmp_path: Path) -> None:
    """A file that our own writing would make too large to read would be lost as a whole."""
    record = StampRecord(WEST.arm, RECORD.login_endpoint, RECORD.audience, WHEN, bytes(1500))
    write_record(CONFIG, WEST, record)
    assert stamps_file().stat().st_size * 1000 < MAX_SIZE


@pytest.mark.parametrize("kind", ["fifo", "folder", "link to itself"])
def test_what_is_no_file_holds_nothing_up(kind: str, tmp_path: Path) -> None:
    place = stamps_file()
    match kind:
        case "fifo":
            os.mkfifo(place)
        case "folder":
            place.mkdir()
        case _:
            place.symlink_to(place)
    started = time.monotonic()
    assert read_record(CONFIG, WEST) is None
    trouble = write_record(CONFIG, WEST, RECORD)
    assert time.monotonic() - started < AT_ONCE
    if kind == "fifo":
        assert (trouble, read_record(CONFIG, WEST)) == ("", RECORD)
    else:
        assert trouble.startswith(str(place))


def test_a_place_that_cannot_be_written_is_told_in_one_harmless_line(tmp_path: Path) -> None:
    folder = tmp_path / "a\x1b[2Jb"
    folder.write_text("no folder")
    with kept_in(folder):
        trouble = write_record(CONFIG, WEST, RECORD)
        assert read_record(CONFIG, WEST) is None
    assert trouble.isprintable()
    assert "cannot be written" in trouble


def _write_many(folder: Path, number: int, gate: Any) -> None:
    with kept_in(folder):
        gate.wait()
        for each in range(10):
            trouble = write_record(CONFIG, Environment(f"{number}-{each}", WEST.arm), RECORD)
            assert trouble == "", trouble


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    spawned = multiprocessing.get_context("spawn")
    gate = spawned.Barrier(3)
    writers = [
        spawned.Process(target=_write_many, args=(tmp_path, number, gate)) for number in range(3)
    ]
    for each in writers:
        each.start()
    for each in writers:
        each.join(60)
    assert [each.exitcode for each in writers] == [0, 0, 0]
    assert len(stored()["stamps"]) == 30
    assert {path.name for path in tmp_path.iterdir()} == {stamps_file().name}


# What differs, and what may be recorded at all


def test_only_what_says_where_secrets_go_is_drift() -> None:
    cleaner = Cleaner()
    assert drifts(RECORD, metadata(), cleaner) == ()
    (login,) = drifts(RECORD, metadata(login="https://evil.example/adfs"), cleaner)
    assert (login.field, login.seen) == ("login endpoint", "https://evil.example/adfs")
    (audience,) = drifts(RECORD, metadata(audience="https://arm/1/"), cleaner)
    assert (audience.recorded, audience.seen) == ("https://arm/1", "https://arm/1/")
    both = drifts(RECORD, metadata("https://x", "y"), cleaner)
    assert [each.field for each in both] == ["login endpoint", "audience"]


def test_drift_shows_nothing_hostile_and_nothing_secret() -> None:
    cleaner = Cleaner()
    cleaner.hide("kept-between-us-8817")
    found = drifts(RECORD, metadata("https://x/\x1b[2J", "kept-between-us-8817"), cleaner)
    assert all(each.seen.isprintable() for each in found)
    assert not any("8817" in each.seen for each in found)


@pytest.mark.parametrize(
    ("audience", "may"),
    [
        ("https://arm/1", True),
        ("https://arm/kept-between-us-8817", False),
        ("https://arm/a2VwdC1iZXR3ZWVuLXVzLTg4MTc", False),  # in base64
        ("https://arm/7188-su-neewteb-tpek", False),  # backwards
        (HELD_BACK, True),  # text like any other
        ("https://arm/\x1b[2J", False),
        ("https://arm/\u202e", False),
        ("x" * 400, True),
        ("x" * 401, False),
    ],
)
def test_what_must_be_hidden_is_not_recorded(audience: str, may: bool) -> None:
    cleaner = Cleaner()
    cleaner.hide("kept-between-us-8817")
    for found in (metadata(audience=audience), metadata(login=audience)):
        record = record_of(WEST, found, (b"leaf", b"top"), WHEN)
        assert record.top == b"top"
        assert is_recordable(record, cleaner) == may


def test_without_a_chain_there_is_no_top() -> None:
    assert record_of(WEST, metadata(), (), WHEN).top == b""


def test_a_check_does_not_wait_for_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(stamps_file())

    async def check() -> None:
        async for _ in run(Target(Environment("West", "https://127.0.0.1:9"))):
            pass

    started = time.monotonic()
    asyncio.run(check())
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("audience", ["https://arm/1", "https://arm/a-secret-of-ours"])
async def test_a_good_check_records_no_secret_that_the_stamp_echoes(
    audience: str, tmp_path: Path
) -> None:
    """It has got to know it before, and is trusted and works."""
    script = Script()
    async with scripted(script) as web:
        login = {"loginEndpoint": f"{web.url}/adfs", "audiences": [audience]}
        script.metadata = said({"authentication": login})
        target = load_settings(config_for(tmp_path, web.url)).target()
        last = [event async for event in run(target)][-1]
    assert isinstance(last, CheckFinished)
    assert last.report.ok
    assert stamps_file().exists() == ("secret" not in audience)
