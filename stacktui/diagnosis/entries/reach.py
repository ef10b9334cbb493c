"""Faults before TLS: names, ports, routes and proxies."""

from __future__ import annotations

from stacktui.diagnosis.entries.model import AROUND_PROXY, AZ_NETWORK, Entry, Group
from stacktui.diagnosis.finding import Remedy, Side

_PIN = Remedy(
    "Without DNS, pin the address under the environment in the config: "
    'resolve = { "HOST:443" = "ADDRESS:443" }'
)

REACH = (
    Entry(
        "dns-not-found",
        Group.REACH,
        (Side.BOX,),
        "The name does not exist for the resolver that this box asks.",
        "A resolver answered, and said no (EAI_NONAME, NXDOMAIN, WinError 11001). Where none "
        "answers at all, it is `dns-timeout`. If other names of the same stamp resolve, the name "
        "is mistyped; if none does, this box asks the wrong resolver. The proxy's own name: "
        "`proxy-unreachable`.",
        (
            Remedy(
                "Ask this box's resolver; if it should know the name, mend the resolver",
                "getent ahosts HOST; grep -v '^#' /etc/resolv.conf",
                "Resolve-DnsName HOST; Get-DnsClientServerAddress",
            ),
            Remedy("If the name is mistyped, set the right one: arm under the environment"),
            _PIN,
        ),
        AZ_NETWORK + "NameResolutionError(… Failed to resolve 'HOST' ([Errno -2] Name or service "
        "not known))",
    ),
    Entry(
        "dns-timeout",
        Group.REACH,
        (Side.NETWORK,),
        "No resolver answers.",
        "Nobody said no, as in `dns-not-found`: the resolvers of this box are silent, or not to "
        "be reached (EAI_AGAIN). Every other name fails in the same way.",
        (
            Remedy(
                "See which resolvers this box asks; ask the network for port 53 to them, or "
                "connect the VPN that leads there",
                "grep -v '^#' /etc/resolv.conf; getent ahosts HOST",
                "Get-DnsClientServerAddress; Resolve-DnsName HOST",
            ),
            _PIN,
        ),
        AZ_NETWORK + "NameResolutionError(… [Errno -3] Temporary failure in name resolution)",
    ),
    Entry(
        "tcp-refused",
        Group.REACH,
        (Side.STAMP,),
        "The host is there, and nothing listens on that port.",
        "A refusal comes back at once (ECONNREFUSED, errno 111, WinError 10061). Silence instead "
        "is `tcp-timeout`, an open port that is closed again `tcp-reset`. A refusal by the "
        "proxy's address is `proxy-unreachable`.",
        (
            Remedy(
                "See whether anything listens",
                "timeout 5 bash -c '</dev/tcp/HOST/443' && echo open",
                "Test-NetConnection HOST -Port 443",
            ),
            Remedy("If the port is mistyped: stamps listen on 443; set arm under the environment"),
            Remedy("Else the service is down: tell the stamp's operator"),
        ),
        AZ_NETWORK + "NewConnectionError(… Failed to establish a new connection: [Errno 111] "
        "Connection refused)",
    ),
    Entry(
        "tcp-timeout",
        Group.REACH,
        (Side.NETWORK,),
        "Packets vanish: no address of the host answers.",
        "Neither a connection nor a refusal comes back (ETIMEDOUT, WinError 10060). A refusal is "
        "`tcp-refused`, an answer that there is no way `tcp-unreachable`; where the connection is "
        "made and TLS never ends, it is `tls-timeout`.",
        (
            Remedy(
                "See by which route this box sends, and whether a VPN must be up",
                "ip route get ADDRESS",
                "Test-NetConnection HOST -Port 443 -InformationLevel Detailed",
            ),
            Remedy("Ask for a firewall rule from this box to each address, port 443"),
        ),
        AZ_NETWORK + "NewConnectionError(… [Errno 110] Connection timed out), after minutes",
    ),
    Entry(
        "tcp-unreachable",
        Group.REACH,
        (Side.NETWORK,),
        "There is no way there: this box, or somebody on the way, says so.",
        "An error comes at once: ENETUNREACH (errno 101, WinError 10051) or EHOSTUNREACH (errno "
        "113, WinError 10065), by this box's own routes or by ICMP of a router or firewall. "
        "`ip route get` tells which. Silence is `tcp-timeout`, a refused port `tcp-refused`.",
        (
            Remedy(
                "See whether this box has a route; if it has none, connect the VPN or mend it",
                "ip route get ADDRESS",
                "Find-NetRoute -RemoteIPAddress ADDRESS",
            ),
            Remedy(
                "If it has one, ask for a route and a firewall rule from this box to the address, "
                "port 443"
            ),
        ),
        AZ_NETWORK + "NewConnectionError(… [Errno 113] No route to host)",
    ),
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
