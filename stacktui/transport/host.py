"""Valid hosts: names as DNS carries them, and addresses."""

from __future__ import annotations

import re

# RFC 1123 section 2.1, with the underscore that some sites use. The layers below rely on it: the
# IDNA codec, TLS and CONNECT each raise an error of their own for what it does not match.
_NAME = re.compile(r"(?=.{1,254}\Z)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?")
_IPV6 = re.compile(r"[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9_.-]+)?")


def is_host(host: str) -> bool:
    """Whether `host` is a plain ASCII name or an address; IPv6 without its brackets."""
    return bool(_NAME.fullmatch(host) or _IPV6.fullmatch(host))
