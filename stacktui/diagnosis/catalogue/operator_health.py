"""What a stamp's operators read of it, told beside the verdict."""

from __future__ import annotations

from stacktui.check.operator_health import UPDATE_FAILED, UPDATING, OperatorHealth
from stacktui.diagnosis.context import ReportContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Side
from stacktui.diagnosis.remedy_template import RemedyTemplate
from stacktui.text.counts import count_of

_AWAIT_UPDATE = RemedyTemplate(
    "Expect errors and slow answers until the update has ended; the administrator portal shows how "
    "far it is, under Update"
)
_RESUME_UPDATE = RemedyTemplate(
    "See in the administrator portal, under Update, why it failed, and resume it"
)
_SEE_ALERTS = RemedyTemplate(
    "See the alerts in the administrator portal, which says for each what to do"
)


def _operator_health(report: ReportContext) -> Explanation | None:
    health = report.report.result(OperatorHealth)
    if health is None:
        return None
    began = health.update_began
    since = f" since {began:%H:%M} UTC" if began else ""
    if began and began.date() != report.now.date():
        since = f" since {began:%Y-%m-%d %H:%M} UTC"
    titles, remedies = [], []
    if health.state == UPDATING:
        titles.append(f"is being updated{since}")
        remedies.append(_AWAIT_UPDATE.fill())
    if health.state == UPDATE_FAILED:
        titles.append("was not updated: its last update failed")
        remedies.append(_RESUME_UPDATE.fill())
    if health.alerts:
        critical = sum(each.is_critical for each in health.alerts)
        many = count_of(len(health.alerts), "active alert")
        titles.append(f"has {many}" + (f", {critical} of them critical" if critical else ""))
        remedies.append(_SEE_ALERTS.fill())
    if not titles:
        return None
    evidence = (
        f"build {health.version or 'unknown'}, update state {health.state or 'unknown'}",
        *(f"{each.severity.lower()}: {each.title}" for each in health.alerts),
    )
    return Explanation(f"The stamp {' and '.join(titles)}", evidence, tuple(remedies))


OPERATOR_HEALTH = FaultInfo(
    id="operator-health",
    group=Group.ADVISORY,
    sides=(Side.STAMP,),
    meaning="The stamp is being updated, its last update failed, or it has active alerts.",
    distinguishing_evidence=(
        "Read from an operator's endpoint (`adminmanagement`) after the sign-in: build, update "
        "state and active alerts. It explains other faults, and fails no check by itself. Without "
        "the right to read it, the step says so in one line."
    ),
    az_says="nothing: it does not look",
    remedies=(_AWAIT_UPDATE, _RESUME_UPDATE, _SEE_ALERTS),
    advisories=(_operator_health,),
)
