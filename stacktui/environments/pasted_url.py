"""What people paste for an ARM URL: a bare host, the metadata URL, a portal's address."""

from __future__ import annotations

import re
import string
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from stacktui.environments.model import parse_arm_url, with_one_scheme
from stacktui.environments.naming import (
    ASDK_DOMAIN,
    OPERATOR_ENDPOINT,
    USER_ENDPOINT,
    other_service,
    shared_service,
)
from stacktui.environments.public_resources import is_public_arm

# Quotes, brackets and list punctuation that come along with a URL from a mail or a JSON file.
_AROUND = string.whitespace + "\"'`“”„‘’«»<>,;"
_AFTER_HOST = re.compile(r"[/\\?#]")


@dataclass(frozen=True, slots=True)
class PastedUrl:
    """The ARM URL that was meant, as `parse_arm_url` returns it, and what was changed, in words."""

    arm: str
    changes: tuple[str, ...] = ()


def read_pasted_url(text: str) -> PastedUrl:
    """Return the ARM URL that `text` means.

    A path, a query, all schemes but the last and what stands around the URL are dropped, `https` is
    assumed, the host of another service of a stamp becomes the ARM host of that stamp, and `local`
    the development kit's. Raises ValueError as `parse_arm_url` does: a user name and `http` are not
    dropped; also for a host of Entra, which belongs to no one stamp.
    """
    given = text.strip(_AROUND)
    text = with_one_scheme(given)
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "https", text
    authority, *dropped = _AFTER_HOST.split(rest, maxsplit=1)
    arm = parse_arm_url(f"{scheme}://{authority}")
    parts = urlsplit(arm)
    host = parts.hostname or ""
    if shared := shared_service(host):
        known = "that of public Azure is https://management.azure.com"
        raise ValueError(f"must be ARM's; {host} is {shared}, which stamps share; {known}")
    changes = [] if separator or host == "local" else ["https:// was put before it"]
    if text != given:
        changes.append("https:// was there twice")
    if dropped and dropped[0]:
        is_metadata = dropped[0].lower().startswith("metadata")
        changes.append(f"the {'path of the metadata' if is_metadata else 'path'} was dropped")
    is_kit, named = host in ("local", ASDK_DOMAIN), other_service(host)
    if parts.port and (is_kit or named):
        changes.append(f"the port {parts.port} was dropped, which is not ARM's")
    if is_kit:
        arm = f"https://{USER_ENDPOINT}.{ASDK_DOMAIN}"
        return PastedUrl(arm, (*changes, f"{host} is the development kit"))
    if named:
        arm = parse_arm_url(f"https://{named[1]}")
        whose = "cloud" if is_public_arm(named[1]) else "stamp"
        changes.append(f"{host} is the {whose}'s {named[0]}, not its ARM")
    return PastedUrl(arm, tuple(changes))


def with_service(arm: str) -> str:
    """Return the ARM URL with the `management.` that may have been forgotten; empty where it has
    another service's name, or no `<region>.<fqdn>` to put it before."""
    parts = urlsplit(arm)
    host = parts.hostname or ""
    first = host.partition(".")[0]
    is_named = first in (USER_ENDPOINT, OPERATOR_ENDPOINT) or other_service(host) is not None
    if is_named or host.count(".") < 2 or ":" in host or host.replace(".", "").isdigit():
        return ""
    return f"https://{USER_ENDPOINT}.{parts.netloc}"


def propose_name(arm: str, taken: Collection[str]) -> str:
    """Return a name that is not taken, empty only without a host.

    The documents' own for a development kit, the region of a standard host name, with `-admin` for
    the operator's endpoint; else the host name.
    """
    host = arm.strip().rpartition("://")[2].partition("/")[0].rpartition("@")[2]
    host = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    domain = host.partition(".")[2]
    region = domain.partition(".")[0]
    standard = {USER_ENDPOINT: region, OPERATOR_ENDPOINT: f"{region}-admin"}
    if domain == ASDK_DOMAIN:
        standard = {USER_ENDPOINT: "AzureStackUser", OPERATOR_ENDPOINT: "AzureStackAdmin"}
    name = (standard.get(host.partition(".")[0]) if region else None) or host
    if not name:
        return ""
    return free_name(name, taken)


def free_name(name: str, taken: Collection[str]) -> str:
    """Return the name, with a number from 2 on where it is taken."""
    names = (name if count == 1 else f"{name}-{count}" for count in range(1, len(taken) + 2))
    return next(each for each in names if each not in taken)
