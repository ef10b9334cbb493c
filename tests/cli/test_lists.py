"""`stacktui groups`, `providers` and `subscriptions` from outside, on a stamp."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stacktui.cli.wait_line import WaitLine
from stacktui.config.document import Table, read_document
from stacktui.environments.config import read_environment
from stacktui.resources.retry import Wait
from stacktui.stamp import SignInKind, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.product import Ran, signing_in, stacktui, write_config
from tests.support.pasted import on_terminal

DOMAIN = "local.azurestack.external"
GROUPS, PAGE = 95, 10
FORMATS = ("text", "json", "jsonl", "tsv")


@pytest.fixture(scope="module")
def running() -> Iterator[RunningStamp]:
    options = StampOptions(
        groups=GROUPS,
        page_size=PAGE,
        domain=DOMAIN,
        hostile=True,
        more_subscriptions=("disabled", "other-tenant", "enabled"),
    )
    with run_in_thread(options) as stamp:
        yield stamp


@pytest.fixture
def stamp(running: RunningStamp) -> Iterator[RunningStamp]:
    """The stamp without faults."""
    running.fault_at()
    yield running
    running.fault_at()


@pytest.fixture
def config(stamp: RunningStamp, tmp_path: Path) -> Path:
    return write_config(tmp_path, stamp.describe())


@pytest.fixture(scope="module")
def names(running: RunningStamp, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names of all groups, in ARM's order."""
    running.fault_at()
    config = write_config(tmp_path_factory.mktemp("names"), running.describe())
    found = names_in(listed(config, "jsonl"))
    assert len(found) > GROUPS
    return found


def listed(config: Path, format_: str = "text", *options: str, **variables: str) -> Ran:
    words = ("groups", "list", "--config", config, "--format", format_, *options)
    return stacktui(*words, **variables)


def names_in(ran: Ran) -> list[str]:
    return [json.loads(line)["name"] for line in ran.out.splitlines()]


# Formats.


def test_one_object_a_line_as_arm_has_it(config: Path, stamp: RunningStamp) -> None:
    ran = listed(config, "jsonl")
    assert (ran.code, ran.err) == (0, "")
    first = json.loads(ran.out.splitlines()[0])
    assert first == {
        "id": f"/subscriptions/{stamp.subscription_id}/resourceGroups/rg-backup-dev-01",
        "name": "rg-backup-dev-01",
        "type": first["type"],
        "location": "local",
        "tags": {"env": "dev"},
        "properties": {"provisioningState": "Succeeded"},
    }


def test_the_json_document(config: Path, stamp: RunningStamp, names: list[str]) -> None:
    document = listed(config, "json").document
    assert list(document) == ["schema", "environment", "subscription", "groups", "error"]
    assert (document["schema"], document["environment"]) == (1, "Test")
    assert (document["subscription"], document["error"]) == (stamp.subscription_id, None)
    assert [each["name"] for each in document["groups"]] == names


def test_a_line_of_tsv_has_the_same_columns_always(config: Path, names: list[str]) -> None:
    ran = listed(config, "tsv")
    rows = [line.split("\t") for line in ran.out.split("\n")[:-1]]
    assert len(rows) == len(names)
    assert {len(row) for row in rows} == {5}
    assert rows[0][:4] == ["rg-backup-dev-01", "local", "Succeeded", "env=dev"]
    assert rows[0][4].endswith("/resourceGroups/rg-backup-dev-01")


def test_text_has_a_head_and_a_symbol_for_each_state(config: Path, names: list[str]) -> None:
    head, first, *rest = listed(config).out.split("\n")[:-1]
    assert head.split() == ["name", "location", "state", "tags"]
    assert first.split() == ["✓", "rg-backup-dev-01", "local", "Succeeded", "env=dev"]
    assert len(rest) == len(names) - 1


@pytest.mark.parametrize("format_", FORMATS)
def test_hostile_names_and_tags_are_harmless(config: Path, format_: str, names: list[str]) -> None:
    assert any("\x1b" in name for name in names)
    ran = listed(config, format_)
    assert (ran.code, ran.err) == (0, "")
    kinds = {unicodedata.category(char) for char in ran.out.replace("\n", "").replace("\t", "")}
    assert kinds.isdisjoint({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
    assert ("\t" in ran.out) is (format_ == "tsv")
    assert "[bold]" in ran.out
    if format_ in ("text", "tsv"):
        assert max(map(len, ran.out.splitlines())) < 5000  # of 10,000 characters, the first
    else:
        assert ran.out.isascii()


@pytest.mark.parametrize("format_", FORMATS)
def test_a_terminal_without_utf8_gets_ascii(config: Path, format_: str) -> None:
    words = ("groups", "list", "--config", config, "--format", format_)
    ran = stacktui(*words, encoding="ascii")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.isascii()


def test_on_a_terminal_no_line_is_wider(config: Path, names: list[str]) -> None:
    command = [sys.executable, "-m", "stacktui", "groups", "list", "--config", str(config)]
    code, screen = on_terminal(command, [], dict(os.environ) | {"COLUMNS": "80", "NO_COLOR": "1"})
    lines = screen.splitlines()
    assert code == 0
    assert len([line for line in lines if line.startswith("✓")]) == len(names)
    assert max(map(len, lines)) <= 80


# Limits, subscriptions, environments.


def test_only_a_limit_of_this_run_cuts_and_says_so(stamp: RunningStamp, tmp_path: Path) -> None:
    config = write_config(tmp_path, stamp.describe())
    text = config.read_text().replace(
        "[identities", "[environments.Test.limits]\nrows = 7\npages = 1\n[identities", 1
    )
    config.write_text(text)
    assert len(listed(config, "jsonl").out.splitlines()) > GROUPS
    ran = listed(config, "jsonl", "--limit", "rows=12")
    assert (ran.code, len(ran.out.splitlines())) == (0, 12)
    assert ran.err == (
        "stacktui: --limit rows=12: there are more than the 12 resource groups shown\n"
    )
    ran = listed(config, "json", "--limit", "pages=2")
    assert len(ran.document["groups"]) == 2 * PAGE
    assert ran.document["error"] == "--limit pages=2"
    ran = listed(config, "jsonl", "--limit", "rows=5000")
    assert (ran.err, len(ran.out.splitlines()) > GROUPS) == ("", True)


def test_another_subscription_by_its_name_or_id(config: Path, stamp: RunningStamp) -> None:
    rows = [json.loads(line) for line in subscriptions(config, "jsonl").out.splitlines()]
    other = next(each for each in rows[1:] if "Guest" not in each["displayName"]
                 and each["state"] == "Enabled")  # fmt: skip
    for wanted in (other["displayName"], other["displayName"].upper(), other["subscriptionId"]):
        document = listed(config, "json", "--subscription", wanted).document
        assert document["subscription"] == other["subscriptionId"]
        assert len(document["groups"]) < GROUPS
    ran = listed(config, "json", "--subscription", "Nope")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("stacktui: no subscription Nope is visible")
    assert stamp.subscription_id in ran.err


@pytest.fixture
def projects(config: Path, stamp: RunningStamp) -> dict[str, str]:
    """The names of the two enabled subscriptions of the tenant, by their ids in ARM's order."""
    rows = [json.loads(line) for line in subscriptions(config, "jsonl").out.splitlines()]
    return {each["subscriptionId"]: each["displayName"] for each in rows
            if (each["state"], each["tenantId"]) == ("Enabled", stamp.tenant)}  # fmt: skip


def of_all(config: Path, format_: str = "text", *options: str) -> Ran:
    return listed(config, format_, "--all-subscriptions", *options)


def test_the_groups_of_all_subscriptions_are_those_of_each(
    config: Path, projects: dict[str, str]
) -> None:
    assert len(projects) == 2
    for format_ in ("jsonl", "tsv"):
        each = [listed(config, format_, "--subscription", id_).out for id_ in projects]
        ran = of_all(config, format_)
        assert (ran.code, ran.out) == (0, "".join(each))
        assert all(each)
    left_out = ran.err.splitlines()
    assert ["not listed: " in line for line in left_out] == [True, True]
    assert "is Disabled" in left_out[0]
    assert "sign in with an identity of that tenant" in left_out[1]
    document = of_all(config, "json").document
    assert list(document) == ["schema", "environment", "subscriptions", "groups", "error"]
    assert (document["subscriptions"], document["error"]) == (list(projects), None)
    ids = [each["id"] for each in document["groups"]]
    head, *rows = of_all(config).out.splitlines()
    assert head.split() == ["name", "subscription", "location", "state", "tags"]
    for id_, name in projects.items():
        named = [row for row in rows if f"  {name}" in row]
        assert len(named) == sum(f"/{id_}/" in each for each in ids)


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("first", [True, False])
def test_a_subscription_that_fails_leaves_the_others(
    config: Path, stamp: RunningStamp, projects: dict[str, str], format_: str, first: bool
) -> None:
    bad, good = list(projects) if first else reversed(projects)
    whole = listed(config, format_, "--subscription", good)
    stamp.fault_at(f"GET */{bad}/resourcegroups=500")
    ran = of_all(config, format_)
    assert ran.code == 1
    came = f"0 resource groups of {projects[bad]} ({bad}) came before that"
    assert f"stacktui: the list is not whole: {came}; run the command again\n" in ran.err
    if format_ == "json":
        assert ran.document["groups"] == whole.document["groups"]
        assert ran.document["error"].startswith(f"{projects[bad]} ({bad}): ")
    else:
        assert len(ran.out.splitlines()) == len(whole.out.splitlines())


def test_a_limit_cuts_the_groups_of_all_subscriptions_together(
    config: Path, stamp: RunningStamp, names: list[str]
) -> None:
    asked = len(stamp.requests)
    ran = of_all(config, "jsonl", "--limit", f"rows={len(names) + 1}")
    assert (ran.code, len(ran.out.splitlines())) == (0, len(names) + 1)
    assert f"there are more than the {len(names) + 1} resource groups shown" in ran.err
    ran = of_all(config, "jsonl", "--limit", f"rows={len(names)}")
    assert f"there are more than the {len(names)} resource groups shown" in ran.err
    assert len(stamp.requests) > asked
    ran = of_all(config, "json", "--subscription", "x")
    assert (ran.code, ran.out) == (2, "")


def test_without_one_in_the_config_the_first_enabled_is_read(
    stamp: RunningStamp, tmp_path: Path
) -> None:
    config = write_config(tmp_path, stamp.describe(), subscription="")
    assert listed(config, "json").document["subscription"] == stamp.subscription_id


def test_the_environment_is_named_by_an_option(config: Path) -> None:
    assert listed(config, "jsonl", "--environment", "Test", "--limit", "rows=1").code == 0
    assert listed(config, "jsonl", "-e", "Test", "--limit", "rows=1").code == 0
    ran = listed(config, "jsonl", "-e", "Tset")
    assert (ran.code, ran.out) == (2, "")
    assert "did you mean Test?" in ran.err


def test_without_an_identity_nothing_is_asked(stamp: RunningStamp, tmp_path: Path) -> None:
    before = len(stamp.requests)
    config = write_config(tmp_path, stamp.describe())
    config.write_text(config.read_text().replace('identity = "tester"\n', ""))
    ran = listed(config)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "stacktui: Test has no identity to sign in with; "
        f"stacktui environments set Test --config {config} identity=NAME\n"
    )
    assert len(stamp.requests) == before


# Faults.

_LONG = pytest.mark.every_failure
KINDS = ("drop", "reset", "delay:0.1", "throttle:0", "500", "503:0", "504", "cut", "401")


@pytest.mark.parametrize(
    "kind",
    [pytest.param(each, marks=() if each in ("reset", "500", "401") else _LONG) for each in KINDS],
)
def test_each_request_of_a_listing_may_fail_and_nothing_is_missing_unsaid(
    config: Path, stamp: RunningStamp, names: list[str], kind: str
) -> None:
    """Either all is there, or what is there is the start of it, and stderr says that."""
    stamp.fault_at()
    before = len(stamp.requests)
    listed(config, "jsonl")
    requests = len(stamp.requests) - before
    assert requests >= 12
    whole = 0
    for number in range(1, requests + 1):
        stamp.fault_at(f"{number}={kind}")
        ran = listed(config, "jsonl")
        found = names_in(ran)
        assert found == names[: len(found)]
        if ran.code == 0:
            whole += 1
            assert found == names
        else:
            assert ran.code == 1
            assert ran.err.startswith("stacktui: ")
            assert "stacktui check Test" in ran.err
            assert ("the list is not whole" in ran.err) is bool(found)
    # A broken connection, a throttled request and a token that has ended are lived through.
    assert whole >= (requests - 3 if kind not in ("500", "504") else 0)


@pytest.mark.parametrize(
    ("kind", "format_"), [("drop", "jsonl"), ("reset", "jsonl"), *(("500", f) for f in FORMATS)]
)
def test_what_was_read_before_a_lasting_fault_stands(
    config: Path, stamp: RunningStamp, names: list[str], kind: str, format_: str
) -> None:
    stamp.fault_at(f"GET */resourcegroups@3+={kind}")
    ran = listed(config, format_)
    assert ran.code == 1
    assert "the list is not whole: 20 resource groups came before that" in ran.err
    if format_ == "json":
        assert [each["name"] for each in ran.document["groups"]] == names[: 2 * PAGE]
        assert ran.document["error"]
    else:
        assert ran.out.count("\n") == 2 * PAGE + (format_ == "text")


def test_a_wait_is_said_on_stderr(config: Path, stamp: RunningStamp, names: list[str]) -> None:
    stamp.fault_at("GET */resourcegroups@2=throttle:1")
    ran = listed(config, "jsonl")
    assert ran.err == ("stacktui: throttled by ARM (the resource groups); going on in 1 s\n")
    assert names_in(ran) == names


def test_the_same_wait_again_is_no_line_again(capsys: pytest.CaptureFixture[str]) -> None:
    """As between the polls of one operation."""
    waits = WaitLine()
    for what in ("a VM", "a VM", "a group", "a group", "a VM"):
        waits.show(Wait(what, 429, 1.0))
    said = [f"stacktui: throttled by ARM ({each}); going on in 1 s" for each in
            ("a VM", "a group", "a VM")]  # fmt: skip
    assert capsys.readouterr().err.splitlines() == said


def test_a_wait_counts_down_on_a_terminal(config: Path, stamp: RunningStamp) -> None:
    stamp.fault_at("GET */resourcegroups@2=throttle:2")
    command = f"{sys.executable} -m stacktui groups list --config {config} >/dev/null"
    code, screen = on_terminal(["sh", "-c", command], [], dict(os.environ))
    assert code == 0
    for seconds in (2, 1):
        assert f"throttled by ARM (the resource groups); going on in {seconds} s" in screen
    assert screen.endswith("\r\x1b[K")


def test_the_seconds_of_a_wait_fit_any_terminal(config: Path, stamp: RunningStamp) -> None:
    stamp.fault_at("GET */resourcegroups@2=throttle:1")
    command = f"{sys.executable} -m stacktui groups list --config {config} >/dev/null"
    _, screen = on_terminal(["sh", "-c", command], [], os.environ | {"COLUMNS": "40"})
    assert "throttled by ARM (the…; going on in 1 s" in screen


def test_who_is_refused_sees_arms_words_and_the_ids(stamp: RunningStamp, tmp_path: Path) -> None:
    config = write_config(tmp_path, stamp.describe())
    missing = "00000000-0000-0000-0000-000000000000"
    ran = listed(config, "jsonl", "--subscription", missing)
    assert (ran.code, ran.out) == (1, "")
    assert "SubscriptionNotFound" in ran.err
    assert "x-ms-request-id: " in ran.err


def test_a_sign_in_that_fails_is_the_fault_of_that(stamp: RunningStamp, tmp_path: Path) -> None:
    config = write_config(tmp_path, stamp.describe(), secret='{ env = "WRONG" }')
    ran = listed(config, "jsonl", WRONG="Wr0ng~Value.4711")
    assert (ran.code, ran.out) == (1, "")
    assert "AADSTS7000215" in ran.err
    assert f"how to fix it: stacktui check Test --config {config}\n" in ran.err
    assert "Wr0ng" not in ran.err


def test_a_device_code_is_asked_for_on_stderr(tmp_path: Path) -> None:
    with run_in_thread(StampOptions(groups=2, device_interval=1, device_approve_after=1)) as stamp:
        described = stamp.describe()
        config = write_config(tmp_path, described, **signing_in(SignInKind.DEVICE_CODE, described))
        ran = listed(config, "jsonl")
    assert (ran.code, len(ran.out.splitlines())) == (0, 2)
    assert ran.err.startswith("stacktui: to sign in, open http")
    assert " and type the code " in ran.err


# Streams.


def started(config: Path, *options: str, **streams: Any) -> subprocess.Popen[str]:
    words = ["groups", "list", "--format", "jsonl", "--config", str(config), *options]
    return subprocess.Popen(
        [sys.executable, "-m", "stacktui", *words], text=True, stderr=subprocess.PIPE, **streams
    )


def test_the_first_line_comes_before_the_last_page(config: Path, stamp: RunningStamp) -> None:
    stamp.fault_at("GET */resourcegroups@4+=hang")
    with started(config, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        read = [json.loads(process.stdout.readline())["name"] for _ in range(3 * PAGE)]
        assert process.poll() is None
        process.terminate()
    assert len(read) == 3 * PAGE


def test_who_reads_no_further_ends_it_quietly(config: Path) -> None:
    with started(config, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait() == 1


def test_who_reads_slowly_gets_all(config: Path, names: list[str]) -> None:
    """The pipe is full for longer than a response may take; the list goes on."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, 1031, 4096)  # F_SETPIPE_SZ: one page
    with started(config, "--limit", "first_byte=0.5", stdout=writing) as process:
        os.close(writing)
        time.sleep(2)
        with os.fdopen(reading) as pipe:
            found = [json.loads(line)["name"] for line in pipe]
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait() == 0
    assert found == names


@pytest.mark.parametrize("format_", FORMATS)
def test_a_full_disk_is_said(config: Path, format_: str) -> None:
    with (
        Path("/dev/full").open("wb") as full,
        started(config, "--format", format_, stdout=full) as process,
    ):
        assert process.stderr is not None
        assert "cannot write the result" in process.stderr.read()
        assert process.wait() == 3


# One group, with its lists.


def shown(config: Path, name: str, format_: str = "text") -> Ran:
    return stacktui("groups", "show", name, "--config", config, "--format", format_)


def test_a_group_with_its_lock_and_what_is_inside(config: Path, stamp: RunningStamp) -> None:
    ran = shown(config, "rg-backup-prod-01")
    assert (ran.code, ran.err) == (0, "")
    scope = f"/subscriptions/{stamp.subscription_id}/resourceGroups/rg-backup-prod-01"
    link = f"https://portal.{DOMAIN}/#@{stamp.tenant}/resource{scope}"
    fields = dict(line.strip().split(None, 1) for line in ran.out.splitlines()[1:8])
    assert fields["id"] == scope
    assert fields["portal"] == link
    assert fields["you"] == "may      read, write, delete, assign roles"
    assert fields["locks"] == (
        "keep-backups · CanNotDelete · on this group · Ask before you delete it."
    )
    assert "Microsoft.Network/virtualNetworks · local" in ran.out
    assert "deploy-backup-prod-01-1 · Succeeded · 20" in ran.out
    document = shown(config, "rg-backup-prod-01", "json").document
    assert list(document) == [
        "schema", "environment", "subscription", "group", "portal", "may",
        "resources", "locks", "deployments", "permissions",
    ]  # fmt: skip
    assert document["portal"] == link
    assert document["may"] == ["read", "write", "delete", "assign roles"]
    assert document["locks"][0]["properties"]["level"] == "CanNotDelete"


@pytest.mark.parametrize("part", ["resources", "locks", "deployments", "permissions"])
def test_a_list_that_is_refused_leaves_the_others(
    config: Path, stamp: RunningStamp, part: str
) -> None:
    stamp.fault_at(f"GET */{part}=500")
    ran = shown(config, "rg-backup-prod-01", "json")
    document = ran.document
    assert ran.code == 1
    parts = {each for each in ("resources", "locks", "deployments", "permissions")
             if document[each] is None}  # fmt: skip
    assert parts == {part}
    assert (document["may"] is None) is (part == "permissions")
    assert f"stacktui: the {part}: 500 InternalServerError" in ran.err
    text = shown(config, "rg-backup-prod-01")
    assert (text.code, text.out.count("not read, see below")) == (1, 1)


def test_a_hostile_group_is_shown_by_its_name(config: Path, names: list[str]) -> None:
    hostile = [each for each in names if "hostile" in each and len(each) < 200]
    assert hostile
    for name in hostile:
        ran = shown(config, name)
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.replace("\n", "").isprintable()
        assert shown(config, name, "jsonl").document["name"] == name


def test_a_group_that_is_not_there_is_no_fault_to_check(config: Path) -> None:
    ran = shown(config, "nothing")
    assert (ran.code, ran.out) == (1, "")
    assert "ResourceGroupNotFound" in ran.err
    assert "stacktui check" not in ran.err


def test_a_group_as_its_own_line(config: Path) -> None:
    assert shown(config, "rg-web-prod-01", "jsonl").document["name"] == "rg-web-prod-01"
    assert shown(config, "rg-web-prod-01", "tsv").out.startswith("rg-web-prod-01\tlocal\t")


# Providers.


def test_providers_are_marked_where_the_samples_need_them(config: Path) -> None:
    ran = stacktui("providers", "list", "--config", config, "--format", "tsv")
    rows = {line.split("\t")[0]: line.split("\t")[1:] for line in ran.out.splitlines()}
    assert (ran.code, ran.err) == (0, "")
    assert rows["Microsoft.Compute"][0] == "Registered"
    assert rows["Microsoft.Web"][0] == "NotRegistered"
    marked = {name for name, row in rows.items() if row[2]}
    assert marked == {
        "Microsoft.Compute", "Microsoft.Network", "Microsoft.Storage", "Microsoft.KeyVault",
    }  # fmt: skip
    text = stacktui("providers", "list", "--config", config).out
    assert "\n– Microsoft.Web " in text
    document = stacktui("providers", "list", "--config", config, "--format", "json").document
    assert {each["namespace"] for each in document["providers"]} == set(rows)


def test_one_provider_has_its_types_and_versions(config: Path) -> None:
    words = ("providers", "show", "microsoft.compute", "--config", config)
    ran = stacktui(*words, "--format", "tsv")
    rows = [line.split("\t") for line in ran.out.splitlines()]
    assert [rows[0][0], rows[0][2]] == ["virtualMachines", "local"]
    assert "2020-06-01" in rows[0][1].split(",")
    assert stacktui(*words).out.startswith("✓ Microsoft.Compute · Registered · for samples\n")
    raw = stacktui(*words, "--format", "jsonl").document
    assert stacktui(*words, "--format", "json").document["provider"] == raw
    assert stacktui("providers", "show", "No.Such", "--config", config).code == 1


# Subscriptions.


def subscriptions(config: Path, format_: str = "text") -> Ran:
    return stacktui("subscriptions", "list", "--config", config, "--format", format_)


def used(config: Path) -> str | None:
    table = read_document(config)["environments"]["Test"]
    return read_environment("Test", Table(config, "environments.Test", table)).subscription


def test_subscriptions_with_the_one_in_use_and_why_others_are_limited(
    config: Path, stamp: RunningStamp
) -> None:
    ran = subscriptions(config)
    assert ran.code == 0
    assert f"\n* {stamp.subscription_id}  " in ran.out
    assert ran.out.count("\n* ") == 1
    assert "is Disabled: ARM changes nothing in it" in ran.err
    assert "sign in with an identity of that tenant" in ran.err
    rows = [line.split("\t") for line in subscriptions(config, "tsv").out.splitlines()]
    assert [len(row) for row in rows] == [5] * 4
    assert rows[0][3] == stamp.tenant
    document = subscriptions(config, "json").document
    assert [each["subscriptionId"] for each in document["subscriptions"]] == [
        row[0] for row in rows
    ]


@pytest.mark.parametrize("words", [("subscriptions", "list"), ("groups", "list")])
def test_who_sees_none_hears_of_offers_and_whom_to_ask(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    with run_in_thread(StampOptions(role=None)) as stamp:
        config = write_config(tmp_path, stamp.describe(), subscription="")
        ran = stacktui(*words, "--config", config)
    assert ran.code == (0 if words[0] == "subscriptions" else 1)
    assert ran.out == ""
    assert f"(object id {stamp.object_id}) sees no subscription" in ran.err
    assert "Standard (standard), Trial (trial)" in ran.err
    assert "Reader can list" in ran.err


def test_where_there_is_no_offer_either_the_operator_is_asked(tmp_path: Path) -> None:
    with run_in_thread(StampOptions(role=None, offers=0)) as stamp:
        ran = subscriptions(write_config(tmp_path, stamp.describe(), subscription=""))
    assert "ask the operator for a subscription" in ran.err


def test_a_subscription_is_chosen_by_name_or_id_and_taken_out(
    config: Path, stamp: RunningStamp
) -> None:
    rows = [json.loads(line) for line in subscriptions(config, "jsonl").out.splitlines()]
    name, other = rows[3]["displayName"], rows[3]["subscriptionId"]
    config.write_text("# kept\n" + config.read_text())
    for wanted in (name, other):
        ran = stacktui("subscriptions", "use", wanted, "-e", "Test", "--config", config)
        assert (ran.code, ran.out) == (0, "")
        assert ran.err.startswith(f"Test: subscription = {other} ({name}) (was: ")
        assert used(config) == other
    ran = stacktui("subscriptions", "use", "--none", "--config", config)
    assert (ran.code, ran.err) == (0, f"Test: subscription taken out (was: {other})\n")
    assert used(config) is None
    assert config.read_text().startswith("# kept\n")


def test_what_nobody_sees_is_not_chosen(config: Path, stamp: RunningStamp) -> None:
    before = config.read_bytes()
    for words in (["Nope"], [], ["Nope", "--none"]):
        assert stacktui("subscriptions", "use", *words, "--config", config).code == 2
    assert config.read_bytes() == before
    disabled = json.loads(subscriptions(config, "jsonl").out.splitlines()[1])["subscriptionId"]
    ran = stacktui("subscriptions", "use", disabled, "--config", config)
    assert (ran.code, used(config)) == (0, disabled)
    assert "is Disabled" in ran.err
