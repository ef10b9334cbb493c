"""Where a root goes: the file of an environment's `ca` is chosen, named in the config, and goes."""

from __future__ import annotations

import tomllib
from hashlib import sha256
from pathlib import Path

import pytest

from stacktui.certificates import trust_target
from stacktui.certificates.additions import read_additions
from stacktui.certificates.bundle import annotated, plan_addition, plan_removal
from stacktui.certificates.trust_target import TrustTarget, ca_target, own_bundle_target
from stacktui.check.settings import load_settings
from stacktui.config.edit import ENVIRONMENTS, add_table
from tests.support.authority import STRANGERS, authority

ROOT = authority().root
OTHER = STRANGERS.root
SHA = sha256(ROOT.der).hexdigest()
ARM = {"arm": "https://management.west.example"}


def config_with(folder: Path, *names: str, **values: str) -> Path:
    path = folder / "config.toml"
    for name in names:
        add_table(path, ENVIRONMENTS, name, ARM | values)
    return path


def ca(config: Path, name: str, *ders: bytes) -> TrustTarget:
    return ca_target(config, load_settings(config).environments, name, ders)


def add(config: Path, name: str, *ders: bytes) -> TrustTarget:
    target = ca(config, name, *ders)
    trust_target.add(target, plan_addition(target.path, ders, ours=target.ours))
    return target


def remove(config: Path, name: str, sha: str) -> None:
    target = ca(config, name)
    trust_target.remove(target, plan_removal(target.path, [sha], ours=target.ours))


def value(config: Path, name: str) -> str | None:
    found: str | None = tomllib.loads(config.read_text())["environments"][name].get("ca")
    return found


def test_an_environment_without_ca_gets_a_file_and_loses_it_again(tmp_path: Path) -> None:
    config = config_with(tmp_path, "West")
    before = config.read_bytes()
    add(config, "West", ROOT.der)
    assert value(config, "West") == "ca/West.pem"
    assert load_settings(config).environments["West"].ca == tmp_path / "ca" / "West.pem"
    add(config, "West", OTHER.der)
    remove(config, "West", SHA)
    assert (tmp_path / "ca" / "West.pem").read_bytes() == b"\n" + annotated(OTHER.der)
    remove(config, "West", sha256(OTHER.der).hexdigest())
    assert config.read_bytes() == before
    assert not list((tmp_path / "ca").iterdir())
    assert read_additions().additions == ()  # nothing of others was touched


def test_a_ca_of_the_users_own_is_added_to_and_stays(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.pem"
    theirs.write_bytes(OTHER.pem)
    config = config_with(tmp_path, "West", ca="theirs.pem")
    before = config.read_bytes()
    target = add(config, "West", ROOT.der)
    assert not target.ours
    assert theirs.with_name("theirs.pem.before-stacktui").read_bytes() == OTHER.pem
    assert [each.sha256 for each in read_additions().additions] == [SHA]
    remove(config, "West", SHA)
    assert (theirs.read_bytes(), config.read_bytes()) == (OTHER.pem, before)
    assert read_additions().additions == ()


NAMES = ["a/b", "../../etc/x", "..", ".hidden", "-rf", "CON", "con", "lpt1", "West", "west", "é",
         "\n", "a b", "a-b", "x" * 300, "💥", "a\x00b", "C:\\x"]  # fmt: skip


def test_any_name_has_a_safe_file_of_its_own(tmp_path: Path) -> None:
    config = config_with(tmp_path / "config", *NAMES)
    paths = []
    for name in NAMES:
        target = add(config, name, ROOT.der)
        assert target.path.parent == config.parent / "ca"
        assert target.path.is_file()
        assert target.path.name.isascii()
        assert not target.path.name.startswith((".", "-"))
        assert target.path.stem.upper() not in ("CON", "LPT1")
        paths.append(target.path)
    assert len(set(paths)) == len(NAMES)
    assert set(config.parent.iterdir()) == {config, config.parent / "ca"}
    assert {each.name for each in tmp_path.iterdir()} == {"config"}


def test_a_file_that_is_in_the_way_brings_no_trust_along(tmp_path: Path) -> None:
    config = config_with(tmp_path, "West")
    (tmp_path / "ca").mkdir()
    in_the_way = tmp_path / "ca" / "West.pem"
    for content in (b"\n" + annotated(OTHER.der), OTHER.pem, b"mine"):
        in_the_way.write_bytes(content)
        assert ca(config, "West", ROOT.der).path.name == "West-2.pem"
    # What a killed run left behind is taken up again.
    in_the_way.write_bytes(b"\n" + annotated(ROOT.der))
    assert ca(config, "West", ROOT.der).path == in_the_way
    in_the_way.unlink()
    in_the_way.symlink_to(tmp_path / "elsewhere")
    assert ca(config, "West", ROOT.der).path.name == "West-2.pem"


def test_a_file_of_another_environment_is_not_taken(tmp_path: Path) -> None:
    config = config_with(tmp_path, "West")
    add_table(config, ENVIRONMENTS, "East", ARM | {"ca": "ca/West.pem"})
    assert ca(config, "West", ROOT.der).path.name == "West-2.pem"


def test_all_who_share_a_file_lose_it_together(tmp_path: Path) -> None:
    config = config_with(tmp_path, "West")
    add(config, "West", ROOT.der)
    add_table(config, ENVIRONMENTS, "East", ARM | {"ca": str(tmp_path / "ca" / "West.pem")})
    assert ca(config, "East").environments == ("West", "East")
    remove(config, "East", SHA)
    assert (value(config, "West"), value(config, "East")) == (None, None)
    assert not list((tmp_path / "ca").iterdir())


def test_a_certifi_is_known_by_its_name(tmp_path: Path) -> None:
    assert TrustTarget(tmp_path / "certifi" / "cacert.pem").is_certifi
    assert not TrustTarget(tmp_path / "ca.pem").is_certifi
    assert not own_bundle_target().is_certifi


@pytest.mark.parametrize("killed_before_remembering", [True, False])
def test_an_addition_that_is_there_is_remembered(
    tmp_path: Path, killed_before_remembering: bool
) -> None:
    path = tmp_path / "b.pem"
    ours = b"\n" + annotated(ROOT.der) if killed_before_remembering else ROOT.pem
    path.write_bytes(OTHER.pem + ours)
    target = TrustTarget(path)
    trust_target.add(target, plan_addition(path, (ROOT.der, OTHER.der)))
    remembered = [each.der for each in read_additions().additions]
    assert remembered == ([ROOT.der] if killed_before_remembering else [])
