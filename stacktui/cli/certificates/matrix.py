"""`stacktui certificates matrix`: which trust store trusts which endpoint."""

from __future__ import annotations

import json

import click

from stacktui.certificates.document import matrix_document, matrix_ok
from stacktui.certificates.matrix import Matrix
from stacktui.certificates.scan import EndpointChain
from stacktui.certificates.stores import find_stores, read_stores
from stacktui.certificates.verify import Verification
from stacktui.cli.certificates.next_steps import out_steps, steps_of
from stacktui.cli.certificates.scan import ScanAndMatrix, run_scan
from stacktui.cli.certificates.show import all_option, why_none, write_problems
from stacktui.cli.layout import out_wrapped, width
from stacktui.cli.options import (
    ConfigSource,
    ExitCode,
    environment_argument,
    examples,
    format_option,
    talks_to_stamp,
)
from stacktui.cli.output import out
from stacktui.cli.settings import read_target
from stacktui.config.locations import own_bundle

# The width of one store's column.
CELL = 3


@click.command(epilog=examples("stacktui certificates matrix West"))
@environment_argument
@all_option
@format_option
@talks_to_stamp
def command(source: ConfigSource, name: str | None, whole: bool, format_: str) -> None:
    """Show which trust store on this machine trusts which endpoint of ENV.

    Each cell is OpenSSL's verdict on the chain with that store alone. az and other programs that
    use `requests` take REQUESTS_CA_BUNDLE, else CURL_CA_BUNDLE, else their own certifi. Exits with
    1 if the store in use does not trust a host, if a host that exists cannot be reached, or if the
    metadata cannot be read, so that hosts may be missing.
    """
    target = read_target(source, name)
    found = find_stores(target.environment.ca, own_bundle())
    scanned = run_scan(target, found, whole=whole)
    steps = steps_of(scanned, target, found)
    if format_ == "json":
        now = scanned.scan.taken
        states = read_stores(found, now)
        document = matrix_document(scanned.scan, scanned.matrix, states)
        click.echo(json.dumps(document | {"next_steps": [each.document() for each in steps]}))
    else:
        _write_matrix(scanned)
        out_steps(steps)
    ok = matrix_ok(scanned.scan, scanned.matrix)
    click.get_current_context().exit(ExitCode.HEALTHY if ok else ExitCode.FAULT)


def _write_matrix(scanned: ScanAndMatrix) -> None:
    found = scanned.matrix
    out(f"{scanned.scan.environment.name}: which trust store trusts which host")
    write_problems(scanned)
    out()
    for number, column in enumerate(found.columns, 1):
        what = f"✗ {column.problem}" if column.problem else column.store.path
        out_wrapped(f"  {number:>2}  {column.store.name:<20} {what}", 27)
    out()
    roles = max(len(row.endpoint.role) for row in found.rows)
    room = max(12, width() - roles - 4 - CELL * len(found.columns))
    names = [_cut(_name(row), room) for row in found.rows]
    head_width = roles + 2 + max(map(len, names))
    numbers = "".join(f"{number:>{CELL}}" for number in range(1, len(found.columns) + 1))
    out(f"  {'':<{head_width}}{numbers}")
    for row, name, cells in zip(found.rows, names, found.cells, strict=True):
        head = f"  {f'{row.endpoint.role:<{roles}}  {name}':<{head_width}}"
        if row.chain:
            out(head + "".join(f"{_sign(cell):>{CELL}}" for cell in cells))
        else:
            out_wrapped(f"{head}  {why_none(row)}", 6)
    _write_reasons(found)


def _write_reasons(found: Matrix) -> None:
    """Write each reason once, with the hosts and the stores that it applies to."""
    reasons: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    for row, cells in zip(found.rows, found.cells, strict=True):
        by_message: dict[str, list[int]] = {}
        for number, cell in enumerate(cells, 1):
            if cell is not None and not cell.ok:
                by_message.setdefault(cell.message, []).append(number)
        for message, in_stores in by_message.items():
            reasons.setdefault((message, tuple(in_stores)), []).append(row.endpoint.role)
    judged = sum(1 for row in found.rows if row.chain)
    for (message, numbers), roles in reasons.items():
        whose = "every host" if len(roles) == judged > 1 else ", ".join(roles)
        out()
        out_wrapped(f"  ✗ {message.rstrip('.')}: {whose}, in {_listed(numbers)}", 4)


def _listed(numbers: tuple[int, ...]) -> str:
    """Return `2`, `2 and 4` or `2 to 7`."""
    if len(numbers) > 2 and numbers == tuple(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]} to {numbers[-1]}"
    *most, last = map(str, numbers)
    return f"{', '.join(most)} and {last}" if most else last


def _name(row: EndpointChain) -> str:
    """Return the name that a certificate must cover, with the port if it is not the usual one."""
    endpoint = row.endpoint
    return endpoint.name if endpoint.port == 443 else f"{endpoint.name}:{endpoint.port}"


def _cut(name: str, room: int) -> str:
    return name if len(name) <= room else f"{name[: room - 1]}…"


def _sign(cell: Verification | None) -> str:
    return "–" if cell is None else "✓" if cell.ok else "✗"
