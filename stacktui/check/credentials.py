"""The credential of a check's identity, read while its metadata is fetched."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from stacktui.identities.model import Identity
from stacktui.identities.sign_in import Credential, prepare, read_secret
from stacktui.text.sanitize import Redactor
from stacktui.transport.background import in_background


class CredentialReader:
    """Reads a credential, and imports the slow modules that it needs, in a thread."""

    def __init__(self, identity: Identity | None, redactor: Redactor) -> None:
        self._known = asyncio.Event()
        self._task: asyncio.Task[Credential] | None = None
        if identity is None:
            self._known.set()
            return
        loop, known = asyncio.get_running_loop(), self._known

        def work() -> Credential:
            try:
                secret = read_secret(identity, redactor)
            finally:
                with suppress(RuntimeError):  # the loop is gone: nobody waits any more
                    loop.call_soon_threadsafe(known.set)
            return prepare(identity, secret)

        self._task = asyncio.create_task(in_background(work))
        self._task.add_done_callback(lambda _: known.set())  # also where no thread can be started

    async def redacted(self) -> None:
        """Return once the redactor knows the secret that a server may echo, or there is none."""
        await self._known.wait()

    async def read(self) -> Credential:
        """Return the credential. Raises what reading it raises."""
        if self._task is None:
            raise LookupError("there is no identity to sign in with")
        return await self._task

    async def aclose(self) -> None:
        """Cancel what is not done."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
