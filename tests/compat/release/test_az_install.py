"""The remedy that installs az 2.66 in an environment of its own, as bash runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacktui.diagnosis.catalogue.azure_cli import INSTALL_AZ
from tests.compat.own_venv import wanted
from tests.support.pasted import Shell


@pytest.mark.skipif(
    not wanted(release=True),
    reason="set STACKTUI_COMPAT=release to have az installed once more (1.3 GB)",
)
def test_az_is_the_one_of_the_shell(tmp_path: Path) -> None:
    lines = INSTALL_AZ.bash, 'test "$(command -v az)" = "$HOME/az-2.66/bin/az" && az version'
    done = Shell(tmp_path).run("\n".join(lines), seconds=800, variables={"HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert '"azure-cli": "2.66.' in done.stdout
