"""`stacktui rest`: any request to ARM, and to nobody else."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.product import Ran, stacktui, write_config
from tests.resources.walks import writes
from tests.support.pasted import on_terminal

SUBSCRIPTION = "/subscriptions/{subscriptionId}"
GROUPS = f"{SUBSCRIPTION}/resourcegroups"
BODY = '{"location": "local",  "tags": {"a": "b"}}'


@pytest.fixture(scope="module")
def running() -> Iterator[RunningStamp]:
    options = StampOptions(groups=12, page_size=5, retry_after=0, delete_seconds=0.2, hostile=True)
    with run_in_thread(options) as stamp:
        yield stamp


@pytest.fixture
def stamp(running: RunningStamp) -> Iterator[RunningStamp]:
    running.fault_at()
    yield running
    running.fault_at()


@pytest.fixture
def config(stamp: RunningStamp, tmp_path: Path) -> Path:
    return write_config(tmp_path, stamp.describe())


def rest(config: Path, *words: str, stdin: str = os.devnull) -> Ran:
    return stacktui("rest", *words, "--config", config, stdin=stdin)


# Reading.


def test_the_body_as_it_was_sent_through_a_pipe(config: Path) -> None:
    ran = rest(config, "get", GROUPS)
    assert (ran.code, ran.err) == (0, "")
    assert not ran.out.endswith("\n")
    assert list(ran.document) == ["value", "nextLink"]


def test_which_api_version_is_sent(config: Path) -> None:
    ways = {
        (GROUPS,): "2019-10-01",
        (f"{GROUPS}?API-version=2018-05-01",): "2018-05-01",
        (GROUPS, "--api-version", "2018-02-01"): "2018-02-01",
    }
    for words, version in ways.items():
        link = rest(config, "GET", *words).document["nextLink"].lower()
        assert link.count("api-version=") == link.count(f"api-version={version}") == 1
    refused = rest(config, "GET", "/subscriptions?api-version=1999-01-01")
    assert "InvalidApiVersionParameter" in refused.err


def test_a_whole_url_of_this_arm_is_taken(config: Path, stamp: RunningStamp) -> None:
    first = rest(config, "GET", GROUPS).document
    second = rest(config, "GET", first["nextLink"])
    assert second.code == 0
    assert second.document["value"][0] not in first["value"]


def test_all_pages_are_one_array(config: Path) -> None:
    ran = rest(config, "GET", GROUPS, "--all-pages")
    names = [each["name"] for each in json.loads(ran.out)]
    listed = stacktui("groups", "list", "--config", config, "--format", "jsonl").out.splitlines()
    assert names == [json.loads(line)["name"] for line in listed]
    assert len(names) > 12
    for limit in ("rows=7", "pages=1"):
        cut = rest(config, "GET", GROUPS, "--all-pages", "--limit", limit)
        assert len(json.loads(cut.out)) == (7 if limit == "rows=7" else 5)
        assert f"--limit {limit}: there are more" in cut.err


def test_a_page_that_fails_leaves_no_array(config: Path, stamp: RunningStamp) -> None:
    stamp.fault_at("GET */resourcegroups@2+=500")
    ran = rest(config, "GET", GROUPS, "--all-pages")
    assert (ran.code, ran.out) == (1, "")
    assert "500 InternalServerError" in ran.err


def test_a_refusal_has_code_message_and_ids_on_stderr(config: Path) -> None:
    ran = rest(config, "GET", f"{SUBSCRIPTION}/resourceGroups/none")
    assert (ran.code, ran.out) == (1, "")
    for words in ("404", "ResourceGroupNotFound", "'none'", "x-ms-request-id: "):
        assert words in ran.err
    assert rest(config, "HEAD", f"{SUBSCRIPTION}/resourceGroups/none").code == 1


def test_a_terminal_gets_lines_that_are_harmless(config: Path) -> None:
    command = [sys.executable, "-m", "stacktui", "rest", "GET", GROUPS, "--all-pages"]
    code, screen = on_terminal([*command, "--config", str(config)], [], os.environ)
    assert code == 0
    assert '\r\n    "name": "rg-' in screen
    assert "\x1b" not in screen
    assert "\\u001b" in screen
    assert "\u202e" not in screen


# Where the token goes.


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example/subscriptions",
        "/%2Fevil.example",
        "https://evil.example/subscriptions",
        "http://HOST/subscriptions",
        "https://HOST@evil.example/subscriptions",
        "https://HOST.evil.example/subscriptions",
        "https://user:hunter2@HOST/subscriptions",
        "https://HOST\\@evil.example/",
        "@evil.example/subscriptions",
        ".evil.example/subscriptions",
        "subscriptions",
        "",
        "/subscriptions/../metadata",
        "/subscriptions/%2e%2E/metadata",
        "/subscriptions/..%2fmetadata",
        "/subscriptions\\..\\metadata",
        "/subscriptions\r\nHost: evil.example",
        "/subscriptions%0d%0aHost:evil.example",
        "/subscriptions?a\tb",
        "/subscriptions#fragment",
        "https://[evil",
        "file:///etc/passwd",
    ],
)
def test_nothing_is_sent_elsewhere(config: Path, stamp: RunningStamp, path: str) -> None:
    before = len(stamp.requests)
    host = stamp.arm_url.removeprefix("https://")
    ran = rest(config, "GET", path.replace("HOST", host))
    assert (ran.code, ran.out) == (2, "")
    assert "is not asked for" in ran.err
    assert len(ran.err.splitlines()) == 1
    assert "hunter2" not in ran.err
    assert len(stamp.requests) == before


# Writing.


def test_a_write_shows_the_request_and_asks(config: Path, stamp: RunningStamp) -> None:
    before = writes(stamp)
    for method, *words in (("PUT", "--body", BODY), ("delete",), ("POST",), ("PATCH",)):
        ran = rest(config, method, f"{SUBSCRIPTION}/resourceGroups/asked", *words)
        assert (ran.code, ran.out) == (2, "")
        assert f"{method.upper()} {stamp.arm_url}/subscriptions/" in ran.err
        assert ('{"location"' in ran.err) is bool(words)
    assert writes(stamp) == before


def test_a_question_shows_no_secret_of_the_body(config: Path) -> None:
    secrets = {"adminPassword": "hunter2", "parameters": {"clientSecret": {"value": "hunter2"}}}
    path = f"{SUBSCRIPTION}/resourceGroups/asked"
    ran = rest(config, "PUT", path, "--body", json.dumps(secrets))
    assert (ran.code, "adminPassword" in ran.err, "hunter2" in ran.err) == (2, True, False)


def test_a_group_comes_and_goes(config: Path, stamp: RunningStamp, tmp_path: Path) -> None:
    path = f"{SUBSCRIPTION}/resourceGroups/made"
    file = tmp_path / "body.json"
    file.write_bytes(b"\xef\xbb\xbf" + BODY.encode())
    made = rest(config, "PUT", path, "--body", f"@{file}", "--yes")
    assert (made.code, made.document["tags"]) == (0, {"a": "b"})
    assert rest(config, "PUT", path, "--body", "@-", "--yes", stdin=str(file)).code == 0
    gone = rest(config, "DELETE", path, "--yes", "--wait")
    assert (gone.code, gone.out) == (0, "")
    assert rest(config, "GET", path).code == 1


def test_what_goes_on_is_said_with_the_line_that_finds_it(config: Path) -> None:
    path = f"{SUBSCRIPTION}/resourceGroups/going"
    rest(config, "PUT", path, "--body", BODY, "--yes")
    ran = rest(config, "DELETE", path, "--yes")
    assert ran.code == 0
    assert "--wait" in ran.err
    assert "stacktui rest GET '/subscriptions/" in ran.err
    assert "operationresults/" in ran.err


def test_a_forgotten_operation_is_looked_for(config: Path, stamp: RunningStamp) -> None:
    path = f"{SUBSCRIPTION}/resourceGroups/forgotten"
    rest(config, "PUT", path, "--body", BODY, "--yes")
    with run_in_thread(
        StampOptions(groups=0, retry_after=0, delete_seconds=0.1, operation_end=404)
    ) as other:
        (config.parent / "other").mkdir()
        its = write_config(config.parent / "other", other.describe())
        rest(its, "PUT", path, "--body", BODY, "--yes")
        assert rest(its, "DELETE", path, "--yes", "--wait").code == 0
        assert rest(its, "GET", path).code == 1
    assert rest(config, "GET", path).code == 0


@pytest.mark.parametrize("what", ["drop", "drop-after", "reset-after", "500", "504-after"])
def test_a_write_of_unknown_end_is_said(config: Path, stamp: RunningStamp, what: str) -> None:
    stamp.fault_at(f"PUT */resourcegroups/*={what}")
    ran = rest(config, "PUT", f"{SUBSCRIPTION}/resourceGroups/maybe", "--body", BODY, "--yes")
    assert (ran.code, ran.out) == (1, "")
    assert "is unknown; look: stacktui rest GET" in ran.err


def test_a_refused_write_is_not_called_unknown(config: Path) -> None:
    path = f"{SUBSCRIPTION}/resourceGroups/else"
    ran = rest(config, "PUT", path, "--body", '{"location": "mars"}', "--yes")
    assert (ran.code, ran.out) == (1, "")
    assert "LocationNotAvailable" in ran.err
    assert "unknown" not in ran.err


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("{", "not JSON"),
        ("", "not JSON"),
        ('{"a": NaN}', "not JSON"),
        ('{"a": 1e999}', "not JSON"),
        ("@none.json", "No such file"),
        ("@.", "Is a directory"),
        ("@big.json", "over 4,194,304 bytes"),
        ("@utf16.json", "not JSON"),
    ],
)
def test_a_body_must_be_json(
    config: Path, stamp: RunningStamp, body: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(config.parent)
    Path("big.json").write_bytes(b" " * (4 << 20) + b"{}")
    Path("utf16.json").write_bytes(BODY.encode("utf-16"))
    before = len(stamp.requests)
    ran = rest(config, "PUT", f"{SUBSCRIPTION}/resourceGroups/x", "--body", body, "--yes")
    assert (ran.code, ran.out) == (2, "")
    assert why in ran.err
    assert len(stamp.requests) == before


def test_options_that_do_not_fit(config: Path) -> None:
    for words in (
        ("DELETE", "/x", "--all-pages"),
        ("GET", "/x", "--all-pages", "--wait"),
        ("GET", "/x", "--body", "{}"),
        ("BREW", "/x"),
    ):
        assert rest(config, *words).code == 2
