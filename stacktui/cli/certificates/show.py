"""`stacktui certificates show`: the chain of each endpoint, its trust and its readiness."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import click

from stacktui.certificates.chain import Certificate, describe
from stacktui.certificates.document import (
    certificate_document,
    readiness,
    scan_document,
    scan_ok,
)
from stacktui.certificates.formatting import fields_of, time_left
from stacktui.certificates.levels import Level
from stacktui.certificates.readiness import worst
from stacktui.certificates.scan import EndpointChain, ScanResult
from stacktui.certificates.stores import find_stores
from stacktui.certificates.verify import Verification
from stacktui.cli.certificates.next_steps import out_steps, steps_of
from stacktui.cli.certificates.scan import ScanAndMatrix, run_scan
from stacktui.cli.layout import out_beside, out_wrapped, wrapped
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
from stacktui.identities.certificate_file import IdentityFile, read_files, references
from stacktui.text.counts import count_of
from stacktui.transport.records import TransportFaultKind

# Deeper certificates of a chain are not indented further.
_DEEPEST = 6

all_option = click.option(
    "--all", "whole", is_flag=True, help="Scan every name that a stamp has, not only four."
)


@click.command(epilog=examples("stacktui certificates show West --all"))
@environment_argument
@all_option
@format_option
@talks_to_stamp
def command(source: ConfigSource, name: str | None, whole: bool, format_: str) -> None:
    """Show the chain that each endpoint of ENV presents (default: the active environment).

    Scans ARM, login, graph and portal; with --all every name that a stamp's certificates cover.
    Verifies each chain with the trust store in use, and applies the vendor's readiness rules. Shows
    the certificate that the identity of ENV signs in with, if it has one. Exits with 1 if a host
    that exists cannot be reached, is not trusted or fails a rule, or if the identity's certificate
    cannot be used.
    """
    target = read_target(source, name)
    stores = find_stores(target.environment.ca, own_bundle())
    scanned = run_scan(target, stores[:1], whole=whole)
    steps = steps_of(scanned, target, stores)
    used = references([target.identity] if target.identity else [])
    files = tuple(read_files(used, scanned.scan.taken).values())
    if format_ == "json":
        document = scan_document(scanned.scan, scanned.matrix)
        document["identities"] = [_identity_document(each) for each in files]
        click.echo(json.dumps(document | {"next_steps": [each.document() for each in steps]}))
    else:
        _write(scanned, files)
        out_steps(steps)
    ok = scan_ok(scanned.scan, scanned.matrix) and not any(each.problem for each in files)
    click.get_current_context().exit(ExitCode.HEALTHY if ok else ExitCode.FAULT)


def _write(scanned: ScanAndMatrix, files: Sequence[IdentityFile]) -> None:
    scan, matrix = scanned.scan, scanned.matrix
    trusted = " + ".join(each.setting for each in scan.trust.sources)
    out_beside(f"{scan.environment.name} · {scan.environment.arm}", f"· trusted here: {trusted}")
    for proxy in sorted({row.connection.proxy.url or "" for row in matrix.rows if row.connection}):
        if proxy:
            out_wrapped(f"  · through the proxy {proxy}")
    write_problems(scanned)
    shown: dict[tuple[bytes, ...], str] = {}
    said: dict[tuple[bytes, ...], set[str]] = {}
    for row, cell in matrix.verdicts:
        out()
        sign, what = _head(scanned, row, cell)
        out_beside(f"{sign} {place(row)}", what)
        # A chain that several hosts present is shown once.
        known = said.setdefault(row.chain, set())
        trouble = list(_trouble(scan, row, cell))
        for text, hang in trouble:
            if text not in known:
                out_wrapped(text, hang)
        known |= {text for text, _ in trouble}
        if row.chain in shown:
            out(f"  the same chain as {shown[row.chain]}")
        elif row.chain:
            shown[row.chain] = row.endpoint.role
            for line in chain_lines([describe(der) for der in row.chain], scan.taken):
                out(line)
    for file in files:
        out()
        _write_identity(file)
    out()
    out_wrapped(_summary(scanned), 2)


def _identity_document(file: IdentityFile) -> dict[str, Any]:
    """Return the certificate that an identity signs in with, its chain leaf first."""
    return {
        "identity": file.identity,
        "path": str(file.path),
        "problem": file.problem or None,
        "mend": file.remedy or None,
        "chain": [certificate_document(each, file.read) for each in file.chain],
    }


def _write_identity(file: IdentityFile) -> None:
    """Write the certificate that signs in, with the thumbprint that Entra and AD FS show."""
    left = time_left(file.chain[0], file.read) if file.chain else ""
    state = file.problem or f"usable{f', {left}' if left else ''}"
    out_beside(f"{'✗' if file.problem else '✓'} identity {file.identity}", state)
    out(f"  {file.path!s}")
    if file.remedy:
        out_wrapped(f"    → {file.remedy}", 6)
    if file.chain:
        out(f"  thumbprint  {file.chain[0].sha1.replace(':', '')}")
    for line in chain_lines(list(file.chain), file.read):
        out(line)


def _summary(scanned: ScanAndMatrix) -> str:
    """Return the last line: the exit code in words."""
    scan, matrix = scanned.scan, scanned.matrix
    rows = [(row, cell) for row, cell in matrix.verdicts if not row.absent]
    unreached = sum(not row.chain for row, _ in rows)
    unjudged = sum(bool(row.chain) and cell is None for row, cell in rows)
    refused = sum(cell is not None and not cell.ok for _, cell in rows)
    levels = [worst(readiness(scan, row, cell)) for row, cell in rows]
    counts = [
        f"{number} {what}"
        for number, what in (
            (unreached, "not reached"),
            (refused, "not trusted"),
            (unjudged, "not judged"),
            (levels.count(Level.FAIL), "against the vendor's rules"),
        )
        if number
    ]
    if scan_ok(scan, matrix):
        near = levels.count(Level.CRITICAL) + levels.count(Level.WARNING)
        soon = f"; {near} with a warning" if near else ""
        return (f"{'!' if near else '✓'} {count_of(len(rows), 'host')}: trusted, and none against "
                f"the vendor's rules{soon}")  # fmt: skip
    trouble = ", ".join(counts) or "all right, but there may be more"
    return f"✗ {count_of(len(rows), 'host')}: {trouble}"


def write_problems(scanned: ScanAndMatrix) -> None:
    """Write why verdicts or hosts may be missing."""
    problem, why = scanned.matrix.columns[0].problem, scanned.scan.no_metadata
    if problem:
        out_wrapped(f"✗ {problem}", 2)
    if why:
        because = "" if why == problem else f": {why}"
        out_wrapped(f"! no metadata, so hosts may be missing{because}", 2)


def place(row: EndpointChain) -> str:
    """Return the host and its roles."""
    endpoint = row.endpoint
    return f"{endpoint.role}  {endpoint.host if endpoint.port == 443 else endpoint.key}"


def why_none(row: EndpointChain) -> str:
    """Return why an endpoint presented no chain."""
    fault = row.fault
    if row.absent or fault is None:
        return "absent" if row.absent else "no chain was seen"
    if fault.kind is TransportFaultKind.PROXY_UNREACHABLE and fault.host != row.endpoint.host:
        return f"the proxy {fault.host}:{fault.port}: {fault.detail}"
    return fault.detail if fault.host == row.endpoint.host else f"{fault.host}: {fault.detail}"


def _head(scanned: ScanAndMatrix, row: EndpointChain, cell: Verification | None) -> tuple[str, str]:
    if row.absent:
        # Under Entra only the metadata names the login host.
        guessed = bool(scanned.scan.no_metadata)
        more = "; the metadata would name the right one" if guessed else ""
        return "–", f"absent: {row.why_absent}{more}"
    if not row.chain:
        return "✗", why_none(row)
    if cell is None:
        return "✗", "not judged: the store in use cannot be loaded"
    left = time_left(describe(row.chain[0]), scanned.scan.taken)
    return "✓" if cell.ok else "✗", f"{cell.word}{f', {left}' if left else ''}"


def _trouble(
    scan: ScanResult, row: EndpointChain, cell: Verification | None
) -> Iterator[tuple[str, int]]:
    """Return the lines on what is wrong, each with its indent."""
    if cell is not None and not cell.ok:
        yield f"  OpenSSL says: {cell.message}", 4
    for each in readiness(scan, row, cell):
        if each.level in (Level.WARNING, Level.CRITICAL, Level.FAIL):
            sign = "✗" if each.level is Level.FAIL else "!"
            yield f"  {sign} {each.level.value}  {each.rule}: {each.text}", 4
            yield f"    → {each.remedy}", 6


def chain_lines(chain: list[Certificate], now: datetime) -> Iterator[str]:
    """Return the chain as a tree with every field, leaf first."""
    for depth, each in enumerate(chain):
        indent = "  " * (min(depth, _DEEPEST) + 1)
        # The kind of an unreadable certificate is unknown.
        name = "unreadable" if each.unreadable else f"{each.common_name} ({each.kind})"
        yield from wrapped(f"{indent}{'└ ' if depth else ''}{name}", len(indent) + 4, cut=True)
        for label, value in fields_of(each, now):
            # In two halves: it is compared by eye, and a terminal would break it within a byte.
            text = f"{value[:48]} {value[48:]}" if label == "SHA-256" else value
            yield from wrapped(f"{indent}  {label:<12}{text}", len(indent) + 14, cut=True)
