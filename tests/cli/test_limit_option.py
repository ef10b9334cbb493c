"""`--limit NAME=VALUE`: every command that talks to a stamp has it, and the report names it."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from stacktui.cli.main import cli
from stacktui.stamp import StampOptions, run_in_thread
from stacktui.transport.limits import LIMIT_SETTINGS
from tests.diagnosis.servers import config_for
from tests.product import check_json, stacktui, write_config
from tests.support.listeners import full_port
from tests.support.pasted import Shell

TALKING = (
    (),
    ("check",),
    ("demo",),
    ("environments", "accept"),
    ("environments", "set"),
    ("certificates", "show"),
    ("certificates", "matrix"),
    ("certificates", "trust"),
    ("identities", "roles"),
    ("identities", "grant"),
    ("identities", "revoke"),
    ("groups", "create"),
    ("groups", "tag"),
    ("groups", "delete"),
    ("operations", "list"),
)


@pytest.mark.parametrize("command", TALKING, ids=" ".join)
def test_a_command_that_talks_to_a_stamp_takes_limits(command: tuple[str, ...]) -> None:
    context, found = click.Context(cli), cli
    for name in command:
        assert isinstance(found, click.Group)
        sub = found.get_command(context, name)
        assert sub is not None
        found = sub
    (option,) = (each for each in found.params if "--limit" in each.opts)
    assert option.multiple


WRONG = {
    "step=0": "step must be a number of seconds from 0.05 to 3600",
    "step=": "step must be a number of seconds from 0.05 to 3600",
    "connect=soon": "connect must be a number of seconds from 0.05 to 600",
    "tls=nan": "tls must be a number of seconds from 0.05 to 600",
    "pages=1.5": "pages must be a whole number of pages from 1 to 10,000",
    "rows=1e9": "rows must be a whole number of rows from 1 to 100,000",
    "first-bite=1": "did you mean first_byte?",
    "zzz=1": f"known: {', '.join(LIMIT_SETTINGS)}",
    "": "known: ",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_limit_is_one_line_that_names_the_range(wrong: str, tmp_path: Path) -> None:
    ran = stacktui("check", "--config", str(tmp_path / "none.toml"), "--limit", wrong)
    assert (ran.code, ran.out) == (2, "")
    (line,) = ran.err.splitlines()
    assert line.startswith("stacktui: --limit ")
    assert WRONG[wrong] in line


def test_the_config_s_limit_is_hit_and_named_with_the_command_that_allows_more(
    tmp_path: Path,
) -> None:
    with full_port() as port:
        config = config_for(tmp_path, f"https://127.0.0.1:{port}")
        with config.open("a", encoding="utf-8") as file:
            file.write("[environments.Test.limits]\nconnect = 0.2\nstep = 2\n")
        ran = check_json(config)
        fault = ran.document["steps"][0]["evidence"]["fault"]
        assert (fault["setting"], fault["limit"]) == ("connect", 0.2)
        verdict = ran.document["verdict"]
        assert verdict["id"] == "tcp-timeout"
        assert (
            "limit hit: connect = 0.2 s (limits.connect under [environments.Test])"
            in verdict["evidence"]
        )
        assert verdict["remedies"][-1]["bash"] == (
            f"stacktui check --config {config} --limit connect=0.6 -- Test"
        )
        again = check_json(config, "--limit", "connect=0.3", "--limit", "step=0.1")
    fault = again.document["steps"][0]["evidence"]["fault"]
    assert (fault["setting"], fault["limit"]) == ("step", 0.1)


@pytest.mark.parametrize(
    ("limit", "read"), [("pages=2", "6 resource groups"), ("rows=5", "5 resource groups")]
)
def test_a_count_that_was_hit_is_named_and_fails_nothing(
    limit: str, read: str, tmp_path: Path
) -> None:
    name, _, value = limit.partition("=")
    with run_in_thread(StampOptions(groups=7, page_size=3)) as stamp:
        config = write_config(tmp_path, stamp.describe())
        ran = check_json(config, "--limit", limit)
        assert (ran.code, ran.document["ok"], ran.document["verdict"]) == (0, True, None)
        groups = ran.document["steps"][2]["evidence"]["result"]
        assert (groups["cut"], f"{len(groups['groups'])} resource groups") == (name, read)
        (found,) = (each for each in ran.document["also_seen"] if each["id"] == "list-cut")
        assert read in found["title"]
        line = f"limit hit: {name} = {value} (limits.{name} under [environments.Test])"
        assert line in found["evidence"]
        Shell(tmp_path).run(found["remedies"][0]["bash"])
        again = check_json(config)
    assert "cut" not in again.document["steps"][2]["evidence"]["result"]
    assert "list-cut" not in {each["id"] for each in again.document["also_seen"]}
