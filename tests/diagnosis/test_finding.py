"""What a diagnosis shows to people, and what only documents hold."""

from __future__ import annotations

from stacktui.diagnosis.finding import Diagnosis, Finding, Remedy, Side


def finding(id_: str, *evidence: str, remedy: str = "fix it") -> Finding:
    return Finding(id_, f"{id_} is so", Side.BOX, evidence, (Remedy(remedy),), "")


def test_what_an_earlier_finding_has_told_is_not_told_again() -> None:
    verdict = finding("tls-untrusted-root", "a root")
    login = finding("login-unreachable", "the fault is dns-not-found", "no name")
    same, other = finding("dns-not-found", "no name"), finding("dns-not-found", "another name")
    diagnosis = Diagnosis(verdict, (login, same, other))
    assert diagnosis.also_seen_distinct == (login, other)
    assert Diagnosis(login, (same,)).also_seen_distinct == ()
    assert Diagnosis(None, (other,)).also_seen_distinct == (other,)


def test_another_mend_is_told() -> None:
    verdict = finding("login-unreachable", "the fault is x", "seen")
    assert Diagnosis(verdict, (finding("x", "seen", remedy="otherwise"),)).also_seen_distinct
