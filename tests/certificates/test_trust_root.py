"""Trusting a root: which it is, who holds it, where it can go; or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from stacktui.certificates.errors import CertificateError
from stacktui.certificates.roots import NoRoot, NoRootReason, root_of, why_no_root
from stacktui.certificates.trust_root import (
    OptionState,
    Proposal,
    TrustOption,
    choose_roots,
    propose,
    propose_from_file,
)
from stacktui.certificates.trust_target import add
from stacktui.config.backup import BACKUP
from stacktui.config.locations import config_root, own_bundle
from stacktui.environments.model import Environment
from tests.certificates.test_bundle import loaded
from tests.support.authority import DAY, STRANGERS, Issued, authority, issue, localhost
from tests.support.stores import add_beside

ROOT, MIDDLE = authority().root, authority().intermediate
CHAIN = (localhost().der, MIDDLE.der)
WEST = Environment("West", "https://management.west.example")


def proposed(folder: Path, chain: Sequence[bytes], west: Environment = WEST) -> Proposal | NoRoot:
    return propose(chain, "the host", west, folder / "config.toml", {west.name: west})


def from_file(file: Path, chain: Sequence[bytes], host: str = "localhost:8443") -> Proposal:
    return propose_from_file(file, chain, host, WEST, file.with_name("config.toml"), {"West": WEST})


def options(folder: Path, west: Environment = WEST) -> dict[str, TrustOption]:
    found = proposed(folder, (*CHAIN, ROOT.der), west)
    assert isinstance(found, Proposal)
    return {each.target.name: each for each in found.options}


def bundle(path: Path, *issued: Issued) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(each.pem for each in issued))
    return path


def no_root(chain: Sequence[bytes]) -> NoRoot:
    assert root_of(chain) is None
    return why_no_root(chain)


def test_the_root_of_a_presented_chain() -> None:
    leaf, middle, top = localhost().der, MIDDLE.der, ROOT.der
    for chain in ((leaf, middle, top), (top,)):
        found = root_of(chain)
        assert found is not None
        assert found.der == top
    missing = no_root((leaf, middle))
    assert (missing.reason, missing.name) == (NoRootReason.MISSING, "Contoso Root CA")
    assert "does not present the root Contoso Root CA" in missing.why
    assert "does not present the root Contoso Issuing CA" in no_root((leaf,)).why
    alone = no_root((issue("self", ("self",), None).der,))
    assert (alone.reason, alone.name) == (NoRootReason.SELF_SIGNED, "self")
    assert "which signed itself and is no CA" in alone.why
    assert alone.command == ""


def test_a_gateway_is_named_where_the_root_is_missing() -> None:
    gateway = issue("Contoso Web Gateway CA", (), None)
    found = why_no_root((issue("localhost", ("localhost",), gateway).der,), "adfs.example")
    assert (found.reason, found.name) == (NoRootReason.INTERCEPTED, "Contoso Web Gateway CA")
    assert found.why.startswith("adfs.example does not present")
    assert "exempt from TLS inspection" in found.remedy
    assert found.remedy.endswith(f": {found.command}")


def test_a_root_that_may_not_be_trusted_is_none(tmp_path: Path) -> None:
    old = issue("Old Root", (), None, starts=-9 * DAY, ends=-DAY)
    found = proposed(tmp_path, (issue("localhost", ("localhost",), old).der, old.der))
    assert isinstance(found, NoRoot)
    assert (found.reason, found.name) == (NoRootReason.UNFIT, "Old Root")
    assert found.why.startswith("the root of the chain, Old Root, expired on ")


def test_who_else_holds_the_root_corroborates_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = proposed(tmp_path, (*CHAIN, ROOT.der))
    assert isinstance(alone, Proposal)
    assert (alone.holders, alone.corroborated) == ((), False)
    assert isinstance(proposed(tmp_path, CHAIN), NoRoot)
    add_beside(monkeypatch, bundle(tmp_path / "held.pem", ROOT))
    held = proposed(tmp_path, CHAIN)
    assert isinstance(held, Proposal)
    assert (held.holders, held.corroborated) == (("CURL_CA_BUNDLE",), True)
    assert held.root.common_name == "Contoso Root CA"


def test_a_bundle_in_use_that_cannot_be_loaded_is_reported_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
    found = proposed(tmp_path, (*CHAIN, ROOT.der))
    assert isinstance(found, Proposal)
    assert str(tmp_path / "gone.pem") in found.store_problem
    # Nor can a root be added to it.
    option = {each.target.name: each for each in found.options}["SSL_CERT_FILE"]
    assert (option.state, option.change) == (OptionState.UNUSABLE, None)
    assert "is not there" in option.why_not


def test_a_root_goes_into_any_of_the_bundles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = bundle(tmp_path / "theirs.pem", STRANGERS.root)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(theirs))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(theirs))
    (tmp_path / "config.toml").write_text(f'[environments.West]\narm = "{WEST.arm}"\n')
    found = options(tmp_path)
    # Of two names of one file, the first; and what is nobody's but ours comes first.
    assert list(found)[:2] == ["own bundle", "ca of West"]
    assert "REQUESTS_CA_BUNDLE" in found
    assert "CURL_CA_BUNDLE" not in found
    assert found["ca of West"].target.new_ca == "ca/West.pem"
    assert found["own bundle"].backup is None
    assert found["REQUESTS_CA_BUNDLE"].backup == theirs.with_name(theirs.name + BACKUP)
    for name in ("own bundle", "ca of West", "REQUESTS_CA_BUNDLE"):
        option = found[name]
        assert option.state is OptionState.WRITABLE
        assert option.change is not None
        add(option.target, option.change)
        assert ROOT.der in loaded(option.target.path)
    west = Environment("West", WEST.arm, ca=tmp_path / "ca" / "West.pem")
    again = options(tmp_path, west)
    for name in ("own bundle", "ca of West", "REQUESTS_CA_BUNDLE"):
        assert (again[name].state, again[name].change) == (OptionState.PRESENT, None)
    assert again["REQUESTS_CA_BUNDLE"].backup is None


def test_a_ca_that_cannot_be_read_is_said_to_be_unusable(tmp_path: Path) -> None:
    option = options(tmp_path, Environment("West", WEST.arm, ca=tmp_path / "gone.pem"))[
        "ca of West"
    ]
    assert (option.state, option.change) == (OptionState.UNUSABLE, None)
    assert "gone.pem is not there" in option.why_not


def test_a_demo_offers_nothing_of_the_user_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_beside(monkeypatch, bundle(tmp_path / "theirs.pem", ROOT))
    with config_root(tmp_path / "demo"):
        assert list(options(tmp_path / "demo")) == ["own bundle", "ca of West"]
        assert own_bundle().is_relative_to(tmp_path / "demo")


def test_of_several_certificates_those_that_may_be_trusted_are_chosen() -> None:
    leaf = localhost().der
    chosen = choose_roots((leaf, ROOT.der, MIDDLE.der, ROOT.der), "chain.pem")
    assert chosen.ders == (ROOT.der, MIDDLE.der)
    assert [each.common_name for each, _ in chosen.left_out] == ["localhost"]
    with pytest.raises(CertificateError, match=r"chain\.pem: localhost is no CA certificate"):
        choose_roots((leaf,), "chain.pem")
    leaves = [issue(f"{number}", (f"{number}.example",), ROOT).der for number in range(5)]
    with pytest.raises(CertificateError, match=r"2 is no CA .*; and 2 more like these"):
        choose_roots(leaves, "leaves.pem")


def test_a_file_completes_the_chain_with_all_that_it_lacks(tmp_path: Path) -> None:
    others = (authority("Fabrikam").root, authority("Gateway").root)
    for missing, chain in (((ROOT,), CHAIN), ((MIDDLE, ROOT), (localhost().der,))):
        found = from_file(bundle(tmp_path / "roots.pem", *others, *missing), chain)
        assert (found.root.der, found.refused, found.corroborated) == (ROOT.der, "", True)
        own = found.options[0].change
        assert own is not None
        assert set(own.added) == {each.der for each in missing}
    wrong = from_file(bundle(tmp_path / "roots.pem", ROOT), CHAIN, "other.example")
    assert wrong.refused == "wrong name"


@pytest.mark.parametrize(
    ("issued", "why"),
    [
        ((), "is empty"),
        ((authority("Fabrikam").root,), "does not complete the chain"),
        ((localhost(),), "does not complete the chain"),
    ],
)
def test_a_file_that_does_not_complete_the_chain(
    issued: tuple[Issued, ...], why: str, tmp_path: Path
) -> None:
    with pytest.raises(CertificateError, match=why):
        from_file(bundle(tmp_path / "roots.pem", *issued), CHAIN)


def test_an_intermediate_alone_completes_no_chain(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="was signed by Contoso Root CA"):
        from_file(bundle(tmp_path / "roots.pem", MIDDLE), (localhost().der,))
