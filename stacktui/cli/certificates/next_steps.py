"""The next steps after a scan, each with its command if there is one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from stacktui.certificates.chain import describe
from stacktui.certificates.roots import root_of, why_no_root
from stacktui.certificates.scan import EndpointChain
from stacktui.certificates.stores import Store, StoreKind
from stacktui.certificates.verify import DATES, NAMES, ROOTLESS
from stacktui.check.target import CheckTarget
from stacktui.cli.certificates.scan import ScanAndMatrix
from stacktui.cli.layout import out_wrapped
from stacktui.cli.output import out
from stacktui.environments.endpoints import ARM
from stacktui.text.shell import command_line, for_this_machine

# The kinds of stores that az uses: the first of them that there is.
_OF_AZ = (StoreKind.REQUESTS, StoreKind.CURL, StoreKind.AZ)


@dataclass(frozen=True, slots=True)
class Step:
    """`text` is safe to show; `command` is by shell (`bash`, `powershell`)."""

    text: str
    command: dict[str, str] | None = None

    def document(self) -> dict[str, Any]:
        command = self.command or {}
        return {
            "text": self.text,
            "bash": command.get("bash"),
            "powershell": command.get("powershell"),
        }


def steps_of(
    scanned: ScanAndMatrix, target: CheckTarget, stores: Sequence[Store]
) -> tuple[Step, ...]:
    """Return the next steps for a scan whose first column is the store in use. Blocks on disk.

    A root that was not presented is searched in `stores`.
    """
    return tuple(_steps(scanned, target, stores))


def out_steps(steps: Sequence[Step]) -> None:
    for step in steps:
        out()
        out_wrapped(f"→ {step.text}", 2)
        if step.command is not None:
            out(f"    {for_this_machine(step.command)}")


def _steps(scanned: ScanAndMatrix, target: CheckTarget, stores: Sequence[Store]) -> Iterator[Step]:
    matrix, name = scanned.matrix, target.environment.name
    config = [] if target.config is None else ["--config", str(target.config)]
    if matrix.columns[0].problem:
        yield Step(
            f"{matrix.columns[0].problem}: replace the file, or remove that setting. "
            "Until then no chain can be verified."
        )
    refused = [
        (row, cell.code) for row, cell in matrix.verdicts if cell is not None and not cell.ok
    ]
    unreached = any(not row.chain and not row.absent for row in matrix.rows)
    explained = bool(refused or matrix.columns[0].problem)  # why there is no metadata
    if unreached or (scanned.scan.no_metadata and not explained):
        what = "Not every host was reached" if unreached else "The stamp gave no metadata"
        yield Step(
            f"{what}; how far a request gets:",
            command_line("stacktui check", [*config, "--", name]),
        )
    rootless: dict[tuple[bytes, ...], EndpointChain] = {}
    for row, code in refused:
        if code in ROOTLESS:
            rootless.setdefault(row.chain, row)
    for row in list(rootless.values())[:3]:
        yield _trust(row, [*config, f"--presented={name}"], stores)
    if any(code in DATES for _, code in refused):
        yield Step(
            f"By the clock of this machine it is {scanned.scan.taken:%Y-%m-%d %H:%M} UTC. If that "
            "is right, the stamp's operator must renew the certificate: trusting it does not help."
        )
    if any(code in NAMES for _, code in refused):
        yield Step(
            "A host presents a certificate that is not for its name: make sure that the name, DNS, "
            "`resolve` and any proxy lead to the right host; else its operator must have the "
            "certificate issued with that name."
        )
    if any(code not in ROOTLESS | DATES | NAMES for _, code in refused):
        yield Step(
            "A certificate is of a kind that clients refuse, whoever they trust: the stamp's "
            "operator must have it issued anew, as the vendor's rules want it."
        )
    if not rootless and _az_is_without(scanned):
        yield Step(
            "The store in use is fine, but az looks elsewhere. A bundle for az, and the line that "
            "has it used:",
            command_line("stacktui certificates export", config),
        )


def _trust(row: EndpointChain, here: list[str], stores: Sequence[Store]) -> Step:
    found = root_of(row.chain, stores)
    if found is None:
        no_root = why_no_root(row.chain, row.endpoint.host)
        command = command_line(no_root.command, []) if no_root.command else None
        end = ":" if command else "."
        return Step(f"{no_root.why}; {no_root.advice}{end}", command)
    where = "" if found.where is None else f", which is in {found.where.name} on this machine"
    host = [] if ARM in row.endpoint.roles else ["--host", row.endpoint.key]
    root = describe(found.der).common_name
    return Step(
        f"No root of the store in use leads to {row.endpoint.host}. If “{root}”{where}, is the "
        "stamp's own root, trust it; its fingerprint is asked for:",
        command_line("stacktui certificates trust", [*here, *host]),
    )


def _az_is_without(scanned: ScanAndMatrix) -> bool:
    matrix = scanned.matrix
    kinds = {column.store.kind for column in matrix.columns}
    of_az = next((kind for kind in _OF_AZ if kind in kinds), None)
    return any(
        cell is not None and cell.code in ROOTLESS
        for cells in matrix.cells
        if cells[0] is not None and cells[0].ok
        for column, cell in zip(matrix.columns, cells, strict=True)
        if column.store.kind is of_az
    )
