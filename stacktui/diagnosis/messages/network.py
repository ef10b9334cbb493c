"""Messages of network faults that several faults share: az, requests, curl, .NET, Go and Node."""

from __future__ import annotations

from stacktui.diagnosis.message_pattern import MessagePattern

LOOKUP_FAILED = MessagePattern(
    "the name could not be looked up",
    r"failed to resolve|nameresolutionerror|could not resolve host|getaddrinfo failed",
)

CURL_COULD_NOT_CONNECT = MessagePattern(
    "curl could not connect, and does not say why",
    r"couldn't connect to server|could not connect to server",
)

CONNECTION_RESET = MessagePattern(
    "the connection was reset",
    r"connection reset by peer|connectionreseterror|econnreset|errno 104\]|errno 54\]"
    r"|\b10054\b|forcibly closed|connection was reset|recv failure: connection",
)

CONNECTION_CLOSED = MessagePattern(
    "the connection ended without an answer",
    r"remote end closed connection without response|remotedisconnected|socket hang up"
    r"|empty reply from server|closed unexpectedly|server disconnected without",
)

NO_CONNECTION = MessagePattern(
    "no connection came about",
    r"max retries exceeded|failed to establish a new connection|newconnectionerror"
    r"|unable to connect to the remote server|failed to connect to|connection error",
)

PROXY_FAILED = MessagePattern(
    "a proxy is in the way, and something about it failed",
    r"proxyerror|unable to connect to proxy|cannot connect to proxy",
)
