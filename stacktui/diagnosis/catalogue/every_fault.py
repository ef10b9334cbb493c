"""Every fault of the catalogue, for a reader: by what a check was at, then in the order of
`precedence`."""

from __future__ import annotations

from collections.abc import Mapping

from stacktui.diagnosis.catalogue.advised import ADVISED
from stacktui.diagnosis.catalogue.az_works import OF_AZ
from stacktui.diagnosis.catalogue.by_message import BY_MESSAGE
from stacktui.diagnosis.catalogue.login_transfer import LOGIN_UNREACHABLE
from stacktui.diagnosis.catalogue.precedence import FAULTS
from stacktui.diagnosis.catalogue.unexplained import UNEXPLAINED
from stacktui.diagnosis.fault import FaultInfo, Group

_ORDER = list(Group)
EVERY_FAULT: Mapping[str, FaultInfo] = {
    each.id: each
    for each in sorted(
        (LOGIN_UNREACHABLE, *FAULTS, *ADVISED, *OF_AZ, *BY_MESSAGE, UNEXPLAINED),
        key=lambda each: _ORDER.index(each.group),
    )
}


def look_alikes(fault: FaultInfo) -> tuple[str, ...]:
    """Return the ids of the look-alikes of `fault`, in the order in which it names them."""
    return tuple(each for each in fault.look_alike_names if each in EVERY_FAULT)
