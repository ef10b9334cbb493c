"""What is known of certificates as JSON documents of schema 1.

Later versions add fields to the schema and never change these.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from stacktui.certificates.chain import Certificate, describe
from stacktui.certificates.matrix import Matrix
from stacktui.certificates.readiness import RuleResult, failed, worst
from stacktui.certificates.readiness_rules import evaluate
from stacktui.certificates.scan import EndpointChain, ScanResult
from stacktui.certificates.stores import StoreState
from stacktui.certificates.verify import Verification, is_rooted
from stacktui.environments.naming import is_of_stamp

SCHEMA = 1


def certificate_document(certificate: Certificate, now: datetime) -> dict[str, Any]:
    """Every field of one certificate; null where it has none."""
    start, end = certificate.not_before, certificate.not_after
    return {
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "kind": certificate.kind,
        "names": list(certificate.names),
        "not_before": time_text(start) if start else None,
        "not_after": time_text(end) if end else None,
        "days_left": certificate.days_left(now),
        "serial": certificate.serial,
        "version": certificate.version,
        "key": {
            "type": certificate.key_type,
            "bits": certificate.key_bits,
            "curve": certificate.curve or None,
        },
        "signature": certificate.signature,
        "signature_hash": certificate.signature_hash or None,
        "key_usage": _listed(certificate.key_usage),
        "extended_key_usage": _listed(certificate.extended_key_usage),
        "is_ca": certificate.is_ca,
        "self_issued": certificate.self_issued,
        "issuer_urls": list(certificate.issuer_urls),
        "crl_urls": list(certificate.crl_urls),
        "sha256": certificate.sha256,
        "sha1": certificate.sha1,
        "md5": certificate.md5,
        "unreadable": certificate.unreadable or None,
    }


def scan_document(scan: ScanResult, matrix: Matrix) -> dict[str, Any]:
    """The scan, each endpoint judged by the first column of `matrix`: the store in use."""
    return {
        "schema": SCHEMA,
        "environment": scan.environment.name,
        "taken": time_text(scan.taken),
        "ok": scan_ok(scan, matrix),
        "trust": [{"setting": each.setting, "path": each.path} for each in scan.trust.sources],
        "trust_problem": matrix.columns[0].problem or None,
        "no_metadata": scan.no_metadata or None,
        "endpoints": [_endpoint(scan, row, cell) for row, cell in matrix.verdicts],
    }


def scan_ok(scan: ScanResult, matrix: Matrix) -> bool:
    """Every host that exists was reached, is trusted here, and passes the readiness rules."""
    return matrix_ok(scan, matrix) and not any(
        failed(readiness(scan, row, cell)) for row, cell in matrix.verdicts if not row.absent
    )


def matrix_ok(scan: ScanResult, matrix: Matrix) -> bool:
    """Every host that exists was reached, and is trusted by the first store: the one in use."""
    return not scan.no_metadata and all(
        row.absent or (cell is not None and cell.ok) for row, cell in matrix.verdicts
    )


def readiness(
    scan: ScanResult, row: EndpointChain, cell: Verification | None = None
) -> tuple[RuleResult, ...]:
    """The readiness rules on a live chain; none where there is no chain.

    Nor where the host is not the stamp's: the public cloud keeps rules of its own. `cell` is the
    verdict of the store in use, if it is known.
    """
    arm = urlsplit(scan.environment.arm).hostname or ""
    if not row.chain or not is_of_stamp(row.endpoint.host, arm):
        return ()
    rooted = is_rooted(cell.code) if cell is not None else None
    return evaluate(row.chain, scan.taken, names=(row.endpoint.name,), rooted=rooted)


def matrix_document(
    scan: ScanResult, matrix: Matrix, states: tuple[StoreState, ...]
) -> dict[str, Any]:
    """Every verdict, by endpoint and store; `stores` and `verdicts` are in the same order."""
    return {
        "schema": SCHEMA,
        "environment": scan.environment.name,
        "taken": time_text(scan.taken),
        "ok": matrix_ok(scan, matrix),
        "no_metadata": scan.no_metadata or None,
        "stores": [store_document(each, scan.taken) for each in states],
        "endpoints": [
            {**_place(row), "verdicts": [_verdict(cell) for cell in cells]}
            for row, cells in zip(matrix.rows, matrix.cells, strict=True)
        ],
    }


def store_document(state: StoreState, now: datetime) -> dict[str, Any]:
    store = state.store
    return {
        "kind": store.kind.value,
        "name": store.name,
        "detail": store.detail or None,
        "files": [{"setting": each.setting, "path": each.path} for each in store.sources],
        "certificates": state.count,
        "problem": state.problem or None,
        "unreadable": list(state.unreadable),
        "repairable": list(state.repairable),
        "expired": [certificate_document(each, now) for each in state.expired],
        "additions": [certificate_document(each, now) for each in state.additions],
        "lost": [
            {
                "path": str(each.path),
                "sha256": each.sha256,
                "subject": each.subject,
                "gone": each.gone,
            }
            for each in state.lost
        ],
    }


def time_text(moment: datetime) -> str:
    """ISO 8601, UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _place(row: EndpointChain) -> dict[str, Any]:
    endpoint = row.endpoint
    return {
        "roles": list(endpoint.roles),
        "host": endpoint.host,
        "port": endpoint.port,
        "name": endpoint.name,
        "state": state_of(row),
    }


def state_of(row: EndpointChain) -> str:
    """`presented`, `absent` (this stamp has no such host) or `unreachable`."""
    if row.chain:
        return "presented"
    return "absent" if row.absent else "unreachable"


def _endpoint(scan: ScanResult, row: EndpointChain, cell: Verification | None) -> dict[str, Any]:
    connection, fault, now = row.connection, row.fault, scan.taken
    tls = connection.tls if connection else None
    results = readiness(scan, row, cell)
    return {
        **_place(row),
        "addresses": list(connection.addresses) if connection else [],
        "pinned": connection.pinned if connection else None,
        "proxy": connection.proxy.url if connection else None,
        "protocol": tls.protocol if tls else None,
        "cipher": tls.cipher if tls else None,
        "fault": {"kind": fault.kind.value, "detail": fault.detail} if fault else None,
        "verdict": _verdict(cell),
        "chain": [certificate_document(describe(der), now) for der in row.chain],
        "readiness": {
            "level": worst(results).value if results else None,
            "judgements": results_document(results),
        },
    }


def results_document(results: Sequence[RuleResult]) -> list[dict[str, Any]]:
    """What each readiness rule said."""
    return [
        {
            "rule": each.rule,
            "level": each.level.value,
            "text": each.text,
            "mend": each.remedy or None,
        }
        for each in results
    ]


def _verdict(cell: Verification | None) -> dict[str, Any] | None:
    if cell is None:
        return None
    return {"trusted": cell.ok, "code": cell.code, "word": cell.word, "message": cell.message}


def _listed(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)
