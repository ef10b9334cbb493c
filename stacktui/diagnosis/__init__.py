"""Turn a report into findings. Pure: no I/O, no clock, no environment variables.

`diagnose` walks the catalogue (`catalogue.precedence`) in order. The first rule that explains the
failed step gives the verdict, others that apply are also seen, and a fault that no rule explains
is reported as `unexplained` with its evidence. Faults of hosts that the check did not reach any
more are also seen (`login_host`). Advisories (`catalogue.advised`), which fail no check, are also
seen, in healthy checks too. What each `az` on this machine would do is `az_client`'s.
"""

from __future__ import annotations

from stacktui.check.report import Report
from stacktui.diagnosis.catalogue.advised import ADVISED
from stacktui.diagnosis.context import FailureContext, ReportContext
from stacktui.diagnosis.finding import ClientResult, Diagnosis, Finding


def diagnose(report: Report) -> Diagnosis:
    """Return the diagnosis of a finished check; its verdict is None exactly when `report.ok`."""
    context = ReportContext(report)
    advisories = tuple(seen for fault in ADVISED for seen in fault.advise(context))
    failed = report.failed
    if failed is None:
        return Diagnosis(None, advisories, _az(report, None))
    from stacktui.diagnosis.catalogue.precedence import FAULTS
    from stacktui.diagnosis.engine import findings, next_findings
    from stacktui.diagnosis.login_host import as_login_fault, probe_findings

    failure = FailureContext(report, failed)
    first, *others = findings(failure, FAULTS)
    verdict, *more = as_login_fault(failure, first)
    beside = (*next_findings(failure, FAULTS), *probe_findings(failure), *advisories)
    return Diagnosis(verdict, (*more, *others, *beside), _az(report, verdict))


def _az(report: Report, verdict: Finding | None) -> tuple[ClientResult, ...]:
    if not report.az_clients:
        return ()
    from stacktui.diagnosis.az_client import az_results

    return az_results(report, verdict)
