"""The presented chain, and the roles of the host names."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from stacktui.stamp import IdentityProvider
from stacktui.stamp.running import RunningStamp

from .probe import Client, walk

DOMAIN = "local.azurestack.external"
Start = Callable[..., RunningStamp]


def leaf(stamp: RunningStamp) -> x509.Certificate:
    context = ssl.create_default_context(cafile=stamp.ca_file)
    with (
        socket.create_connection(("127.0.0.1", stamp.port)) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as tls,
    ):
        der = tls.getpeercert(binary_form=True)
    assert der
    return x509.load_der_x509_certificate(der)


def test_leaf_suits_the_readiness_rules(entra: RunningStamp) -> None:
    """Usages, names and dates of PROTOCOL.md section 6."""
    certificate = leaf(entra)
    assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert usage.key_encipherment
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH} <= set(purposes)
    assert (certificate.not_valid_after_utc - datetime.now(UTC)).days > 90
    assert certificate.issuer != certificate.subject


def test_chain_passes_strict_verification(entra: RunningStamp) -> None:
    """Strict RFC 5280 verification, which is Python 3.13's default."""
    context = ssl.create_default_context(cafile=entra.ca_file)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with (
        socket.create_connection(("127.0.0.1", entra.port)) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as tls,
    ):
        assert tls.version() == "TLSv1.3"


def test_loopback_address_is_a_name_too(entra: RunningStamp) -> None:
    answer = Client(entra).get(
        f"https://127.0.0.1:{entra.port}/metadata/endpoints?api-version=2015-01-01"
    )
    assert answer.status == 200


@pytest.mark.parametrize("idp", list(IdentityProvider))
def test_realistic_names(start: Start, idp: IdentityProvider) -> None:
    stamp = start(idp=idp, domain=DOMAIN)
    assert stamp.arm_url == f"https://management.{DOMAIN}"
    login = {"aad": f"https://login.{DOMAIN}/", "adfs": f"https://adfs.{DOMAIN}/adfs"}
    assert stamp.login_url == login[idp.value]
    assert stamp.resolve[f"management.{DOMAIN}:443"] == f"127.0.0.1:{stamp.port}"
    assert stamp.location == "local"
    assert walk(stamp) == "ok 18"
    names = leaf(stamp).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    dns = set(names.get_values_for_type(x509.DNSName))
    assert {"localhost", f"management.{DOMAIN}", f"*.vault.{DOMAIN}", f"graph.{DOMAIN}"} <= dns


def test_a_host_answers_for_its_own_role_only(start: Start) -> None:
    client = Client(start(domain=DOMAIN))
    metadata = "/metadata/endpoints?api-version=2015-01-01"
    discovery = "/organizations/v2.0/.well-known/openid-configuration"
    statuses = {
        (label, path): client.get(f"https://{label}.{DOMAIN}{path}").status
        for label in ("management", "login", "graph")
        for path in (metadata, discovery)
    }
    assert [key for key, status in statuses.items() if status == 200] == [
        ("management", metadata),
        ("login", discovery),
    ]
    portal = client.get(f"https://portal.{DOMAIN}{metadata}")
    assert portal.status == 200
    assert b"<title>Microsoft Azure Stack</title>" in portal.body


def test_a_foreign_host_header_is_refused(entra: RunningStamp) -> None:
    url = f"{entra.arm_url}/metadata/endpoints?api-version=2015-01-01"
    assert Client(entra).get(url, {"Host": "evil.example"}).status == 400
