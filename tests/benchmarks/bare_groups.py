"""The yardstick: the resource groups of a subscription by a bare httpx client.

Run as a script it signs in, reads all pages and prints ARM's objects, one a line, for the stamp
that the JSON file named on the command line describes. It checks nothing and explains nothing.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx


def bare_client(context: ssl.SSLContext) -> httpx.AsyncClient:
    return httpx.AsyncClient(verify=context, trust_env=False, timeout=30)


async def bare_token(client: httpx.AsyncClient, stamp: dict[str, Any]) -> str:
    """Metadata, then a token by the application's secret."""
    url = stamp["arm_url"] + "/metadata/endpoints?api-version=2015-01-01"
    authentication = (await client.get(url)).json()["authentication"]
    form = {
        "grant_type": "client_credentials",
        "client_id": stamp["client_id"],
        "client_secret": stamp["secret"],
        "scope": authentication["audiences"][0] + "/.default",
    }
    login = authentication["loginEndpoint"].rstrip("/")
    answer = await client.post(f"{login}/{stamp['tenant']}/oauth2/v2.0/token", data=form)
    token: str = answer.json()["access_token"]
    return token


async def bare_pages(
    client: httpx.AsyncClient, stamp: dict[str, Any], token: str
) -> AsyncGenerator[list[Any], None]:
    """Each page of resource groups, one after the other."""
    url = (
        f"{stamp['arm_url']}/subscriptions/{stamp['subscription_id']}"
        "/resourcegroups?api-version=2019-10-01"
    )
    while url:
        page = (await client.get(url, headers={"Authorization": f"Bearer {token}"})).json()
        yield page["value"]
        url = page.get("nextLink", "")


async def print_groups(stamp: dict[str, Any]) -> None:
    context = ssl.create_default_context(cafile=stamp["ca_file"])
    async with bare_client(context) as client:
        token = await bare_token(client, stamp)
        async for rows in bare_pages(client, stamp, token):
            print("\n".join(map(json.dumps, rows)))


if __name__ == "__main__":
    asyncio.run(print_groups(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
