"""A demo has all keys of the dashboard, but does not offer to change the user's files."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import certifi
import pytest

from stacktui.certificates.bundle import annotated
from stacktui.certificates.untrust_root import added_roots
from stacktui.check.settings import load_settings
from stacktui.cli.demo_stamp import Demo
from stacktui.config.locations import is_demo, own_bundle
from stacktui.tui.app import StacktuiApp
from tests.support.authority import authority

from .screen import flat, until

pytestmark = pytest.mark.every_root
WIDE = (120, 40)
ROOT = authority().root


@pytest.fixture
def bundles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[Path, bytes]:
    """Return the user's bundles with their content; stacktui has added a root to each."""
    theirs = tmp_path / "theirs.pem"
    roots = Path(certifi.where()).read_bytes()
    added = b"\n" + annotated(ROOT.der)
    found = {theirs: roots + added, own_bundle(): added}
    for path, content in found.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(theirs))
    return found


async def test_a_demo_offers_no_bundle_of_the_user_s(
    bundles: dict[Path, bytes], tmp_path: Path
) -> None:
    assert added_paths(tmp_path / "none.toml") == set(bundles)
    with Demo() as demo:
        config = await asyncio.to_thread(demo.start)
        assert is_demo()
        async with StacktuiApp(config).run_test(size=WIDE) as pilot:
            await pilot.press("2", "l")
            await until(pilot, "4 hosts · ")
            await pilot.press("T")
            shown = await until(pilot, "Into which bundle")
            rows = re.findall(r"│ [▸ ] (.+?)  +[✓–!✗] ", shown)
            assert rows == ["own bundle", "ca of AzureStackUser"]
            assert str(config.parent / "ca-bundle.pem") in flat(shown).replace(" ", "")
            await pilot.press("enter")
            await until(pilot, "trusted in own bundle")
            await pilot.press("U")
            shown = await until(pilot, "AzureStackSelfSignedRootCert")
            assert "Contoso" not in shown
            await pilot.press("enter", "y")
            await until(pilot, "taken out of own bundle")
            await pilot.press("U")
            await until(pilot, "stacktui has added no root to any bundle on this machine.")
    assert not is_demo()
    assert {path: read(path) for path in bundles} == bundles
    assert added_paths(config) == set(bundles)


def added_paths(config: Path) -> set[Path]:
    return {each.target.path for each in added_roots(config, load_settings(config).environments)}


def read(path: Path) -> bytes:
    return path.read_bytes()
