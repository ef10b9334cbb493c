"""Differences from the stamp's record, which was made at its first good check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacktui.certificates.same_root import leads_to, path_to_root
from stacktui.check.fault_text import drift_lines
from stacktui.diagnosis.context import FailureContext, ReportContext, described
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Side
from stacktui.diagnosis.formatting import request_lines
from stacktui.diagnosis.recorded_root import recorded_signer, signers
from stacktui.diagnosis.remedies import accepting, fill_accepting
from stacktui.diagnosis.remedy_template import RemedyTemplate
from stacktui.environments.record import DriftFault, RecordFault

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate

# metadata-drift

_ASK_OPERATOR = RemedyTemplate(
    "Ask the stamp's operator whether this was changed on purpose. If nobody knows of it, "
    "somebody on the way, or on the stamp, would collect secrets"
)
_ACCEPT_VALUES = accepting(
    "If it was: accept the {fields} that the stamp names now", fields="values"
)


def _metadata_drift(failure: FailureContext) -> Explanation | None:
    fault = failure.fault
    if not isinstance(fault, DriftFault):
        return None
    fields = " and ".join(each.field for each in fault.drifts)
    evidence = (*drift_lines(fault), "no secret was sent", *request_lines(failure))
    remedies = (_ASK_OPERATOR.fill(), fill_accepting(_ACCEPT_VALUES, failure, fields=fields))
    return Explanation(f"The stamp names another {fields} than before", evidence, remedies)


METADATA_DRIFT = FaultInfo(
    id="metadata-drift",
    group=Group.METADATA,
    sides=(Side.NETWORK,),
    meaning="Login endpoint or audience differ from those recorded: no secret was sent.",
    distinguishing_evidence=(
        "Both values are in the report: the one recorded on the first good check, and the one "
        "that is served now. An operator may have moved the sign-in; somebody on the way may "
        "want your secret. A change of the root alone is `root-changed` or `tls-intercepted`."
    ),
    az_says="nothing: it sends the secret to wherever the metadata points",
    remedies=(_ASK_OPERATOR, _ACCEPT_VALUES),
    rules=(_metadata_drift,),
)


# record-unreadable

_CORRECT_FILE = RemedyTemplate(
    "Put it right if you can, or go back to the stacktui that wrote it: then nothing that was "
    "recorded is lost"
)
_MOVE_AWAY = RemedyTemplate(
    "Else move it away, which forgets every stamp, and record this one anew after a look at what "
    "it says",
    "mv -- {file} {aside} && stacktui environments accept{environment}",
    "Move-Item -Force -ErrorAction Stop -LiteralPath {file} -Destination {aside}; "
    "stacktui environments accept{environment}",
    {"aside": "FILE.unreadable"},
)


def _record_unreadable(failure: FailureContext) -> Explanation | None:
    fault = failure.fault
    if not isinstance(fault, RecordFault):
        return None
    evidence = (str(fault), "no secret was sent: nobody knows where it went before")
    file, aside = str(fault.path), f"{fault.path}.unreadable"
    remedies = (
        _CORRECT_FILE.fill(),
        _MOVE_AWAY.fill(file=file, aside=aside, **failure.placeholders),
    )
    return Explanation("What was recorded of the stamps cannot be read", evidence, remedies)


RECORD_UNREADABLE = FaultInfo(
    id="record-unreadable",
    group=Group.METADATA,
    sides=(Side.BOX,),
    meaning="stacktui's memory of the stamps cannot be read: no secret was sent.",
    distinguishing_evidence=(
        "The file stamps.json is there and is damaged, of another version, or cannot be opened: "
        "nobody can say whether this is `metadata-drift`. A check without an identity goes on."
    ),
    az_says="nothing: it remembers no stamp",
    remedies=(_CORRECT_FILE, _MOVE_AWAY),
    rules=(_record_unreadable,),
)


# record-unwritten

_MAKE_WRITABLE = RemedyTemplate(
    "Make the file writable, or let the other program end, and check again: until then a changed "
    "login endpoint or root is not noticed"
)
_RECORD_NOW = accepting("Or record the {fields} now", fields="values that the stamp has")


def _record_unwritten(report: ReportContext) -> Explanation | None:
    why = report.report.unrecorded
    if not why:
        return None
    remedies = (
        _MAKE_WRITABLE.fill(),
        fill_accepting(_RECORD_NOW, report, fields="values that the stamp has"),
    )
    return Explanation(
        "This stamp could not be recorded, so that nothing is compared with it",
        (why,),
        remedies,
    )


RECORD_UNWRITTEN = FaultInfo(
    id="record-unwritten",
    group=Group.ADVISORY,
    sides=(Side.BOX,),
    meaning="The check is healthy, but the stamp could not be recorded.",
    distinguishing_evidence=(
        "The first successful check of an environment writes stamps.json, and that failed: the "
        "disk is full, the folder is read-only, or another program holds it locked. A file that "
        "cannot be read stops a check with an identity, which is `record-unreadable`."
    ),
    az_says="nothing: it remembers no stamp",
    remedies=(_MAKE_WRITABLE, _RECORD_NOW),
    advisories=(_record_unwritten,),
)


# root-changed

_ACCEPT_ROOT = accepting(
    "If {root} is meant to sign for {host}, accept it", root="the new root", host="the stamp"
)
_TAKE_OUT_ROOT = RemedyTemplate(
    "If not, a proxy that opens TLS stands between: ask the network's team, and take its root out "
    "of the stores of this machine (stacktui certificates matrix shows which)"
)


def _root_changed(report: ReportContext) -> Explanation | None:
    record, arm = report.report.recorded, report.arm_connection
    if record is None or arm is None or arm.tls is None or not arm.tls.chain:
        return None
    # Only trusted chains; the verdict covers others.
    if arm.tls.verify_code or arm.tls.unverified_probe:
        return None
    before, path = recorded_signer(report), path_to_root(arm.tls)
    if before is None or leads_to(path, record.signer):
        return None
    now = described(path[-1])
    evidence = (
        f"recorded {record.recorded:%Y-%m-%d}: {_signer(before)}",
        f"now: {_signer(now)}",
        "this machine trusts both, so the check went on",
    )
    remedies = (
        fill_accepting(_ACCEPT_ROOT, report, root=now.issuer_name, host=arm.host),
        _TAKE_OUT_ROOT.fill(),
    )
    return Explanation(signers(arm.host, now, before), evidence, remedies)


def _signer(end: Certificate) -> str:
    """Return the signer's name, with the SHA-256 if it is the root itself."""
    return f"{end.issuer_name} ({end.sha256})" if end.self_issued else end.issuer_name


ROOT_CHANGED = FaultInfo(
    id="root-changed",
    group=Group.ADVISORY,
    sides=(Side.NETWORK,),
    meaning="The check is healthy, but another root than the recorded one signs.",
    distinguishing_evidence=(
        "This machine trusts the new root, so that nothing fails. Either the stamp's certificates "
        "were rotated to another CA, or a gateway whose root is trusted here opens TLS; an "
        "untrusted one is `tls-intercepted`. Changed endpoints are `metadata-drift`."
    ),
    az_says="nothing: it trusts whatever its store trusts",
    remedies=(_ACCEPT_ROOT, _TAKE_OUT_ROOT),
    advisories=(_root_changed,),
)
