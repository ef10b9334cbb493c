"""The catalogue: every rule, in the order in which a check would meet its fault."""

from __future__ import annotations

from stacktui.diagnosis.case import Case, Rule
from stacktui.diagnosis.rules import (
    claims,
    handshake,
    login,
    metadata,
    proxy,
    reach,
    resources,
    tls,
    token,
    trust,
)

RULES: tuple[Rule[Case], ...] = (
    *trust.RULES,
    *reach.RULES,
    *proxy.RULES,
    *handshake.RULES,
    *tls.RULES,
    *metadata.RULES,
    *login.RULES,
    *token.RULES,
    *claims.RULES,
    *resources.RULES,
)
