"""What stands on a port, by the first that it says. Light to import: the catalogue of faults reads
it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Protocol(StrEnum):
    """What a port speaks; the values are for people to read."""

    HTTP = "plain HTTP"
    SSH = "SSH"
    SMTP_OR_FTP = "SMTP or FTP"
    IMAP = "IMAP"
    POP3 = "POP3"
    VNC = "VNC"
    SOCKS = "SOCKS"
    TLS = "TLS"
    OTHER = "something else"
    SILENCE = "nothing"
    CLOSED = "nothing, and closes"


# How the sanitised text of a server begins that speaks first, or answers an unknown request.
_BEGINNINGS = (
    ("SSH-", Protocol.SSH),
    ("HTTP/", Protocol.HTTP),
    ("<", Protocol.HTTP),
    ("220", Protocol.SMTP_OR_FTP),
    ("* OK", Protocol.IMAP),
    ("+OK", Protocol.POP3),
    ("RFB ", Protocol.VNC),
    # RFC 1928 section 3: the version. SOCKS 4 refuses with the bytes 0 and 91.
    ("\\x05", Protocol.SOCKS),
    ("\\x00[", Protocol.SOCKS),
    # An alert, in a record of TLS (RFC 8446 section 5.1).
    ("\\x15\\x03", Protocol.TLS),
)
# What servers say in plain HTTP of a port that wants TLS (nginx, Apache, Go, and others).
_WANTS_TLS = ("https port", "ssl-enabled server port", "to an https server", "to https")


@dataclass(frozen=True, slots=True)
class PortAnswer:
    """What a plain request to a port brought; `answer` is its beginning, sanitised."""

    host: str
    port: int
    speaks: Protocol
    answer: str = ""

    @property
    def is_other(self) -> bool:
        """Whether it is known to speak another protocol than TLS."""
        unknown = (Protocol.TLS, Protocol.OTHER, Protocol.SILENCE, Protocol.CLOSED)
        return self.speaks not in unknown


def protocol_of(answer: str) -> Protocol:
    """Return what a server speaks, by the sanitised beginning of what it said."""
    found = next((name for start, name in _BEGINNINGS if answer.startswith(start)), Protocol.OTHER)
    if found is Protocol.HTTP and any(each in answer.lower() for each in _WANTS_TLS):
        return Protocol.TLS
    return found
