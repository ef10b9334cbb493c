"""Relays every connection to another address: `relay.py HOST PORT TO-HOST TO-PORT`."""

from __future__ import annotations

import asyncio
import sys


async def main(host: str, port: str, to_host: str, to_port: str) -> None:
    async def passing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, onward = await asyncio.open_connection(to_host, int(to_port))
        await asyncio.gather(copy(reader, onward), copy(answers, writer))

    server = await asyncio.start_server(passing, host, int(port))
    print("up", flush=True)
    await server.serve_forever()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


asyncio.run(main(*sys.argv[1:]))
