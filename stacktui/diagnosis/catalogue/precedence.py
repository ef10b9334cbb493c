"""Every fault that a failed check can have, in order of precedence.

The first that explains the failed step is the verdict; others that apply are also seen. This is
the only place that orders look-alikes.
"""

from __future__ import annotations

from stacktui.diagnosis.catalogue import (
    applications,
    arm_refusals,
    arm_responses,
    az_account,
    device_code,
    handshake,
    login_responses,
    login_transfer,
    managed_identity,
    metadata,
    metadata_responses,
    metadata_transfer,
    proxy,
    reach,
    sign_in_policies,
    subscriptions,
    token_claims,
    trust_files,
    users,
)
from stacktui.diagnosis.catalogue.chains import TLS_MISSING_INTERMEDIATE, TLS_SELF_SIGNED, TLS_WEAK
from stacktui.diagnosis.catalogue.client_certificates import SP_CERT_REJECTED, SP_CERT_UNUSABLE
from stacktui.diagnosis.catalogue.client_secrets import (
    SECRET_MISSING,
    SP_SECRET_EXPIRED,
    SP_SECRET_WRONG,
)
from stacktui.diagnosis.catalogue.clock_skew import CLOCK_SKEW
from stacktui.diagnosis.catalogue.gateway_pages import ARM_INTERCEPTED, LOGIN_INTERCEPTED
from stacktui.diagnosis.catalogue.interception import TLS_INTERCEPTED
from stacktui.diagnosis.catalogue.metadata_responses import METADATA_WRONG_URL
from stacktui.diagnosis.catalogue.names import TLS_NAME_MISMATCH
from stacktui.diagnosis.catalogue.pinning import METADATA_DRIFT, RECORD_UNREADABLE
from stacktui.diagnosis.catalogue.unsuitable import TLS_UNSUITABLE
from stacktui.diagnosis.catalogue.untrusted import TLS_UNTRUSTED_ROOT
from stacktui.diagnosis.catalogue.validity import TLS_EXPIRED, TLS_NOT_YET_VALID
from stacktui.diagnosis.catalogue.write_probe import WRITE_REFUSED
from stacktui.diagnosis.fault import FaultInfo

# Certificates that this machine does not accept.
CERTIFICATES: tuple[FaultInfo, ...] = (
    TLS_EXPIRED,
    TLS_NOT_YET_VALID,
    TLS_WEAK,
    TLS_UNSUITABLE,
    TLS_NAME_MISMATCH,
    TLS_INTERCEPTED,
    TLS_SELF_SIGNED,
    TLS_MISSING_INTERMEDIATE,
    TLS_UNTRUSTED_ROOT,
)
# An application's credentials.
CREDENTIALS: tuple[FaultInfo, ...] = (
    SECRET_MISSING,
    SP_CERT_UNUSABLE,
    SP_SECRET_WRONG,
    SP_SECRET_EXPIRED,
    SP_CERT_REJECTED,
)
# Faults before a request is sent.
CONNECTION: tuple[FaultInfo, ...] = (*reach.FAULTS, *proxy.FAULTS, *handshake.FAULTS, *CERTIFICATES)
FAULTS: tuple[FaultInfo, ...] = (
    *trust_files.FAULTS,
    # Whatever fails there, another service of the stamp is no ARM.
    METADATA_WRONG_URL,
    *CONNECTION,
    *metadata_transfer.FAULTS,
    *metadata_responses.FAULTS,
    *metadata.FAULTS,
    METADATA_DRIFT,
    RECORD_UNREADABLE,
    LOGIN_INTERCEPTED,
    *login_responses.FAULTS,
    *login_transfer.FAULTS,
    *CREDENTIALS,
    *applications.FAULTS,
    *users.FAULTS,
    *sign_in_policies.FAULTS,
    *device_code.FAULTS,
    *managed_identity.FAULTS,
    *az_account.FAULTS,
    *token_claims.FAULTS,
    CLOCK_SKEW,
    ARM_INTERCEPTED,
    *subscriptions.FAULTS,
    *arm_refusals.FAULTS,
    *arm_responses.FAULTS,
    WRITE_REFUSED,
)
