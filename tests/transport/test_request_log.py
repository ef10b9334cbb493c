"""What of a request is kept for the log, and the lines that repeat it, run by bash and curl."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacktui.certificates.trust import TrustSource, TrustUsed
from stacktui.text.sanitize import Redactor
from stacktui.transport.proxy import ProxyUsed
from stacktui.transport.records import ConnectionFacts, Exchange, SentRequest, TransportError
from stacktui.transport.request_commands import ca_note, command_lines
from stacktui.transport.request_log import logging_requests
from stacktui.transport.sent_request import sent_request
from tests.support.authority import Issued, authority
from tests.support.proxies import proxying
from tests.support.sessions import MIB, opened
from tests.support.web import Asked, answer, serving, serving_plain

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
SECRET = "hunter2 of&ours"
HOSTILE = (
    "rg'; touch owned; '",
    '$(touch owned)`touch owned`"\\',
    "a\nb\x1b[2J\u202e!!",
    "é*?[1-9]{a,b} ; touch owned #",
)
runs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")


def kept(body: bytes, kind: str, url: str = "https://a.example/x") -> SentRequest:
    return sent_request(
        datetime.now(UTC), url, {"content-type": kind}, body, Redactor(),
        ca=(), audience="", local=False,
    )  # fmt: skip


# What is kept


async def test_nothing_is_computed_while_no_one_logs() -> None:
    told: list[Exchange] = []
    async with serving(answer()) as web, opened() as session:
        before = await session.fetch("GET", web.url, limit=MIB)
        with logging_requests(told.append):
            during = await session.fetch("GET", web.url, limit=MIB)
        after = await session.fetch("GET", web.url, limit=MIB)
    assert (before.exchange.sent, after.exchange.sent) == (None, None)
    assert told == [during.exchange]
    assert during.exchange.sent is not None


async def test_a_request_that_was_not_sent_is_not_told_but_one_that_failed_is() -> None:
    told: list[Exchange] = []
    async with opened() as session:
        with logging_requests(told.append):
            for url in ("http://a.example/", "https://a.example:99999/", "https://no.invalid/x"):
                with pytest.raises(TransportError):
                    await session.fetch("GET", url, limit=MIB)
    (failed,) = told
    assert failed.sent is not None
    assert failed.sent.url == "https://no.invalid/x"
    assert failed.outcome == "dns-not-found"


@pytest.mark.parametrize(
    "name",
    ["client_secret", "client_assertion", "password", "refresh_token", "device_code", "code",
     "assertion", "id_token", "code_verifier", "user_code", "SubscriptionKey", "x-Secret-y"],
)  # fmt: skip
def test_the_fields_of_a_form_are_blanked_by_name(name: str) -> None:
    body = f"client_id=me&{name}=hunter2+x%26y&empty=".encode()
    sent = kept(body, FORM)
    assert sent.form == (("client_id", "me"), (name, None), ("empty", ""))
    assert "hunter2" not in repr(sent)


def test_public_names_of_a_sign_in_are_kept() -> None:
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    sent = kept(f"client_assertion_type={kind}&grant_type=device_code".encode(), FORM)
    assert sent.form == (("client_assertion_type", kind), ("grant_type", "device_code"))


def test_the_fields_of_json_are_blanked_by_name_however_deep() -> None:
    document = {
        "location": "local",
        "properties": {
            "osProfile": {"adminUsername": "me", "adminPassword": SECRET},
            "list": [{"name": "storageKey", "value": SECRET}, {"name": "size", "value": "L"}],
            "protectedSettings": {"a": SECRET, "b": [SECRET]},
            "sasUrl": SECRET, "connectionString": SECRET, "customData": SECRET,
        },
    }  # fmt: skip
    sent = kept(json.dumps(document).encode(), JSON)
    assert "hunter2" not in repr(sent)
    shown = json.loads(sent.document)
    assert shown["location"] == "local"
    assert shown["properties"]["osProfile"] == {
        "adminUsername": "me",
        "adminPassword": "[redacted]",
    }
    assert shown["properties"]["list"][1] == {"name": "size", "value": "L"}


@given(
    st.recursive(
        st.text(max_size=5) | st.integers() | st.none(),
        lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=4), each),
        max_leaves=8,
    )
)
def test_no_json_below_a_secret_name_is_kept(value: Any) -> None:
    sent = kept(json.dumps({"clientSecret": value, "a": {"token": value}}).encode(), JSON)
    assert json.loads(sent.document) == {"clientSecret": "[redacted]", "a": {"token": "[redacted]"}}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<Password>hunter2</Password>", "application/soap+xml; charset=utf-8"),
        (b'{"broken": "hunter2', JSON),
        (b"[" * 60_000 + b'"hunter2"', JSON),
        (b'{"tags": "' + b"hunter2" * 10_000 + b'"}', JSON),
        (b"name=hunter2", "text/plain"),
    ],
    ids=["soap", "broken", "deep", "large", "text"],
)
def test_another_body_is_known_by_its_length(body: bytes, kind: str) -> None:
    sent = kept(body, kind)
    assert (sent.withheld, sent.content_type) == (len(body), kind.partition(";")[0])
    assert "hunter2" not in repr(sent)


@pytest.mark.parametrize("name", ["operationresults", "operationResults", "operationStatuses"])
def test_the_token_of_an_operation_is_cut(name: str) -> None:
    url = f"https://arm.example/subscriptions/1/{name}/eyJqb2JJZCI6IjEifQ?api-version=1&s=sig"
    assert kept(b"", "", url).url == f"https://arm.example/subscriptions/1/{name}/…"


async def test_a_secret_of_the_check_is_in_no_url_and_a_long_url_is_whole() -> None:
    told: list[Exchange] = []
    redactor = Redactor()
    redactor.add_secret("t0ken-of-ours")
    long = "x" * 3000
    async with serving(answer()) as web, opened(redactor=redactor) as session:
        with logging_requests(told.append):
            await session.fetch("GET", f"{web.url}/{long}?a=t0ken-of-ours", limit=MIB)
    sent = told[0].sent
    assert sent is not None
    assert sent.url == f"{web.url}/{long}?a=[redacted]"


# The lines


def lines_of(exchange: Exchange) -> dict[str, str]:
    """Return the bash lines by program."""
    return {each["bash"].split()[0]: each["bash"] for each in command_lines(exchange)}


async def run(line: str, folder: Path, **variables: str) -> str:
    """Run a line by bash in an empty folder, in which it must leave nothing."""
    done = await asyncio.to_thread(
        subprocess.run,
        ["bash", "-c", line],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **variables},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, (line, done.stderr)
    assert not (folder / "owned").exists()
    return done.stdout


@runs_curl
@pytest.mark.parametrize("name", HOSTILE)
async def test_the_curl_line_sends_the_same_request_whatever_a_name_has(
    name: str, tmp_path: Path
) -> None:
    """Method, target, token and body are those that we sent, and bash runs nothing of them."""
    ca = tmp_path / "c'a $(touch owned).pem"
    ca.write_bytes(authority().root.pem)
    told: list[Exchange] = []
    document = {"location": name, "tags": {name: name}}
    async with serving(answer(b"said")) as web, opened(ca=ca) as session:
        with logging_requests(told.append):
            await session.fetch(
                "PUT",
                f"{web.url}/resourcegroups/{''.join(filter(str.isprintable, name))}?a=1&b=2",
                limit=MIB,
                headers={"Authorization": "Bearer t0ken", "Content-Type": JSON},
                body=json.dumps(document).encode(),
            )
        (line,) = (each for each in lines_of(told[0]).values() if each.startswith("curl "))
        folder = tmp_path / "empty"
        folder.mkdir()
        assert await run(line, folder, TOKEN="t0ken") == "said"
    ours, theirs = web.asked
    assert (theirs.method, theirs.target, theirs.body) == (ours.method, ours.target, ours.body)
    for header in ("authorization", "content-type"):
        assert theirs.headers[header] == ours.headers[header]
    assert list(folder.iterdir()) == []


@runs_curl
async def test_the_curl_line_sends_a_form_with_the_secrets_of_variables(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority().root.pem)
    told: list[Exchange] = []
    body = (
        b"client_id=a%27b+c&scope=https%3A%2F%2Fx%2F.default+openid&client_secret=hunter2+of%26ours"
    )
    async with serving(answer()) as web, opened(ca=ca) as session:
        with logging_requests(told.append):
            await session.fetch(
                "POST", f"{web.url}/token", limit=MIB, headers={"Content-Type": FORM}, body=body
            )
        (line,) = lines_of(told[0]).values()
        assert "hunter2" not in line
        assert '"client_secret=$CLIENT_SECRET"' in line
        await run(line, tmp_path, CLIENT_SECRET=SECRET)
    ours, theirs = web.asked
    assert fields(theirs) == fields(ours)
    assert theirs.headers["content-type"] == FORM


def fields(asked: Asked) -> Mapping[str, list[str]]:
    assert asked.method == "POST"
    return parse_qs(asked.body.decode())


@runs_curl
async def test_the_curl_line_goes_through_the_proxy_to_the_pinned_address(tmp_path: Path) -> None:
    name = "management.local.azurestack.external"
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority().root.pem)
    told: list[Exchange] = []
    context = authority().server(authority().leaf(name))
    async with serving(answer(b"said"), context=context) as web, proxying() as proxy:
        pin = {f"{name}:443": f"127.0.0.1:{web.listener.port}"}
        async with opened(proxy=proxy.url, resolve=pin, ca=ca) as session:
            with logging_requests(told.append):
                await session.fetch("GET", f"https://{name}/x", limit=MIB)
        (line,) = lines_of(told[0]).values()
        assert f"--proxy {proxy.url}" in line
        assert await run(line, tmp_path) == "said"
        assert len(proxy.targets) == 2
    assert len(set(proxy.targets)) == 1
    assert [each.headers["host"] for each in web.asked] == [name, name]


@runs_curl
async def test_the_metadata_service_is_asked_with_its_header_and_no_proxy(tmp_path: Path) -> None:
    told: list[Exchange] = []
    async with serving_plain(answer(b"said")) as web, opened(proxy=None) as session:
        with logging_requests(told.append):
            await session.fetch(
                "GET", f"{web.url}/metadata", limit=MIB, headers={"Metadata": "true"}, local=True
            )
        (line,) = lines_of(told[0]).values()
        assert await run(line, tmp_path, http_proxy="http://127.0.0.1:9") == "said"
    ours, theirs = web.asked
    assert theirs.headers["metadata"] == ours.headers["metadata"] == "true"


# What curl trusts


def bundle(path: Path, *issued: Issued) -> str:
    path.write_bytes(b"".join(each.pem for each in issued))
    return str(path)


def hashed(folder: Path, issued: Issued) -> str:
    folder.mkdir()
    bundle(folder / "root.pem", issued)
    subprocess.run(["openssl", "rehash", folder], check=True, capture_output=True)
    return str(folder)


@runs_curl
@pytest.mark.parametrize("by", ["base", "own", "ca", "directory"])
async def test_the_curl_line_names_the_file_that_has_the_root(by: str, tmp_path: Path) -> None:
    """Whichever of the files decided; curl would know none of them by itself."""
    root, other = authority().root, authority("Fabrikam").root
    files = {each: bundle(tmp_path / f"{each}.pem", root if each == by else other)
             for each in ("base", "own", "ca")}  # fmt: skip
    if by == "directory":
        files["base"] = hashed(tmp_path / "hashed", root)
    used = TrustUsed(tuple(TrustSource(name, path) for name, path in files.items()))
    told: list[Exchange] = []
    async with serving(answer(b"said")) as web, opened(used=used) as session:
        with logging_requests(told.append):
            await session.fetch("GET", web.url, limit=MIB)
        (line,) = lines_of(told[0]).values()
        assert await run(line, tmp_path) == "said"
    named = f"--capath {tmp_path}/hashed/ " if by == "directory" else f"--cacert {files[by]} "
    assert named in line
    assert ca_note(told[0]) == ""


@runs_curl
async def test_what_curl_needs_of_several_files_is_said(tmp_path: Path) -> None:
    """The host leaves out the intermediate, which one file has; another has the root."""
    known = authority()
    base = bundle(tmp_path / "base.pem", known.root)
    own = bundle(tmp_path / "own.pem", known.intermediate)
    ca = bundle(tmp_path / "ca.pem", authority("Fabrikam").root)
    used = TrustUsed(tuple(TrustSource(each, each) for each in (base, own, ca)))
    told: list[Exchange] = []
    context = known.server(known.leaf("localhost"), whole=False)
    async with serving(answer(b"said"), context=context) as web, opened(used=used) as session:
        with logging_requests(told.append):
            await session.fetch("GET", web.url, limit=MIB)
        (line,) = lines_of(told[0]).values()
        assert "--ca" not in line
        assert ca_note(told[0]) == (
            f"curl reads one file of CAs: add --cacert with all of {own}, {base}"
        )
        both = bundle(tmp_path / "both.pem", known.root, known.intermediate)
        assert await run(f"{line} --cacert {both}", tmp_path) == "said"


async def test_where_nothing_was_trusted_curl_refuses_too(tmp_path: Path) -> None:
    used = TrustUsed(
        (
            TrustSource("base", bundle(tmp_path / "base.pem", authority("Fabrikam").root)),
            TrustSource("ca", bundle(tmp_path / "ca.pem", authority("Litware").root)),
        )
    )
    told: list[Exchange] = []
    async with serving(answer()) as web, opened(used=used) as session:
        with logging_requests(told.append):
            for url in (web.url, "https://no.invalid"):
                with pytest.raises(TransportError):
                    await session.fetch("GET", url, limit=MIB)
    refused, unknown = told
    assert f"--cacert {tmp_path}/ca.pem" in lines_of(refused)["curl"]
    assert "--cacert" not in lines_of(unknown)["curl"]
    assert ca_note(unknown).endswith(f"all of {tmp_path}/ca.pem, {tmp_path}/base.pem")


def test_only_a_request_with_a_token_has_an_az_line() -> None:
    connection = ConnectionFacts("a.example", 443, ProxyUsed(None, "no proxy set"))
    sent = SentRequest(
        datetime.now(UTC), "https://a.example/x?a='b'", bearer=True, audience="https://aud/1"
    )
    exchange = Exchange("GET", "", connection, None, (), sent=sent)
    assert lines_of(exchange)["az"] == (
        "az rest --method get --url 'https://a.example/x?a='\"'\"'b'\"'\"'' "
        "--resource https://aud/1"
    )
    without = Exchange("GET", "", connection, None, (), sent=kept(b"", ""))
    assert list(lines_of(without)) == ["curl"]
