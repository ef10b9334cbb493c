"""Packets that are dropped, refused or truncated on the way, and the verdicts of a check."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.network.conftest import ARM, LOGIN, STAMP, Site

TO = "tcp dport 443"
FROM = "tcp sport 443"


def test_packets_that_are_dropped(site: Site, tmp_path: Path) -> None:
    with site.inside.filtering(f"{TO} drop"):
        verdict = site.verdict(tmp_path)
    assert (verdict["id"], verdict["side"]) == ("tcp-timeout", "network")
    assert f"tried {STAMP}:443 ETIMEDOUT" in verdict["evidence"]
    assert any(f"{STAMP} port 443" in each["title"] for each in verdict["remedies"])
    assert site.is_healthy(tmp_path)


def test_answers_that_are_dropped(site: Site, tmp_path: Path) -> None:
    """The way back: a stateful firewall that saw no first packet, or two routes."""
    with site.inside.filtering(f"{FROM} drop"):
        assert site.verdict(tmp_path)["id"] == "tcp-timeout"


def test_a_firewall_that_resets_is_a_closed_port(site: Site, tmp_path: Path) -> None:
    """It looks the same as a stamp where nothing listens."""
    with site.inside.filtering(f"{TO} reject with tcp reset"):
        assert site.verdict(tmp_path)["id"] == "tcp-refused"


@pytest.mark.parametrize("kind", ["admin-prohibited", "host-unreachable", "no-route"])
def test_a_firewall_that_says_so(kind: str, site: Site, tmp_path: Path) -> None:
    with site.inside.filtering(f"{TO} reject with icmpx type {kind}"):
        verdict = site.verdict(tmp_path)
    assert (verdict["id"], verdict["side"]) == ("tcp-unreachable", "network")
    tried = [line for line in verdict["evidence"] if line.startswith(f"tried {STAMP}:443 ")]
    assert tried[0].endswith(("EHOSTUNREACH", "ENETUNREACH"))


@pytest.mark.parametrize(
    ("route", "said"),
    [((), "ENETUNREACH"), (("prohibit",), "EACCES"), (("unreachable",), "EHOSTUNREACH")],
)
def test_a_box_without_a_route(
    route: tuple[str, ...], said: str, site: Site, tmp_path: Path
) -> None:
    site.resolving({ARM: ["192.0.2.1"], LOGIN: [STAMP]})
    for kind in route:
        site.inside.must("ip", "route", "add", kind, "192.0.2.0/24")
    try:
        verdict = site.verdict(tmp_path)
        assert (verdict["id"], verdict["side"]) == ("tcp-unreachable", "network")
        assert f"tried 192.0.2.1:443 {said}" in verdict["evidence"]
        look = verdict["remedies"][0]["bash"]
        assert look == "ip route get 192.0.2.1"
        assert "RTNETLINK answers" in site.inside.run("bash", "-c", look).stderr
    finally:
        for kind in route:
            site.inside.must("ip", "route", "del", kind, "192.0.2.0/24")


@pytest.mark.parametrize("then", ["reject with tcp reset", "drop"])
def test_a_filter_that_lets_only_the_first_packets_pass(
    then: str, site: Site, tmp_path: Path
) -> None:
    """A filter reads the name in the ClientHello, the first packet with data."""
    with site.inside.filtering(f"{TO} tcp flags & psh == psh {then}"):
        verdict = site.verdict(tmp_path)
    expected = "tls-timeout" if then == "drop" else "tcp-reset"
    assert (verdict["id"], verdict["side"]) == (expected, "network")
    assert any(f"tried {STAMP}:443 connected" in line for line in verdict["evidence"])


def test_large_packets_that_vanish(site: Site, tmp_path: Path) -> None:
    """An MTU black hole: the remedy's smaller MTU fixes it."""
    with site.inside.filtering("meta length > 1400 drop"):
        verdict = site.verdict(tmp_path)
        assert (verdict["id"], verdict["side"]) == ("tls-timeout", "network")
        assert "MTU" in verdict["remedies"][0]["title"]
        site.inside.must("ip", "link", "set", "lo", "mtu", "1400")
        try:
            assert site.is_healthy(tmp_path)
        finally:
            site.inside.must("ip", "link", "set", "lo", "mtu", "65536")


@pytest.mark.exhaustive  # six pings, a second apart
@pytest.mark.skipif(shutil.which("ping") is None, reason="ping is not installed")
def test_pings_of_two_sizes_tell_it(site: Site, tmp_path: Path) -> None:
    with site.inside.filtering("meta length > 1400 drop"):
        large, small = site.verdict(tmp_path)["remedies"][0]["bash"].split("; ")
        assert site.inside.run("bash", "-c", large).returncode == 1
        assert site.inside.run("bash", "-c", small).returncode == 0
