"""The codes of the sign-in services' refusals: Entra's AADSTS and AD FS's MSIS, by fault.

PROTOCOL.md section 2. `explain` reads it; a rule reads the definition of its own fault.
"""

from __future__ import annotations

from collections.abc import Mapping

from stacktui.diagnosis.catalogue import device_code, sign_in_policies, users
from stacktui.diagnosis.fault import Refusal
from stacktui.diagnosis.rules import refusal_codes

_FAULTS = (*users.FAULTS, *sign_in_policies.FAULTS, *device_code.FAULTS)

REFUSALS: Mapping[str, Refusal] = {
    **refusal_codes.REFUSALS,
    **{fault.id: fault.refusal for fault in _FAULTS if fault.refusal},
}
