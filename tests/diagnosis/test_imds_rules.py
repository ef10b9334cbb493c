"""Managed identities: what the instance metadata service does, and what is said of it."""

from __future__ import annotations

import asyncio
import json
import shlex
import subprocess
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from stacktui.stamp import IdentityProvider, SignInKind, StampOptions, run_in_thread
from tests.diagnosis.drills import ADFS, DOMAIN, ENTRA, verdict_of
from tests.product import check_json, imds_of, limited, signing_in, write_config
from tests.support.listeners import listening, silent
from tests.support.web import Answering, Asked, Raw, answer, serving_plain

# fault, under which sign-in service, and what the evidence must show
PROVOKED = [
    ("imds-unreachable", ENTRA, ["ECONNREFUSED", "AZURE_POD_IDENTITY_AUTHORITY_HOST names it"]),
    ("imds-unreachable", ADFS, ["ECONNREFUSED"]),
    ("imds-no-identity", ENTRA, ["Identity not found", "→ 400"]),
    ("imds-no-identity", ADFS, ["Identity not found", "→ 400"]),
    ("imds-unavailable", ENTRA, ["→ 503", "asked 2 times in "]),
]


# Time for a second try, 0.8 s after the first, and for none after that.
QUICK = limited(step=2)


def drill(fault: str | None, folder: Path, idp: IdentityProvider, **more: str) -> dict[str, Any]:
    with run_in_thread(StampOptions(fault=fault, idp=idp, domain=DOMAIN)) as stamp:
        described = stamp.describe()
        machine = signing_in(SignInKind.MANAGED_IDENTITY, described, **more)
        config = write_config(folder, described, **machine)
        ran = check_json(config, *QUICK, **imds_of(described))
    return verdict_of(ran, "token")


@pytest.mark.parametrize(("fault", "idp", "shown"), PROVOKED)
def test_what_the_service_does_is_named(
    fault: str, idp: IdentityProvider, shown: list[str], tmp_path: Path
) -> None:
    verdict = drill(fault, tmp_path, idp)
    assert (verdict["id"], verdict["side"]) == (fault, "box")
    for text in shown:
        assert any(text in line for line in verdict["evidence"]), (text, verdict["evidence"])


@pytest.mark.parametrize("key", ["client_id", "object_id", "resource_id"])
def test_an_identity_that_is_not_assigned_is_named_by_its_id(key: str, tmp_path: Path) -> None:
    value = "0b1ec700-0000-4000-8000-00000000000f"
    verdict = drill(None, tmp_path, ENTRA, **{key: f'"{value}"'})
    assert verdict["id"] == "imds-no-identity"
    assert verdict["title"] == f"This machine has no managed identity with the {key} {value}"
    words = shlex.split(verdict["remedies"][0]["bash"])
    assert words[:4] == ["az", "vm", "identity", "assign"]
    assert value in words[words.index("--identities") + 1]
    assert "UserAssigned" in verdict["remedies"][0]["powershell"]


def test_the_command_that_assigns_asks_the_machine_for_its_name(tmp_path: Path) -> None:
    """With curl and az in place of the real ones: their arguments are what can be run."""
    command = drill("imds-no-identity", tmp_path, ENTRA)["remedies"][0]["bash"]
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "curl").write_text(
        '#!/bin/bash\ncase "$*" in *resourceGroupName*) echo "a group";; *name*) echo vm1;; esac\n'
    )
    (tools / "az").write_text('#!/bin/bash\nprintf "%s\\n" "$@"\n')
    for tool in tools.iterdir():
        tool.chmod(0o755)
    path = f"{tools}:/usr/bin:/bin"
    done = subprocess.run(
        ["bash", "-c", command], env={"PATH": path}, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["vm", "identity", "assign", "-g", "a group", "-n", "vm1"]


async def on_answer(folder: Path, said: Raw | Answering) -> dict[str, Any]:
    """The verdict where the service answers so."""
    async with serving_plain(said) as web:
        return await on_service(folder, web.url)


async def on_service(folder: Path, url: str, *options: str) -> dict[str, Any]:
    with run_in_thread(StampOptions(domain=DOMAIN)) as stamp:
        described = stamp.describe()
        machine = signing_in(SignInKind.MANAGED_IDENTITY, described)
        config = write_config(folder, described, **machine)
        variable = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": url}
        ran = await asyncio.to_thread(check_json, config, *(options or QUICK), **variable)
    return verdict_of(ran, "token")


def refusal(status: str, error: str, description: str) -> Raw:
    document = {"error": error, "error_description": description}
    return answer(json.dumps(document).encode(), status=status, Content_Type="application/json")


PAGE = b"<html><head><title>Blocked by Policy</title></head></html>"


@pytest.mark.parametrize(
    ("said", "title", "shown"),
    [
        (answer(PAGE), "is not it", "page title: Blocked by Policy"),
        (answer(PAGE, status="503 Unavailable"), "is not it", "page title: Blocked by Policy"),
        (answer(b"ok"), "is not it", "→ 200 (2 bytes)"),
        (answer(b"{}"), "is not it", "→ 200"),
        (answer(status="302 Found", Location="https://proxy.test/"), "is not it", "→ 302"),
        (
            refusal("400 Bad", "invalid_request", "Bad Request: request was forwarded"),
            "A proxy stands between",
            "request was forwarded",
        ),
        (answer(then="close", status="200 OK", Content_Encoding="br"), "cannot be reached", "br"),
    ],
)
async def test_what_stands_in_for_the_service_is_seen(
    said: Raw, title: str, shown: str, tmp_path: Path
) -> None:
    verdict = await on_answer(tmp_path, said)
    assert verdict["id"] == "imds-unreachable"
    assert title in verdict["title"]
    assert any(shown in line for line in verdict["evidence"]), verdict["evidence"]
    assert any("NO_PROXY=169.254.169.254" in each["bash"] for each in verdict["remedies"])


async def test_a_refusal_of_the_directory_s_is_not_the_service_s(tmp_path: Path) -> None:
    said = refusal("400 Bad", "invalid_resource", "AADSTS500011: The resource … was not found")
    assert (await on_answer(tmp_path, said))["id"] == "audience-unknown"
    said = refusal("400 Bad", "invalid_request", "Something that nobody knows")
    assert (await on_answer(tmp_path, said))["id"] == "unexplained"


SEVERAL = (
    "Multiple user assigned identities exist, please specify the clientId / resourceId of the "
    "identity in the token request"
)
NOT_ASSIGNED = "The requested identity hasn't been assigned to this resource."


async def test_of_several_identities_one_must_be_named(tmp_path: Path) -> None:
    verdict = await on_answer(tmp_path, refusal("400 Bad", "invalid_request", SEVERAL))
    assert (verdict["id"], verdict["side"]) == ("imds-no-identity", "box")
    (one,) = verdict["remedies"]
    assert "client_id" in one["title"]
    words = shlex.split(one["bash"])
    assert words[:4] == ["az", "vm", "identity", "show"]


async def test_an_identity_that_is_on_another_machine(tmp_path: Path) -> None:
    verdict = await on_answer(tmp_path, refusal("400 Bad", "invalid_request", NOT_ASSIGNED))
    assert (verdict["id"], verdict["side"]) == ("imds-no-identity", "box")
    assert "identity assign" in verdict["remedies"][0]["bash"]


OLDER = {
    "the real one's form": {
        "error": "Bad request. api-version is invalid or was not specified in the request.",
        "newest-versions": ["2017-12-01", "2017-08-01", "2017-04-02"],
    },
    "another one's": {
        "error": "bad_request",
        "error_description": "api-version is not supported; newest versions: 2017-12-01",
    },
}


@pytest.mark.parametrize("form", OLDER)
async def test_an_older_service_names_its_versions(form: str, tmp_path: Path) -> None:
    said = answer(json.dumps(OLDER[form]).encode(), status="400 Bad Request")
    verdict = await on_answer(tmp_path, said)
    assert (verdict["id"], verdict["side"]) == ("imds-unavailable", "box")
    assert "an older one" in verdict["title"]
    assert any("it names: 2017-12-01" in line for line in verdict["evidence"])


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone", "429 Too Many Requests"])
async def test_a_service_that_comes_back_is_no_fault(status: str, tmp_path: Path) -> None:
    asked: list[Asked] = []
    with run_in_thread(StampOptions(domain=DOMAIN)) as stamp:
        described = stamp.describe()
        config = write_config(
            tmp_path, described, **signing_in(SignInKind.MANAGED_IDENTITY, described)
        )

        def said(each: Asked) -> Raw:
            asked.append(each)
            if len(asked) < 3:
                return refusal(status, "later", "Come back later")
            url = f"{described['imds_url']}{each.target}"
            with urlopen(Request(url, headers={"Metadata": "true"})) as token:
                return answer(token.read())

        async with serving_plain(said) as web:
            variable = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": web.url}
            ran = await asyncio.to_thread(check_json, config, **variable)
    assert (ran.code, len(asked)) == (0, 3)
    exchanges = ran.document["steps"][1]["evidence"]["exchanges"]
    assert [each["response"]["status"] for each in exchanges] == [int(status[:3])] * 2 + [200]


async def test_a_service_that_never_answers_is_told_within_the_step(tmp_path: Path) -> None:
    async with listening(silent) as listener:
        url = f"http://127.0.0.1:{listener.port}"
        verdict = await on_service(tmp_path, url, *limited(first_byte=0.7))
    assert verdict["id"] == "imds-unreachable"
    assert any("no answer in 0.7 s" in line for line in verdict["evidence"])


async def test_a_variable_that_names_no_place_is_told(tmp_path: Path) -> None:
    verdict = await on_service(tmp_path, "nowhere at all")
    assert verdict["id"] == "imds-unreachable"
    assert verdict["remedies"][0]["bash"] == "unset AZURE_POD_IDENTITY_AUTHORITY_HOST"


@pytest.mark.parametrize("idp", [ENTRA, ADFS])
@pytest.mark.parametrize("key", ["", "client_id", "object_id", "resource_id"])
def test_a_machine_with_an_identity_is_healthy(
    idp: IdentityProvider, key: str, tmp_path: Path
) -> None:
    """Whatever proxy the variables name: the way to the service never takes one."""
    with run_in_thread(StampOptions(idp=idp, domain=DOMAIN)) as stamp:
        described = stamp.describe()
        ids = {"client_id": "imds_client_id", "object_id": "imds_object_id",
               "resource_id": "imds_resource_id"}  # fmt: skip
        named = {key: f'"{described[ids[key]]}"'} if key else {}
        machine = signing_in(SignInKind.MANAGED_IDENTITY, described, **named)
        config = write_config(tmp_path, described, **machine)
        proxies = {"http_proxy": "http://127.0.0.1:9", "all_proxy": "http://127.0.0.1:9"}
        ran = check_json(config, **imds_of(described), **proxies)
    assert (ran.code, ran.err) == (0, ""), ran.out
    exchange = ran.document["steps"][1]["evidence"]["exchanges"][0]
    assert exchange["connection"]["proxy"] == {"source": "a service of this machine"}
    if key == "client_id":
        assert ran.document["steps"][1]["evidence"]["result"]["subject"] == stamp.imds_client_id
