"""Each rule of the vendor has a certificate that keeps it and one that breaks it and no other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from stacktui.certificates.chain import MAX_PATH, describe, path_of
from stacktui.certificates.levels import LIMITS, Level, level_of
from stacktui.certificates.pfx import TRIPLE_DES, PfxFacts
from stacktui.certificates.readiness import (
    KeyFound,
    RuleResult,
    Source,
    covered,
    covers,
    failed,
    worst,
)
from stacktui.certificates.readiness_rules import RULES, evaluate
from stacktui.certificates.verify import VerifyCode, is_rooted
from tests.support.authority import Issued, authority, issue
from tests.support.deployment import (
    CLIENT,
    DAY,
    DOMAIN,
    NAMES,
    SERVER,
    Leaf,
    enterprise,
    good,
    short_key,
    signed_with,
    whole,
)

HOUR = timedelta(hours=1)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def judged(*chain: bytes, **more: object) -> dict[str, RuleResult]:
    return {each.rule: each for each in evaluate(chain, datetime.now(UTC), **more)}  # type: ignore[arg-type]


def broken(results: dict[str, RuleResult]) -> set[str]:
    return {rule for rule, each in results.items() if each.level is Level.FAIL}


def of(leaf: Leaf, **more: object) -> dict[str, RuleResult]:
    return judged(*whole(leaf.issued()), names=NAMES, **more)


def test_a_right_chain_passes_every_rule() -> None:
    packed = PfxFacts((TRIPLE_DES,), (TRIPLE_DES,), has_mac=True, local_machine=True)
    found = judged(*whole(good()), names=NAMES, key=KeyFound.MATCHES, source=Source.PFX, pfx=packed)
    assert list(found) == [each.id for each in RULES]
    assert {each.level for each in found.values()} == {Level.PASS}
    assert not any(each.remedy for each in found.values())


def test_a_live_chain_has_no_rule_about_a_key() -> None:
    assert "private-key" not in judged(*whole(good()), names=NAMES)


@pytest.mark.parametrize(
    ("leaf", "rule", "text"),
    [
        (Leaf(ends=6 * DAY + HOUR), "expiry", "6 days left, until"),
        (Leaf(starts=-30 * DAY, ends=-3 * DAY), "expiry", "expired on"),
        (Leaf(starts=3 * DAY), "expiry", "not valid before"),
        (Leaf(key=short_key()), "key-size", "RSA 1024 bits; at least 2048 are needed"),
        (Leaf(names=NAMES[:1]), "names", f"missing: {NAMES[1]}; it is for {NAMES[0]}"),
        (Leaf(names=()), "names", "no subject alternative names"),
        (Leaf(usage=("digital_signature",)), "key-usage", "without keyEncipherment; it has"),
        (Leaf(usage=("key_encipherment",)), "key-usage", "without digitalSignature; it has"),
        (Leaf(usage=None), "key-usage", "the extension is absent"),
        (Leaf(purposes=(SERVER,)), "extended-key-usage", "without clientAuth; it has serverAuth"),
        (Leaf(purposes=(CLIENT,)), "extended-key-usage", "without serverAuth; it has clientAuth"),
        (Leaf(purposes=None), "extended-key-usage", "the extension is absent"),
    ],
)
def test_a_leaf_that_breaks_one_rule_fails_that_one_alone(leaf: Leaf, rule: str, text: str) -> None:
    found = of(leaf)
    assert broken(found) == {rule}
    assert text in found[rule].text
    assert found[rule].remedy == next(each.remedy for each in RULES if each.id == rule)


@pytest.mark.parametrize(
    ("days", "level"),
    [
        (-1, Level.FAIL), (0, Level.FAIL), (6, Level.FAIL), (7, Level.CRITICAL),
        (29, Level.CRITICAL), (30, Level.WARNING), (89, Level.WARNING), (90, Level.PASS),
    ],
)  # fmt: skip
def test_the_level_of_days_left(days: int, level: Level) -> None:
    assert level_of(days) is level
    leaf = Leaf(starts=-500 * DAY, ends=days * DAY + HOUR).issued()
    assert judged(*whole(leaf))["expiry"].level is level


def test_the_limits_are_those_of_the_protocol() -> None:
    assert LIMITS == ((7, Level.FAIL), (30, Level.CRITICAL), (90, Level.WARNING))


def test_a_ca_that_ends_before_its_leaf_is_what_counts() -> None:
    issuing = issue("Short CA", (), enterprise().root, ends=20 * DAY + HOUR)
    leaf = Leaf(issuer=issuing).issued()
    found = judged(leaf.der, issuing.der, enterprise().root.der)["expiry"]
    assert found.level is Level.CRITICAL
    assert found.text.startswith("“Short CA”: 20 days left")


@pytest.mark.parametrize(("digest", "name"), [("sha1", "SHA1"), ("md5", "MD5")])
def test_an_old_hash_fails_wherever_it_is_relied_on(tmp_path: Path, digest: str, name: str) -> None:
    found = judged(*signed_with(digest, tmp_path))
    assert broken(found) == {"signature"}
    assert found["chain"].level is Level.PASS
    assert (
        f"“old leaf” is signed with {name} ({digest}WithRSAEncryption)" in found["signature"].text
    )


def test_an_old_hash_of_a_root_is_relied_on_by_nobody(tmp_path: Path) -> None:
    leaf, root = signed_with("sha1", tmp_path, root=True)
    assert describe(root).signature_hash == "SHA1"
    assert broken(judged(leaf, root)) == set()


def test_a_key_on_a_curve_is_neither_too_short_nor_asked_to_encipher() -> None:
    found = of(Leaf(key=EC_KEY, usage=("digital_signature",)))
    assert broken(found) == set()
    assert found["key-size"].text == "EC 256 bits (secp256r1)"
    short = of(Leaf(key=ec.generate_private_key(ec.SECP192R1()), usage=("digital_signature",)))
    assert broken(short) == {"key-size"}
    assert broken(of(Leaf(key=EC_KEY, usage=("key_agreement",)))) == {"key-usage"}


def test_a_self_signed_leaf_fails_once() -> None:
    found = judged(Leaf(self_signed=True).issued().der, names=NAMES)
    assert broken(found) == {"self-signed"}
    assert found["chain"].level is Level.SKIPPED


def test_a_chain_without_its_root_is_whole() -> None:
    found = judged(good().der, enterprise().intermediate.der)
    assert found["chain"].level is Level.PASS
    assert "its root is not presented, which is fine" in found["chain"].text


def test_a_chain_in_the_wrong_order_fails() -> None:
    leaf, intermediate, root = whole(good())
    found = judged(leaf, root, intermediate)
    assert broken(found) == {"chain"}
    assert "stand presented as 1, 3, 2" in found["chain"].text
    assert broken(judged(root, intermediate, leaf, leaf=2, source=Source.FILE)) == {"chain"}


def test_a_chain_with_a_gap_fails() -> None:
    leaf, _, root = whole(good())
    found = judged(leaf, root)
    assert broken(found) == {"chain"}  # that the root does not belong cannot be told
    assert found["chain"].text == (
        "broken: “Contoso Issuing CA 1”, which issued “Contoso portal”, is not presented"
    )


def test_a_ca_of_the_right_name_but_another_key_did_not_sign() -> None:
    impostor = issue("Contoso Issuing CA 1", (), enterprise().root)
    found = judged(good().der, impostor.der, enterprise().root.der)
    assert broken(found) == {"chain"}
    assert "did not sign “Contoso portal”" in found["chain"].text


@pytest.mark.parametrize(
    ("source", "trusted", "level"),
    [
        (Source.LIVE, None, Level.WARNING),
        (Source.LIVE, False, Level.WARNING),
        (Source.LIVE, True, Level.PASS),
        (Source.FILE, None, Level.WARNING),
        (Source.PFX, None, Level.FAIL),
    ],
)
def test_a_leaf_alone(source: Source, trusted: bool | None, level: Level) -> None:
    found = judged(good().der, source=source, rooted=trusted)
    assert found["chain"].level is level


def test_a_signature_that_cannot_be_computed_is_not_called_false() -> None:
    """It is signed by an algorithm that nobody here knows."""
    leaf, intermediate, root = whole(good())
    known, unknown = bytes.fromhex("2a8648ce3d040302"), bytes.fromhex("2a8648ce3d04037f")
    found = judged(leaf.replace(known, unknown), intermediate, root)
    assert found["chain"].level is Level.WARNING
    assert "cannot be told here" in found["chain"].text
    assert "EC 256 bits" in found["chain"].text
    assert found["other-certificates"].level is Level.SKIPPED


def test_an_expired_leaf_whose_root_a_client_found_lacks_no_issuer() -> None:
    leaf = Leaf(issuer=enterprise().root, starts=-30 * DAY, ends=-3 * DAY).issued()
    found = judged(leaf.der, rooted=is_rooted(VerifyCode.CERT_HAS_EXPIRED))
    assert (found["expiry"].level, found["chain"].level) == (Level.FAIL, Level.PASS)
    found = judged(leaf.der, rooted=is_rooted(VerifyCode.UNABLE_TO_VERIFY_LEAF_SIGNATURE))
    assert found["chain"].level is Level.WARNING


def test_a_second_version_of_the_issuer_breaks_nothing() -> None:
    """As after a renewal: the same name and key twice, and the root not presented."""
    issuing = enterprise().intermediate
    name = issuing.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    renewed = issue(str(name), (), enterprise().root, key=issuing.key)
    for chain in (
        (good().der, issuing.der, renewed.der),
        (good().der, issuing.der, issuing.der),
    ):
        found = judged(*chain)
        assert broken(found) == {"other-certificates"}
        assert "number 3" in found["other-certificates"].text


def test_a_chain_that_a_client_accepts_is_not_called_broken() -> None:
    chain = (good().der, enterprise().intermediate.der, authority("Strangers").root.der)
    assert "broken: " in judged(*chain)["chain"].text
    found = judged(*chain, rooted=True)
    assert broken(found) == {"other-certificates"}


def test_a_chain_too_long_to_follow_is_not_called_broken() -> None:
    cas = [enterprise().root]
    for number in range(MAX_PATH + 2):
        cas.append(issue(f"CA {number}", (), cas[-1]))
    leaf = Leaf(issuer=cas[-1]).issued()
    found = judged(leaf.der, *(each.der for each in reversed(cas)))
    assert broken(found) == set()
    assert found["chain"].level is Level.WARNING
    assert "not followed to its end" in found["chain"].text


@pytest.mark.parametrize(
    ("stray", "text"),
    [
        (authority("Stranger").root, "number 4 (“Stranger Root CA”)"),
        (Leaf(common_name="another").issued(), "number 4 (“another”)"),
        (good(), "number 4 (a duplicate of “Contoso portal”)"),
    ],
)
def test_what_does_not_belong_fails(stray: Issued, text: str) -> None:
    found = judged(*whole(good()), stray.der)
    assert broken(found) == {"other-certificates"}
    assert text in found["other-certificates"].text


def test_what_cannot_be_read_does_not_belong() -> None:
    found = judged(*whole(good()), b"nonsense")
    assert broken(found) == {"other-certificates"}


@pytest.mark.parametrize(
    ("key", "source", "level"),
    [
        (KeyFound.MATCHES, Source.FILE, Level.PASS),
        (KeyFound.MISSING, Source.PFX, Level.FAIL),
        (KeyFound.MISSING, Source.FILE, Level.SKIPPED),
        (KeyFound.OTHER, Source.FILE, Level.FAIL),
        (KeyFound.LOCKED, Source.FILE, Level.SKIPPED),
    ],
)
def test_the_private_key(key: KeyFound, source: Source, level: Level) -> None:
    assert judged(*whole(good()), key=key, source=source)["private-key"].level is level


@pytest.mark.parametrize(
    ("pattern", "name", "does"),
    [
        ("portal.e.c", "PORTAL.E.C", True),
        ("*.e.c", "portal.e.c", True),
        ("*.e.c", "a.blob.e.c", False),
        ("*.e.c", "*.blob.e.c", False),
        ("*.e.c", "e.c", False),
        ("*.blob.e.c", "*.blob.e.c", True),
        ("blob.e.c", "*.blob.e.c", False),
        ("*", "portal", False),
        ("*.", "portal.", False),
        ("10.0.0.5", "10.0.0.5", True),
    ],
)
def test_a_wildcard_covers_one_label(pattern: str, name: str, does: bool) -> None:
    assert covers(pattern, name) is does
    assert covered((name,), (pattern,)) == ((name,) if does else ())


def test_one_of_several_certificates_needs_one_of_the_names() -> None:
    def part(*names: str) -> RuleResult:
        return of(Leaf(names=names), domain=DOMAIN)["names"]

    assert part(NAMES[0]).level is Level.PASS
    assert part(f"*.sql.{DOMAIN}").level is Level.WARNING
    other = part("portal.west.example")
    assert other.level is Level.FAIL
    assert other.text == f"none is of {DOMAIN}; it is for portal.west.example"


def test_names_are_not_judged_unless_asked_for() -> None:
    assert judged(*whole(good()))["names"].level is Level.SKIPPED


def test_the_worst_level_counts() -> None:
    def levels(*found: Level) -> Level:
        return worst([RuleResult("x", level, "") for level in found])

    assert levels() is Level.SKIPPED
    assert levels(Level.SKIPPED, Level.PASS) is Level.PASS
    assert levels(Level.WARNING, Level.PASS, Level.CRITICAL) is Level.CRITICAL
    assert levels(Level.FAIL, Level.CRITICAL) is Level.FAIL


def test_text_of_a_certificate_stays_one_harmless_line_of_bounded_length() -> None:
    leaf = Leaf(common_name="a\n\x1b[31m" + "x" * 50, names=("y" * 63 + ".example",) * 40)
    stray = Leaf(common_name="b\x1b]0;t\x07").issued()
    for each in evaluate((*whole(leaf.issued()), stray.der), datetime.now(UTC), names=NAMES):
        assert each.text.isprintable()
        assert len(each.text) < 500


@given(st.lists(st.binary(max_size=100), max_size=4), st.integers(0, 4))
def test_any_bytes_are_judged(chain: list[bytes], leaf: int) -> None:
    found = evaluate(chain, datetime.now(UTC), names=NAMES, leaf=leaf)
    assert failed(found)
    assert [each.rule for each in found if each.level is Level.FAIL] == ["chain"]


@given(st.integers(0, 2), st.integers(0, 300), st.integers(1, 255))
def test_a_chain_with_a_wrong_byte_is_judged(which: int, position: int, change: int) -> None:
    chain = [bytearray(der) for der in whole(good())]
    chain[which][position] ^= change
    found = evaluate([bytes(der) for der in chain], datetime.now(UTC), names=NAMES)
    assert all(each.text.isprintable() for each in found)


def test_a_long_chain_of_one_name_is_judged_within_bounds() -> None:
    same = [issue("Same", (), None).der for _ in range(60)]
    assert path_of([good().der, *same]) == (0,)
    assert failed(evaluate([good().der, *same], datetime.now(UTC)))
