"""Faults of the metadata, where every connection starts."""

from __future__ import annotations

from stacktui.diagnosis.catalogue.metadata import (
    AUDIENCE_FOREIGN,
    LOGIN_ENDPOINT_INSECURE,
    METADATA_API_VERSION,
    METADATA_INCOMPLETE,
)
from stacktui.diagnosis.catalogue.metadata_responses import (
    METADATA_INTERCEPTED,
    METADATA_SERVER_ERROR,
    METADATA_UNAVAILABLE,
    METADATA_WRONG_URL,
)
from stacktui.diagnosis.catalogue.metadata_transfer import (
    METADATA_NOT_JSON,
    METADATA_RESET,
    METADATA_TIMEOUT,
    METADATA_TOO_LARGE,
)
from stacktui.diagnosis.catalogue.pinning import METADATA_DRIFT, RECORD_UNREADABLE
from stacktui.diagnosis.entries.model import entry_of

METADATA = (
    entry_of(METADATA_WRONG_URL),
    entry_of(METADATA_SERVER_ERROR),
    entry_of(METADATA_UNAVAILABLE),
    entry_of(METADATA_INTERCEPTED),
    entry_of(METADATA_NOT_JSON),
    entry_of(METADATA_INCOMPLETE),
    entry_of(AUDIENCE_FOREIGN),
    entry_of(METADATA_TOO_LARGE),
    entry_of(METADATA_TIMEOUT),
    entry_of(METADATA_RESET),
    entry_of(METADATA_API_VERSION),
    entry_of(METADATA_DRIFT),
    entry_of(RECORD_UNREADABLE),
    entry_of(LOGIN_ENDPOINT_INSECURE),
)
