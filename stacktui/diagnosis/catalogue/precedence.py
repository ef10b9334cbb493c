"""The catalogue: every rule, in the order in which a check would meet its fault."""

from __future__ import annotations

from stacktui.diagnosis.catalogue import handshake, proxy, reach, trust_files
from stacktui.diagnosis.context import FailureContext, Rule
from stacktui.diagnosis.fault import FaultInfo
from stacktui.diagnosis.rules import (
    claims,
    garbled,
    imds,
    login,
    metadata,
    recorded,
    resources,
    tls,
    token,
    user_sign_in,
)

RULES: tuple[Rule[FailureContext] | FaultInfo, ...] = (
    *trust_files.FAULTS,
    *reach.FAULTS,
    *proxy.FAULTS,
    *handshake.FAULTS,
    *tls.RULES,
    *metadata.RULES,
    *recorded.RULES,
    *login.RULES,
    *token.RULES,
    *user_sign_in.RULES,
    *imds.RULES,
    *claims.RULES,
    *resources.RULES,
    *garbled.RULES,
)
