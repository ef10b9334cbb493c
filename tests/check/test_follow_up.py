"""What is looked at after a failure never costs the verdict, a process, or the end of ours."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from stacktui.check import follow_up
from stacktui.check.events import CheckFinished
from stacktui.check.follow_up import FollowUp, FollowUpProber
from stacktui.check.report import Report
from stacktui.check.runner import run
from stacktui.check.settings import load_settings
from tests.diagnosis.servers import Script, config_for, document_on, scripted
from tests.product import check_json
from tests.support.authority import STRANGERS, server_context
from tests.support.interrupts import interrupt, started
from tests.support.publishing import naming

ROOT = naming("Tailspin Trust", None)
ISSUER = naming("Tailspin CA 1", ROOT)

# A product in which one function of a module waits for something that never comes.
STUCK = """
import pathlib, sys, time
import {module} as module
mark = pathlib.Path(sys.argv.pop())
def stuck(*_args, **_named):
    mark.touch()
    time.sleep(60)
module.{name} = stuck
from stacktui.cli.main import main
main()
"""


async def looked(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *urls: str
) -> tuple[Report, FollowUp]:
    """A check of a server whose certificate names these addresses of its issuer's."""
    seen: list[FollowUp] = []
    look = FollowUpProber.probe

    async def watched(*arguments: object) -> FollowUp:
        seen.append(await look(*arguments))  # type: ignore[arg-type]
        return seen[-1]

    monkeypatch.setattr(FollowUpProber, "probe", watched)
    leaf = naming("localhost", ISSUER, *urls, names=["localhost"])
    async with scripted(Script(), server_context(leaf)) as web:
        target = load_settings(config_for(folder, web.url, roots=(ROOT,))).target()
        last = [event async for event in run(target)][-1]
    assert isinstance(last, CheckFinished)
    return last.report, seen[0]


HOSTILE = (
    "http://127.0.0.1:99999/a", "http://127.0.0.1:-1/", "http://0.0.0.0:65536/", "http://[",
    "http://[::ffff:127.0.0.1]:70000/", "http://[fe80::1%25nope]/a", "http://a@localhost:80/",
    "http://localhost:0/", "http://" + "9" * 300 + "/", "http://%00/", "http://[::1]/",
)  # fmt: skip


@pytest.mark.parametrize("url", HOSTILE)
async def test_no_address_is_a_defect(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report, after = await looked(tmp_path, monkeypatch, url)
    assert after.defects == ()
    assert report.failed is not None
    assert report.completion is not None
    assert [line[: len(url)] for line in report.completion.unanswered] == [url]


async def test_a_defect_of_ours_costs_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> bytes | str:
        raise ExceptionGroup("ours", [OverflowError("port")])

    monkeypatch.setattr(follow_up, "fetch_public", broken)
    report, after = await looked(tmp_path, monkeypatch, "http://ca.example/")
    assert [type(each) for each in after.defects] == [ExceptionGroup]
    assert report.failed is not None
    assert report.completion is None


async def test_no_process_is_started(tmp_path: Path) -> None:
    """An `az` of no known form is asked for its version elsewhere, but not here."""
    az = tmp_path / "bin" / "az"
    az.parent.mkdir()
    az.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexec sleep 100\n")
    az.chmod(0o755)
    path = f"{az.parent}{os.pathsep}{os.environ['PATH']}"
    async with scripted(Script()) as web:
        found = await document_on(
            tmp_path, web.url, roots=(STRANGERS.root,), variables={"PATH": path}
        )
    assert found["verdict"]["id"] == "tls-untrusted-root"
    assert found["completion"] is not None
    assert not (tmp_path / "ran").exists()


def stuck_in(module: str, name: str, config: Path, mark: Path) -> list[str]:
    code = STUCK.format(module=module, name=name)
    check = ["check", "--format", "json", "--config", str(config)]
    return [sys.executable, "-c", code, *check, str(mark)]


async def reached(mark: Path) -> None:
    async with asyncio.timeout(30):
        while not mark.exists():  # noqa: ASYNC110, ASYNC240 - another process makes it
            await asyncio.sleep(0.02)


async def test_ctrl_c_ends_a_look_at_a_store_that_hangs(tmp_path: Path) -> None:
    mark = tmp_path / "reached"
    async with scripted(Script()) as web:
        config = config_for(tmp_path, web.url, roots=(STRANGERS.root,))
        command = stuck_in("stacktui.certificates.chain_completion", "find_stores", config, mark)
        with started(command) as process:
            await reached(mark)
            await asyncio.to_thread(interrupt, process)


# By which there is something to look at.
SOMETHING_OF_AZ = ("ADAL_PYTHON_SSL_NO_VERIFY", "1")


async def test_an_az_that_cannot_be_read_keeps_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(*SOMETHING_OF_AZ)
    mark = tmp_path / "reached"
    async with scripted(Script()) as web:
        config = config_for(tmp_path, web.url)
        begun = time.monotonic()
        with started(stuck_in("stacktui.check.local_facts", "az_facts", config, mark)) as process:
            out, err = await asyncio.to_thread(process.communicate, timeout=30)
        assert (process.returncode, err) == (0, b""), out
    assert mark.exists()
    assert time.monotonic() - begun < 15


async def test_ctrl_c_ends_a_wait_for_what_az_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(*SOMETHING_OF_AZ)
    mark = tmp_path / "reached"
    async with scripted(Script()) as web:
        config = config_for(tmp_path, web.url)
        with started(stuck_in("stacktui.check.local_facts", "az_facts", config, mark)) as process:
            await reached(mark)
            await asyncio.to_thread(interrupt, process)


async def test_a_healthy_check_looks_at_nothing_more(tmp_path: Path) -> None:
    async with scripted(Script()) as web:
        ran = await asyncio.to_thread(check_json, config_for(tmp_path, web.url))
    assert (ran.document["probes"], ran.document["completion"]) == ([], None)
