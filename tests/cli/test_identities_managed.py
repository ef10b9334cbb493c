"""`stacktui identities managed` from outside: public Azure, a stamp, and kills in between."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacktui.stamp import Cloud, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.cli.killed import KILLED
from tests.cli.killed_request import hangs, killed_at
from tests.product import Ran, imds_of, stacktui, write_config
from tests.resources.walks import GROUP, MACHINE, State, state_of, writes
from tests.support import interrupts
from tests.support.pasted import on_terminal

WALK = ("walk", "--group", GROUP, "--vm", MACHINE, "--yes", "--name")
STEPS = ("create", "assign", "grant", "prove")
# A clean walk has fewer requests, those of its sign-in too.
MANY = 24


@pytest.fixture(scope="module")
def public() -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(cloud=Cloud.PUBLIC, groups=1, retry_after=0)) as stamp:
        yield stamp


@pytest.fixture
def azure(public: RunningStamp, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningStamp]:
    for name, value in imds_of(public.describe()).items():
        monkeypatch.setenv(name, value)
    yield public
    public.fault_at()


@pytest.fixture
def config(azure: RunningStamp, tmp_path: Path) -> Path:
    return write_config(tmp_path, azure.describe(), environment='profile = "latest"')


def on(config: Path, *words: str, **variables: str) -> Ran:
    return stacktui("identities", "managed", *words, "--config", config, **variables)


def outcomes(ran: Ran) -> dict[str, str]:
    return {each["name"]: each["outcome"] for each in ran.document["steps"]}


def test_all_of_it_as_json_and_again(config: Path, azure: RunningStamp) -> None:
    first = on(config, *WALK, "id-json", "--format", "json")
    assert first.code == 0
    assert first.document["ok"] is True
    assert list(first.document) == ["ok", "steps"]
    assert outcomes(first) == dict.fromkeys(STEPS, "ok")
    written = writes(azure)
    again = on(config, *WALK, "id-json", "--format", "json")
    assert (again.code, again.document["ok"], again.err) == (0, True, "")
    assert outcomes(again) == dict.fromkeys(STEPS, "already") | {"prove": "ok"}
    assert writes(azure) == written
    create, assign, grant, prove = again.document["steps"]
    assert {"name", "outcome", "message", "commands", "error", "identity"} == {*create}
    assert assign["after"]["system_assigned"] is True
    assert assign["vanished"] == []
    assert grant["role"]["name"] == "Reader"
    assert (prove["client_id"], prove["group"]["name"]) == (create["identity"]["client_id"], GROUP)


def test_each_step_by_itself_and_as_text(config: Path) -> None:
    of = ("--group", GROUP, "--name", "id-text")
    assert on(config, "prove", *of).code == 1  # there is no such identity yet
    created = on(config, "create", *of, "--yes")
    assert (created.code, created.err) == (0, "")
    assert created.out.startswith("✓ create  ok       managed identity id-text in resource group ")
    assigned = on(config, "assign", *of, "--vm", MACHINE, "--yes")
    before, after = assigned.out.splitlines()[1:]
    assert before.startswith("  before: system-assigned, id-ops")
    assert after.endswith(", id-text")
    refused = on(config, "prove", *of)
    assert (refused.code, refused.out[:1]) == (1, "✗")
    assert "403 AuthorizationFailed" in refused.err
    assert "stacktui check" not in refused.err
    assert on(config, "grant", *of, "--yes").code == 0
    proved = on(config, "prove", *of, "--api-version", "2016-09-01")
    assert (proved.code, proved.err) == (0, "")
    assert proved.out.startswith(f"✓ prove   ok       id-text reads resource group {GROUP} with ")


def test_what_only_reads_runs_in_read_only_mode(config: Path, azure: RunningStamp) -> None:
    on(config, *WALK, "id-read")
    before = writes(azure)
    of = ("--group", GROUP, "--config", str(config))
    for words in (("list", *of), ("prove", "--name", "id-read", *of)):
        assert stacktui("--read-only", "identities", "managed", *words).code == 0
    assert writes(azure) == before


def test_the_list_has_what_was_made(config: Path) -> None:
    on(config, "create", "--group", GROUP, "--name", "id-listed", "--yes")
    for words in ((), ("--group", GROUP)):
        rows = on(config, "list", *words, "--format", "tsv").out.splitlines()
        assert {"id-ops", "id-listed"} <= {row.split("\t")[0] for row in rows}
    document = on(config, "list", "--format", "json").document
    assert (document["error"], "subscription" in document) == (None, True)
    assert "principal id" in on(config, "list").out
    command = [sys.executable, "-m", "stacktui", "identities", "managed", "list"]
    command += ["--config", str(config)]
    _, shown = on_terminal(command, [], os.environ | {"COLUMNS": "80", "NO_COLOR": "1"})
    name, _, client, principal, _ = rows[0].split("\t")
    assert f"✓ {name}" in shown
    assert f" {principal}  {client[:8]}" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_it_asks_first_and_nobody_may_answer(config: Path, azure: RunningStamp) -> None:
    before = writes(azure)
    ran = on(config, *(each for each in WALK if each != "--yes"), "id-asked")
    assert (ran.code, ran.out) == (2, "")
    assert "Test: create the managed identity id-asked in resource group rg-identity?" in ran.err
    assert writes(azure) == before


def test_each_question_on_a_terminal(config: Path, azure: RunningStamp, tmp_path: Path) -> None:
    typed = tmp_path / "typed"
    typed.write_text("y\nn\n")
    before = len(writes(azure))
    words = [each for each in WALK if each != "--yes"]
    ran = stacktui(
        "identities", "managed", *words, "id-typed", "--config", config, stdin=str(typed)
    )
    assert (ran.code, ran.out.splitlines()[0][:8]) == (2, "✓ create")
    assert "  before: system-assigned, id-ops" in ran.err
    assert "Test: assign id-typed to the VM vm-ops?" in ran.err
    assert "nothing more was changed" in ran.err
    assert len(writes(azure)) == before + 1


def test_elsewhere_the_proof_is_skipped_with_two_lines(config: Path) -> None:
    nowhere = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:9"}
    ran = on(config, *WALK, "id-skip", "--api-version", "2016-09-01", **nowhere)
    assert ran.code == 0
    *_, skipped, where, token, group = ran.out.splitlines()
    assert skipped == "– prove   skipped  no instance metadata service answers here"
    assert where == "  on the VM vm-ops, these lines do it:"
    assert "resource=https%3A%2F%2Fmanagement.azure.com%2F&client_id=" in token
    assert group.startswith("curl -sS 'https://management.azure.com/subscriptions/")
    assert f"/resourceGroups/{GROUP}?api-version=2016-09-01' -H " in group
    again = on(config, *WALK, "id-skip", "--format", "json", **nowhere)
    assert (again.code, again.document["ok"], outcomes(again)["prove"]) == (0, True, "skipped")
    assert len(again.document["steps"][-1]["commands"]) == 2


def test_a_stamp_without_the_provider_says_what_works_there(tmp_path: Path) -> None:
    with run_in_thread(StampOptions(groups=1)) as stamp:
        config = write_config(tmp_path, stamp.describe())
        ran = on(config, *WALK, "id-none", "--format", "json")
        listed = on(config, "list")
        assert writes(stamp) == []
    assert (ran.code, ran.document["ok"]) == (1, False)
    assert outcomes(ran) == dict.fromkeys(STEPS, "skipped") | {"create": "failed"}
    assert "Microsoft.ManagedIdentity" in ran.document["steps"][0]["error"]["message"]
    for each in (ran, listed):
        assert each.code == 1
        assert "Microsoft.ManagedIdentity" in each.err
        assert "stacktui identities add NAME --kind service-principal" in each.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("create", "--group", GROUP, "--name", "a/b"), "3 to 128 letters"),
        (("create", "--group", GROUP, "--name", "a"), "3 to 128 letters"),
        (("create", "--group", " ", "--name", "id-x"), "a name is needed"),
        (("create", "--name", "id-x"), "Missing option '--group'"),
        (("assign", "--group", GROUP, "--name", "id-x"), "Missing option '--vm'"),
        (("assign", "--group", GROUP, "--name", "id-x", "--vm", ""), "a name is needed"),
        (("prove", "--group", GROUP, "--name", "id-x", "--api-version", "1&x=2"), "is a date"),
    ],
)
def test_wrong_usage_asks_nobody(
    config: Path, azure: RunningStamp, words: tuple[str, ...], said: str
) -> None:
    before = len(azure.requests)
    ran = on(config, *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert len(azure.requests) == before


def test_no_secret_is_shown_or_logged(config: Path, azure: RunningStamp, tmp_path: Path) -> None:
    log = tmp_path / "requests.sh"
    ran = on(config, *WALK, "id-logged", "--format", "json", "--log-requests", str(log))
    assert ran.code == 0
    logged = log.read_text(encoding="utf-8")
    assert "az rest --method patch --url" in logged
    for text in (logged, ran.out, ran.err, json.dumps(ran.document)):
        assert azure.secret not in text
        assert not re.search(r"eyJ[\w-]+\.", text)  # a token; that of an operation has no dot


def test_it_fits_a_small_terminal(config: Path) -> None:
    words = [*WALK, "id-small", "--config", str(config)]
    command = [sys.executable, "-m", "stacktui", "identities", "managed", *words]
    code, shown = on_terminal(command, [], os.environ | {"COLUMNS": "80", "NO_COLOR": "1"})
    assert code == 0
    assert max(map(len, shown.splitlines())) <= 80


# Ended before its end


def interrupted_at(config: Path, azure: RunningStamp, name: str, fault: str, *words: str) -> Ran:
    azure.fault_at(fault)
    before = len(azure.requests)
    given = ("identities", "managed", *WALK, name, "--config", str(config), *words)
    with interrupts.started([sys.executable, "-m", "stacktui", *given]) as process:
        while process.poll() is None and not hangs(azure, before):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    azure.fault_at()
    return Ran(process.returncode, out.decode(), err.decode())


def test_ctrl_c_leaves_the_steps_so_far(config: Path, azure: RunningStamp) -> None:
    fault = "PATCH */virtualmachines/*=hang-after"
    ran = interrupted_at(config, azure, "id-ctrl-c", fault, "--format", "json")
    assert ran.code == 130
    assert [*outcomes(ran).values()] == ["ok", "failed", "skipped", "skipped"]
    assert ran.document["ok"] is False
    assert "whether it was done is unknown" in ran.document["steps"][1]["error"]["message"]
    once(config, azure, "id-ctrl-c", (asyncio.run(state_of(azure, "id-ctrl-c"))).machine)
    text = interrupted_at(config, azure, "id-ctrl-c2", fault)
    assert (text.code, text.err.strip()) == (130, "")
    assert "✗ assign  failed   interrupted: whether it was done is unknown" in text.out


def test_ctrl_c_before_anything_is_sent_says_so(config: Path, azure: RunningStamp) -> None:
    fault = "GET */providers/*=hang"
    ran = interrupted_at(config, azure, "id-ctrl-c3", fault, "--format", "json")
    assert (ran.code, outcomes(ran)["create"]) == (130, "failed")
    assert ran.document["steps"][0]["message"] == "interrupted; it changed nothing"


def test_a_failure_before_the_first_step_has_a_document(
    azure: RunningStamp, tmp_path: Path
) -> None:
    settings = {"environment": 'profile = "latest"', "subscription": ""}
    config = write_config(tmp_path, azure.describe(), **settings)
    azure.fault_at("GET /subscriptions=500")
    ran = on(config, *WALK, "id-early", "--format", "json")
    azure.fault_at()
    assert (ran.code, ran.document["ok"]) == (1, False)
    assert [*outcomes(ran).values()] == ["failed", "skipped", "skipped", "skipped"]
    assert ran.document["steps"][0]["error"]["status"] == 500
    assert "500" in ran.err


# Killed in between


def once(config: Path, azure: RunningStamp, name: str, others: frozenset[str]) -> None:
    """Run it again, and find one of each; nothing that was there is made anew."""
    left = asyncio.run(state_of(azure, name))
    ran = on(config, *WALK, name, "--format", "json")
    assert ran.code == 0, ran
    there = (left.principal, name in left.machine, left.assignments)
    expected = ["already" if each else "ok" for each in there]
    assert [*outcomes(ran).values()] == [*expected, "ok"]
    after = asyncio.run(state_of(azure, name))
    assert left.principal in (None, after.principal)
    assert after == State(after.principal, others | {name}, after.assignments)
    assert len(after.assignments) == 1


@pytest.mark.parametrize(
    "request_",
    ["PUT */userassignedidentities/*", "PATCH */virtualmachines/*", "PUT */roleassignments/*"],
)
def test_killed_at_a_write_and_run_again(config: Path, azure: RunningStamp, request_: str) -> None:
    name = f"id-killed-{request_[-12:-6]}".replace("/", "-")
    others = (asyncio.run(state_of(azure, name))).machine
    words = ("identities", "managed", *WALK, name, "--config", str(config))
    assert killed_at(azure, f"{request_}=hang-after", *words) == KILLED
    once(config, azure, name, others)


@pytest.mark.every_failure
@pytest.mark.timeout(600)
@pytest.mark.parametrize("what", ["hang", "hang-after"])
def test_killed_at_each_request_and_run_again(config: Path, azure: RunningStamp, what: str) -> None:
    killed = 0
    for number in range(1, MANY + 1):
        name = f"id-killed-{what}-{number}"
        others = (asyncio.run(state_of(azure, name))).machine
        words = ("identities", "managed", *WALK, name, "--config", str(config))
        killed += killed_at(azure, f"{number}={what}", *words) == KILLED
        once(config, azure, name, others)
    assert killed > MANY // 2
