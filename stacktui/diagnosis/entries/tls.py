"""Faults of TLS: what is presented, and who trusts it."""

from __future__ import annotations

from stacktui.diagnosis.catalogue import (
    chains,
    handshake,
    interception,
    names,
    trust_files,
    untrusted,
    validity,
)
from stacktui.diagnosis.entries.model import entry_of

TLS = (
    entry_of(handshake.TLS_NOT_TLS),
    entry_of(untrusted.TLS_UNTRUSTED_ROOT),
    entry_of(chains.TLS_MISSING_INTERMEDIATE),
    entry_of(chains.TLS_SELF_SIGNED),
    entry_of(interception.TLS_INTERCEPTED),
    entry_of(validity.TLS_EXPIRED),
    entry_of(validity.TLS_NOT_YET_VALID),
    entry_of(names.TLS_NAME_MISMATCH),
    entry_of(chains.TLS_WEAK),
    entry_of(handshake.TLS_TIMEOUT),
    *map(entry_of, trust_files.FAULTS),
)
