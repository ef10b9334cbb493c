"""An error of the config names the line that it is about."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacktui.check.settings import load_settings
from stacktui.config.document import ConfigError
from stacktui.config.positions import line_of, lines_by_place

CONTENT = """\
# a comment = 1
active = "Good"
[environments.Good]
arm = "https://management.good.invalid"

  [ environments . "West Europe" ] # = [
arm = "http://management.west.invalid"
[environments."West Europe".limits]
step = "soon"
[environments.NoArm]
profile = "2019-03-01-hybrid"
[environments.Unknown]
arm = "https://management.x.invalid"
identity = "nobody"
[environments]
Inline = { arm = "ftp://x" }
[identities]
robot.kind = "robot"
"""
LINES = {
    "active": 2,
    "environments": 3,
    "environments.Good.arm": 4,
    "environments.West Europe": 6,
    "environments.West Europe.arm": 7,
    "environments.West Europe.limits.step": 9,
    "environments.NoArm.arm": 10,
    "environments.Inline.arm": 16,
    "identities.robot.kind": 18,
    "theme": None,
}


@pytest.mark.parametrize("place", LINES)
def test_the_line_is_that_of_the_key_or_of_the_table_around_it(place: str) -> None:
    assert line_of(lines_by_place(CONTENT), place) == LINES[place]


@pytest.mark.parametrize(
    "text", ["[", "[[", "=", "[a.]\n= 1", "[" * 5000, "\0=", "a" + ".a" * 900 + "="]
)
def test_what_is_no_toml_has_no_places(text: str) -> None:
    assert not line_of(lines_by_place(text), "environments.West")


def test_every_error_of_a_file_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(CONTENT.replace("[environments]\nInline", "[x]\nInline"))
    settings = load_settings(path)
    lines = {name: error.line for name, error in settings.errors.items()}
    assert lines == {"West Europe": 7, "NoArm": 10, "Unknown": 14}
    assert settings.identity_errors["robot"].line == 18
    assert str(settings.errors["NoArm"]).startswith(f"{path}: line 10: environments.NoArm has no")


@pytest.mark.parametrize(
    ("text", "line"),
    [("a = 1\nb = [", 2), ("active = 1", 1), ("a = 1\n\ntheme = []", 3), ("read_only = 'no'", 1)],
)
def test_so_has_the_error_of_the_file_as_a_whole(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    assert caught.value.line == line
    assert f": line {line}" in str(caught.value)
