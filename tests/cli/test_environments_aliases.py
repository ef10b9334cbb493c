"""`stacktui environments aliases` from outside, on a stamp."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stacktui.config.locations import own_files
from stacktui.environments.alias_document import SAMPLE, parse_aliases, render_aliases
from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from stacktui.text.sanitize import Redactor
from tests.product import Ran, stacktui, write_config
from tests.support.pasted import on_terminal
from tests.support.web import answer, serving_plain

DOMAIN = "local.azurestack.external"


@pytest.fixture(scope="module")
def stamp() -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(domain=DOMAIN)) as running:
        yield running


@pytest.fixture
def config(stamp: RunningStamp, tmp_path: Path) -> Path:
    return with_url(tmp_path, stamp, stamp.vm_image_aliases)


def with_url(folder: Path, stamp: RunningStamp, url: str) -> Path:
    setting = f'vm_image_aliases = "{url}"' if url else ""
    return write_config(folder, stamp.describe(), environment=setting)


def aliases(config: Path, *options: str | Path) -> Ran:
    return stacktui("environments", "aliases", "--config", config, *options)


def test_the_table(config: Path) -> None:
    ran = aliases(config)
    assert (ran.code, ran.err) == (0, "")
    first, second, _, last = ran.out.splitlines()
    assert last.endswith(" MicrosoftWindowsServer:WindowsServer:2019-Datacenter:2019.0.20190410")
    assert first.split() == ["UbuntuLTS", "Linux", "x64", "Canonical:UbuntuServer:18.04-LTS:latest"]
    assert second.split() == ["CentOS", "Linux", "x64", "OpenLogic:CentOS:7.5:latest"]


def test_no_identity_and_no_token_is_needed_for_the_table(
    stamp: RunningStamp, tmp_path: Path
) -> None:
    config = with_url(tmp_path, stamp, stamp.vm_image_aliases)
    config.write_text(config.read_text().replace('identity = "tester"\n', ""))
    before = len(stamp.requests)
    assert aliases(config).code == 0
    (asked,) = stamp.requests[before:]
    assert (asked.path, asked.authorized) == ("/aliases.json", False)
    refused = aliases(config, "--check")
    assert (refused.code, "has no identity to sign in with" in refused.err) == (2, True)


def test_check_says_what_is_there_and_the_urn_to_use(config: Path) -> None:
    ran = aliases(config, "--check")
    assert (ran.code, ran.err) == (1, "")
    lines = ran.out.splitlines()
    assert lines[0].startswith("✓ UbuntuLTS ")
    assert lines[1].strip() == "use Canonical:UbuntuServer:18.04-LTS:18.04.202204190"
    assert lines[2].startswith("✗ CentOS ")
    assert "no publisher OpenLogic; it has Canonical, MicrosoftWindowsServer, SUSE" in lines[3]


def test_the_json_document(config: Path, stamp: RunningStamp) -> None:
    document = aliases(config, "--format", "json").document
    assert list(document) == ["schema", "environment", "url", "aliases", "problems"]
    assert (document["environment"], document["url"]) == ("Test", stamp.vm_image_aliases)
    assert document["aliases"][0] == {
        "alias": "UbuntuLTS",
        "system": "Linux",
        "urn": "Canonical:UbuntuServer:18.04-LTS:latest",
        "publisher": "Canonical",
        "offer": "UbuntuServer",
        "sku": "18.04-LTS",
        "version": "latest",
        "architecture": "x64",
    }
    checked = aliases(config, "--check", "--format", "json").document
    by_name: dict[str, Any] = {each["alias"]: each for each in checked["aliases"]}
    ubuntu, centos = by_name["UbuntuLTS"], by_name["CentOS"]
    assert (ubuntu["there"], ubuntu["missing"], ubuntu["instead"]) == (True, None, [])
    assert ubuntu["use"] == "Canonical:UbuntuServer:18.04-LTS:18.04.202204190"
    assert (centos["there"], centos["use"], centos["missing"]) == (False, None, "publisher")
    assert "Canonical" in centos["instead"]


async def test_what_az_cannot_read_is_said(stamp: RunningStamp, tmp_path: Path) -> None:
    document = json.loads(render_aliases(SAMPLE))
    del document["outputs"]["aliases"]["value"]["Linux"]["UbuntuLTS"]["architecture"]
    async with serving_plain(answer(json.dumps(document).encode())) as web:
        config = with_url(tmp_path, stamp, web.url)
        ran = await asyncio.to_thread(aliases, config)
        found = (await asyncio.to_thread(aliases, config, "--format", "json")).document
    assert ran.code == 1
    assert ran.out.startswith("! Linux, UbuntuLTS: architecture is missing; az 2.66 fails: ")
    assert [each["place"] for each in found["problems"]] == ["Linux, UbuntuLTS"]
    assert found["aliases"][0]["architecture"] is None


async def test_what_is_no_document_is_said_without_a_table(
    stamp: RunningStamp, tmp_path: Path
) -> None:
    before = len(stamp.requests)
    async with serving_plain(answer(b"<html><title>\x1b[2JSign in</title>")) as web:
        config = with_url(tmp_path, stamp, web.url)
        ran = await asyncio.to_thread(aliases, config, "--check")
    assert len(stamp.requests) == before  # there is nothing to compare
    assert (ran.code, ran.out.count("\n")) == (1, 1)
    assert ran.out.startswith("! it is a web page")
    assert "\x1b" not in ran.out


def test_what_cannot_be_fetched_says_what_az_does_then(stamp: RunningStamp, tmp_path: Path) -> None:
    ran = aliases(with_url(tmp_path, stamp, f"{stamp.arm_url}/nothing.json"))
    assert (ran.code, ran.out) == (1, "")
    assert "answers with status" in ran.err
    assert "az then uses the list that it has built in" in ran.err


def test_without_a_url_it_says_how_to_set_and_to_make_one(
    stamp: RunningStamp, tmp_path: Path
) -> None:
    ran = aliases(with_url(tmp_path, stamp, ""))
    assert (ran.code, ran.out) == (2, "")
    assert "stacktui environments set Test" in ran.err
    assert "vm_image_aliases=URL" in ran.err
    assert "--sample FILE" in ran.err


def read(path: Path) -> list[str]:
    found = parse_aliases(path.read_bytes(), Redactor())
    assert found.problems == ()
    return [each.name for each in found.aliases]


def test_a_sample_is_written_with_the_commands_that_host_it(
    stamp: RunningStamp, tmp_path: Path
) -> None:
    config, path = with_url(tmp_path, stamp, ""), tmp_path / "aliases.json"
    ran = aliases(config, "--sample", path, "--shell", "bash")
    assert ran.code == 0
    assert read(path) == [each.name for each in SAMPLE]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert f"{path}: written, with 6 images" in ran.err
    assert "--check writes those that the stamp has" in ran.err
    assert f"--file {path} " in ran.out
    assert "export ALIASES_LOCATION=local" in ran.out
    assert "vm_image_aliases=$ALIASES_URL" in ran.out
    assert "--public-access blob" in ran.out
    cmd = aliases(config, "--sample", path, "--shell", "cmd", "--yes")
    assert "call az storage blob upload" in cmd.out
    found = aliases(config, "--sample", path, "--yes", "--format", "json").document
    assert list(found) == ["schema", "environment", "path", "aliases", "commands"]
    assert found["path"] == str(path)


def test_with_check_it_has_the_images_of_the_stamp(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "aliases.json"
    ran = aliases(config, "--check", "--sample", path)
    assert ran.code == 0, ran.err
    assert read(path) == [
        "UbuntuServer-16.04-LTS", "UbuntuServer-18.04-LTS",
        "0001-com-ubuntu-server-jammy-22_04-lts", "sles-15-sp3-gen1",
        "WindowsServer-2016-Datacenter", "WindowsServer-2019-Datacenter",
    ]  # fmt: skip


def test_with_check_the_commands_have_what_arm_says(tmp_path: Path) -> None:
    """The name of a stamp at an address does not tell its location."""
    with run_in_thread(StampOptions()) as unnamed:
        config, path = with_url(tmp_path, unnamed, ""), tmp_path / "aliases.json"
        ran = aliases(config, "--check", "--sample", path, "--shell", "bash")
        assert f"export ALIASES_LOCATION={unnamed.location}" in ran.out
        assert f"az account set --subscription {unnamed.subscription_id}" in ran.out
        assert "list-locations" not in ran.out


def test_a_file_that_is_there_is_asked_about(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "aliases.json"
    path.write_text("mine")
    ran = aliases(config, "--sample", path)
    assert (ran.code, "nobody answered" in ran.err) == (2, True)
    assert path.read_text() == "mine"
    words = ("environments", "aliases", "--config", str(config), "--sample", str(path))
    command = [sys.executable, "-m", "stacktui", *words]
    said = on_terminal(command, [("Write over it?", "n\r")], os.environ)
    assert (said[0], path.read_text()) == (2, "mine")
    assert aliases(config, "--sample", path, "--yes").code == 0
    assert len(read(path)) == len(SAMPLE)


def test_a_place_that_cannot_be_written_is_said(config: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = aliases(config, "--sample", tmp_path / "file" / "aliases.json")
    assert (ran.code, "cannot be written" in ran.err) == (2, True)


def test_a_folder_that_is_missing_is_not_made(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "missing" / "more" / "aliases.json"
    ran = aliases(config, "--sample", path)
    assert (ran.code, ran.out) == (2, "")
    assert f"there is no folder {path.parent}" in ran.err
    assert not (tmp_path / "missing").exists()


def test_a_file_of_stacktuis_own_is_not_written_over(config: Path, tmp_path: Path) -> None:
    before = config.read_bytes()
    link = tmp_path / "link.json"
    link.symlink_to(config)
    secret = tmp_path / "secrets" / "ops"
    for path in (config, link, secret, tmp_path / "ca" / "West.pem", *own_files()):
        ran = aliases(config, "--sample", path, "--yes")
        assert (ran.code, "stacktui's own" in ran.err) == (2, True)
    assert (config.read_bytes(), link.is_symlink()) == (before, True)


def test_read_only_mode_writes_nothing(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "aliases.json"
    ran = stacktui("--read-only", "environments", "aliases", "--config", config, "--sample", path)
    assert (ran.code, path.exists()) == (2, False)
    assert stacktui("--read-only", "environments", "aliases", "--config", config).code == 0
