"""The speed of the trust matrix: `python -m tests.benchmarks.certificates`. Asserts no time.

The matrix of every name of a stamp (13) over six stores, each with certifi's roots and one more,
against as many bare handshakes in parallel to the same stamp.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from pathlib import Path
from typing import Any

import certifi

from stacktui.certificates import store_content, stores
from stacktui.certificates.matrix import Matrix, build_matrix, load_column
from stacktui.certificates.scan import ScanResult, scan
from stacktui.certificates.stores import Store, StoreKind
from stacktui.certificates.trust import TrustSource, ca_sources
from stacktui.environments.model import Environment
from tests.benchmarks.measure import RUNS, alternate, own_folder, row, stamp_process
from tests.support.authority import authority

DOMAIN = "local.azurestack.external"
STORES = 6


def bundles(folder: Path, ca: bytes) -> list[Store]:
    """Six stores of different content: certifi's roots and one more, the stamp's in the first."""
    found = []
    for number in range(STORES):
        path = folder / f"{number}.pem"
        more = ca if number == 0 else authority(f"Number {number}").root.pem
        path.write_bytes(Path(certifi.where()).read_bytes() + more)
        source = TrustSource(f"store {number}", str(path))
        found.append(Store(StoreKind.REQUESTS, f"store {number}", (source,)))
    return found


async def handshakes(stamp: dict[str, Any], hosts: list[str], context: ssl.SSLContext) -> None:
    async def handshake(host: str) -> None:
        _, writer = await asyncio.open_connection(
            "127.0.0.1", stamp["port"], ssl=context, server_hostname=host
        )
        writer.transport.abort()

    await asyncio.gather(*map(handshake, hosts))


async def matrix(environment: Environment, columns: list[Store]) -> Matrix:
    """What `stacktui certificates matrix` does between reading the config and writing."""
    loading = [asyncio.create_task(asyncio.to_thread(load_column, each)) for each in columns]
    trust = ca_sources(environment.ca, Path(os.devnull, "none"))
    async for event in scan(environment, trust, whole=True):
        if isinstance(event, ScanResult):
            return build_matrix(event.presented, await asyncio.gather(*loading))
    raise RuntimeError("no scan")


def forget() -> None:
    """As in a process that has loaded nothing yet."""
    store_content._known.clear()
    stores._slots.clear()


def main() -> None:
    with (
        stamp_process("--domain", DOMAIN, "--latency", "0") as stamp,
        own_folder() as folder,
        asyncio.Runner() as runner,
    ):
        ca = Path(stamp["ca_file"])
        environment = Environment(
            "Bench", stamp["arm_url"], ca=ca, proxy="none", resolve=stamp["resolve"]
        )
        columns = bundles(folder, ca.read_bytes())
        found = runner.run(matrix(environment, columns))
        hosts = [each.endpoint.host for each in found.rows]
        trusted = [[cell is not None and cell.ok for cell in cells] for cells in found.cells]
        if trusted != [[True] + [False] * (STORES - 1)] * len(hosts):
            raise RuntimeError("the matrix is wrong")
        context = ssl.create_default_context(cafile=str(ca))

        def cold() -> None:
            forget()
            runner.run(matrix(environment, columns))

        warm, first, theirs = alternate(
            RUNS,
            lambda: runner.run(matrix(environment, columns)),
            cold,
            lambda: runner.run(handshakes(stamp, hosts, context)),
        )
        what = f"{len(hosts)} endpoints x {STORES} stores / {len(hosts)} handshakes"
        row(f"{what}", warm, theirs, 2.0)
        row(f"{what}, stores not loaded yet", first, theirs, 2.0)


if __name__ == "__main__":
    main()
