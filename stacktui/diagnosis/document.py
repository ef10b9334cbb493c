"""A diagnosed report as the JSON document of schema 1.

Later versions add fields to the schema and never change these.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from enum import Enum
from importlib.resources import files
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stacktui.certificates.chain import describe
from stacktui.check.report import Evidence, OptionalFacts, Probe, Report, StepResult
from stacktui.check.streak import Since
from stacktui.diagnosis.context import ReportContext
from stacktui.diagnosis.document_keys import FAULT_TYPES, KEYS
from stacktui.diagnosis.finding import ClientResult, Diagnosis, Finding, Remedy
from stacktui.environments.record import StampRecord
from stacktui.text.sanitize import escape_control_chars
from stacktui.text.times import utc_text
from stacktui.transport.records import Exchange, Phase, TlsFacts

if TYPE_CHECKING:
    from stacktui.azure_cli.facts import AzInstallation
    from stacktui.certificates.chain_completion import ChainCompletion, FoundIssuer

SCHEMA = 1


def schema_text() -> str:
    """Return the JSON Schema (2020-12) of the document."""
    return files(__package__).joinpath("check.schema.json").read_text(encoding="utf-8")


def report_document(
    report: Report, diagnosis: Diagnosis, since: Since | None = None
) -> dict[str, Any]:
    """Return the document as a JSON-serialisable dict. Like the report, it holds no secret.

    `since` is since when the outcome is so, None where the history cannot be read.
    """
    target = report.target
    return {
        "schema": SCHEMA,
        "environment": target.environment.name,
        "identity": target.identity.name if target.identity else None,
        "started": utc_text(report.started),
        "seconds": _seconds(report.seconds),
        "ok": report.ok if report.conclusive else None,
        "verdict": finding_document(diagnosis.verdict) if diagnosis.verdict else None,
        "also_seen": [finding_document(finding) for finding in diagnosis.also_seen],
        "steps": [_step(step) for step in report.steps],
        "recorded": _recorded(report.recorded) if report.recorded else None,
        "probes": [_probe(each) for each in report.probes],
        "completion": _completion(report.completion) if report.completion else None,
        "siblings": list(report.siblings),
        "box": report.box,
        "unrecorded": report.unrecorded or None,
        "az": [_installation(each) for each in report.az.installations] if report.az else [],
        "since": _since(since) if since else None,
        "clients": [*_clients(report), *map(client_document, diagnosis.az)],
    }


def _clients(report: Report) -> list[dict[str, Any]]:
    if not report.clients:
        return []
    from stacktui.diagnosis.clients import client_results

    return [client_document(each) for each in client_results(ReportContext(report))]


def client_document(client: ClientResult) -> dict[str, Any]:
    """Return one of this machine's clients, as in the document of a check."""
    return {
        "name": client.name,
        "path": client.path,
        "version": client.version,
        "works": client.works,
        "findings": [
            {
                "id": each.id,
                "title": each.title,
                "evidence": list(each.evidence),
                "remedies": [_remedy(remedy) for remedy in each.remedies],
            }
            for each in client.findings
        ],
    }


def _since(since: Since) -> dict[str, Any]:
    return {"since": utc_text(since.since), "before": since.before, "checks": since.checks}


def finding_document(finding: Finding) -> dict[str, Any]:
    """Return a finding, as in the document of a check."""
    return {
        "id": finding.id,
        "title": finding.title,
        "side": finding.side.value,
        "evidence": list(finding.evidence),
        "remedies": [_remedy(each) for each in finding.remedies],
        "az_says": finding.az_says,
    }


def _remedy(remedy: Remedy) -> dict[str, Any]:
    action = _fields(remedy.action) if remedy.action else None
    return {
        "title": remedy.title,
        "bash": remedy.bash,
        "powershell": remedy.powershell,
        "action": action,
    }


def _step(step: StepResult) -> dict[str, Any]:
    return {
        "name": step.name,
        "outcome": step.outcome.value,
        "seconds": _seconds(step.seconds),
        "phases": [_phase(each) for each in step.phases],
        "evidence": _evidence(step.evidence),
    }


def _phase(phase: Phase) -> dict[str, Any]:
    return {
        "name": phase.name.value,
        "host": phase.host,
        "seconds": _seconds(phase.seconds),
        "ok": phase.ok,
    }


def _recorded(record: StampRecord) -> dict[str, Any]:
    """Return the stamp's record; `top` is the last certificate of ARM's chain as presented."""
    document = {
        "login_endpoint": escape_control_chars(record.login_endpoint),
        "audience": escape_control_chars(record.audience),
        "recorded": utc_text(record.recorded),
        "top": _plain(describe(record.path_end)) if record.path_end else None,
    }
    return document | ({"root": _plain(describe(record.root))} if record.root else {})


def _probe(probe: Probe) -> dict[str, Any]:
    fault = probe.exchange.fault
    return {
        "role": probe.role,
        "seconds": _seconds(probe.seconds),
        "ok": fault is None,
        "fault": _fields(fault) if fault else None,
        "connection": _plain(probe.exchange.connection),
    }


def _completion(completion: ChainCompletion) -> dict[str, Any]:
    document: dict[str, Any] = {"host": completion.host, "port": completion.port}
    document["found"] = [_found_issuer(each) for each in completion.found]
    if completion.holders:
        document["holders"] = list(completion.holders)
    document["trusted"] = completion.trusted
    if completion.unanswered:
        document["unanswered"] = list(completion.unanswered)
    if completion.flawed:
        document["flawed"] = [
            {"setting": each.setting, "path": each.path, "text": each.text}
            for each in completion.flawed
        ]
    if completion.namesakes:
        document["namesakes"] = [_found_issuer(each) for each in completion.namesakes]
    return document


def _found_issuer(found: FoundIssuer) -> dict[str, Any]:
    return {"certificate": _plain(describe(found.der)), "where": list(found.where)}


def _installation(installation: AzInstallation) -> dict[str, Any]:
    return {"launcher": str(installation.launcher), "version": installation.version}


def _evidence(evidence: Evidence) -> dict[str, Any]:
    document: dict[str, Any] = {}
    if evidence.skipped:
        document["skipped"] = evidence.skipped
    if evidence.fault is not None:
        fault = evidence.fault
        document["fault"] = {"type": FAULT_TYPES[type(fault)], **_fields(fault)}
    if evidence.result is not None:
        document["result"] = _plain(evidence.result)
    if evidence.trust is not None:
        document["trust"] = _plain(evidence.trust.sources)
    if evidence.exchanges:
        document["exchanges"] = [_exchange(each) for each in evidence.exchanges]
    return document


def _exchange(exchange: Exchange) -> dict[str, Any]:
    """Return the exchange without its fault, which is the step's."""
    document: dict[str, Any] = {"method": exchange.method, "url": exchange.url}
    if exchange.connection is not None:
        document["connection"] = _plain(exchange.connection)
    if exchange.response is not None:
        document["response"] = _plain(exchange.response)
    return document | {"phases": [_phase(each) for each in exchange.phases]}


def _plain(value: object) -> Any:
    """Return a value as JSON; empty keys are left out."""
    match value:
        case Enum():
            return value.value
        case datetime():
            return utc_text(value)
        case Path():
            return str(value)
        case bool() | int() | str() | None:
            return value
        case float():
            return _seconds(value)
        case list() | tuple():
            return [_plain(each) for each in value]
        case OptionalFacts():
            held = {each.name: getattr(value, each.name) for each in fields(value)}
            return {name: _plain(each) for name, each in held.items() if each not in (None, "", ())}
        case TlsFacts():
            document = _fields(value) | {"chain": [_plain(describe(der)) for der in value.chain]}
            root = value.verified_chain[-1:]
            return document | ({"verified_root": _plain(describe(root[0]))} if root else {})
    return _fields(value)


def _fields(value: object) -> dict[str, Any]:
    """Return the published keys of a value; KeyError if its type is not in `KEYS`."""
    held = ((key, getattr(value, name)) for key, name in KEYS[type(value)].items())
    return {key: _plain(each) for key, each in held if each not in (None, "", ())}


def _seconds(value: float) -> float | None:
    return round(value, 6) if isfinite(value) else None  # JSON has no infinity
