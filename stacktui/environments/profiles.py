"""API version profiles (PROTOCOL.md section 3), as a table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """The api-versions that one profile sends, and the stamp builds it is for."""

    name: str
    builds: str
    resources: str
    subscriptions: str
    authorization: str


PROFILES = {
    profile.name: profile
    for profile in (
        #        name                  builds            resources     subscriptions authorization
        Profile("2017-03-09-profile", "before 1808", "2016-02-01", "2016-06-01", "2015-07-01"),
        Profile("2018-03-01-hybrid", "1808 to 1903", "2018-02-01", "2016-06-01", "2015-07-01"),
        Profile("2019-03-01-hybrid", "1904 to 2008", "2018-05-01", "2016-06-01", "2015-07-01"),
        Profile("2020-09-01-hybrid", "2102 and later", "2019-10-01", "2016-06-01", "2015-07-01"),
        Profile("latest", "public Azure", "2021-04-01", "2022-12-01", "2022-04-01"),
    )
}
DEFAULT_PROFILE = "2020-09-01-hybrid"
