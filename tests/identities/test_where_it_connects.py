"""Whom signing in talks to: the environment's own hosts, with MSAL, az and hostile servers too."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from stacktui.stamp import Cloud, IdentityProvider, StampOptions, run_in_thread
from tests.diagnosis.servers import Coded, config_for, said, scripted, token
from tests.product import limited, stacktui
from tests.support.every_kind import KINDS, identity_of_kind
from tests.support.known_secrets import KnownSecrets
from tests.support.web import Asked, Raw, answer, serving, serving_plain

DOMAIN = "local.azurestack.external"
# Runs command lines in one process; writes their exit codes, and all that Python's audit hooks saw
# of connections, of look-ups and of other processes (PEP 578).
AUDITED = """
import json, os, sys
seen = []
def audit(event, given):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        seen.append([event, repr(given[1])])
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        seen.append(["look-up", str(given[0])])
    elif event == "subprocess.Popen":
        seen.append([event, repr((given[1], given[3]))])
sys.addaudithook(audit)
from stacktui.cli.main import run
codes = [run(words) for words in json.loads(sys.argv[1])]
print(json.dumps([codes, seen, open("/proc/self/cmdline").read()]), file=sys.stderr)
"""
LONG = pytest.mark.exhaustive
OPTIONS = {
    "entra": StampOptions(domain=DOMAIN, groups=1, device_interval=1, device_approve_after=1),
    "adfs": StampOptions(
        idp=IdentityProvider.ADFS, domain=DOMAIN, groups=1, device_interval=1,
        device_approve_after=1,
    ),
    # Its names are those of hosts that there are: here they are pinned.
    "public": StampOptions(
        cloud=Cloud.PUBLIC, groups=1, device_interval=1, device_approve_after=1
    ),
}  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
@pytest.mark.parametrize(
    "cloud", [pytest.param(cloud, marks=() if cloud == "entra" else LONG) for cloud in OPTIONS]
)
def test_every_kind_connects_to_its_environment_alone(cloud: str, tmp_path: Path) -> None:
    """No public host is asked of instances, and no process that is started has a secret among its
    arguments and variables. A pinned name is looked up only because an az here would."""
    known, variables, commands = KnownSecrets(), {}, []
    with run_in_thread(OPTIONS[cloud]) as stamp:
        known.add_stamp(stamp)
        for kind in KINDS:
            if kind == "azure-cli" and cloud == "public":  # it would ask az for public Azure
                continue
            (tmp_path / kind).mkdir()
            identity = identity_of_kind(kind, stamp, tmp_path / kind)
            variables |= identity.variables
            commands.append(("check", "--config", str(identity.config)))
        done = subprocess.run(
            [sys.executable, "-c", AUDITED, json.dumps(commands)],
            env=dict(os.environ) | variables, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        ports = {stamp.port, urlsplit(stamp.imds_url).port}
        hosts = {urlsplit(each).hostname for each in (stamp.arm_url, stamp.login_url)}
        asked = {each.host for each in stamp.requests}
    codes, seen, own_arguments = json.loads(done.stderr.splitlines()[-1])
    assert [kind for kind, code in zip(KINDS, codes, strict=False) if code] == ["wrong"], done
    assert {each for event, each in seen if event == "socket.connect"} == {
        repr(("127.0.0.1", port)) for port in ports
    }
    assert "socket.sendto" not in {event for event, _ in seen}
    assert {each for event, each in seen if event == "look-up"} <= hosts
    assert asked == hosts | {urlsplit(stamp.imds_url).netloc}
    started = [each for event, each in seen if event == "subprocess.Popen"]
    assert bool(started) == (cloud != "public")
    assert not known.found_in(own_arguments + "".join(started))


@dataclass
class Hostile(Coded):
    """A stamp that in one answer points to another host, in place of or beside the good one."""

    place: str = ""
    elsewhere: str = ""

    def answer(self, asked: Asked) -> Raw:
        path, good = asked.target.partition("?")[0], super().answer(asked)
        where, _, how = self.place.partition(": ")
        if where not in path:
            return good
        if status := HOW.get(how):
            return answer(status=status, Location=f"{self.elsewhere}{asked.target}")
        match how:
            case "names":  # each URL of the document
                here = f"https://{asked.headers['host']}".encode()
                return Raw(good.whole().replace(here, self.elsewhere.encode()))
            case "challenges":
                by = f'Bearer authorization_uri="{self.elsewhere}/t", resource="x"'
                return said(
                    {"error": {"code": "AuthenticationFailed"}}, "401 No", WWW_Authenticate=by
                )
            case "next page":
                return said({"value": [], "nextLink": f"{self.elsewhere}{asked.target}&page=2"})
            case "refresh":
                return answer(b"<html></html>", Refresh=f"0; url={self.elsewhere}/")
        raise AssertionError(how)


HOW = {"moved": "301 Moved", "other method": "303 See Other", "same method": "307 Temporary"}
PATHS = ("metadata", "openid", "oauth2/", "resourcegroups")
HOSTILE = [
    *(f"{path}: same method" for path in PATHS),
    *(pytest.param(f"{path}: {how}", marks=LONG) for path in PATHS for how in [*HOW][:2]),
    "openid: names",
    "oauth2/: challenges",
    "oauth2/: refresh",
    "resourcegroups: challenges",
    "resourcegroups: next page",
    "resourcegroups: refresh",
]
IDENTITIES = {
    "secret": "",
    "user": 'kind = "user"\nusername = "a@b"\npassword = { file = "secret" }',
    "device-code": 'kind = "device-code"',
}


@pytest.mark.parametrize(
    "kind", ["secret", pytest.param("user", marks=LONG), pytest.param("device-code", marks=LONG)]
)
@pytest.mark.parametrize("place", HOSTILE)
async def test_a_host_that_an_answer_points_to_is_not_even_connected_to(
    place: str, kind: str, tmp_path: Path
) -> None:
    async with serving(token(oid="x")) as other:
        script = Hostile(place=place, elsewhere=other.url)
        async with scripted(script) as web:
            config = config_for(tmp_path, web.url, identity=IDENTITIES[kind])
            words = ("check", "--config", config, "--format", "json", *limited(step=3))
            ran = await asyncio.to_thread(stacktui, *words)
            assert web.asked
        assert ran.code == 1, ran
        assert other.listener.connections == 0


async def test_imds_that_redirects_is_not_followed(tmp_path: Path) -> None:
    async with serving_plain(token(oid="x")) as other, scripted(Coded()) as web:
        async with serving_plain(answer(status="302 Found", Location=other.url)) as imds:
            config = config_for(tmp_path, web.url, identity='kind = "managed-identity"')
            words = ("identities", "test", "tester", "--config", config, *limited(step=2))
            variables = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": imds.url}
            ran = await asyncio.to_thread(stacktui, *words, **variables)
        assert (ran.code, other.listener.connections, len(imds.asked)) == (1, 0, 1)
