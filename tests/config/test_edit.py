"""Changing the config: nothing of the user's is lost, and a broken file is left alone."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacktui.config.document import ConfigError
from stacktui.config.edit import (
    ENVIRONMENTS,
    IDENTITIES,
    add_table,
    remember,
    remove_table,
    set_in_table,
)
from tests.support.draws import draws

ARM = {"arm": "https://management.local.azurestack.external"}
WRITTEN_BY_HAND = """\
# Ours. Ask before changing.
theme = "light"   # for the projector

[environments.West]
profile = "2019-03-01-hybrid"
arm = "https://management.west.contoso.example"  # the old one
colour = "blue"

[identities.ops]
kind = "service-principal"
secret = { env = "OPS_SECRET" }
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(WRITTEN_BY_HAND)
    return path


def test_the_first_environment_makes_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "config.toml"
    add_table(path, ENVIRONMENTS, "Home", ARM)
    assert tomllib.loads(path.read_text()) == {"active": "Home", "environments": {"Home": ARM}}
    assert mode(path) == 0o600
    assert [mode(folder) for folder in (path.parent, path.parent.parent)] == [0o700, 0o700]


def test_everything_written_by_hand_stays_as_it_was(config: Path) -> None:
    add_table(config, ENVIRONMENTS, "East", ARM)
    text = config.read_text()
    lines = iter(text.splitlines())
    assert all(line in lines for line in WRITTEN_BY_HAND.splitlines()), text
    before, after = tomllib.loads(WRITTEN_BY_HAND), tomllib.loads(text)
    before["environments"]["East"] = ARM
    assert after == before | {"active": "East"}


def test_active_comes_before_the_first_table(config: Path) -> None:
    remember(config, "active", "West")
    text = config.read_text()
    assert text.index("active") < text.index("[environments")
    assert tomllib.loads(text) == tomllib.loads(WRITTEN_BY_HAND) | {"active": "West"}


def test_a_top_level_key_that_is_there_is_changed_in_place(config: Path) -> None:
    remember(config, "theme", "dark")
    assert config.read_text() == WRITTEN_BY_HAND.replace('"light"', '"dark"')


def test_an_active_environment_stays_active(config: Path) -> None:
    remember(config, "active", "West")
    add_table(config, ENVIRONMENTS, "East", ARM)
    assert tomllib.loads(config.read_text())["active"] == "West"


def test_an_environment_is_not_added_twice(config: Path) -> None:
    with pytest.raises(ConfigError, match=r"environments\.West is already there"):
        add_table(config, ENVIRONMENTS, "West", ARM)
    assert config.read_text() == WRITTEN_BY_HAND


@pytest.mark.parametrize("name", ["with space", "dots.in.it", 'quo"te', "émigré", "a\nb", "#"])
def test_any_name_reads_back(tmp_path: Path, name: str) -> None:
    path = tmp_path / "config.toml"
    add_table(path, ENVIRONMENTS, name, ARM)
    assert tomllib.loads(path.read_text()) == {"active": name, "environments": {name: ARM}}


def test_pins_are_written_as_a_table_of_strings(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    values = ARM | {"resolve": {"management.local.azurestack.external:443": "127.0.0.1:8443"}}
    add_table(path, ENVIRONMENTS, "A", values)
    assert tomllib.loads(path.read_text())["environments"]["A"] == values


@pytest.mark.parametrize(
    "content",
    [
        '[environments.A]\narm = "a"\n[identities.x]\nkind = "k"\n[environments.B]\narm = "b"\n',
        'environments.A.arm = "a"\n',
        'environments = { A = { arm = "a" } }\n',
        'environments = {}\ntheme = "dark"\n',
        "[environments]\n[environments.A]\narm = 'a'\n[[extra]]\nx = 1\n",
        '[identities.x]\nkind = "k"\n',
        '\ufeffactive = "A"\r\n[environments.A]\r\narm = "a"\r\n',
    ],
)
def test_every_way_to_write_tables_is_added_to(tmp_path: Path, content: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content.encode())
    before = tomllib.loads(content.removeprefix("\ufeff"))
    add_table(path, ENVIRONMENTS, "New", ARM)
    after = tomllib.loads(path.read_text())
    before.setdefault("environments", {})["New"] = ARM
    assert after == {"active": "New"} | before


@pytest.mark.parametrize(
    "content",
    [
        b"a = \n",
        b"[environments.A\n",
        b'a = "caf\xe9"\n',
        b"a = 1\na = 2\n",
        b"environments = 5\n",
        b'environments = ["West"]\n',
    ],
)
def test_a_broken_file_is_left_byte_for_byte(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError):
        add_table(path, ENVIRONMENTS, "New", ARM)
    assert path.read_bytes() == content
    assert [each.name for each in tmp_path.iterdir()] == ["config.toml"]


def test_dotted_keys_are_never_swallowed_by_a_new_table(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    content = 'environments.A.arm = "a"\ntheme = "dark"\n'
    path.write_text(content)
    # What tomlkit makes of it depends on its release: all is kept, or nothing is changed.
    try:
        add_table(path, ENVIRONMENTS, "New", ARM)
    except ConfigError as error:
        told, expected = str(error), {"A": {"arm": "a"}}
        unchanged = path.read_text() == content
    else:
        told, expected, unchanged = "edit it by hand", {"A": {"arm": "a"}, "New": ARM}, True
    assert "edit it by hand" in told
    assert unchanged
    after = tomllib.loads(path.read_text())
    assert (after["theme"], after["environments"]) == ("dark", expected)


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        remember(tmp_path, "theme", "dark")


@pytest.mark.timeout(5)
def test_a_fifo_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    with pytest.raises(ConfigError, match="is not a file"):
        remember(path, "theme", "dark")
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    path = tmp_path / "plain" / "config.toml"
    with pytest.raises(ConfigError) as caught:
        remember(path, "theme", "dark")
    assert str(caught.value) == f"{path}: cannot be written (File exists); nothing changed"


@pytest.mark.parametrize("bits", [0o600, 0o640, 0o644])
def test_the_mode_is_kept(config: Path, bits: int) -> None:
    config.chmod(bits)
    remember(config, "theme", "dark")
    assert mode(config) == bits


def test_a_symbolic_link_stays_one(config: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.toml"
    link.symlink_to(config.name)
    remember(link, "theme", "dark")
    assert link.is_symlink()
    assert tomllib.loads(config.read_text())["theme"] == "dark"


def test_a_link_that_leads_to_itself_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "loop.toml"
    link.symlink_to(link.name)
    with pytest.raises(ConfigError):
        remember(link, "theme", "dark")
    assert link.is_symlink()


_KEYS = st.text(alphabet='ab ."é\n', min_size=1, max_size=6)


@settings(max_examples=draws(40), deadline=None)
@given(names=st.lists(_KEYS, min_size=1, max_size=4, unique=True), value=st.text(max_size=20))
def test_environments_added_in_turn_all_read_back(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], value: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "property.toml"
    path.unlink(missing_ok=True)
    for name in names:
        add_table(path, ENVIRONMENTS, name, {"arm": value})
    assert tomllib.loads(path.read_bytes().decode()) == {
        "active": names[0],
        "environments": {name: {"arm": value} for name in names},
    }


@pytest.mark.parametrize(
    "content",
    [
        WRITTEN_BY_HAND,
        '[environments.West]\narm = "a"\n[environments.West.resolve]\n"x:1" = "y:2"\n',
        'environments.West.arm = "a"\ntheme = "dark"\n',
        'environments = { West = { arm = "a" } }\n',
        "[environments]\n[environments.West]\narm = 'a'",
        '[environments.West]\r\narm = "a"\r\n\r\n[identities.x]\r\nkind = "k"\r\n',
        '[environments.A]\narm = "a"\n[environments.West]\narm = "b"\n[other]\nx = 1\n',
    ],
    ids=["by-hand", "sub-table", "dotted", "inline", "unended", "crlf", "several"],
)
def test_a_key_of_an_environment_is_set_and_taken_out(tmp_path: Path, content: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content.encode())
    before = tomllib.loads(content)
    set_in_table(path, ENVIRONMENTS, "West", {"ca": "ca/West.pem"})
    after = tomllib.loads(path.read_bytes().decode())
    assert after["environments"]["West"].pop("ca") == "ca/West.pem"
    assert after == before
    set_in_table(path, ENVIRONMENTS, "West", {"ca": "other.pem"})
    assert tomllib.loads(path.read_bytes().decode())["environments"]["West"]["ca"] == "other.pem"
    set_in_table(path, ENVIRONMENTS, "West", {"ca": None})
    assert tomllib.loads(path.read_bytes().decode()) == before


def test_a_new_key_stands_with_the_others_of_its_table(config: Path) -> None:
    set_in_table(config, ENVIRONMENTS, "West", {"ca": "ca/West.pem"})
    assert config.read_text() == WRITTEN_BY_HAND.replace(
        'colour = "blue"\n', 'colour = "blue"\nca = "ca/West.pem"\n'
    )
    set_in_table(config, ENVIRONMENTS, "West", {"ca": None})
    assert config.read_text() == WRITTEN_BY_HAND


@pytest.mark.parametrize(
    "content",
    [
        WRITTEN_BY_HAND,
        '[environments.West]\narm = "a"\n[environments.West.limits]\nstep = 30\n',
        'environments = { West = { arm = "a", limits = { tls = 3 } } }\n',
        '[environments.West]\narm = "a"\n\n# the rest\n[identities.x]\nkind = "k"\n',
    ],
)
def test_a_key_of_a_table_in_an_environment_is_set_and_taken_out(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(content)

    def limits() -> dict[str, object]:
        found: dict[str, object] = tomllib.loads(path.read_text())["environments"]["West"]["limits"]
        return found

    before = tomllib.loads(content)["environments"]["West"].get("limits", {})
    set_in_table(path, ENVIRONMENTS, "West", {"limits.connect": 15, "limits.step": 60})
    assert limits() == before | {"connect": 15, "step": 60}
    set_in_table(path, ENVIRONMENTS, "West", {"limits.connect": None})
    assert limits() == before | {"step": 60}
    after = tomllib.loads(path.read_text())
    del after["environments"]["West"]["limits"]
    unchanged = tomllib.loads(content)
    unchanged["environments"]["West"].pop("limits", None)
    assert after == unchanged


@pytest.mark.parametrize("name", ["East", "ca", ""])
def test_a_key_of_an_environment_that_is_not_there_is_refused(config: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="is not there"):
        set_in_table(config, ENVIRONMENTS, name, {"ca": "x.pem"})
    assert config.read_text() == WRITTEN_BY_HAND


def test_a_limit_replaces_what_is_no_table_of_limits(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[environments.West]\narm = "a"\nlimits = 3\n', encoding="utf-8")
    set_in_table(path, ENVIRONMENTS, "West", {"limits.step": 5})
    assert tomllib.loads(path.read_text())["environments"]["West"]["limits"] == {"step": 5}


COMMENTED = """\
active = "East"

# The stamp of the east.
[environments.East]
arm = "a"  # old

# Ours.
[environments.East.limits]
step = 3

# The stamp of the west.
# Ask before changing.
[environments.West]
arm = "b"
identity = "ops"

[identities.ops]
kind = "k"
"""


def test_a_table_is_removed_with_its_own_comments_and_no_others(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(COMMENTED)
    remove_table(path, ENVIRONMENTS, "East")
    start = COMMENTED.index("# The stamp of the west.")
    assert path.read_text() == "\n" + COMMENTED[start:]
    remove_table(path, ENVIRONMENTS, "West")
    assert path.read_text() == '\n[identities.ops]\nkind = "k"\n'


@pytest.mark.parametrize(
    "content",
    [
        '[environments.A]\narm = "a"\n[identities.x]\nkind = "k"\n[environments.B]\narm = "b"\n',
        'environments = { A = { arm = "a" }, B = { arm = "b" } }\n',
        "[environments]\n[environments.A]\narm = 'a'\n[environments.B]\narm = 'b'\n[[e]]\nx=1\n",
        '\ufeff[environments."A"]\r\narm = "a"\r\n[environments.B]\r\narm = "b"\r\n',
        '[environments.B]\narm = """\n[environments.C]\n"""\n[environments.A]\narm = "a"\n',
    ],
)
def test_every_way_to_write_tables_is_removed_from(tmp_path: Path, content: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content.encode())
    expected = tomllib.loads(content.removeprefix("\ufeff"))
    del expected["environments"]["A"]
    remove_table(path, ENVIRONMENTS, "A")
    assert tomllib.loads(path.read_bytes().decode()) == expected


def test_a_header_in_a_string_is_not_taken_for_one(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    content = '[environments.B]\narm = """\n[environments.A]\n"""\n[environments.A]\narm = "a"\n'
    path.write_text(content)
    with pytest.raises(ConfigError, match="edit it by hand"):
        remove_table(path, ENVIRONMENTS, "A")
    assert path.read_text() == content


def test_an_identity_in_use_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(COMMENTED)
    with pytest.raises(ConfigError, match=r"identities\.ops is used by West; change"):
        remove_table(path, IDENTITIES, "ops")
    assert path.read_text() == COMMENTED


@pytest.mark.parametrize("group", [ENVIRONMENTS, IDENTITIES, "theme", "none"])
def test_a_table_that_is_not_there_is_not_removed(config: Path, group: str) -> None:
    with pytest.raises(ConfigError, match="is not there"):
        remove_table(config, group, "East")
    assert config.read_text() == WRITTEN_BY_HAND


def test_an_identity_is_added_and_changed_with_a_reference_on_one_line(config: Path) -> None:
    values = {"kind": "service-principal", "secret": {"env": "A"}, "tenant": None}
    add_table(config, IDENTITIES, "new", values)
    assert 'secret = {env = "A"}' in config.read_text()
    set_in_table(config, IDENTITIES, "new", {"secret": {"file": "b"}, "tenant": "t"})
    after = tomllib.loads(config.read_text())
    new = {"kind": "service-principal", "secret": {"file": "b"}, "tenant": "t"}
    before = tomllib.loads(WRITTEN_BY_HAND)
    assert after == before | {"identities": before["identities"] | {"new": new}}


@pytest.mark.parametrize("active", [True, False])
def test_who_adds_an_environment_says_whether_it_is_active(config: Path, active: bool) -> None:
    remember(config, "active", "West")
    add_table(config, ENVIRONMENTS, "East", ARM, active=active)
    assert tomllib.loads(config.read_text())["active"] == ("East" if active else "West")
