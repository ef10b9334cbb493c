"""What is remembered of a stamp: it comes back as it was, and no file of any kind does harm."""

from __future__ import annotations

import asyncio
import fcntl
import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stacktui.check.events import CheckFinished, StepFinished
from stacktui.check.report import Report
from stacktui.check.runner import run
from stacktui.check.settings import load_settings
from stacktui.check.step_names import StepName
from stacktui.check.target import CheckTarget
from stacktui.config.atomic import PATIENCE, PRIVATE
from stacktui.config.locations import config_root, stamps_file
from stacktui.diagnosis import diagnose
from stacktui.diagnosis.document import report_document
from stacktui.diagnosis.finding import Side
from stacktui.environments.metadata import IdentityProvider, Metadata
from stacktui.environments.model import CloudKey, Environment
from stacktui.environments.record import (
    MAX_SIZE,
    VERSION,
    RecordError,
    RecordFault,
    StampRecord,
    drifts,
    is_recordable,
    more_of,
    read_record,
    record_first,
    write_record,
)
from stacktui.text.sanitize import HELD_BACK, Redactor
from stacktui.transport.limits import Limits
from tests.diagnosis.servers import Script, config_for, said, scripted

CONFIG = Path("/home/ops/config.toml")
WEST = Environment("West", "https://management.west.example")
WHEN = datetime(2026, 5, 3, 8, 0, 12, tzinfo=UTC)
RECORD = StampRecord(WEST.arm, "https://adfs.west.example/adfs", "https://arm/1", WHEN, b"\x30\x01")
# A read or a write that takes longer holds up a check.
AT_ONCE = 2.0


@pytest.fixture(autouse=True)
def _place(tmp_path: Path) -> Iterator[None]:
    with config_root(tmp_path):
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
    ends=st.tuples(st.binary(max_size=60), st.binary(max_size=60)),
    when=st.datetimes(timezones=st.just(UTC)).map(lambda each: each.replace(microsecond=0)),
)
def test_anything_that_is_recorded_comes_back(
    name: str, login: str, audience: str, ends: tuple[bytes, bytes], when: datetime
) -> None:
    environment = Environment(name, WEST.arm)
    record = StampRecord(WEST.arm, login, audience, when, *ends)
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
        {"recorded": "0001-01-01T00:00:00+14:00"},
        {"recorded": "9999-12-31T23:59:59-14:00"},
        {"top": "*"},
        {"top": "\u20ac"},
        {"top": None},
        {"root": "*"},
        {"root": 7},
        {"more": {}},
    ],
)
def test_a_row_that_is_not_ours_makes_the_file_none_of_ours(changed: dict[str, object]) -> None:
    content = row(**changed)
    stamps_file().write_bytes(content)
    assert unreadable() == "it is damaged"
    assert stamps_file().read_bytes() == content


def unreadable() -> str:
    """What keeps the file from being read, written and recorded in, which leave it as it is."""
    with pytest.raises(RecordError) as caught:
        read_record(CONFIG, WEST)
    fault = caught.value.fault
    assert fault.path == stamps_file()
    assert str(caught.value).isprintable()
    assert write_record(CONFIG, WEST, RECORD) == str(caught.value)
    assert write_record(CONFIG, WEST, None) == str(caught.value)
    record_first(CONFIG, WEST, RECORD, PATIENCE)
    with pytest.raises(RecordError):
        read_record(CONFIG, WEST)
    return fault.detail


def test_what_another_adds_to_a_row_is_kept() -> None:
    stamps_file().write_bytes(row(more="of a later day"))
    assert read_record(CONFIG, WEST) == RECORD
    write_record(CONFIG, Environment("East", WEST.arm), RECORD)
    assert "of a later day" in stamps_file().read_text()


def test_a_config_is_the_same_through_a_link(tmp_path: Path) -> None:
    folder, link = tmp_path / "folder", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(folder)
    write_record(folder / "config.toml", WEST, RECORD)
    assert read_record(link / "config.toml", WEST) == RECORD


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
def test_any_bytes_are_reported_and_left_as_they_are(content: bytes) -> None:
    stamps_file().write_bytes(content)
    assert unreadable()
    assert stamps_file().read_bytes() == content


def test_an_empty_memory_is_no_record() -> None:
    stamps_file().write_bytes(b'{"version": 1, "stamps": {}}')
    assert read_record(CONFIG, WEST) is None


def test_a_file_of_another_version_is_not_read() -> None:
    content = row().replace(b'"version": %d' % VERSION, b'"version": %d' % (VERSION + 1))
    stamps_file().write_bytes(content)
    assert unreadable() == "it is of version 2, not 1"
    assert stamps_file().read_bytes() == content


@pytest.mark.parametrize("size", [MAX_SIZE + 1, 5 * 1024 * 1024, 1 << 34])
def test_a_huge_file_is_not_read_to_its_end(size: int) -> None:
    stamps_file().write_bytes(row())
    with stamps_file().open("r+b") as file:
        file.seek(0, os.SEEK_END)
        file.write(b" " * (min(size, MAX_SIZE + 1) - file.tell()))
        file.truncate(size)  # the rest takes no room on the disk
    started = time.monotonic()
    assert unreadable() == "it is damaged"
    assert time.monotonic() - started < AT_ONCE
    assert stamps_file().stat().st_size == size


def test_as_many_environments_as_anybody_has_are_kept(tmp_path: Path) -> None:
    """A file that our own writing would make too large to read would be lost as a whole."""
    record = StampRecord(WEST.arm, RECORD.login_endpoint, RECORD.audience, WHEN, bytes(1500))
    write_record(CONFIG, WEST, record)
    assert stamps_file().stat().st_size * 1000 < MAX_SIZE


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        ("fifo", "it is no file"),
        ("folder", "it is no file"),
        ("link to itself", "Too many levels of symbolic links"),
        ("link to nothing", "it is a link to {}/nowhere, which leads to no file"),
    ],
)
def test_what_is_no_file_holds_nothing_up(kind: str, detail: str, tmp_path: Path) -> None:
    place = stamps_file()
    match kind:
        case "fifo":
            os.mkfifo(place)
        case "folder":
            place.mkdir()
        case "link to itself":
            place.symlink_to(place)
        case _:
            place.symlink_to(tmp_path / "nowhere")
    detail = detail.format(tmp_path)
    started = time.monotonic()
    assert read_detail() == detail
    assert write_record(CONFIG, WEST, RECORD).startswith(str(place))
    record_first(CONFIG, WEST, RECORD, PATIENCE)
    assert time.monotonic() - started < AT_ONCE
    assert read_detail() == detail
    assert [each.name for each in tmp_path.iterdir()] == [place.name]


def read_detail() -> str:
    with pytest.raises(RecordError) as caught:
        read_record(CONFIG, WEST)
    return caught.value.fault.detail


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
@pytest.mark.parametrize("locked", ["file", "folder"])
def test_what_may_not_be_read_is_not_taken_for_nothing(locked: str, tmp_path: Path) -> None:
    write_record(CONFIG, WEST, RECORD)
    place = stamps_file() if locked == "file" else tmp_path
    place.chmod(0)
    try:
        assert read_detail() == "Permission denied"
    finally:
        place.chmod(0o700)


# What a check records by itself


def test_a_first_check_records_what_nobody_knew() -> None:
    record_first(CONFIG, WEST, RECORD, PATIENCE)
    assert read_record(CONFIG, WEST) == RECORD


def test_what_was_accepted_meanwhile_stays() -> None:
    write_record(CONFIG, WEST, RECORD)
    for moved in (timedelta(hours=-1), timedelta(hours=1)):
        other = replace(RECORD, audience="https://evil", recorded=WHEN + moved)
        record_first(CONFIG, WEST, other, PATIENCE)
        assert read_record(CONFIG, WEST) == RECORD


@pytest.mark.parametrize(("moved", "stays"), [(-1, True), (0, True), (0.9, True), (1, False)])
def test_another_endpoint_s_record_stays_if_it_is_newer(moved: float, stays: bool) -> None:
    """Of a check that began before `arm` was changed and the new stamp accepted."""
    here = Environment("West", "https://management.elsewhere.example")
    began = WHEN + timedelta(seconds=moved)
    write_record(CONFIG, WEST, RECORD)
    record_first(CONFIG, here, replace(RECORD, arm=here.arm, recorded=began), PATIENCE)
    assert (read_record(CONFIG, WEST) == RECORD) == stays
    assert (read_record(CONFIG, here) is None) == stays


def test_a_first_check_waits_for_another_writer_and_says_when_it_gives_up(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    why = record_first(CONFIG, WEST, RECORD, 0.1)
    assert "another program holds its folder locked" in why or "cannot be written" in why
    assert read_record(CONFIG, WEST) is None
    release = threading.Timer(0.3, os.close, [descriptor])
    release.start()
    assert record_first(CONFIG, WEST, RECORD, PATIENCE) == ""
    release.join()
    assert read_record(CONFIG, WEST) == RECORD


def test_a_record_of_an_earlier_version_gets_its_root_and_keeps_the_rest() -> None:
    whole = replace(RECORD, root=b"\x30\x02")
    write_record(CONFIG, WEST, RECORD)
    (row,) = stored()["stamps"].values()
    assert "root" not in row  # as earlier versions wrote it
    assert record_first(CONFIG, WEST, whole, PATIENCE) == ""
    assert read_record(CONFIG, WEST) == whole
    (row,) = stored()["stamps"].values()
    assert (row["top"], row["root"]) == ("MAE=", "MAI=")
    assert record_first(CONFIG, WEST, replace(whole, root=b"\x30\x03"), PATIENCE) == ""
    assert read_record(CONFIG, WEST) == whole


def test_the_rest_of_the_metadata_comes_back_and_an_older_record_gets_it() -> None:
    seen = replace(
        metadata(), tenant="adfs", graph="https://graph.west.example/", keyvault_suffix="v.example",
        login_as_given=f"{RECORD.login_endpoint}/", storage_suffix="west.example",
        derived=frozenset({CloudKey.STORAGE_SUFFIX}),
    )  # fmt: skip
    write_record(CONFIG, WEST, RECORD)
    assert record_first(CONFIG, WEST, replace(RECORD, more=more_of(seen)), PATIENCE) == ""
    found = read_record(CONFIG, WEST)
    assert found is not None
    west = Environment("West", "https://management.west.contoso.example")
    as_recorded = replace(found, arm=west.arm).metadata
    assert as_recorded == replace(seen, storage_suffix="west.contoso.example")
    assert as_recorded.login_as_given == f"{RECORD.login_endpoint}/"
    assert as_recorded.derived == seen.derived
    assert not found.is_whole
    assert replace(found, more=more_of(seen, both_shapes=True)).is_whole
    old = replace(RECORD, arm=west.arm).metadata
    assert old.keyvault_suffix == ".vault.west.contoso.example"
    assert old.derived == {CloudKey.STORAGE_SUFFIX, CloudKey.KEYVAULT_SUFFIX}


def test_a_place_that_cannot_be_written_is_reported_in_one_harmless_line(tmp_path: Path) -> None:
    folder = tmp_path / "a\x1b[2Jb"
    folder.write_text("no folder")
    with config_root(folder):
        trouble = write_record(CONFIG, WEST, RECORD)
        assert read_record(CONFIG, WEST) is None
    assert trouble.isprintable()
    assert "cannot be written" in trouble


def _write_many(folder: Path, number: int, gate: Any) -> None:
    with config_root(folder):
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
    redactor = Redactor()
    assert drifts(RECORD, metadata(), redactor) == ()
    (login,) = drifts(RECORD, metadata(login="https://evil.example/adfs"), redactor)
    assert (login.field, login.seen) == ("login endpoint", "https://evil.example/adfs")
    (audience,) = drifts(RECORD, metadata(audience="https://arm/1/"), redactor)
    assert (audience.recorded, audience.seen) == ("https://arm/1", "https://arm/1/")
    both = drifts(RECORD, metadata("https://x", "y"), redactor)
    assert [each.field for each in both] == ["login endpoint", "audience"]


@pytest.mark.parametrize(
    ("login", "same"),
    [
        ("https://ADFS.West.Example/adfs", True),
        ("HTTPS://adfs.west.example:443/ADFS/", True),
        ("https://adfs.west.example/adfs/", True),
        ("https://adfs.west.example/", False),
        ("https://adfs.west.example:8443/adfs", False),
        ("https://adfs.west.example:0/adfs", False),
        ("https://adfs.west.example./adfs", False),
        ("https://adfs.west.example@evil.example/adfs", False),
        ("https://me@adfs.west.example/adfs", False),
        ("https://adfs.west.example/adfs?to=evil", False),
        ("https://adfs.west.example/adfs/oauth2", False),
        ("https://adfs.we\nst.example/adfs", False),
        ("https://adfs.we\u017ft.example/adfs", False),  # a letter whose capital is S
        ("https://[", False),
    ],
)
def test_a_login_endpoint_is_compared_by_where_it_is(login: str, same: bool) -> None:
    assert (drifts(RECORD, metadata(login=login), Redactor()) == ()) == same


def test_another_path_than_ad_fs_s_has_letters_that_count() -> None:
    record = replace(RECORD, login_endpoint="https://login.example/Tenant")
    assert drifts(record, metadata(login="https://LOGIN.example/Tenant"), Redactor()) == ()
    assert drifts(record, metadata(login="https://login.example/tenant"), Redactor())


def test_drift_shows_nothing_hostile_and_nothing_secret() -> None:
    redactor = Redactor()
    redactor.add_secret("kept-between-us-8817")
    found = drifts(RECORD, metadata("https://x/\x1b[2J", "kept-between-us-8817"), redactor)
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
    redactor = Redactor()
    redactor.add_secret("kept-between-us-8817")
    for found in (metadata(audience=audience), metadata(login=audience)):
        record = StampRecord(WEST.arm, found.login_endpoint, found.audience, WHEN, b"")
        assert is_recordable(record, redactor) == may


def test_a_check_does_not_wait_for_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(stamps_file())

    async def check() -> None:
        async for _ in run(CheckTarget(Environment("West", "https://127.0.0.1:9"))):
            pass

    started = time.monotonic()
    asyncio.run(check())
    assert time.monotonic() - started < 5


async def checked(target: CheckTarget) -> Report:
    last = [event async for event in run(target)][-1]
    assert isinstance(last, CheckFinished)
    return last.report


@pytest.mark.parametrize(
    "spoil",
    [
        lambda place: place.write_bytes(place.read_bytes()[:-3]),
        lambda place: place.write_bytes(place.read_bytes().replace(b": 1", b": 2")),
        lambda place: place.unlink() or place.symlink_to("nowhere"),
        lambda place: place.unlink() or place.mkdir(),
    ],
    ids=["cut short", "another version", "a link to nothing", "a folder"],
)
async def test_no_secret_is_sent_where_nobody_knows_where_it_went(
    spoil: Callable[[Path], object], tmp_path: Path
) -> None:
    script = Script()
    async with scripted(Script()) as elsewhere, scripted(script) as web:
        target = load_settings(config_for(tmp_path, web.url)).target()
        assert (await checked(target)).ok
        moved = {"loginEndpoint": f"{elsewhere.url}/adfs", "audiences": ["https://arm/1"]}
        script.metadata = said({"authentication": moved})
        spoil(stamps_file())
        report = await checked(target)
        assert elsewhere.asked == []
        # Without an identity nothing is sent that anybody could take.
        assert (await checked(replace(target, identity=None))).ok
    assert report.failed is report.steps[0]
    assert isinstance(report.steps[0].evidence.fault, RecordFault)
    assert report.recorded is None
    found = diagnose(report).verdict
    assert found is not None
    assert (found.id, found.side) == ("record-unreadable", Side.BOX)
    with pytest.raises(RecordError):  # the checks have not changed it
        read_record(tmp_path / "config.toml", target.environment)


async def test_what_could_not_be_recorded_is_in_the_report(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        async with scripted(Script()) as web:
            target = load_settings(config_for(tmp_path, web.url)).target()
            limits = Limits(step=1.0)
            report = await checked(
                replace(target, environment=replace(target.environment, limits=limits))
            )
    finally:
        os.close(descriptor)
    assert report.ok
    assert str(stamps_file()) in report.unrecorded
    assert not stamps_file().exists()
    diagnosis = diagnose(report)
    (finding,) = [each for each in diagnosis.also_seen if each.id == "record-unwritten"]
    assert (diagnosis.verdict, finding.side) == (None, Side.BOX)
    assert finding.evidence == (report.unrecorded,)
    assert report_document(report, diagnosis)["unrecorded"] == report.unrecorded


async def test_what_is_accepted_during_a_check_stays(tmp_path: Path) -> None:
    script = Script()
    async with scripted(script) as web:
        target = load_settings(config_for(tmp_path, web.url)).target()
        accepted = replace(RECORD, arm=target.environment.arm)
        async for event in run(target):
            if isinstance(event, StepFinished) and event.step.name == StepName.TOKEN:
                assert write_record(tmp_path / "config.toml", target.environment, accepted) == ""
    assert isinstance(event, CheckFinished)
    assert event.report.ok
    assert read_record(tmp_path / "config.toml", target.environment) == accepted


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
        report = await checked(target)
    assert report.ok
    recorded = "secret" not in audience
    assert (stamps_file().exists(), report.unrecorded == "") == (recorded, recorded)
