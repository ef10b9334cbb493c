"""`stacktui groups create`, `tag`, `delete` and `operations list` from outside, and killed."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stacktui.config.locations import operations_file
from stacktui.resources import group_deletion
from stacktui.stamp import SignInKind, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.cli.killed import KILLED
from tests.cli.killed_request import hangs, killed_at
from tests.product import Ran, signing_in, stacktui, write_config
from tests.resources.group_states import row_of
from tests.resources.walks import writes
from tests.support.pasted import on_terminal

# A clean change has fewer requests, those of its sign-in too.
MANY = 13
CHANGES: dict[str, tuple[str, ...]] = {
    "create": ("--location", "local", "--tag", "a=1"),
    "tag": ("--tag", "a=2"),
    "delete": (),
}
METHODS = {"create": "PUT", "tag": "PATCH", "delete": "DELETE"}


@pytest.fixture(scope="module")
def running() -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(groups=9, retry_after=0, delete_seconds=1)) as stamp:
        yield stamp


@pytest.fixture
def stamp(running: RunningStamp, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningStamp]:
    monkeypatch.setattr(group_deletion, "_PAUSE", 0.1)
    yield running
    running.fault_at()


@pytest.fixture
def config(stamp: RunningStamp, tmp_path: Path) -> Path:
    return write_config(tmp_path, stamp.describe())


def on(config: Path, change: str, name: str, *words: str, **variables: str) -> Ran:
    given = ("groups", change, name, *CHANGES[change], *words, "--config", str(config))
    return stacktui(*given, **variables)


def listed(config: Path, *words: str) -> Ran:
    return stacktui("operations", "list", "--config", str(config), *words)


def states(ran: Ran) -> dict[str, str]:
    return {each["group"]: each["state"] for each in ran.document["operations"]}


def group(stamp: RunningStamp, name: str) -> Any:
    return asyncio.run(row_of(stamp, name))


def test_made_tagged_and_deleted_as_text(config: Path, stamp: RunningStamp) -> None:
    made = on(config, "create", "rg-text", "--yes")
    assert (made.code, made.err) == (0, "")
    first, id_, tags = made.out.splitlines()
    assert first == "✓ created resource group rg-text at local"
    assert id_.endswith("/resourceGroups/rg-text")
    assert tags == "  tags: a=1"
    assert "rg-text" in stacktui("groups", "list", "--config", config).out
    tagged = on(config, "tag", "RG-TEXT", "--tag", "b=3", "--yes")
    assert (tagged.code, tagged.err) == (0, "")
    assert tagged.out.splitlines()[1:] == ["  before: a=1", "  after:  a=2, b=3"]
    same = on(config, "tag", "rg-text", "--yes")
    assert (same.code, same.out[:1]) == (0, "–")
    removed = stacktui("groups", "tag", "rg-text", "--remove", "A", "--yes", "--config", config)
    assert removed.code == 0
    assert group(stamp, "rg-text")["tags"] == {"b": "3"}
    gone = on(config, "delete", "Rg-text", "--yes")
    assert (gone.code, gone.out) == (0, "✓ deleted resource group rg-text: the group is gone\n")
    again = on(config, "delete", "rg-text", "--yes")
    assert (again.code, again.err) == (0, "")
    assert again.out == "– there is no resource group rg-text: nothing to delete\n"


def test_as_json(config: Path, stamp: RunningStamp) -> None:
    documents = [
        on(config, change, "rg-json", "--yes", "--format", "json").document for change in CHANGES
    ]
    for document, change in zip(documents, CHANGES, strict=True):
        assert list(document) == [
            "schema", "environment", "subscription", "change", "outcome", "group", "began", "error",
        ]  # fmt: skip
        assert (document["change"], document["outcome"], document["error"]) == (change, "ok", None)
        assert document["subscription"] == stamp.subscription_id
        assert document["group"]["name"] == "rg-json"
    created, tagged, deleted = documents
    assert (created["group"]["tags"], tagged["group"]["tags"]) == ({"a": "1"}, {"a": "2"})
    assert (created["began"], deleted["began"][-1]) == (None, "Z")
    again = on(config, "delete", "rg-json", "--yes", "--format", "json").document
    assert (again["outcome"], again["group"]) == ("already", None)


def test_what_is_refused_and_why(config: Path, stamp: RunningStamp) -> None:
    before = writes(stamp)
    there = on(config, "create", "rg-web-prod-01", "--yes", "--format", "json")
    assert (there.code, there.document["outcome"]) == (1, "failed")
    assert "is there already" in there.err
    assert "stacktui groups tag" in there.err
    assert f"-e Test --config {config}" in " ".join(there.err.split())
    assert writes(stamp) == before
    locked = on(config, "delete", "rg-backup-prod-01", "--yes", "--format", "json")
    assert (locked.code, locked.document["error"]["code"]) == (1, "ScopeLocked")
    assert "nothing was changed" in locked.err
    assert "stacktui groups show" in locked.err
    none = on(config, "tag", "rg-none", "--yes")
    assert (none.code, none.out) == (1, "")
    assert "there is no resource group rg-none" in none.err


def test_who_may_not(tmp_path: Path) -> None:
    with run_in_thread(StampOptions(groups=9, role="reader")) as stamp:
        config = write_config(tmp_path, stamp.describe())
        for change, name in (("create", "rg-x"), ("tag", "rg-web-prod-01")):
            ran = on(config, change, name, "--yes", "--format", "json")
            assert (ran.code, ran.document["outcome"]) == (1, "failed")
            assert ran.document["error"]["code"] == "AuthorizationFailed"
            assert "resourceGroups/write" in ran.err
            assert "a Contributor or an Owner may do this" in ran.err
        assert on(config, "delete", "rg-web-prod-01", "--yes").code == 1
        assert not operations_file().exists() or states(listed(config, "--format", "json")) == {}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("create", "a.", "--location", "local"), "1 to 90 letters"),
        (("create", "a/b", "--location", "local"), "1 to 90 letters"),
        (("create", "rg-x"), "Missing option '--location'"),
        (("create", "rg-x", "--location", "local", "--tag", "a"), "NAME=VALUE"),
        (("create", "rg-x", "--location", "local", "--tag", "a=1", "--tag", "A=2"), "given twice"),
        (("tag", "rg-x"), "give a --tag NAME=VALUE"),
        (("tag", "rg-x", "--tag", "a=1", "--remove", "A"), "to be set and removed"),
        (("tag", "rg-x", "--tag", "a/b=1"), "1 to 512 characters"),
    ],
)
def test_wrong_usage_asks_nobody(
    config: Path, stamp: RunningStamp, words: tuple[str, ...], said: str
) -> None:
    before = len(stamp.requests)
    ran = stacktui("groups", *words, "--yes", "--config", config)
    assert (ran.code, ran.out) == (2, "")
    assert said in " ".join(ran.err.split())
    assert len(stamp.requests) == before


def test_it_shows_the_request_and_asks(config: Path, stamp: RunningStamp, tmp_path: Path) -> None:
    typed, url = tmp_path / "typed", f"{stamp.arm_url}/subscriptions/{stamp.subscription_id}"
    before = writes(stamp)
    typed.write_text("n\n")
    made = on(config, "create", "rg-asked", stdin=str(typed))
    assert f"  PUT {url}/resourceGroups/rg-asked?api-version=2019-10-01\n" in made.err
    assert '  {"location": "local", "tags": {"a": "1"}}\n' in made.err
    tag = on(config, "tag", "rg-web-prod-01", stdin=str(typed))
    assert '  {"tags": {"env": "prod", "a": "2"}}\n  tags before: env=prod\n' in tag.err
    typed.write_text("rg-web\n")
    deleted = on(config, "delete", "rg-web-prod-01", stdin=str(typed))
    assert "  in it: 3 resources\n  - vnet-web-prod-01 · " in deleted.err
    assert "type its name to delete it (rg-web-prod-01)" in deleted.err
    locked = on(config, "delete", "rg-backup-prod-01", stdin=str(typed))
    assert "keep-backups · CanNotDelete" in locked.err
    for ran in (made, tag, deleted, locked):
        assert (ran.code, ran.out) == (2, "")
        assert "nothing was changed" in ran.err
    assert writes(stamp) == before
    on(config, "create", "rg-typed", "--yes")
    typed.write_text("RG-typed\n")
    assert on(config, "delete", "rg-typed", stdin=str(typed)).code == 0


def test_a_deletion_goes_on_and_is_found_again(config: Path, stamp: RunningStamp) -> None:
    on(config, "create", "rg-later", "--yes")
    begun = on(config, "delete", "rg-later", "--yes", "--no-wait", "--format", "json")
    assert (begun.code, begun.document["outcome"]) == (0, "running")
    ran = listed(config, "--format", "json")
    assert (ran.code, states(ran)) == (0, {"rg-later": "running"})
    (row,) = ran.document["operations"]
    assert row["began"] == begun.document["began"]
    assert row["id"].endswith("/resourceGroups/rg-later")
    kept = operations_file().read_text(encoding="utf-8")
    assert stamp.secret not in kept
    assert not re.search(r"eyJ[\w-]+\.", kept)  # a token
    wait_until_gone(stamp, "rg-later")
    read_only = stacktui("--read-only", "operations", "list", "--config", config)
    assert (read_only.code, read_only.out.splitlines()[1][:11]) == (0, "✓ succeeded")
    assert listed(config, "--format", "tsv").out.startswith("succeeded\tdelete group\trg-later\t")
    ended = listed(config)
    assert (ended.code, ended.out) == (0, "")
    assert "nothing was begun in Test" in ended.err


def test_one_that_cannot_be_remembered_is_looked_for_elsewhere(
    config: Path, stamp: RunningStamp
) -> None:
    on(config, "create", "rg-unkept", "--yes")
    operations_file().parent.mkdir(parents=True, exist_ok=True)
    operations_file().write_text("{", encoding="utf-8")
    begun = on(config, "delete", "rg-unkept", "--yes", "--no-wait")
    assert (begun.code, "is not remembered" in begun.err) == (0, True)
    assert "see stacktui groups list -e Test" in " ".join(begun.out.split())
    wait_until_gone(stamp, "rg-unkept")
    operations_file().unlink()


def wait_until_gone(stamp: RunningStamp, name: str) -> None:
    while group(stamp, name):
        time.sleep(0.05)


def test_a_deletion_that_failed_is_listed_once(tmp_path: Path) -> None:
    options = StampOptions(groups=1, retry_after=0, delete_seconds=0.2, operation_end=409)
    with run_in_thread(options) as stamp:
        config = write_config(tmp_path, stamp.describe())
        on(config, "create", "rg-fails", "--yes")
        failed = on(config, "delete", "rg-fails", "--yes", "--format", "json")
        assert (failed.code, failed.document["outcome"]) == (1, "failed")
        assert failed.document["error"]["code"] == "ResourceGroupDeletionBlocked"
        on(config, "delete", "rg-fails", "--yes", "--no-wait")
        time.sleep(0.3)
        ran = listed(config)
        assert (ran.code, ran.out.splitlines()[1][:8]) == (1, "✗ failed")
        assert "ResourceGroupDeletionBlocked" in ran.err
        assert listed(config).out == ""


def test_the_list_says_what_is_unknown_and_keeps_it(config: Path, stamp: RunningStamp) -> None:
    on(config, "create", "rg-unsure", "--yes")
    on(config, "delete", "rg-unsure", "--yes", "--no-wait")
    stamp.fault_at("GET */resourcegroups/rg-unsure=500")
    ran = listed(config, "--format", "json")
    assert (ran.code, states(ran)) == (1, {"rg-unsure": "unknown"})
    assert "whether the group is gone is unknown" in ran.err
    stamp.fault_at()
    wait_until_gone(stamp, "rg-unsure")
    assert states(listed(config, "--format", "json")) == {"rg-unsure": "succeeded"}


def test_other_environments_are_named(config: Path, stamp: RunningStamp) -> None:
    text = config.read_text(encoding="utf-8")
    table = text.partition("[environments.Test]\n")[2].partition("[identities")[0]
    config.write_text(f"{text}[environments.West]\n{table}", encoding="utf-8")
    on(config, "create", "rg-west", "--yes")
    on(config, "delete", "rg-west", "--yes", "--no-wait", "--environment", "West")
    assert "other environments (-e NAME): West" in listed(config).err
    assert states(listed(config, "-e", "West", "--format", "json"))


def test_ctrl_c_leaves_the_deletion_to_arm(config: Path, stamp: RunningStamp) -> None:
    on(config, "create", "rg-ctrl-c", "--yes")
    stamp.fault_at("GET */operationresults/*=hang")
    words = ["groups", "delete", "rg-ctrl-c", "--yes", "--config", str(config)]
    process = subprocess.Popen(
        [sys.executable, "-m", "stacktui", *words], stderr=subprocess.PIPE, text=True
    )
    before = len(stamp.requests)
    while not hangs(stamp, before):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    stamp.fault_at()
    assert process.returncode == 130
    assert "what was sent goes on in ARM; see it: stacktui operations list -e Test" in said
    wait_until_gone(stamp, "rg-ctrl-c")
    assert states(listed(config, "--format", "json")) == {"rg-ctrl-c": "succeeded"}


def test_no_secret_is_shown_logged_or_kept(
    config: Path, stamp: RunningStamp, tmp_path: Path
) -> None:
    log = tmp_path / "requests.sh"
    texts = []
    for change in CHANGES:
        ran = on(config, change, "rg-secret", "--yes", "--log-requests", str(log))
        texts += [ran.out, ran.err]
    logged = log.read_text(encoding="utf-8")
    assert "az rest --method put --url" in logged
    for text in (*texts, logged, operations_file().read_text(encoding="utf-8")):
        assert stamp.secret not in text
        assert not re.search(r"eyJ[\w-]+\.", text)


def test_another_identity_may_do_it(config: Path, stamp: RunningStamp) -> None:
    replaced = signing_in(SignInKind.PASSWORD, stamp.describe())
    text = write_config(config.parent, stamp.describe(), **replaced).read_text(encoding="utf-8")
    table = text.partition("[identities.tester]\n")[2]
    write_config(config.parent, stamp.describe(), identity=f"[identities.user]\n{table}")
    assert on(config, "create", "rg-user", "--yes", "--identity", "user").code == 0


@pytest.mark.parametrize("change", CHANGES)
def test_ctrl_c_at_a_question_ends_it(config: Path, stamp: RunningStamp, change: str) -> None:
    before = writes(stamp)
    name = "rg-question" if change == "create" else "rg-web-prod-01"
    words = ["groups", change, name, *CHANGES[change], "--config", str(config)]
    command = [sys.executable, "-m", "stacktui", *words]
    code, shown = on_terminal(command, [("Test: ", "\x03")], os.environ)
    assert code == 130, shown
    assert writes(stamp) == before


@pytest.mark.parametrize("columns", ["40", "80"])
def test_it_fits_a_small_terminal(config: Path, columns: str) -> None:
    run = [sys.executable, "-m", "stacktui"]
    variables = os.environ | {"COLUMNS": columns, "NO_COLOR": "1"}
    name = f"rg-small-{columns}"
    on(config, "create", name, "--yes")
    words = ["groups", "tag", name, "--tag", "a=2", "--yes", "--config", str(config)]
    code, shown = on_terminal([*run, *words], [], variables)
    assert code == 0
    assert max(map(len, shown.splitlines())) <= int(columns)
    on(config, "delete", name, "--yes", "--no-wait")
    code, shown = on_terminal([*run, "operations", "list", "--config", str(config)], [], variables)
    assert code == 0
    assert max(map(len, shown.splitlines())) <= int(columns)


# Killed in between


def killed_and_again(config: Path, stamp: RunningStamp, change: str, name: str, fault: str) -> int:
    """Kill a change at a request, run it again, and find what was asked for, done once."""
    if change != "create":
        assert on(config, "create", name, "--yes").code == 0
    given = ("groups", change, name, *CHANGES[change], "--yes", "--config", str(config))
    code = killed_at(stamp, fault, *given)
    left = group(stamp, name)
    again = on(config, change, name, "--yes")
    row = group(stamp, name)
    if change == "create":
        # It says that the group is there, as it was asked for.
        assert again.code == (1 if left else 0), again
        assert not left or "is there already, as asked for" in again.err
        assert row["tags"] == {"a": "1"}
    elif change == "tag":
        assert (again.code, row["tags"]) == (0, {"a": "2"})
        assert again.out[:1] == ("–" if left["tags"] == row["tags"] else "✓")
    else:
        assert (again.code, row) == (0, None)
        assert again.out[:1] == "–" or left  # it may have ended since
        ended = states(listed(config, "--format", "json"))
        assert ended in ({}, {name: "succeeded"})
        assert listed(config).out == ""
    return code


@pytest.mark.parametrize("what", ["hang", "hang-after"])
@pytest.mark.parametrize("change", CHANGES)
def test_killed_at_the_write_and_run_again(
    config: Path, stamp: RunningStamp, change: str, what: str
) -> None:
    fault = f"{METHODS[change]} */resourcegroups/*={what}"
    name = f"rg-killed-{change}-{what}"
    assert killed_and_again(config, stamp, change, name, fault) == KILLED


def test_killed_while_it_polls_and_run_again(config: Path, stamp: RunningStamp) -> None:
    fault = "GET */operationresults/*=hang"
    assert killed_and_again(config, stamp, "delete", "rg-killed-poll", fault) == KILLED


@pytest.mark.every_failure
@pytest.mark.timeout(600)
@pytest.mark.parametrize("what", ["hang", "hang-after"])
@pytest.mark.parametrize("change", CHANGES)
def test_killed_at_each_request_and_run_again(
    config: Path, stamp: RunningStamp, change: str, what: str
) -> None:
    killed = 0
    for number in range(1, MANY + 1):
        name = f"rg-killed-{change}-{what}-{number}"
        fault = f"{number}={what}"
        killed += killed_and_again(config, stamp, change, name, fault) == KILLED
    assert killed > 3
