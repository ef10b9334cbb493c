"""The bounds on everything the network can make us wait for or hold."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes; a body's bytes count after decompression (DESIGN.md, Transport).

    `device_code` is how long a person may take to sign in with a code that does not expire sooner:
    Entra's codes last so long. The step's own bound starts anew when that wait ends.
    """

    dns: float = 5.0
    connect: float = 5.0
    tls: float = 5.0
    first_byte: float = 15.0
    step: float = 20.0
    device_code: float = 900.0
    metadata: int = 1 * MIB
    page: int = 16 * MIB
    pages: int = 100
    excerpt: int = 400
