"""A client for whoever is no check, opened on a stamp: its token is kept between clients."""

from __future__ import annotations

import asyncio
from pathlib import Path

from stacktui.environments.model import Environment
from stacktui.identities.token_source import SignIn, TokenSource
from stacktui.resources.connection import open_arm
from stacktui.stamp import StampOptions, run_in_thread
from stacktui.transport.records import Exchange
from tests.identities.sign_ins import identity_of


async def test_ten_lists_sign_in_once_and_read_to_the_end() -> None:
    seen: list[Exchange] = []
    with run_in_thread(StampOptions(groups=7, page_size=3)) as stamp:
        environment = Environment("A", stamp.arm_url, ca=Path(stamp.ca_file))
        wanted, tokens = SignIn(environment, identity_of(stamp)), TokenSource()
        path = f"/subscriptions/{stamp.subscription_id}/resourcegroups"

        async def rows() -> int:
            async with open_arm(wanted, tokens, on_exchange=seen.append) as arm:
                return sum([len(page.rows) async for page in arm.pages(path)])

        counts = await asyncio.gather(*(rows() for _ in range(5)))
        counts += [await rows() for _ in range(5)]
        requests = [each.path for each in stamp.requests]
    assert counts == [7] * 10
    assert sum(each.endswith("/token") for each in requests) == 1
    assert len(seen) == len(requests)
