"""Each command of a remedy is run once, with the program that it names."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from ssl import PEM_cert_to_DER_cert

import pytest

from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.compat.test_az_remedies import AZ_RUNS
from tests.diagnosis.remedy_runs import BY_A_PERSON, ELSEWHERE, RUNS, TEMPLATES
from tests.product import write_config
from tests.support.authority import STRANGERS
from tests.support.remedy_shell import Site

CHECKOUT = Path(__file__).parents[2]


def test_each_command_is_run_or_has_the_reason_why_not() -> None:
    ways = (RUNS, ELSEWHERE, BY_A_PERSON, AZ_RUNS)
    named = [command for way in ways for command in way]
    assert sorted(named) == sorted(TEMPLATES), "each command of a template in one of the tables"


def test_the_tests_that_run_a_command_exist() -> None:
    for named in {*ELSEWHERE.values()}:
        path, _, name = named.partition("::")
        functions = ast.parse((CHECKOUT / path).read_text(encoding="utf-8")).body
        assert name in [getattr(each, "name", "") for each in functions], named


@pytest.fixture(scope="module")
def stamp() -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(groups=2, delete_seconds=0.05, retry_after=0)) as running:
        yield running


@pytest.fixture
def site(stamp: RunningStamp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A folder with the config of a healthy stamp, and with its certificates as files."""
    monkeypatch.chdir(tmp_path)
    write_config(tmp_path, stamp.describe(), proxy="")
    other = tmp_path / "other.pem"
    other.write_bytes(STRANGERS.root.pem)
    digest = sha256(PEM_cert_to_DER_cert(Path(stamp.ca_file).read_text())).hexdigest()
    more = {"folder": tmp_path, "other": other, "sha256": digest, "sha256_end": digest[-8:]}
    (tmp_path / "bin").mkdir()
    values = {name: str(value) for name, value in (stamp.describe() | more).items()}
    return Site(tmp_path, values)


def _short(command: str) -> str:
    return re.sub(r"\W+", "-", command).strip("-")[:50]


@pytest.mark.parametrize("command", RUNS, ids=_short)
def test_a_command_does_what_it_is_for(command: str, site: Site) -> None:
    run = RUNS[command]
    if run.needs and shutil.which(run.needs) is None:
        pytest.skip(f"{run.needs} is not installed")
    pasted = site.fill(TEMPLATES[command], run.values)
    before, after = (site.text(each).splitlines() for each in (run.before, run.after))
    # A wait, and what follows it: the latter in this process.
    wait, found, ours = pasted.rpartition("stacktui check")
    lines = [wait.removesuffix(" && "), found + ours] if wait.startswith("sleep ") else [pasted]
    code, shown = site.run([*before, *lines, *after], site.text(run.typed))
    assert code == run.code, (pasted, shown)
    assert run.shows
    assert re.search(site.text(run.shows, re.escape), shown), (pasted, shown)
