"""`stacktui rest`: any request to ARM, signed in."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from stacktui.cli.arm import ArmSession, report_fault, run_on, signing_in
from stacktui.cli.arm_lists import write
from stacktui.cli.arm_subscription import subscription_of
from stacktui.cli.ask import CommandError, confirm, yes_option
from stacktui.cli.layout import columns, err_wrapped
from stacktui.cli.options import ArmRequest, ExitCode, examples, identity_option, reads_arm
from stacktui.cli.output import err, out_lines, warn
from stacktui.cli.settings import read_settings, require_writable
from stacktui.errors import FaultError
from stacktui.resources.model import ArmError, ArmFault, ArmProblem
from stacktui.resources.raw_request import MAX_BODY, METHODS, READS, json_body, own_path
from stacktui.resources.response import ArmResponse
from stacktui.text.sanitize import Redactor
from stacktui.text.shell import command_line, for_this_machine
from stacktui.transport.limits import LimitName
from stacktui.transport.records import TransportError
from stacktui.transport.sent_request import shown_document

# As az writes it in such a path.
_SUBSCRIPTION = "{subscriptionId}"
# The most characters of a body that a question shows.
_SHOWN = 2000


@click.command(
    epilog=examples(
        "stacktui rest GET /subscriptions",
        "stacktui rest GET '/subscriptions/{subscriptionId}/resources' --all-pages",
        "stacktui rest PUT /subscriptions/ID/resourceGroups/dev --body @dev.json",
    )
)
@click.argument("method", metavar="METHOD", type=click.Choice(METHODS, case_sensitive=False))
@click.argument("path", metavar="PATH")
@click.option(
    "--body", metavar="JSON|@FILE", help="The body, or the file that has it; @- is stdin."
)
@click.option(
    "--api-version",
    metavar="DATE",
    help="The api-version (default: that of PATH, the profile's, or the newest that ARM lists).",
)
@click.option("--all-pages", is_flag=True, help="Read a list to its last page, as one array.")
@click.option("--wait", is_flag=True, help="Wait for the end of the operation that this begins.")
@reads_arm(listing=False)
@identity_option
@yes_option
def command(
    request: ArmRequest,
    method: str,
    path: str,
    body: str | None,
    api_version: str | None,
    all_pages: bool,
    wait: bool,
    identity: str | None,
    yes: bool,
) -> None:
    """Send a request to ARM, signed in, and print the body of the answer.

    METHOD is GET, HEAD, PUT, PATCH, POST or DELETE; what is not GET or HEAD asks first. PATH
    begins with /, or is a whole URL of the environment's ARM: the token is sent nowhere else.
    {subscriptionId} in it is the subscription. On a terminal JSON is indented and harmless; through
    a pipe it is as ARM sent it. Where ARM refuses, stderr has status, code, message and request
    ids, and the exit code is 1.
    """
    if method not in READS:
        require_writable(request.source)
    if all_pages and (method != "GET" or wait):
        raise click.UsageError("--all-pages is for a GET, and without --wait")
    if body is not None and method in READS:
        raise click.UsageError(f"a {method} has no --body")
    settings = read_settings(request.source, request.environment)
    environment = settings.target(request.environment).environment
    try:
        own = own_path(environment.arm, path)
    except ValueError as error:
        shown = Redactor().sanitize(path, 200)
        raise CommandError(f"{shown} is not asked for: {error}") from None
    content = None if body is None else _body(body)
    target = signing_in(settings, request.environment, identity)

    async def do(session: ArmSession) -> int:
        named = own
        if _SUBSCRIPTION in named:
            named = named.replace(_SUBSCRIPTION, quote(await subscription_of(session), safe=""))
        await session.client.token()  # what fails here has sent nothing to ARM
        door = _Door(session, method, named, api_version)
        if method not in READS:
            _ask(session, door, content, yes=yes)
        if all_pages:
            return await door.pages()
        return await door.send(content, wait=wait)

    click.get_current_context().exit(run_on(target, request, do))


def _body(given: str) -> bytes:
    """Return the body that is given, as bytes of JSON. Raises CommandError."""
    name = given.removeprefix("@")
    try:
        if name == given:
            return json_body(given.encode())
        if name == "-":
            return json_body(sys.stdin.buffer.read(MAX_BODY + 1))
        with Path(name).open("rb") as file:
            return json_body(file.read(MAX_BODY + 1))
    except OSError as error:
        raise CommandError(f"--body {given}: {error.strerror}") from None
    except ValueError as error:
        raise CommandError(f"--body{f' {given}' if name != given else ''}: {error}") from None


def _ask(session: ArmSession, door: _Door, content: bytes | None, *, yes: bool) -> None:
    """Show the request, and ask whether it is to be sent."""
    if not yes:
        version = f"  (api-version {door.version})" if door.version else ""
        err_wrapped(f"  {door.method} {session.target.environment.arm}{door.path}{version}", 4)
        if content is not None:
            shown = shown_document(content, session.client.redactor)
            err_wrapped(f"  {shown if len(shown) <= _SHOWN else f'{shown[:_SHOWN]}…'}", 4)
    confirm(f"{session.environment}: send this {door.method}?", yes=yes)


class _Door:
    """One request of the user's, and what is said of it."""

    def __init__(self, session: ArmSession, method: str, path: str, version: str | None) -> None:
        self.method, self.path, self.version = method, path, version
        self._session, self._client = session, session.client
        # In words; a path may be long.
        self._what = f"{method} {path.partition('?')[0]}"

    async def send(self, content: bytes | None, *, wait: bool) -> int:
        response: ArmResponse | None = None
        try:
            response = await self._client.request(
                self.method, self.path, self.version, content, what=self._what
            )
            if wait and _goes_on(response):
                self._say_operation(response, "waiting for its end")
                name = self.path.partition("?")[0].rpartition("/")[2]
                response = await self._client.poll(response, what=f"{self.method} …/{name}")
        except (ArmError, TransportError) as error:
            return self._report(error, began=response is not None)
        if wait and response.status in (404, 405):
            return await self._look()
        self._write(response)
        if _goes_on(response) and not wait:
            self._say_operation(response, "--wait waits for its end")
        return ExitCode.HEALTHY

    async def pages(self) -> int:
        """Write the rows of all pages as one array; nothing where a page fails."""
        limits, rows = self._session.request.source.limits, list[object]()
        most, number = limits.get(LimitName.ROWS), 0
        try:
            async for page in self._client.pages(self.path, self.version, what=self._what):
                number += 1
                rows += page.rows
                if most is not None and (
                    len(rows) > most or (len(rows) == most and page.next_link)
                ):
                    warn(f"--limit rows={most:g}: there are more")
                    del rows[int(most) :]
                    break
                if page.next_link and number == limits.get(LimitName.PAGES):
                    warn(f"--limit pages={number}: there are more")
                    break
        except (ArmError, TransportError) as error:
            return self._report(error, began=False)
        self._session.waits.clear()
        if columns() is None:
            write(self._client.redactor.redact(json.dumps(rows)))
        else:
            self._write_indented(rows)
        return ExitCode.HEALTHY

    async def _look(self) -> int:
        """Say what is there now: the operation is forgotten, or cannot be asked for."""
        if self.method == "POST":
            warn("the operation is forgotten, so that its end is not known")
            return ExitCode.FAULT
        try:
            found = await self._client.request("GET", self.path, self.version, what=self._what)
        except ArmError as error:
            if error.fault.status == 404 and self.method == "DELETE":
                return ExitCode.HEALTHY
            return self._report(error, began=True)
        except TransportError as error:
            return self._report(error, began=True)
        self._write(found)
        if self.method == "DELETE":
            warn("the operation is forgotten, and what it was to delete is still there")
            return ExitCode.FAULT
        return ExitCode.HEALTHY

    def _write(self, response: ArmResponse) -> None:
        self._session.waits.clear()
        if not response.content.strip():
            err(f"  ARM answered {response.status}, without a body")
        elif columns() is None:
            sent = response.content.decode("utf-8", "surrogateescape")
            clean = self._client.redactor.redact(sent)
            click.echo(clean.encode("utf-8", "surrogateescape"), nl=False)
            sys.stdout.flush()
        else:
            self._write_indented(response.document)

    def _write_indented(self, document: object) -> None:
        text = json.dumps(document, indent=2, ensure_ascii=False)
        out_lines(self._client.redactor.redact(text).split("\n"))

    def _say_operation(self, response: ArmResponse, words: str) -> None:
        headers = response.headers
        url = headers.get("azure-asyncoperation") or headers.get("location") or ""
        warn(f"ARM goes on with it; {words}")
        try:
            own = own_path(self._session.target.environment.arm, url)
        except ValueError:
            return  # no request of ours goes there
        err(f"  to see how far it is: {self._command('GET', own)}")

    def _report(self, error: FaultError[Any], *, began: bool) -> int:
        """Say what failed and, of a write, whether it may have been carried out."""
        fault = error.fault
        status = fault.status if isinstance(fault, ArmFault) else 0
        refused = isinstance(error, ArmError) and error.refused
        # A check finds nothing where this request alone is refused.
        saved = not refused or status in (401, 429)
        report_fault(error, self._session.target, saved=saved)
        if isinstance(fault, ArmFault) and fault.problem is ArmProblem.NO_API_VERSION:
            err("  name it: --api-version DATE")
        ended = (refused and not began) or (isinstance(fault, ArmFault) and not status)
        ended |= isinstance(fault, ArmFault) and fault.problem is ArmProblem.OPERATION_FAILED
        if not ended and self.method not in READS:
            err(f"  whether ARM has done it is unknown; look: {self._command('GET', self.path)}")
        return ExitCode.FAULT

    def _command(self, method: str, path: str) -> str:
        target = self._session.target
        options = ("--config", str(target.config)) if target.config else ()
        words = (method, path, "--environment", target.environment.name, *options)
        return for_this_machine(command_line("stacktui rest", words))


def _goes_on(response: ArmResponse) -> bool:
    headers = response.headers
    return "azure-asyncoperation" in headers or (
        response.status in (201, 202) and "location" in headers
    )
