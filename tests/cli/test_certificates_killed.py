"""`kill -9` at every step of a change: every file is the old one or the new, never between."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import certifi
import pytest

from stacktui.certificates.additions import read_additions
from stacktui.certificates.bundle import annotated
from stacktui.config.locations import additions_file, config_directory, own_bundle
from tests.cli.killed import KILLED, ended, started
from tests.product import stacktui
from tests.support.authority import authority

pytestmark = pytest.mark.exhaustive

ROOT = authority().root
END = b"-----END CERTIFICATE-----\n"
ADDED = b"\n" + annotated(ROOT.der)
# Some of certifi's: to read all of them takes most of a run's time.
ORIGINAL = b"".join(Path(certifi.where()).read_bytes()[:20_000].rpartition(END)[:2])
CONFIG = '[environments.West]\narm = "https://management.west.example"\n\n# the end\n'
Runs = Callable[[int], int]


def runs_of(*arguments: str) -> Runs:
    """Runs `stacktui` with these arguments, killed at the Nth step; gives how it ended."""
    return lambda step: ended(started(*arguments, kill_at=step))


def at_every_step(runs: Runs, prepare: Callable[[], None], check: Callable[[], None]) -> int:
    """Kill at each step in turn, until a run gets through; how many were killed."""
    for step in range(1, 1000):
        prepare()
        code = runs(step)
        check()
        if code != KILLED:
            assert code == 0
            return step - 1
        # The next run finds all in order, and ends what was begun.
        assert runs(0) == 0
        check()
    raise AssertionError("it never gets through")


def names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()} if folder.exists() else set()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "root.pem"
    path.write_bytes(ROOT.pem)
    return path


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "certifi" / "cacert.pem"
    path.parent.mkdir()
    path.write_bytes(ORIGINAL)
    return path


def clean_home() -> None:
    shutil.rmtree(config_directory(), ignore_errors=True)


@pytest.mark.timeout(300)
def test_trust_in_a_store(root: Path, store: Path) -> None:
    seen: set[bytes] = set()

    def prepare() -> None:
        clean_home()
        shutil.rmtree(store.parent)
        store.parent.mkdir()
        store.write_bytes(ORIGINAL)

    def check() -> None:
        content = store.read_bytes()
        seen.add(content)
        assert content in (ORIGINAL, ORIGINAL + ADDED)
        if "cacert.pem.before-stacktui" in names(store.parent):
            assert store.with_name("cacert.pem.before-stacktui").read_bytes() == ORIGINAL
        # What was killed leaves a file at most, and it is known to be unfinished.
        others = names(store.parent) - {"cacert.pem", "cacert.pem.before-stacktui"}
        assert len(others) <= 1
        assert all(name.endswith(".stacktui") for name in others)
        assert not read_additions().trouble

    runs = runs_of("certificates", "trust", str(root), "--store", str(store), "--yes")
    killed = at_every_step(runs, prepare, check)
    assert runs(0) == 0
    assert killed > 60  # two files and the memory, each in eight pieces and some calls
    assert seen == {ORIGINAL, ORIGINAL + ADDED}
    assert names(store.parent) == {"cacert.pem", "cacert.pem.before-stacktui"}
    assert names(config_directory()) == {"additions.json"}
    assert [each.der for each in read_additions().additions] == [ROOT.der]


@pytest.mark.timeout(300)
def test_untrust_in_a_store(root: Path, store: Path) -> None:
    stacktui("certificates", "trust", str(root), "--store", str(store), "--yes")
    memory = additions_file().read_bytes()
    seen: set[bytes] = set()

    def prepare() -> None:
        store.write_bytes(ORIGINAL + ADDED)
        additions_file().write_bytes(memory)

    def check() -> None:
        seen.add(store.read_bytes())
        assert store.read_bytes() in (ORIGINAL, ORIGINAL + ADDED)
        assert not read_additions().trouble

    runs = runs_of("certificates", "untrust", str(root), "--store", str(store), "--yes")
    for step in range(1, 1000):
        prepare()
        code = runs(step)
        check()
        if code != KILLED:
            break
        done = store.read_bytes() == ORIGINAL and not read_additions().additions
        # Where all was done but the exit, there is nothing left to take back.
        assert runs(0) == (2 if done else 0)
        assert store.read_bytes() == ORIGINAL
        assert not read_additions().additions
    assert code == 0
    assert step > 30
    assert seen == {ORIGINAL, ORIGINAL + ADDED}
    assert names(store.parent) <= {"cacert.pem", "cacert.pem.before-stacktui"}


@pytest.mark.timeout(300)
def test_trust_in_the_own_bundle(root: Path) -> None:
    def check() -> None:
        if own_bundle().exists():
            assert own_bundle().read_bytes() == ADDED

    runs = runs_of("certificates", "trust", str(root))
    assert at_every_step(runs, clean_home, check) > 20
    assert names(config_directory()) == {"ca-bundle.pem"}


@pytest.mark.timeout(300)
def test_trust_and_untrust_as_the_ca_of_an_environment(root: Path, tmp_path: Path) -> None:
    config = tmp_path / "config" / "config.toml"
    ca = config.parent / "ca" / "West.pem"
    with_ca = CONFIG.replace('example"\n', 'example"\nca = "ca/West.pem"\n')

    def prepare() -> None:
        shutil.rmtree(config.parent, ignore_errors=True)
        config.parent.mkdir()
        config.write_text(CONFIG)

    def check() -> None:
        text = config.read_text()
        assert text in (CONFIG, with_ca)
        # `ca` never names a file that is not there.
        assert text == CONFIG or ca.read_bytes() == ADDED

    place = ("--environment", "West", "--config", str(config))
    runs = runs_of("certificates", "trust", str(root), *place)
    assert at_every_step(runs, prepare, check) > 30
    assert config.read_text() == with_ca
    assert names(config.parent) == {"config.toml", "ca"}
    assert names(ca.parent) == {"West.pem"}
    runs = runs_of("certificates", "untrust", str(root), *place)
    code = KILLED
    for step in range(1, 1000):
        config.write_text(with_ca)
        ca.write_bytes(ADDED)
        code = runs(step)
        check()
        if code != KILLED:
            break
    assert code == 0
    assert config.read_text() == CONFIG
    assert names(ca.parent) == set()


@pytest.mark.timeout(300)
def test_killed_at_any_moment(root: Path, store: Path) -> None:
    """Killed from outside, wherever that falls; and nothing piles up."""
    command = ("certificates", "trust", str(root), "--store", str(store), "--yes")
    began = time.monotonic()
    assert ended(started(*command)) == 0
    whole = time.monotonic() - began
    for _ in range(25):
        store.write_bytes(ORIGINAL)
        process = started(*command)
        time.sleep(whole * random.uniform(0, 1.05))
        process.kill()
        ended(process)
        assert store.read_bytes() in (ORIGINAL, ORIGINAL + ADDED)
        assert len(names(store.parent)) <= 3
    assert ended(started(*command)) == 0
    assert store.read_bytes() == ORIGINAL + ADDED
    assert names(store.parent) == {"cacert.pem", "cacert.pem.before-stacktui"}


def test_two_at_once_are_both_there(tmp_path: Path, store: Path) -> None:
    roots = [authority(name).root for name in ("One", "Two", "Three", "Four")]
    running = []
    for number, each in enumerate(roots):
        path = tmp_path / f"{number}.pem"
        path.write_bytes(each.pem)
        trust = ("certificates", "trust", str(path), "--yes")
        running += [started(*trust), started(*trust, "--store", str(store))]
    assert [ended(process) for process in running] == [0] * 8
    added = {b"\n" + annotated(each.der) for each in roots}
    for path, original in ((store, ORIGINAL), (own_bundle(), b"")):
        rest = path.read_bytes().removeprefix(original)
        assert len(rest) == sum(map(len, added))
        assert all(each in rest for each in added)
    assert {each.der for each in read_additions().additions} == {each.der for each in roots}
