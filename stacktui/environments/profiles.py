"""API version profiles and the stamp builds they are for (PROTOCOL.md section 3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from stacktui.environments.public_resources import is_public_arm

_BUILD = re.compile(r"1\.([0-9]{4})\.")


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile; what it sends stands in `resources.api_versions`.

    `since` is the first build that has it, year and month in four digits; empty for the oldest.
    """

    name: str
    builds: str
    since: str = ""


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("2017-03-09-profile", "before 1808"),
        Profile("2018-03-01-hybrid", "1808 to 1903", "1808"),
        Profile("2019-03-01-hybrid", "1904 to 2008", "1904"),
        Profile("2020-09-01-hybrid", "2102 and later", "2102"),
        Profile("latest", "public Azure"),
    )
}
DEFAULT_PROFILE = "2020-09-01-hybrid"
PUBLIC_PROFILE = "latest"
# The choice of whoever does not know it, where a profile is asked for: the stamp is asked.
DETECT = "detect"
# Those of stamps, newest first.
OF_STAMPS = tuple(each for each in reversed(PROFILES.values()) if each.name != PUBLIC_PROFILE)


def default_profile(arm: str) -> str:
    """Return the profile of an environment with this ARM URL for which none is chosen."""
    is_public = is_public_arm(urlsplit(arm).hostname or "")
    return PUBLIC_PROFILE if is_public else DEFAULT_PROFILE


def profile_of_build(version: str) -> Profile | None:
    """Return the profile for a build such as `1.2108.2.65`; None for what is no build."""
    found = _BUILD.match(version)
    return next(each for each in OF_STAMPS if each.since <= found[1]) if found else None
