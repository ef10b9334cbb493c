"""API version profiles and the stamp builds they are for (PROTOCOL.md section 3)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile; what it sends stands in `resources.api_versions`."""

    name: str
    builds: str


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("2017-03-09-profile", "before 1808"),
        Profile("2018-03-01-hybrid", "1808 to 1903"),
        Profile("2019-03-01-hybrid", "1904 to 2008"),
        Profile("2020-09-01-hybrid", "2102 and later"),
        Profile("latest", "public Azure"),
    )
}
DEFAULT_PROFILE = "2020-09-01-hybrid"
# That of public Azure, which az takes where none is set.
NEWEST_PROFILE = "latest"
