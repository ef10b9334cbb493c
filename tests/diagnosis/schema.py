"""The published schema of the check's document, as its users' validators take it."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator

from stacktui.diagnosis.document import schema_text

SCHEMA: dict[str, Any] = json.loads(schema_text())
_VALIDATOR = Draft202012Validator(SCHEMA)


def validate(document: object) -> None:
    """Raises jsonschema.ValidationError."""
    _VALIDATOR.validate(document)
