"""Writing into the files of `az`: what changes, and that every other byte stays."""

from __future__ import annotations

import configparser
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacktui.azure_cli.cloud_file import (
    AzFileError,
    Written,
    activate,
    read_clouds,
    register,
    turn_instance_discovery_off,
)
from stacktui.azure_cli.ini_edit import with_values
from stacktui.azure_cli.ini_files import parsed
from stacktui.azure_cli.presence import BUILT_IN_CLOUDS
from stacktui.config import read_only
from stacktui.config.locations import config_root
from stacktui.config.read_only import ReadOnlyError
from stacktui.environments.profiles import PROFILES

OPTIONS = {"profile": "2020-09-01-hybrid", "endpoint_gallery": "https://g.test/100%"}
GALLERY = "endpoint_gallery = https://g.test/100%%"
SECTION = f"[West]\nprofile = 2020-09-01-hybrid\n{GALLERY}\n\n"
WORDED = "[West]\n profile  =2020-09-01-hybrid\nEndpoint_Gallery:https://g.test/100%%"
OTHER = "[Other]\nprofile = latest\nendpoint_gallery = a\n\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path / "azure"))
    return tmp_path / "azure"


def put(folder: Path, content: str | bytes, name: str = "clouds.config") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder / name


KEPT = {
    "no file's bytes": ("", SECTION),
    "another section": (OTHER, OTHER + SECTION),
    "a comment": ("# mine\n" + OTHER, "# mine\n" + OTHER + SECTION),
    "no blank line at the end": (OTHER[:-1], OTHER + SECTION),
    "no line break at the end": (OTHER[:-2], OTHER + SECTION),
    "CRLF": (OTHER.replace("\n", "\r\n"), (OTHER + SECTION).replace("\n", "\r\n")),
    "CR": (OTHER.replace("\n", "\r"), (OTHER + SECTION).replace("\n", "\r")),
    "odd case and spacing": ("[OTHER]\nX_Y:  a\n\n", "[OTHER]\nX_Y:  a\n\n" + SECTION),
    "another case of the name": ("[west]\nx = 1\n\n", "[west]\nx = 1\n\n" + SECTION),
    "DEFAULT": ("[DEFAULT]\nx = 1\n\n", "[DEFAULT]\nx = 1\n\n" + SECTION),
    "the same": (OTHER + SECTION, OTHER + SECTION),
    "the same in other words": (WORDED, WORDED),
    "unknown keys, the subscription and the order": (
        f"[West]\nsubscription = s-1\nx = %%y\n{GALLERY[:19]}old \nprofile=latest ; c\n\n{OTHER}",
        f"[West]\nsubscription = s-1\nx = %%y\n{GALLERY}\nprofile=2020-09-01-hybrid\n\n{OTHER}",
    ),
    "a missing key": (
        "[West]\r\n# c\r\nprofile = 2020-09-01-hybrid\r\n\r\n# Other\r\n[Other]\r\n",
        f"[West]\r\n# c\r\nprofile = 2020-09-01-hybrid\r\n{GALLERY}\r\n\r\n# Other\r\n[Other]\r\n",
    ),
    "an empty section": ("[West]\n" + OTHER, SECTION[:-1] + OTHER),
    "an empty section at the end": (OTHER + "[West]", OTHER + SECTION[:-1]),
    "an indented section": (
        " [West]\n  profile = latest\n [Other]\n",
        f" [West]\n  profile = 2020-09-01-hybrid\n  {GALLERY}\n [Other]\n",
    ),
    "a value of several lines": (
        "[West]\nprofile = 1\n# c\n  2\n\n 3\nx = 4\n 5\n",
        f"[West]\nprofile = 2020-09-01-hybrid\n# c\n\nx = 4\n 5\n{GALLERY}\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", KEPT)
def test_all_else_stays(what: str, folder: Path) -> None:
    before, after = KEPT[what]
    path = put(folder, before)
    written = register("West", OPTIONS, PROFILES)
    assert path.read_bytes() == after.encode()
    backup = folder / "clouds.config.before-stacktui"
    assert written == (Written(path, backup if before else None) if before != after else None)
    if written and before:
        assert backup.read_bytes() == before.encode()
    assert read_clouds().registered["West"].items() >= OPTIONS.items()
    assert register("West", OPTIONS, PROFILES) is None


REFUSED = {
    "a byte-order mark": ("\ufeff" + OTHER, "save it without a byte-order mark"),
    "UTF-16": (OTHER.encode("utf-16"), "save it as UTF-8"),
    "no section": ("x = 1\n" + OTHER, "line 1 is before any [section]"),
    "a duplicate key": (OTHER[:-1] + "Profile = latest\n", "line 4: profile is there already"),
    "a duplicate section": (OTHER + OTHER, "line 5: the section Other is there already"),
    "no value": ("[West]\njunk\n", "line 2 is no"),
    "a percent sign elsewhere": (OTHER.replace("= a", "= a%20b"), "must be written %%"),
    "an unknown profile elsewhere": (OTHER.replace("latest", "2031"), "knows no such profile"),
    "a layout": ("[West]\n\n    [Other]\nx = 1\n", "in a way that only you can change"),
    "too large": (OTHER + "# x\n" * 600_000, "over 2,097,152 bytes"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_az_could_not_read_is_not_touched(what: str, folder: Path) -> None:
    content, why = REFUSED[what]
    path = put(folder, content)
    before = path.read_bytes()
    with pytest.raises(AzFileError) as refused:
        register("West", OPTIONS, PROFILES)
    assert why in str(refused.value)
    assert path.read_bytes() == before
    assert os.listdir(folder) == ["clouds.config"]


def test_a_flaw_of_the_cloud_itself_is_fixed(folder: Path) -> None:
    path = put(folder, "[West]\nprofile = 2031\nendpoint_gallery = a%20b\n")
    assert register("West", OPTIONS, PROFILES)
    assert path.read_text() == SECTION[:-1]


@pytest.mark.parametrize("name", [*BUILT_IN_CLOUDS.values(), "azurecloud", "DEFAULT", "a]",
                                  "a\nb", " a", "a\x1b", "\ud800", ""])  # fmt: skip
def test_a_name_that_az_cannot_use_is_refused(name: str, folder: Path) -> None:
    with pytest.raises(AzFileError):
        register(name, OPTIONS, PROFILES)
    assert not (folder / "clouds.config").exists()


@pytest.mark.parametrize("value", ["a\nb", "a\r[x]", "\x1b[2J", "\u202e", "\ud800", ""])
def test_a_value_that_the_file_cannot_hold_is_refused(value: str, folder: Path) -> None:
    with pytest.raises(AzFileError, match="endpoint_gallery"):
        register("West", OPTIONS | {"endpoint_gallery": value}, PROFILES)
    assert not (folder / "clouds.config").exists()


def test_modes_are_az_s_own_and_kept(folder: Path) -> None:
    assert register("West", OPTIONS, PROFILES) == Written(folder / "clouds.config")
    assert activate("West") == Written(folder / "config")
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()}
    assert modes == {"clouds.config": 0o644, "config": 0o600}
    (folder / "clouds.config").chmod(0o640)
    register("East", OPTIONS, PROFILES)
    assert {stat.S_IMODE(each.stat().st_mode) for each in folder.glob("clouds.config*")} == {0o640}


def test_the_active_cloud_and_instance_discovery(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(folder, "[core]\noutput = table\n\n[cloud]\nname = AzureCloud\n", "config")
    assert (read_clouds().active, read_clouds().instance_discovery) == ("AzureCloud", True)
    assert activate("West")
    assert turn_instance_discovery_off()
    assert path.read_text() == (
        "[core]\noutput = table\ninstance_discovery = false\n\n[cloud]\nname = West\n"
    )
    assert (read_clouds().active, read_clouds().instance_discovery) == ("West", False)
    monkeypatch.setenv("AZURE_CLOUD_NAME", "East")
    monkeypatch.setenv("AZURE_CORE_INSTANCE_DISCOVERY", "1")
    found = read_clouds()
    assert (found.in_use, found.instance_discovery_here) == ("East", True)
    assert (found.active, found.instance_discovery) == ("West", False)


def test_built_in_clouds_are_none_that_were_registered(folder: Path) -> None:
    put(folder, "[DEFAULT]\nx = 1\n[AzureCloud]\nsubscription = s\n" + SECTION)
    assert read_clouds().registered == {"West": {"x": "1", **OPTIONS}}


def test_read_only_mode_refuses(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(read_only._asked_by, "--read-only", True)
    with pytest.raises(ReadOnlyError):
        register("West", OPTIONS, PROFILES)
    assert not folder.exists()


def test_a_demo_leaves_the_user_s_files_alone(folder: Path, tmp_path: Path) -> None:
    put(folder, SECTION)
    with config_root(tmp_path / "demo"):
        assert read_clouds().registered == {}
        assert register("East", OPTIONS, PROFILES)
    assert (folder / "clouds.config").read_text() == SECTION


@pytest.mark.parametrize("kind", ["folder", "dangling", "fifo"])
def test_what_is_no_file_is_refused(kind: str, folder: Path) -> None:
    folder.mkdir()
    path = folder / "clouds.config"
    match kind:
        case "folder":
            path.mkdir()
        case "dangling":
            path.symlink_to("/nowhere/x")
        case "fifo":
            os.mkfifo(path)
    with pytest.raises(AzFileError, match=r"clouds\.config"):
        register("West", OPTIONS, PROFILES)


@pytest.mark.timeout(60)
def test_a_thousand_sections_take_no_time(folder: Path) -> None:
    many = "".join(f"[S{n}]\n" + OTHER.partition("\n")[2] for n in range(1000))
    path = put(folder, many)
    started = time.process_time()
    register("West", OPTIONS, PROFILES)
    register("S500", {"endpoint_gallery": "b"}, PROFILES)
    assert time.process_time() - started < 5
    place = many.index("[S500]")
    assert path.read_text() == many[:place] + many[place:].replace("= a", "= b", 1) + SECTION
    assert len(read_clouds().registered) == 1001


WRITER = """
import sys
from stacktui.azure_cli.cloud_file import register
for number in range(15):
    register(f"{sys.argv[1]}{number}", {"profile": "latest", "endpoint_gallery": "x"}, ("latest",))
"""


def test_several_writers_at_once_lose_nothing(folder: Path) -> None:
    put(folder, OTHER)
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, name]) for name in "abc"]
    assert [each.wait(60) for each in writers] == [0, 0, 0]
    names = {"Other", *(f"{name}{number}" for name in "abc" for number in range(15))}
    assert set(read_clouds().registered) == names


PIECES = st.sampled_from(
    ["[West]", "[Other]", "[third]", "[DEFAULT]", "profile = latest", "endpoint_gallery: x",
     "subscription=s", "x = 1", "  more", " y = 2", "# c", "", "z = %%", "\tz2 = 3", "[West] rest"]
)  # fmt: skip
VALUES = st.dictionaries(
    st.sampled_from(["profile", "endpoint_gallery", "endpoint_new"]),
    st.text("ab%:=[]#; é", min_size=1, max_size=8).filter(str.strip),
    min_size=1,
)


@settings(max_examples=300, deadline=2000)
@given(st.lists(PIECES, max_size=14), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans(), VALUES)
def test_any_file_keeps_what_is_not_changed(
    pieces: list[str], end: str, ended: bool, values: dict[str, str]
) -> None:
    content = (end.join(pieces) + (end if ended else "")).encode()
    before = parsed(content)
    if before.flaw is not None:
        return
    try:
        after = with_values(content, "West", values)
    except ValueError:  # a layout in which a new line would mean something else
        assert any(piece[:1] in (" ", "\t") for piece in pieces)
        return
    old, new = configparser.ConfigParser(), configparser.ConfigParser()
    for parser, each in ((old, content), (new, after)):
        parser.read_string(each.decode().replace("\r\n", "\n").replace("\r", "\n"))
    assert {key: new.get("West", key) for key in values} == {
        key: value.strip() for key, value in values.items()
    }
    for name in old.sections():
        for key, value in old.items(name, raw=True):
            assert (name == "West" and key in values) or new.get(name, key, raw=True) == value
    # A subsequence of lines: none but those of changed values is lost or altered.
    section = before.section("West")
    changed = {
        number
        for option in (section.options if section else ())
        if option.key in values and option.value != values[option.key].strip().replace("%", "%%")
        for number in option.lines
    }
    left = iter(parsed(after).lines)
    for number, line in enumerate(before.lines):
        if number not in changed:
            last = number == len(before.lines) - 1
            assert any(each == line or (last and each.rstrip("\r\n") == line) for each in left)
    assert with_values(after, "West", values) == after
