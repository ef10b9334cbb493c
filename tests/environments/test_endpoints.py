"""Which hosts of an environment speak TLS (PROTOCOL.md section 6)."""

from __future__ import annotations

from stacktui.environments.endpoints import (
    ARM,
    GRAPH,
    LOGIN,
    PORTAL,
    Endpoint,
    all_endpoints,
    endpoints,
    merged,
)
from stacktui.environments.metadata import IdentityProvider, Metadata
from stacktui.environments.model import Environment

DOMAIN = "east.contoso.example"
USER = Environment("User", f"https://management.{DOMAIN}")
OPERATOR = Environment("Operator", f"https://adminmanagement.{DOMAIN}")
ENTRA = Metadata(
    "2015-01-01", "https://login.microsoftonline.com", "aud", IdentityProvider.ENTRA,
    graph="https://graph.windows.net/", portal=f"https://portal.{DOMAIN}/",
)  # fmt: skip
ADFS = Metadata(
    "2015-01-01", f"https://adfs.{DOMAIN}/adfs", "aud", IdentityProvider.ADFS,
    graph=f"https://graph.{DOMAIN}/", portal=f"https://portal.{DOMAIN}/",
)  # fmt: skip


def hosts(found: tuple[Endpoint, ...]) -> dict[str, str]:
    return {each.role: each.host for each in found}


def test_what_the_metadata_names() -> None:
    found = endpoints(USER, ENTRA)
    assert hosts(found) == {
        ARM: f"management.{DOMAIN}",
        LOGIN: "login.microsoftonline.com",
        GRAPH: "graph.windows.net",
        PORTAL: f"portal.{DOMAIN}",
    }
    assert all(each.named and each.port == 443 for each in found)


def test_without_metadata_the_naming_rule_speaks() -> None:
    found = endpoints(USER, None)
    assert hosts(found) == {
        ARM: f"management.{DOMAIN}",
        LOGIN: f"adfs.{DOMAIN}",
        GRAPH: f"graph.{DOMAIN}",
        PORTAL: f"portal.{DOMAIN}",
    }
    assert [each.named for each in found] == [True, False, False, False]
    assert hosts(endpoints(OPERATOR, None))[PORTAL] == f"adminportal.{DOMAIN}"


def test_the_whole_list_is_the_vendor_s() -> None:
    found = all_endpoints(USER, ADFS)
    assert {each.name for each in found} == {
        f"{label}.{DOMAIN}"
        for label in (
            "portal", "adminportal", "management", "adminmanagement", "*.blob", "*.table",
            "*.queue", "*.vault", "*.adminvault", "*.hosting", "*.adminhosting", "adfs", "graph",
        )
    }  # fmt: skip
    assert len(found) == 13
    blob = next(each for each in found if each.role == "*.blob")
    assert blob.host.endswith(f".blob.{DOMAIN}")
    assert "*" not in blob.host
    assert not blob.named


def test_under_entra_nobody_looks_for_adfs() -> None:
    found = hosts(all_endpoints(USER, ENTRA))
    assert found[LOGIN] == "login.microsoftonline.com"
    assert f"adfs.{DOMAIN}" not in found.values()
    assert f"graph.{DOMAIN}" not in found.values()
    assert f"adfs.{DOMAIN}" in hosts(all_endpoints(USER, None)).values()


def test_one_host_of_many_roles_is_one_endpoint() -> None:
    local = Environment("Local", "https://localhost:8443")
    metadata = Metadata(
        "2015-01-01", "https://localhost:8443/tenant", "aud", IdentityProvider.ENTRA,
        graph="https://LOCALHOST:8443/", portal="https://localhost:9443/",
    )  # fmt: skip
    found = endpoints(local, metadata)
    assert [(each.role, each.key) for each in found] == [
        (f"{ARM}, {LOGIN}, {GRAPH}", "localhost:8443"),
        (PORTAL, "localhost:9443"),
    ]
    assert all_endpoints(local, metadata) == found


def test_hosts_that_cannot_exist_are_left_out() -> None:
    for url in ("https://[", "http://graph.example", "https://a b/", "https://x:0/", "https:///"):
        metadata = Metadata("1.0", ADFS.login_endpoint, "a", IdentityProvider.ADFS, graph=url)
        assert GRAPH not in hosts(endpoints(USER, metadata))


def test_what_is_named_once_is_certain() -> None:
    derived = Endpoint(("adfs",), "a.example", 443, "a.example")
    named = Endpoint((LOGIN,), "a.example", 443, "a.example", named=True)
    assert merged([derived, named]) == (
        Endpoint(("adfs", LOGIN), "a.example", 443, "a.example", named=True),
    )


def test_addresses_are_written_as_certificates_write_them() -> None:
    environment = Environment("Address", "https://[0:0:0:0:0:0:0:1]:8443")
    (found,) = endpoints(environment, None)
    assert (found.name, found.key) == ("::1", "[0:0:0:0:0:0:0:1]:8443")


def test_a_domain_that_leaves_no_room_for_a_label_has_fewer_names() -> None:
    domain = ".".join(["a" * 60] * 4)[:235]
    found = hosts(all_endpoints(Environment("Long", f"https://management.{domain}"), None))
    assert found["portal"] == f"portal.{domain}"
    assert "*.adminhosting" not in found
    assert all(len(host) <= 254 for host in found.values())
