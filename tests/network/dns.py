"""A small DNS server that answers from a file, read again for every query.

Run as `dns.py FILE`; FILE is a JSON object of name → addresses, or one of the words below. It
listens on port 53 of 127.0.0.1 and prints "up".
"""

from __future__ import annotations

import ipaddress
import json
import socket
import struct
import sys
from pathlib import Path

# RCODE (RFC 1035 section 4.1.1).
SERVFAIL, NXDOMAIN, REFUSED = 2, 3, 5
_CODES = {"servfail": SERVFAIL, "nxdomain": NXDOMAIN, "refused": REFUSED}
SILENT = "silent"
# Query types (RFC 1035 section 3.2.2, RFC 3596).
_A, _AAAA = 1, 28


def answer(query: bytes, known: dict[str, str | list[str]]) -> bytes | None:
    """Return the answer to a query; None for silence. Names that the file lacks are NXDOMAIN."""
    name, end = _name(query, 12)
    kind = struct.unpack("!H", query[end : end + 2])[0]
    question = query[12 : end + 4]
    said = known.get(name, "nxdomain")
    if said == SILENT:
        return None
    code = _CODES[said] if isinstance(said, str) else 0
    addresses = [] if isinstance(said, str) else [ipaddress.ip_address(each) for each in said]
    found = [each.packed for each in addresses if each.version == {_A: 4, _AAAA: 6}.get(kind)]
    # A recursive answer; each record's name is a pointer to the question.
    head = query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(found), 0, 0)
    records = (struct.pack("!HHHIH", 0xC00C, kind, 1, 0, len(each)) + each for each in found)
    return head + question + b"".join(records)


def _name(query: bytes, at: int) -> tuple[str, int]:
    labels = []
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode("ascii"))
        at += 1 + length
    return ".".join(labels).lower(), at + 1


def main() -> None:
    file = Path(sys.argv[1])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 53))
        print("up", flush=True)
        while True:
            query, client = server.recvfrom(4096)
            said = answer(query, json.loads(file.read_text(encoding="utf-8")))
            if said is not None:
                server.sendto(said, client)


if __name__ == "__main__":
    main()
