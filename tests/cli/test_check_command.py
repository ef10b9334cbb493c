"""`stacktui check` from outside: contract, exit codes, streams, words."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stacktui.stamp import StampOptions, run_in_thread
from tests.product import check_json, config_text, stacktui, write_config

DOMAIN = "local.azurestack.external"


@pytest.fixture(scope="module")
def stamp() -> Iterator[dict[str, Any]]:
    with run_in_thread(StampOptions(domain=DOMAIN)) as running:
        yield running.describe()


@pytest.fixture
def config(stamp: dict[str, Any], tmp_path: Path) -> Path:
    return write_config(tmp_path, stamp)


def test_the_json_contract_of_a_healthy_check(config: Path) -> None:
    ran = check_json(config)
    document = ran.document
    assert (ran.code, ran.err) == (0, "")
    assert list(document) == [
        "schema", "environment", "identity", "started", "seconds", "ok", "verdict", "also_seen",
        "steps",
        # Added since.
        "recorded", "probes", "completion", "siblings", "box", "unrecorded", "az",
        "since", "clients",
    ]  # fmt: skip
    assert document["clients"] == []
    assert (document["schema"], document["environment"], document["identity"]) == (
        1, "Test", "tester",
    )  # fmt: skip
    assert time.strptime(document["started"], "%Y-%m-%dT%H:%M:%SZ")
    assert [step["name"] for step in document["steps"]] == ["metadata", "token", "resource-groups"]
    for step in document["steps"]:
        assert set(step) == {"name", "outcome", "seconds", "phases", "evidence"}
        assert step["outcome"] == "ok"
        for phase in step["phases"]:
            assert set(phase) == {"name", "host", "seconds", "ok"}
    chain = document["steps"][0]["evidence"]["exchanges"][0]["connection"]["tls"]["chain"]
    assert chain[0]["common_name"] == f"management.{DOMAIN}"


def test_the_json_contract_of_a_verdict(stamp: dict[str, Any], tmp_path: Path) -> None:
    ran = check_json(write_config(tmp_path, stamp, secret='{ env = "NOT_SET_ANYWHERE" }'))
    verdict = ran.document["verdict"]
    assert set(verdict) >= {"id", "title", "side", "evidence", "remedies", "az_says"}
    assert verdict["side"] in ("box", "network", "sign-in", "stamp")
    for remedy in verdict["remedies"]:
        assert set(remedy) >= {"title", "bash", "powershell"}


def test_text_shows_each_step_its_time_and_the_ending(config: Path) -> None:
    ran = stacktui("check", "--config", str(config))
    lines = ran.out.splitlines()
    assert ran.code == 0
    assert lines[0].startswith(f"Test · management.{DOMAIN} · 2020-09-01-hybrid · tester")
    for line, name in zip(lines[1:4], ("metadata", "token", "resource-groups"), strict=True):
        assert line.startswith(f"✓ {name}")
        assert " ms   " in line
    assert lines[-1].startswith("OK in ")


def test_a_check_without_an_identity_is_no_plain_ok(config: Path) -> None:
    text = config.read_text(encoding="utf-8").replace('identity = "tester"\n', "")
    config.write_text(text, encoding="utf-8")
    words = "metadata ok, sign-in not tried"
    ran = stacktui("check", "--config", str(config))
    assert ran.code == 0
    assert ran.out.splitlines()[-1].startswith(f"{words}, in ")
    assert not re.search(r"\bOK\b", ran.out)
    ran = stacktui("check", "--config", str(config), "--format", "markdown")
    assert ran.out.startswith(f"# stacktui: Test: {words}\n")
    assert words in stacktui("history", "--config", str(config)).out
    assert check_json(config).document["ok"] is True


def test_text_of_a_fault_ends_with_verdict_and_fix(stamp: dict[str, Any], tmp_path: Path) -> None:
    config = write_config(tmp_path, stamp, secret='{ env = "NOT_SET_ANYWHERE" }')
    ran = stacktui("check", "--config", str(config))
    assert ran.code == 1
    assert "✗ secret-missing · side: this box" in ran.out
    assert ran.out.index("How to fix it") < ran.out.index("Why we think so")
    assert "read -rs NOT_SET_ANYWHERE && export NOT_SET_ANYWHERE" in ran.out
    assert "az says: " in ran.out


def test_text_is_written_while_the_check_runs(tmp_path: Path) -> None:
    with run_in_thread(StampOptions(fault="arm-timeout")) as stamp:
        config = write_config(tmp_path, stamp.describe())
        command = [sys.executable, "-m", "stacktui", "check", "--config", str(config)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                lines = [process.stdout.readline() for _ in range(3)]
                assert lines[2].startswith("✓ token")
                assert process.poll() is None
            finally:
                process.send_signal(signal.SIGINT)
                started = time.perf_counter()
                process.wait(10)
    # Far from the 15 s for which the stamp stays silent, with room for a busy machine.
    assert time.perf_counter() - started < 3
    assert process.returncode == 130


def test_text_falls_back_to_ascii(config: Path) -> None:
    ran = stacktui("check", "--config", str(config), encoding="ascii")
    assert ran.code == 0
    assert ran.out.isascii()
    assert "+ metadata" in ran.out


def test_a_named_environment_is_checked(stamp: dict[str, Any], tmp_path: Path) -> None:
    other = '[environments."East Side"]\narm = "https://management.east.invalid"'
    config = write_config(tmp_path, stamp)
    config.write_text(config_text(stamp, environment=other), encoding="utf-8")
    assert check_json(config, "East Side").document["environment"] == "East Side"
    assert check_json(config).document["environment"] == "Test"


def test_the_config_is_found_by_the_variable(config: Path) -> None:
    assert stacktui("check", STACKTUI_CONFIG=str(config)).code == 0
    assert stacktui("--config", str(config), "check").code == 0


def test_a_reader_that_goes_away_ends_nothing_in_tears(config: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "stacktui", "check", "--config", str(config)]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, timeout=30, check=False)
    os.close(writer)
    assert done.stderr == b""
    assert done.returncode != 3


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_full_disk_is_said_plainly(form: str, config: Path) -> None:
    command = [sys.executable, "-m", "stacktui", "check", "--config", str(config), "--format", form]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=30, check=False)
    told = b"stacktui: cannot write the result: No space left on device\n"
    assert (done.returncode, done.stderr) == (3, told)


@pytest.mark.parametrize("command", ["check", "certificates show"])
@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_closed_streams_still_give_an_exit_code(command: str, closed: str, config: Path) -> None:
    words = [sys.executable, "-m", "stacktui", *command.split(), "--config", str(config)]
    done = subprocess.run(["bash", "-c", f"{shlex.join(words)} {closed}"], timeout=30, check=False)
    assert done.returncode == 0


def test_a_user_without_a_home(stamp: dict[str, Any]) -> None:
    """As containers run programs: neither HOME nor an entry of the user."""
    user = ["setpriv", "--reuid=61234", "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only root can become a user who is not there")
    with tempfile.TemporaryDirectory() as folder:
        config = write_config(Path(folder), stamp)
        Path(folder).chmod(0o755)
        command = [*user, sys.executable, "-m", "stacktui", "check", "--config", str(config)]
        without = {name: value for name, value in os.environ.items() if name != "HOME"}
        done = subprocess.run(command, env=without, capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_closed_stdout_still_gives_an_exit_code(form: str, config: Path) -> None:
    words = [sys.executable, "-m", "stacktui", "check", "--config", str(config), "--format", form]
    command = f"{shlex.join(words)} >&-"
    done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_home_that_may_not_be_searched_is_no_fault(config: Path) -> None:
    assert check_json(config, XDG_CONFIG_HOME="/" + "x" * 300).code == 0


def test_a_proxy_of_a_kind_we_do_not_speak_is_reported_in_json(
    stamp: dict[str, Any], tmp_path: Path
) -> None:
    config = write_config(tmp_path, stamp, proxy="")
    ran = check_json(config, HTTPS_PROXY="socks5://127.0.0.1:1")
    assert (ran.code, ran.err) == (1, "")
    assert "HTTPS_PROXY" in str(ran.document["verdict"]["evidence"])


def test_a_fix_that_repeats_the_check_can_be_pasted(tmp_path: Path) -> None:
    """It names the config that was named, whatever folder and shell it is pasted in."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    with run_in_thread(StampOptions(fault="arm-server-error", domain=DOMAIN)) as stamp:
        config = write_config(folder, stamp.describe())
        command = check_json(config).document["verdict"]["remedies"][0]["bash"]
        assert command.startswith("stacktui check --config ")
        repeated = command.replace("stacktui", f"{shlex.quote(sys.executable)} -m stacktui", 1)
        done = subprocess.run(["bash", "-c", repeated], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "✗ arm-server-error" in done.stdout


GOOD = '[environments.Test]\narm = "https://management.nowhere.invalid"\n'
OPS = GOOD + 'identity = "ops"\n'
# content: what the one line on stderr must hold
BAD = {
    '[environments.Test\narm = "x"\n': ["line 1, column 19", "the file was left as it is"],
    'active = "Test"\n[environments]\nTest = 3\n': ["environments.Test must be a table"],
    "[environments.Test]\n": ["environments.Test has no arm", "arm = "],
    "[environments.Test]\narm = 5\n": ["environments.Test.arm must be a string, not a number"],
    '[environments.Test]\narm = "http://a.b"\n': ["must be https", "try https://a.b"],
    '[environments.Test]\narm = "https://a.b/metadata"\n': ["without a path", "try https://a.b"],
    '[environments.Test]\narm = "management.a.b"\n': ["try https://management.a.b"],
    '[environments.Test]\narm = "https://a.b:99999"\n': ["must be https://host[:port]"],
    GOOD + 'profile = "2020-09-01-hybrd"\n': ["did you mean 2020-09-01-hybrid?"],
    GOOD + 'identity = "op"\n[identities.ops]\nkind = "service-principal"\nclient_id = "x"\n'
    'secret = { env = "A" }\n': ["did you mean ops?"],
    GOOD + "resolve = 1\n": ["environments.Test.resolve must be a table"],
    GOOD + 'resolve = { a = "b" }\n': ["not host:port"],
    GOOD + 'proxy = "socks5://user:hunter2@p"\n': ["must be http:// or https://"],
    GOOD + 'ca = ""\n': ["environments.Test.ca is empty"],
    OPS + '[identities.ops]\nkind = "robot"\n': ["'robot' is not a known kind"],
    OPS + '[identities.ops]\nkind = "service-principal"\nclient_id = "x"\n': ["needs either"],
    OPS + '[identities.ops]\nkind = "service-principal"\nclient_id = "x"\nsecret = "hunter2"\n': [
        "must be a reference, not the secret itself"
    ],
    'active = "West"\n' + GOOD: ["has no environment 'West'", "did you mean Test?"],
    "active = 7\n" + GOOD: ["active must be a string"],
    "": ["has no environments"],
    "\x00": ["line 1, column 1"],
}


@pytest.mark.parametrize("content", BAD, ids=range(len(BAD)))
def test_a_bad_config_is_one_line_that_names_thing_and_fix(content: str, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(content, encoding="utf-8")
    ran = stacktui("check", "--config", str(config))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert str(config) in ran.err
    for text in BAD[content]:
        assert text in ran.err
    assert "hunter2" not in ran.err
    assert config.read_text(encoding="utf-8") == content


def test_a_config_that_is_not_there_says_how_to_begin(tmp_path: Path) -> None:
    ran = stacktui("check", "--config", str(tmp_path / "nowhere.toml"))
    assert (ran.code, ran.out) == (2, "")
    assert "is not there; add an environment: stacktui, then a" in ran.err


@pytest.mark.parametrize("kind", ["directory", "fifo", "binary"])
def test_a_config_that_cannot_be_read(kind: str, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    match kind:
        case "directory":
            config.mkdir()
        case "fifo":
            os.mkfifo(config)
        case "binary":
            config.write_bytes(b"a = 1\n\xff\xfe")
    ran = stacktui("check", "--config", str(config))
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert str(config) in ran.err


def test_an_unknown_environment_is_wrong_usage(config: Path) -> None:
    ran = stacktui("check", "Tset", "--config", str(config))
    assert (ran.code, ran.out) == (2, "")
    assert "did you mean Test?" in ran.err


def test_an_unknown_key_is_a_warning_and_stays(stamp: dict[str, Any], tmp_path: Path) -> None:
    config = write_config(tmp_path, stamp)
    content = config_text(stamp, environment='subscripton = "x"', identity='tenent = "y"')
    config.write_text(content, encoding="utf-8")
    ran = check_json(config)
    assert ran.code == 0
    assert ran.document["ok"]
    warnings = ran.err.splitlines()
    assert len(warnings) == 2
    assert "environments.Test.subscripton is not a known key; did you mean subscription?" in ran.err
    assert "identities.tester.tenent is not a known key; did you mean tenant?" in ran.err
    assert config.read_text(encoding="utf-8") == content


@pytest.mark.parametrize(
    "arguments",
    [
        ["chek"],
        ["check", "--formt", "json"],
        ["check", "--format", "yaml"],
        ["check", "--all", "b"],
    ],
)
def test_wrong_usage_exits_with_two(arguments: list[str]) -> None:
    ran = stacktui(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "Usage: " in ran.err


def test_hostile_names_in_the_config_stay_text(stamp: dict[str, Any], tmp_path: Path) -> None:
    config = write_config(tmp_path, stamp)
    hostile = r'"[bold]\u001b[31mred\u001b]0;owned\u0007\n\u202e"'
    text = config_text(stamp).replace('active = "Test"', f"active = {hostile}")
    config.write_text(text.replace("[environments.Test]", f"[environments.{hostile}]"), "utf-8")
    ran = stacktui("check", "--config", str(config))
    assert ran.code == 0, ran.err
    assert r"[bold]\x1b[31mred\x1b]0;owned\x07\n\u202e" in ran.out
    assert all(char.isprintable() for char in ran.out.replace("\n", ""))


def test_without_a_terminal_the_dashboard_says_what_works(tmp_path: Path) -> None:
    ran = stacktui("--config", str(tmp_path / "config.toml"))
    assert (ran.code, ran.out) == (2, "")
    assert "stacktui check" in ran.err


def test_help_and_version_need_nothing() -> None:
    ran = stacktui("--help")
    assert ran.code == 0
    for command in ("check", "demo", "stamp"):
        assert f"  {command} " in ran.out
    assert stacktui("--version").out.startswith("stacktui ")


def test_a_dead_port_is_no_reason_to_wait(stamp: dict[str, Any], tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        config = write_config(tmp_path, stamp, arm=f'"https://localhost:{port}"')
        started = time.perf_counter()
        document = json.loads(check_json(config).out)
    assert document["verdict"]["id"] == "tcp-refused"
    assert time.perf_counter() - started < 5
