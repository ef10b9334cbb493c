"""Answers of a resolver, or none, and the verdicts of a check."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.network.conftest import ARM, DOMAIN, LOGIN, STAMP, Site
from tests.support.interrupts import interrupt

# the resolver's answer for ARM's name: the verdict, its side, and glibc's message
FAULTS = {
    "nxdomain": ("dns-not-found", "box", "EAI_NONAME"),
    "no address": ("dns-not-found", "box", "EAI_NODATA"),
    "servfail": ("dns-timeout", "network", "EAI_AGAIN"),
    "refused": ("dns-timeout", "network", "EAI_AGAIN"),
    "silent": ("dns-timeout", "network", "no answer in 1 s"),
}


@pytest.mark.parametrize("said", FAULTS)
def test_a_name_without_an_answer(said: str, site: Site, tmp_path: Path) -> None:
    id_, side, shown = FAULTS[said]
    site.resolving({ARM: [] if said == "no address" else said, LOGIN: [STAMP]})
    verdict = site.verdict(tmp_path)
    assert (verdict["id"], verdict["side"]) == (id_, side)
    assert ARM in verdict["title"]
    assert ("has no address" in verdict["title"]) == (said == "no address")
    assert any(shown in line for line in verdict["evidence"]), verdict["evidence"]
    assert any("127.0.0.1" in line for line in verdict["evidence"])  # the resolver


def test_the_names_of_the_stamp_that_exist_tell_which_one_is_mistyped(
    site: Site, tmp_path: Path
) -> None:
    """No name of the stamp is pinned here: only the resolver knows them."""
    portal, typo = f"portal.{DOMAIN}", f"managment.{DOMAIN}"
    site.resolving({ARM: [STAMP], LOGIN: [STAMP], portal: [STAMP], typo: "nxdomain"})
    document = site.check(tmp_path, arm=f'"https://{typo}"')
    verdict = document["verdict"]
    assert verdict["id"] == "dns-not-found"
    assert document["siblings"] == [ARM, portal]
    assert f"{portal} does exist: only the first label is wrong" in verdict["evidence"]
    (mend,) = (each["action"] for each in verdict["remedies"] if each["action"])
    assert mend == {"kind": "set", "key": "arm", "value": f"https://{ARM}"}


def test_the_label_that_is_missing_before_the_stamps_domain(site: Site, tmp_path: Path) -> None:
    site.resolving({ARM: [STAMP], LOGIN: [STAMP], DOMAIN: "nxdomain"})
    document = site.check(tmp_path, arm=f'"https://{DOMAIN}"')
    verdict = document["verdict"]
    assert (verdict["id"], document["siblings"]) == ("dns-not-found", [ARM])
    assert f"{ARM} does exist: management. is missing" in verdict["evidence"]
    (mend,) = (each["action"] for each in verdict["remedies"] if each["action"])
    assert mend == {"kind": "set", "key": "arm", "value": f"https://{ARM}"}


def test_a_resolver_that_is_not_there(site: Site, tmp_path: Path) -> None:
    """Port 53 is closed, which the resolver library treats as a time-out."""
    with site.inside.filtering("udp dport 53 reject", "tcp dport 53 reject"):
        assert site.verdict(tmp_path)["id"] == "dns-timeout"
    assert site.is_healthy(tmp_path)


def test_the_pin_that_the_mend_names_does_without_a_resolver(site: Site, tmp_path: Path) -> None:
    site.resolving({ARM: "silent", LOGIN: [STAMP]})
    verdict = site.verdict(tmp_path)
    (pin,) = (each["title"] for each in verdict["remedies"] if "resolve = " in each["title"])
    line = pin[pin.index("resolve = ") :].removeprefix("resolve = ")
    document = site.check(tmp_path, resolve=line.replace("<address>", STAMP))
    assert (document["ok"], document["verdict"]) == (True, None)


def test_right_names_are_a_healthy_site(site: Site, tmp_path: Path) -> None:
    document = site.check(tmp_path)
    assert (document["ok"], document["verdict"]) == (True, None)
    (exchange,) = document["steps"][0]["evidence"]["exchanges"]
    assert exchange["connection"]["addresses"] == [STAMP]


def test_an_old_address_is_no_fault_of_the_resolver(site: Site, tmp_path: Path) -> None:
    site.resolving({ARM: ["127.0.0.9"], LOGIN: [STAMP]})
    verdict = site.verdict(tmp_path)
    assert (verdict["id"], verdict["side"]) == ("tcp-refused", "stamp")
    assert "tried 127.0.0.9:443 ECONNREFUSED" in verdict["evidence"]


@pytest.mark.parametrize("said", ["nxdomain", "servfail"])
def test_a_login_host_without_an_address(said: str, site: Site, tmp_path: Path) -> None:
    site.resolving({ARM: [STAMP], LOGIN: said})
    document = site.check(tmp_path)
    verdict = document["verdict"]
    assert [each["outcome"] for each in document["steps"]] == ["ok", "failed", "skipped"]
    assert verdict["id"] == "login-unreachable"
    assert LOGIN in verdict["title"]
    assert any(LOGIN in line for line in verdict["evidence"])
    assert ARM not in json.dumps(verdict["evidence"])
    assert [each["id"] for each in document["also_seen"]] == [FAULTS[said][0]]


@pytest.mark.parametrize("broken", ["lost", "refused", "no route"])
def test_a_box_whose_ipv6_is_broken_is_healthy(broken: str, site: Site, tmp_path: Path) -> None:
    site.resolving({ARM: ["fd00::1", STAMP], LOGIN: ["fd00::1", STAMP]})
    rule = {"lost": "ip6 daddr fd00::1 drop", "refused": "ip6 daddr fd00::1 reject with tcp reset"}
    if broken == "no route":
        document = site.check(tmp_path)
    else:
        # An address that this machine has is tried first (RFC 6724).
        site.inside.must("ip", "-6", "addr", "add", "fd00::1/128", "dev", "lo", "nodad")
        try:
            with site.inside.filtering(rule[broken]):
                document = site.check(tmp_path)
        finally:
            site.inside.must("ip", "-6", "addr", "del", "fd00::1/128", "dev", "lo")
    assert (document["ok"], document["verdict"]) == (True, None)
    (exchange,) = document["steps"][0]["evidence"]["exchanges"]
    tried = {each["address"]: each.get("error") for each in exchange["connection"]["attempts"]}
    assert tried[STAMP] is None
    if broken != "no route":
        assert tried["fd00::1"] in ("ECANCELED", "ECONNREFUSED")


def test_ctrl_c_ends_a_look_up_at_once(site: Site, tmp_path: Path) -> None:
    """getaddrinfo cannot be cancelled, so nothing waits for it."""
    site.resolving({ARM: "silent", LOGIN: "silent"})
    with site.checking(tmp_path) as process:
        time.sleep(1.5)  # within the 5 s of its time-out; nothing shows from outside
        took = interrupt(process)
    print(f"dns: ended {took * 1000:.0f} ms after Ctrl+C")


def test_ctrl_c_ends_the_looks_after_a_fault_at_once(site: Site, tmp_path: Path) -> None:
    """ARM's name does not exist; the check then looks up the stamp's other names."""
    others = ("adminmanagement", "portal", "adminportal")
    site.resolving({ARM: "nxdomain", **{f"{each}.{DOMAIN}": "silent" for each in others}})
    with site.checking(tmp_path) as process:
        time.sleep(1.5)
        took = interrupt(process)
    print(f"looks: ended {took * 1000:.0f} ms after Ctrl+C")
