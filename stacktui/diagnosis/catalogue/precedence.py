"""The catalogue: every rule, in the order in which a check would meet its fault."""

from __future__ import annotations

from stacktui.diagnosis.catalogue import reach
from stacktui.diagnosis.context import FailureContext, Rule
from stacktui.diagnosis.fault import FaultInfo
from stacktui.diagnosis.rules import (
    claims,
    garbled,
    handshake,
    imds,
    login,
    metadata,
    proxy,
    recorded,
    resources,
    tls,
    token,
    trust,
    user_sign_in,
)

RULES: tuple[Rule[FailureContext] | FaultInfo, ...] = (
    *trust.RULES,
    *reach.FAULTS,
    *proxy.RULES,
    *handshake.RULES,
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
