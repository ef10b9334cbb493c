"""The yardstick: a connectivity check as three bare requests by the standard library.

Run as a script it does them once, for the stamp that the JSON file named on the command line
describes. It checks nothing, explains nothing and trusts the stamp's root alone.
"""

from __future__ import annotations

import json
import ssl
import sys
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any


def three_requests(stamp: dict[str, Any], context: ssl.SSLContext) -> int:
    """Metadata, token, resource groups; the number of groups."""

    def fetch(url: str, data: bytes | None = None, headers: dict[str, str] | None = None) -> Any:
        request = urllib.request.Request(url, data=data, headers=headers or {})
        with urllib.request.urlopen(request, context=context) as answer:
            return json.load(answer)

    metadata = fetch(stamp["arm_url"] + "/metadata/endpoints?api-version=2015-01-01")
    login = metadata["authentication"]["loginEndpoint"].rstrip("/")
    adfs = stamp["idp"] == "adfs"
    form = {
        "grant_type": "client_credentials",
        "client_id": stamp["client_id"],
        "client_secret": stamp["secret"],
        "scope": metadata["authentication"]["audiences"][0] + "/.default",
    }
    url = f"{login}/oauth2/token" if adfs else f"{login}/{stamp['tenant']}/oauth2/v2.0/token"
    token = fetch(url, urllib.parse.urlencode(form).encode())["access_token"]
    groups = fetch(
        f"{stamp['arm_url']}/subscriptions/{stamp['subscription_id']}"
        "/resourcegroups?api-version=2019-10-01",
        headers={"Authorization": f"Bearer {token}"},
    )
    return len(groups["value"])


if __name__ == "__main__":
    described = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    trusted = ssl.create_default_context(cafile=described["ca_file"])
    print(three_requests(described, trusted))
