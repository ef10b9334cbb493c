"""Faults before TLS: names, ports, routes and proxies."""

from __future__ import annotations

from stacktui.diagnosis.catalogue import reach
from stacktui.diagnosis.entries.model import AROUND_PROXY, AZ_NETWORK, Entry, Group, entry_of
from stacktui.diagnosis.finding import Remedy, Side

REACH = (
    *map(entry_of, reach.FAULTS),
    Entry(
        "tcp-reset",
        Group.REACH,
        (Side.NETWORK,),
        "The connection is made, and closed before TLS is up.",
        "ECONNRESET or an end of file within the handshake. If only the handshake that sends the "
        "stamp's name (SNI) is closed, a filter knows the name; if every one is, a load balancer "
        "has no service behind it. An answer in another protocol is `tls-not-tls`, silence "
        "`tls-timeout`, and a break after the request was sent `arm-reset`.",
        (
            Remedy(
                "See whether it is the name: is only the second one answered?",
                "timeout 5 openssl s_client -brief -connect HOST:443 -servername HOST < /dev/null; "
                "timeout 5 openssl s_client -brief -connect HOST:443 -noservername < /dev/null",
                "'' | openssl s_client -brief -connect HOST:443 -servername HOST; "
                "'' | openssl s_client -brief -connect HOST:443 -noservername",
            ),
            Remedy("If a filter does it, ask whoever runs it to let the host pass"),
            Remedy("If every name is closed alike, tell the stamp's operator"),
        ),
        AZ_NETWORK + "('Connection aborted.', ConnectionResetError(104, 'Connection reset by "
        "peer')) / [SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol",
    ),
    Entry(
        "proxy-unreachable",
        Group.REACH,
        (Side.BOX,),
        "The proxy itself cannot be reached, or its address cannot be read.",
        "The name or the port that fails is the proxy's, and not the stamp's as in "
        "`dns-not-found`, `tcp-refused` or `tcp-timeout`; the report says which variable or "
        "setting names it.",
        (
            Remedy(
                "See which variables name a proxy",
                "env | grep -i _proxy",
                "Get-ChildItem Env: | Where-Object Name -like '*_proxy'",
            ),
            AROUND_PROXY,
            Remedy("Else ask whoever runs the proxy for its address, and mend the variable"),
        ),
        AZ_NETWORK + "ProxyError('Unable to connect to proxy', NewConnectionError(…))",
    ),
    Entry(
        "proxy-auth-required",
        Group.REACH,
        (Side.BOX,),
        "The proxy asks for a user name and a password (407).",
        "The proxy itself answers, with 407 and the schemes that it takes; any other status is "
        "`proxy-refused`.",
        (
            Remedy(
                "Give user name and password, special characters written as %XX; they are not "
                "shown and not in the shell's history",
                "read -rsp 'user:password ' p && export HTTPS_PROXY=http://\"$p\"@PROXY:PORT",
                "$p = [Net.NetworkCredential]::new('', (Read-Host 'user:password' "
                "-AsSecureString)).Password; $env:HTTPS_PROXY = 'http://' + $p + '@PROXY:PORT'",
            ),
            Remedy(
                "If it takes only NTLM, Negotiate or Kerberos: run a small proxy on this box that "
                "signs in to it (px, cntlm), and name that one"
            ),
            AROUND_PROXY,
        ),
        AZ_NETWORK + "ProxyError('Unable to connect to proxy', OSError('Tunnel connection failed: "
        "407 Proxy Authentication Required'))",
    ),
    Entry(
        "proxy-refused",
        Group.REACH,
        (Side.NETWORK,),
        "The proxy opens no tunnel to the stamp.",
        "The proxy answers CONNECT with a status: 403 says that it may not, 502 or 504 that it "
        "cannot reach the stamp itself. 407 is `proxy-auth-required`; a proxy that does not "
        "answer at all is `proxy-unreachable`.",
        (
            AROUND_PROXY,
            Remedy("On 403, ask whoever runs the proxy to allow CONNECT to the stamp's hosts"),
            Remedy("On 5xx, ask them why the proxy cannot reach the stamp: its DNS, its routes"),
        ),
        AZ_NETWORK + "ProxyError('Unable to connect to proxy', OSError('Tunnel connection failed: "
        "403 Forbidden'))",
    ),
)
