"""ARM's error form, `{"error": {"code", "message"}}` (PROTOCOL.md section 4).

Both the metadata endpoint and the resource API answer in it.
"""

from __future__ import annotations

from stacktui.text.json_fields import text
from stacktui.text.sanitize import Redactor
from stacktui.transport.json_body import parse_object


def read_arm_error(body: bytes, redactor: Redactor) -> tuple[str, str]:
    """Return the error's code and message, sanitised; empty where the body has another form."""
    error = parse_object(body).get("error")
    return (
        redactor.sanitize_untrusted(text(error, "code"), 80),
        redactor.sanitize_untrusted(text(error, "message")),
    )
