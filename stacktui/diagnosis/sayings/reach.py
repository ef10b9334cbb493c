"""How clients say that they reach nobody: az, requests, curl, .NET, Go and Node."""

from __future__ import annotations

from stacktui.diagnosis.sayings.model import Saying

_PROXY = r"proxyerror|unable to connect to proxy|cannot connect to proxy"

NAMES = (
    Saying(
        "the name does not resolve",
        (
            (
                r"name or service not known|nodename nor servname|getaddrinfo failed|enotfound"
                r"|no such host|remote name could not be resolved|nxdomain|non-existent domain"
                r"|no address associated with hostname|could not resolve host|\b11001\b|errno -2\]"
            ),
        ),
        {"dns-not-found": 85},
    ),
    Saying(
        "the name could not be looked up",
        (r"failed to resolve|nameresolutionerror|could not resolve host|getaddrinfo failed",),
        {"dns-not-found": 42, "dns-timeout": 41},
    ),
    Saying(
        "no resolver answers",
        (
            (
                r"temporary failure in name resolution|eai_again|errno -3\]|\b11002\b"
                r"|no servers could be reached|resolving timed out|is usually a temporary error"
            ),
        ),
        {"dns-timeout": 90},
    ),
)

PORTS = (
    Saying(
        "the connection was refused",
        (r"connection refused|econnrefused|errno 111\]|errno 61\]|\b10061\b|actively refused",),
        {"tcp-refused": 85},
    ),
    Saying(
        "no answer to a connection",
        (
            (
                r"errno 110\]|errno 60\]|\b10060\b|etimedout|connecttimeout|connection timed out"
                r"|did not properly respond|operation timed out after|i/o timeout"
                r"|failed to connect to .{1,40} port \d{1,5} after \d{1,9} ms: timeout"
                r"|connection attempt failed because"
            ),
        ),
        {"tcp-timeout": 85},
    ),
    Saying(
        "curl could not connect, and does not say why",
        (r"couldn't connect to server|could not connect to server",),
        {"tcp-refused": 60, "tcp-timeout": 58, "tcp-unreachable": 56},
    ),
    Saying(
        "there is no way to the address",
        (
            (
                r"errno 113\]|errno 101\]|errno 65\]|errno 51\]|no route to host"
                r"|network is unreachable|ehostunreach|enetunreach|\b10065\b|\b10051\b"
                r"|unreachable network|unreachable host"
            ),
        ),
        {"tcp-unreachable": 86},
    ),
    Saying(
        "this box's own firewall forbids the connection",
        (r"\b10013\b|access permissions",),
        {"tcp-timeout": 55},
        "WinError 10013 is a firewall or another program on this box itself.",
    ),
    Saying(
        "the connection was reset",
        (
            (
                r"connection reset by peer|connectionreseterror|econnreset|errno 104\]|errno 54\]"
                r"|\b10054\b|forcibly closed|connection was reset|recv failure: connection"
            ),
        ),
        {"tcp-reset": 75, "arm-reset": 60},
    ),
    Saying(
        "the connection was reset while the metadata was fetched",
        (
            r"unable to get endpoints from the cloud|/metadata/endpoints",
            r"connection reset by peer|connectionreseterror|econnreset|forcibly closed",
        ),
        {"tcp-reset": 90, "metadata-reset": 60},
    ),
    Saying(
        "the handshake ended without a word",
        (
            (
                r"unexpected_eof_while_reading|eof occurred in violation|ssl_error_syscall"
                r"|unexpected eof|0 bytes from the transport stream|unexpected error occurred on a "
                r"(?:send|receive)"
            ),
        ),
        {"tcp-reset": 80},
    ),
    Saying(
        "the connection ended without an answer",
        (
            (
                r"remote end closed connection without response|remotedisconnected|socket hang up"
                r"|empty reply from server|closed unexpectedly|server disconnected without"
            ),
        ),
        {"arm-reset": 62, "login-reset": 60, "metadata-reset": 59, "tcp-reset": 58},
    ),
    Saying(
        "no connection came about",
        (
            (
                r"max retries exceeded|failed to establish a new connection|newconnectionerror"
                r"|unable to connect to the remote server|failed to connect to|connection error"
            ),
        ),
        {"tcp-refused": 26, "tcp-timeout": 26, "dns-not-found": 25, "tls-untrusted-root": 22},
    ),
)

PROXIES = (
    Saying(
        "a proxy is in the way, and something about it failed",
        (_PROXY,),
        {"proxy-unreachable": 55, "proxy-refused": 40, "proxy-auth-required": 38},
    ),
    Saying(
        "the proxy itself cannot be reached",
        (
            _PROXY,
            (
                r"connection refused|failed to resolve|timed out|no route to host|is unreachable"
                r"|\b1006[01]\b|actively refused|connection reset"
            ),
        ),
        {"proxy-unreachable": 180},
    ),
    Saying(
        "the proxy's name or address cannot be used",
        (
            (
                r"could not resolve proxy|proxy url had unsupported scheme|unsupported proxy"
                r"|proxy name could not be resolved|failed to parse: .{1,40}is not a valid host or "
                r"port|connect to proxy .{1,60}failed"
            ),
        ),
        {"proxy-unreachable": 90},
    ),
    Saying(
        "the proxy asks for credentials (407)",
        (
            (
                r"tunnel connection failed: 407|407 proxy authentication|\(407\)"
                r"|tunnel failed, response 407|http code 407|proxy authentication required"
                r"|status code '407'|returned status code 407"
            ),
        ),
        {"proxy-auth-required": 190},
    ),
    Saying(
        "the proxy opens no tunnel",
        (
            (
                r"tunnel connection failed: (?:40[0-689]|4[1-9]\d|5\d\d)"
                r"|tunnel failed, response (?:40[0-689]|4[1-9]\d|5\d\d)"
                r"|http code (?:40[0-689]|4[1-9]\d|5\d\d) from proxy"
                r"|proxy tunnel request to proxy .{1,80}status code '(?:40[0-689]|4[1-9]\d|5\d\d)'"
            ),
        ),
        {"proxy-refused": 190},
    ),
    Saying(
        "the proxy speaks plain HTTP, and is named with https://",
        (r"your proxy appears to only use http",),
        {"tls-not-tls": 190},
    ),
)

REACH = (*NAMES, *PORTS, *PROXIES)
