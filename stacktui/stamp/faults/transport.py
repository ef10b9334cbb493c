"""Faults of the way to the stamp: name, port, proxy, TLS, and the client's CA file."""

from __future__ import annotations

from datetime import timedelta

from stacktui.stamp.faults.model import ChainSpec, ConnectionFault, Fault

_DAY = timedelta(days=1)

FAULTS: dict[str, Fault] = {
    # Reach
    "dns-not-found": Fault(
        "the ARM URL names a host that does not exist",
        client_overrides={"arm_url": "https://management.local.azurestack.invalid"},
    ),
    "tcp-refused": Fault("nothing listens on the stamp's port", connection=ConnectionFault.REFUSED),
    "tcp-timeout": Fault(
        "nothing comes back from the stamp's port", connection=ConnectionFault.BLACKHOLE
    ),
    "tcp-reset": Fault("connections are reset before TLS", connection=ConnectionFault.RESET),
    "proxy-unreachable": Fault("nobody listens at the proxy", proxy_response=b""),
    "proxy-auth-required": Fault(
        "the proxy answers 407",
        proxy_response=b"HTTP/1.1 407 Proxy Authentication Required\r\n"
        b"Proxy-Authenticate: Negotiate\r\n"
        b'Proxy-Authenticate: Basic realm="Contoso"\r\n'
        b"Content-Length: 0\r\n\r\n",
    ),
    "proxy-refused": Fault(
        "the proxy answers 403",
        proxy_response=b"HTTP/1.1 403 Blocked by policy\r\nContent-Length: 0\r\n\r\n",
    ),
    # TLS
    "tls-not-tls": Fault("the port speaks plain HTTP", connection=ConnectionFault.PLAIN_HTTP),
    "tls-timeout": Fault("the TLS handshake never ends", connection=ConnectionFault.SILENT),
    "tls-untrusted-root": Fault(
        "the CA file holds another root than the chain's", chain=ChainSpec(trusted=False)
    ),
    "tls-missing-intermediate": Fault(
        "the server sends the leaf only", chain=ChainSpec(sends_intermediate=False)
    ),
    "tls-self-signed": Fault("the leaf is its own issuer", chain=ChainSpec(self_signed=True)),
    "tls-intercepted": Fault(
        "the chain ends in a gateway's root, the CA file holds another",
        chain=ChainSpec(root="Contoso Web Gateway Root CA", trusted=False),
    ),
    "tls-expired": Fault(
        "the leaf ended three days ago", chain=ChainSpec(starts=-400 * _DAY, ends=-3 * _DAY)
    ),
    "tls-not-yet-valid": Fault("the leaf begins in three days", chain=ChainSpec(starts=3 * _DAY)),
    "tls-name-mismatch": Fault(
        "the leaf is for another region's names",
        chain=ChainSpec(names=("portal.east.contoso.example", "management.east.contoso.example")),
    ),
    "tls-weak": Fault("the leaf's key is RSA of 1024 bits", chain=ChainSpec(weak_key=True)),
    "tls-unsuitable": Fault(
        "the leaf may be used by clients only", chain=ChainSpec(no_server_auth=True)
    ),
    # Advisories: these fail no check
    "cert-expires-soon": Fault(
        "the leaf ends in twenty days", chain=ChainSpec(ends=20 * _DAY + timedelta(hours=1))
    ),
    "cert-readiness": Fault(
        "the leaf may not be used by clients, which the vendor's checker rejects",
        chain=ChainSpec(no_client_auth=True),
    ),
    "secret-file-open": Fault(
        "everybody on this machine may read the secret file", open_client_files=True
    ),
    # The client's CA file
    "trust-file-missing": Fault("the CA file is not there", client_files={"ca.pem": None}),
    "trust-file-bad": Fault(
        "the CA file is a web page", client_files={"ca.pem": b"<html>Not found</html>\n"}
    ),
}
