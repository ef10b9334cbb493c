"""A real az reads our document of image aliases, and says of a wrong one what `explain` knows.

What is run of the commands that host a document: each line of az's, against the stamp. The group is
made, and the URL is the one that we name. The account, the container and the blob are not made, as
the stamp has no storage: az takes the options of each, and fails at what answers.
"""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from string import Template

import pytest

from stacktui.diagnosis.recognise import recognise
from stacktui.environments.alias_document import SAMPLE, parse_aliases, render_aliases
from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from stacktui.text.sanitize import Redactor
from stacktui.transport.limits import Limits
from tests.product import stacktui, write_config
from tests.support.listeners import closed_port
from tests.support.web import Raw, answer, serving, serving_plain

from .az import Az, Done
from .conftest import CLOUD, DOMAIN, PROFILE
from .proxy import pinning_proxy

GROUP = "rg-web-prod-01"
CREATE = ("vm", "create", "-n", "v", "-g", GROUP, "--admin-username", "ops")
CREATE += ("--generate-ssh-keys", "--image")
LIST = ("vm", "image", "list", "--output", "json")


@pytest.fixture(scope="module")
def stamp(az_path: Path) -> Iterator[RunningStamp]:
    """One Entra stamp: no alias depends on how one signs in."""
    with run_in_thread(StampOptions(idp=IdentityProvider.AAD)) as running:
        yield running


@pytest.fixture(scope="module")
def az(az_path: Path, stamp: RunningStamp, tmp_path_factory: pytest.TempPathFactory) -> Az:
    """An az that is signed in."""
    home = tmp_path_factory.mktemp("images")
    return signed_in(Az(az_path, home, {"REQUESTS_CA_BUNDLE": stamp.ca_file}), stamp)


def signed_in(az: Az, stamp: RunningStamp) -> Az:
    suffixes = ("--suffix-storage-endpoint", DOMAIN, "--suffix-keyvault-dns", f".vault.{DOMAIN}")
    arm = ("--endpoint-resource-manager", stamp.arm_url)
    login = ("login", "--service-principal", "-u", stamp.client_id, "-p", stamp.secret)
    done = az.several(
        [
            ("cloud", "register", "-n", CLOUD, *arm, "--profile", PROFILE, *suffixes),
            ("cloud", "set", "-n", CLOUD),
        ]
    )
    assert [each.code for each in done] == [0, 0], done[0].err
    az.ok(*login, "--tenant", stamp.tenant)
    return az


def with_document(az: Az, url: str, *command: str) -> Done:
    az.ok("cloud", "update", "-n", CLOUD, "--endpoint-vm-image-alias-doc", url)
    return az(*command)


async def with_body(az: Az, body: bytes, *commands: tuple[str, ...]) -> tuple[str, list[Done]]:
    """Return the URL at which az finds `body`, and what it says to each command."""
    async with serving_plain(answer(body)) as web:
        url = f"{web.url}/aliases.json"
        first = await asyncio.to_thread(with_document, az, url, *commands[0])
        return url, [first, *[await asyncio.to_thread(az, *each) for each in commands[1:]]]


def meaning(done: Done) -> list[str]:
    return [each.fault.id for each in recognise(done.err).candidates]


async def test_az_takes_the_document_that_we_write(az: Az) -> None:
    body = render_aliases(SAMPLE).encode()
    commands = (LIST, (*CREATE, "NoSuchAlias"), (*CREATE, "CentOS"))
    _, (listed, unknown, absent) = await with_body(az, body, *commands)
    assert listed.code == 0, listed.err
    rows = json.loads(listed.out)
    assert [each["urnAlias"] for each in rows] == [each.name for each in SAMPLE]
    assert [each["urn"] for each in rows] == [each.urn for each in SAMPLE]
    assert unknown.code == 1
    assert meaning(unknown) == ["image-alias-unknown"]
    assert meaning(absent) == ["image-not-offered"]


async def test_az_takes_the_document_of_the_stamp_and_the_one_that_check_writes(
    az: Az, stamp: RunningStamp, tmp_path: Path
) -> None:
    listed = with_document(az, stamp.vm_image_aliases, *LIST)
    assert "UbuntuLTS" in [each["urnAlias"] for each in json.loads(listed.out)]
    config, path = write_config(tmp_path, stamp.describe()), tmp_path / "aliases.json"
    words = ("environments", "aliases", "--config", config, "--check", "--sample", path)
    assert (await asyncio.to_thread(stacktui, *words)).code == 0
    _, (written,) = await with_body(az, path.read_bytes(), LIST)
    rows = json.loads(written.out)
    offered = json.loads(az.ok(*LIST, "--all", "--location", stamp.location))
    assert {each["urn"].rpartition(":")[0] for each in rows} == {
        each["urn"].rpartition(":")[0] for each in offered
    }


async def test_without_an_architecture_az_fails_as_we_say(az: Az) -> None:
    document = json.loads(render_aliases(SAMPLE))
    del document["outputs"]["aliases"]["value"]["Linux"]["UbuntuLTS"]["architecture"]
    url, (failed,) = await with_body(az, json.dumps(document).encode(), LIST)
    assert failed.code == 1
    assert f"Could not retrieve image list from {url} or local copy" in failed.err
    assert meaning(failed) == ["image-aliases-unreadable"]


@pytest.mark.parametrize("value", [None, 5])
async def test_az_fails_at_a_version_that_is_no_text_as_we_say(az: Az, value: object) -> None:
    document = json.loads(render_aliases(SAMPLE))
    document["outputs"]["aliases"]["value"]["Linux"]["CentOS"]["version"] = value
    body = json.dumps(document).encode()
    _, (failed,) = await with_body(az, body, LIST)
    assert failed.code == 1
    (problem,) = parse_aliases(body, Redactor()).problems
    said = problem.text.partition("for all aliases: ")[2]
    assert said
    assert f"TypeError: {said}" in failed.err
    assert meaning(failed) == ["image-aliases-unreadable"]


async def test_az_takes_the_last_of_two_of_a_name(az: Az) -> None:
    body = render_aliases(SAMPLE[:1]).replace('"sku"', '"sku": "18.04-DAILY", "sku"').encode()
    _, (listed,) = await with_body(az, body, LIST)
    (row,) = json.loads(listed.out)
    found = parse_aliases(body, Redactor())
    assert [each.urn for each in found.aliases] == [row["urn"]]
    assert "has sku more than once" in found.problems[0].text


@pytest.mark.parametrize("body", [b"\xef\xbb\xbf" + render_aliases(SAMPLE).encode(), b"<html>"])
async def test_az_cannot_read_what_we_say_it_cannot(az: Az, body: bytes) -> None:
    _, (failed,) = await with_body(az, body, LIST)
    assert failed.code == 1
    assert meaning(failed) == ["image-aliases-unreadable"]


def test_az_uses_its_own_list_where_it_gets_no_document(az: Az, stamp: RunningStamp) -> None:
    listed = with_document(az, f"{stamp.arm_url}/none.json", *LIST)
    assert listed.code == 0
    assert "CentOS85Gen2" in listed.out
    assert meaning(listed) == ["image-aliases-built-in"]


async def test_az_follows_a_redirect_and_limits_neither_time_nor_size(az: Az) -> None:
    """Where stacktui stops, az has the document."""
    body = render_aliases(SAMPLE).encode()
    large = body + b" " * Limits().metadata
    slow = Raw([answer(body).whole()[:-2], body[-2:]], pause=1.0)
    async with serving_plain(answer(large), slow, answer(body)) as web:
        moved = answer(status="302 Found", Location=f"{web.url}/moved.json")
        async with serving_plain(moved) as first:
            for url in (f"{web.url}/large.json", f"{web.url}/slow.json", f"{first.url}/a.json"):
                listed = await asyncio.to_thread(with_document, az, url, *LIST)
                assert listed.code == 0, listed.err
                assert len(json.loads(listed.out)) == len(SAMPLE), url
                assert meaning(listed) == []
        assert [each.target for each in web.asked] == ["/large.json", "/slow.json", "/moved.json"]


async def test_without_a_connection_az_uses_its_own_list(az: Az) -> None:
    """Also where it does not trust the certificate."""
    async with serving(answer(render_aliases(SAMPLE).encode())) as web:
        with closed_port() as port:
            for url in (f"{web.url}/a.json", f"http://127.0.0.1:{port}/a.json"):
                listed = await asyncio.to_thread(with_document, az, url, *LIST)
                assert listed.code == 0, listed.err
                assert "CentOS85Gen2" in listed.out
                assert meaning(listed) == ["image-aliases-built-in"]


async def test_az_fails_at_an_answer_that_is_cut(az: Az) -> None:
    """So that we do not say that it uses its own list."""
    async with serving_plain(Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[", "close")) as web:
        listed = await asyncio.to_thread(with_document, az, f"{web.url}/a.json", *LIST)
    assert (listed.code, "IncompleteRead" in listed.err) == (1, True)


def test_az_knows_the_options_of_the_commands_that_host_it(az_path: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        stamp = stack.enter_context(run_in_thread(StampOptions(domain=DOMAIN)))
        proxy = stack.enter_context(pinning_proxy(stamp.resolve))
        variables = {"REQUESTS_CA_BUNDLE": stamp.ca_file, "HTTPS_PROXY": proxy}
        az = signed_in(Az(az_path, tmp_path / "home", variables), stamp)
        config = write_config(tmp_path, stamp.describe())
        path = tmp_path / "aliases.json"
        ran = stacktui("environments", "aliases", "--config", config, "--sample", path)
        variables = dict(re.findall(r"^export (ALIASES_\w+)=(\S+)$", ran.out, re.MULTILINE))
        lines = [line.removeprefix("ALIASES_URL=$(") for line in ran.out.splitlines()]
        commands = [line.removesuffix(")") for line in lines if line.startswith("az ")]
        # The cloud has another name here.
        assert commands[0] == "az cloud set -n Test"
        commands[0] = f"az cloud set -n {CLOUD}"
        path.unlink()  # az would repeat an upload to nowhere for a minute
        known = [Template(line).substitute(variables) for line in commands]
        done = az.several([shlex.split(line)[1:] for line in known])
        locations = az("account", "list-locations", "--output", "table")
    cloud, subscription, group, account, container, upload, url = done
    assert [each.code for each in (cloud, subscription, group)] == [0, 0, 0]
    host = f"{variables['ALIASES_ACCOUNT']}.blob.{DOMAIN}"
    assert url.out.strip() == f"https://{host}/aliases/aliases.json"
    assert locations.code == 0, locations.err
    assert variables["ALIASES_LOCATION"] in locations.out
    assert 0 not in (account.code, container.code, upload.code)
    for word in ("unrecognized", "misspelled", "arguments are required", "invalid choice"):
        assert word not in group.err
