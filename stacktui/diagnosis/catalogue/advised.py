"""Advisories: faults that fail no check, looked for in every check, healthy or not.

Separate from `precedence`, as a healthy check needs none of those rules.
"""

from __future__ import annotations

from stacktui.diagnosis.catalogue.advisories import (
    CERT_EXPIRES_SOON,
    CERT_READINESS,
    CERTIFI_ADDITION_LOST,
)
from stacktui.diagnosis.catalogue.azure_cli import (
    AZ_STALE_ERROR_CACHE,
    AZ_TOO_NEW,
    VERIFICATION_OFF,
)
from stacktui.diagnosis.catalogue.azure_cli_config import AZ_CONFIG_BROKEN
from stacktui.diagnosis.catalogue.clock_skew import CLOCK_SKEW
from stacktui.diagnosis.catalogue.list_cut import LIST_CUT
from stacktui.diagnosis.catalogue.open_files import SECRET_FILE_OPEN
from stacktui.diagnosis.catalogue.operator_health import OPERATOR_HEALTH
from stacktui.diagnosis.catalogue.pinning import RECORD_UNWRITTEN, ROOT_CHANGED
from stacktui.diagnosis.catalogue.python_clients import SDK_TOO_NEW
from stacktui.diagnosis.catalogue.write_probe import PROBE_LEFTOVER
from stacktui.diagnosis.fault import FaultInfo

ADVISED: tuple[FaultInfo, ...] = (
    CERT_EXPIRES_SOON,
    CERT_READINESS,
    ROOT_CHANGED,
    RECORD_UNWRITTEN,
    OPERATOR_HEALTH,
    LIST_CUT,
    PROBE_LEFTOVER,
    CLOCK_SKEW,
    CERTIFI_ADDITION_LOST,
    SECRET_FILE_OPEN,
    AZ_TOO_NEW,
    AZ_CONFIG_BROKEN,
    AZ_STALE_ERROR_CACHE,
    VERIFICATION_OFF,
    SDK_TOO_NEW,
)
