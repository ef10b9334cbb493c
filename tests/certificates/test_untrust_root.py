"""Taking back a root: what stacktui added is listed wherever it is, and exactly that removed."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from stacktui.certificates.additions import read_additions
from stacktui.certificates.bundle import BundleError, plan_addition
from stacktui.certificates.trust_target import TrustTarget, add, own_bundle_target
from stacktui.certificates.untrust_root import (
    AddedRoot,
    added_roots,
    plan_untrust,
    take_back,
    untrust,
)
from stacktui.config.locations import own_bundle
from tests.support.authority import STRANGERS, authority

ROOT, OTHER = authority().root, STRANGERS.root
SHA = sha256(ROOT.der).hexdigest()


@pytest.fixture
def theirs(tmp_path: Path) -> TrustTarget:
    """A bundle of another program, to which stacktui added a root."""
    path = tmp_path / "theirs.pem"
    path.write_bytes(OTHER.pem)
    return trusted(TrustTarget(path))


def trusted(target: TrustTarget) -> TrustTarget:
    add(target, plan_addition(target.path, (ROOT.der,), ours=target.ours))
    return target


def listed() -> list[AddedRoot]:
    return list(added_roots(Path("config.toml"), {}))


def test_what_was_added_is_listed_and_taken_back(theirs: TrustTarget) -> None:
    trusted(own_bundle_target())
    ours, others = listed()
    assert (ours.target.name, ours.certificate.common_name) == ("own bundle", "Contoso Root CA")
    assert (others.target.path, others.lost) == (theirs.path, False)
    assert take_back(others) == ""
    assert theirs.path.read_bytes() == OTHER.pem
    assert take_back(ours) == ""
    assert not own_bundle().exists()
    assert listed() == []


def test_a_lost_addition_is_forgotten(theirs: TrustTarget) -> None:
    theirs.path.write_bytes(OTHER.pem)
    (lost,) = listed()
    assert lost.lost
    assert take_back(lost) == ""
    assert theirs.path.read_bytes() == OTHER.pem
    assert read_additions().additions == ()
    assert listed() == []


def test_what_is_there_in_another_form_is_not_lost(theirs: TrustTarget) -> None:
    theirs.path.write_bytes(OTHER.pem + ROOT.pem)
    assert listed() == []


def test_nobody_knows_what_a_bundle_that_cannot_be_read_has_lost(theirs: TrustTarget) -> None:
    theirs.path.unlink()
    theirs.path.mkdir()
    assert listed() == []


def test_a_plan_distinguishes_removed_from_only_forgotten(
    theirs: TrustTarget,
) -> None:
    planned = plan_untrust(theirs, {SHA})
    assert (planned.removed, planned.lost, planned.file_removed) == ((ROOT.der,), (), False)
    theirs.path.write_bytes(OTHER.pem)
    planned = plan_untrust(theirs, {SHA})
    assert (planned.change, planned.removed) == (None, ())
    assert [each.sha256 for each in planned.lost] == [SHA]
    assert untrust(planned) == ""
    with pytest.raises(BundleError, match="does not hold"):
        plan_untrust(theirs, {SHA})


def test_a_plan_says_where_else_it_was_added(theirs: TrustTarget) -> None:
    with pytest.raises(BundleError, match=f"it was added elsewhere: --store {theirs.path}"):
        plan_untrust(own_bundle_target(), {SHA})
    with pytest.raises(BundleError, match="so nothing is trusted there"):
        plan_untrust(own_bundle_target(), {"ab" * 32})
