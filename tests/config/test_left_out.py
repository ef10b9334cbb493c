"""One environment or identity that cannot be used stops none of the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacktui.check.settings import load_settings
from stacktui.config.document import ConfigError

CONTENT = """\
[environments.Good]
arm = "https://management.good.invalid"
[environments.NoArm]
profile = "2019-03-01-hybrid"
[environments.BadIdentity]
arm = "https://management.bad.invalid"
identity = "robot"
[environments.NoIdentity]
arm = "https://management.none.invalid"
identity = "nobody"
[identities.robot]
kind = "robot"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(CONTENT)
    return path


def test_the_others_can_be_used_and_each_says_why_it_cannot(config: Path) -> None:
    settings = load_settings(config)
    assert list(settings.environments) == ["Good"]
    assert settings.target().environment.name == "Good"
    assert list(settings.errors) == ["NoArm", "BadIdentity", "NoIdentity"]
    for name, words in (("NoArm", "has no arm"), ("BadIdentity", "'robot'"), ("NoIdentity", "add")):
        with pytest.raises(ConfigError, match=words):
            settings.target(name)


def test_each_reason_is_a_line_once_and_not_for_what_is_asked_for(config: Path) -> None:
    settings = load_settings(config)
    lines = settings.left_out()
    assert len(lines) == 3  # robot's is that of its environment too
    assert all(str(config) in line and line.endswith("(left out)") for line in lines)
    assert len(settings.left_out("NoArm")) == 2
