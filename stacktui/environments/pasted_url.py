"""What people paste for an ARM URL: a bare host, the metadata URL, a portal's address."""

from __future__ import annotations

import re
import string
from collections.abc import Collection
from urllib.parse import urlsplit

from stacktui.environments.model import parse_arm_url
from stacktui.environments.naming import (
    ASDK_DOMAIN,
    OPERATOR_ENDPOINT,
    USER_ENDPOINT,
    other_service,
)

# Quotes, brackets and list punctuation that come along with a URL from a mail or a JSON file.
_AROUND = string.whitespace + "\"'`“”„‘’«»<>,;"
_AFTER_HOST = re.compile(r"[/\\?#]")


def read_pasted_url(text: str) -> str:
    """Return the ARM URL that `text` means, as `parse_arm_url` does.

    A path, a query and what stands around the URL are dropped, `https` is assumed, the host of
    another service of a stamp becomes the ARM host of that stamp, and `local` the development
    kit's. Raises ValueError as `parse_arm_url` does: a user name and `http` are not dropped.
    """
    text = text.strip(_AROUND)
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "https", text
    arm = parse_arm_url(f"{scheme}://{_AFTER_HOST.split(rest, maxsplit=1)[0]}")
    host = urlsplit(arm).hostname or ""
    if host in ("local", ASDK_DOMAIN):
        return parse_arm_url(f"https://{USER_ENDPOINT}.{ASDK_DOMAIN}")
    named = other_service(host)
    return parse_arm_url(f"https://{named[1]}") if named else arm


def propose_name(arm: str, taken: Collection[str]) -> str:
    """Return a name that is not taken, empty only without a host: the region of a standard host
    name, with `-admin` for the operator's endpoint; else the host name."""
    host = arm.strip().rpartition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0]
    region = host.partition(".")[2].partition(".")[0]
    standard = {USER_ENDPOINT: region, OPERATOR_ENDPOINT: f"{region}-admin"}
    name = (standard.get(host.partition(".")[0]) if region else None) or host
    if not name:
        return ""
    return free_name(name, taken)


def free_name(name: str, taken: Collection[str]) -> str:
    """Return the name, with a number from 2 on where it is taken."""
    names = (name if count == 1 else f"{name}-{count}" for count in range(1, len(taken) + 2))
    return next(each for each in names if each not in taken)
