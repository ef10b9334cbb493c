"""Messages of network faults that several faults share: az, requests, curl, .NET, Go and Node."""

from __future__ import annotations

from stacktui.diagnosis.message_pattern import MessagePattern

LOOKUP_FAILED = MessagePattern(
    "the name could not be looked up",
    r"failed to resolve|nameresolutionerror|could not resolve host|getaddrinfo failed",
)

CURL_COULD_NOT_CONNECT = MessagePattern(
    "curl could not connect, and does not say why",
    r"couldn't connect to server|could not connect to server|tcp connect to .{1,60}failed"
    r"|0x80072efd",
)

CONNECTION_RESET = MessagePattern(
    "the connection was reset",
    r"connection reset\b|connectionreseterror|econnreset|errno 104\]|errno 54\]|os error 104\b"
    r"|\b1005[34]\b|forcibly closed|connection was (?:reset|aborted)|recv failure: connection"
    r"|err_connection_(?:reset|closed)|connect_reset_error|(?:aborted|write).{0,30}broken ?pipe"
    r"|errno 107\]|enotconn|\b10057\b|errno=104\b|0x80072efe|not closed cleanly",
)

CONNECTION_CLOSED = MessagePattern(
    "the connection ended without an answer",
    r"remote end closed connection without response|remotedisconnected|socket hang up"
    r"|empty reply from server|closed unexpectedly|server disconnected without|err_empty_response"
    r"|failed to respond|prematurely closed|closed before message completed"
    r"|unexpected end of file from server|https://\S{1,100}: eof\b",
)

NO_CONNECTION = MessagePattern(
    "no connection came about",
    r"max retries exceeded|failed to establish a new connection|newconnectionerror"
    r"|unable to connect to the remote server|failed to connect to|connection error|fetch failed"
    r"|error occurred while sending the request|cannot connect to host|apiconnectionerror",
)

PROXY_FAILED = MessagePattern(
    "a proxy is in the way, and something about it failed",
    r"proxyerror|unable to connect to proxy|cannot connect to proxy|proxyconnect tcp"
    r"|tunneling socket could not be established|unable to tunnel through proxy"
    r"|proxy connect aborted|connect to proxy|http proxy error|socks5? (?:connection|proxy|server)",
)
