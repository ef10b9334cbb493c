"""A list of ARM's that the check did not read to its end."""

from __future__ import annotations

from stacktui.diagnosis.context import ReportContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Side
from stacktui.diagnosis.remedy_template import for_both
from stacktui.transport.limits import LIMIT_SETTINGS

# The factor by which the remedy raises the limit.
_MORE = 3
_READ_MORE = for_both(
    "Let the check read more: {setting}",
    "stacktui environments set{environment} {setting}",
    setting="limits.rows=15000",
)


def _list_cut(report: ReportContext) -> Explanation | None:
    found = report.report.groups
    if found is None or found.cut is None:
        return None
    limit, most = getattr(report.environment.limits, found.cut), LIMIT_SETTINGS[found.cut].most
    title = f"The check read {len(found.groups):,} resource groups, and not those after them"
    evidence = (
        f"limit hit: {found.cut} = {limit:,} (limits.{found.cut} under {report.section})",
        f"read of {found.subscription}: {found.pages:,} pages",
    )
    setting = f"limits.{found.cut}={min(limit * _MORE, most):g}"
    raised = () if limit >= most else (_READ_MORE.fill(**report.placeholders, setting=setting),)
    return Explanation(title, evidence, raised)


LIST_CUT = FaultInfo(
    id="list-cut",
    group=Group.ADVISORY,
    sides=(Side.BOX,),
    meaning="The check did not read all resource groups: a limit on rows or pages was hit.",
    distinguishing_evidence=(
        "The limit is in the report. It is stacktui's own, fails no check, and is for the check "
        "alone. A page that is larger than any real one is `arm-not-json`."
    ),
    az_says="nothing: it reads to the last page",
    remedies=(_READ_MORE,),
    advisories=(_list_cut,),
)
