"""The bundle for other programs: whole, and never over what is somebody else's."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import certifi
import pytest

from stacktui.certificates.bundle import BundleError
from stacktui.certificates.export import export, exports_with, is_current, is_free, sources_of
from stacktui.config.backup import BACKUP
from stacktui.config.locations import exported_bundle, own_bundle
from stacktui.environments.model import Environment
from tests.certificates.test_bundle import loaded
from tests.support.authority import STRANGERS, authority

pytestmark = pytest.mark.every_root

ROOT, OTHER = authority().root, STRANGERS.root


@pytest.fixture
def environments(tmp_path: Path) -> list[Environment]:
    """One with a `ca`, one without; and an own bundle."""
    ca = tmp_path / "ca.pem"
    ca.write_bytes(OTHER.pem + ROOT.pem)
    own_bundle().parent.mkdir(parents=True, exist_ok=True)
    own_bundle().write_bytes(ROOT.pem)
    return [
        Environment("West", "https://west.example", ca=ca),
        Environment("East", "https://east.example"),
    ]


def test_all_that_is_trusted_goes_into_one_file(environments: list[Environment]) -> None:
    done = export(environments)
    assert done.path == exported_bundle()
    assert done.lines["bash"] == f"export REQUESTS_CA_BUNDLE={done.path}"
    assert done.lines["powershell"] == f"$env:REQUESTS_CA_BUNDLE = '{done.path}'"
    counts = {part.source.setting: part.count for part in done.parts}
    assert (counts["own bundle"], counts["ca of West"]) == (1, 1)
    assert next(iter(counts)) == "certifi"
    assert {ROOT.der, OTHER.der} <= set(loaded(done.path))
    assert done.count == len(set(loaded(done.path)))
    assert exports_with((ROOT.der,)) == (done.path,)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_where_others_may_not_read_it_is_told(environments: list[Environment]) -> None:
    folder = Path(tempfile.mkdtemp(dir="/tmp"))  # pytest's own folders are closed
    path = folder / "bundle.pem"
    try:
        assert export(environments, path).closed == folder
        folder.chmod(0o755)
        assert export(environments, path).closed is None
        path.chmod(0o600)
        assert export(environments, path).closed == path
    finally:
        shutil.rmtree(folder)


def test_a_bundle_is_current_while_it_holds_what_is_trusted_for_an_environment(
    environments: list[Environment],
) -> None:
    west, east = environments
    assert not is_current(east)
    export([east])
    assert (is_current(west), is_current(east)) == (False, True)
    export([west])
    assert is_current(west)


def test_a_file_of_others_is_written_over_only_when_asked_to(
    environments: list[Environment], tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs.pem"
    theirs.write_bytes(b"precious")
    assert not is_free(theirs, sources_of(environments))
    with pytest.raises(BundleError, match="was not exported by stacktui"):
        export(environments, theirs)
    assert theirs.read_bytes() == b"precious"
    done = export(environments, theirs, overwrite=True)
    assert done.backup == theirs.with_name(theirs.name + BACKUP)
    assert done.backup.read_bytes() == b"precious"
    assert export(environments, theirs).backup is None  # ours by now


def test_what_a_bundle_is_made_of_is_never_written_over(environments: list[Environment]) -> None:
    for path in (Path(certifi.where()), own_bundle(), environments[0].ca):
        assert path is not None
        before = path.read_bytes()
        with pytest.raises(BundleError, match="itself; name another file"):
            export(environments, path, overwrite=True)
        assert path.read_bytes() == before
