"""ARM's error form, `{"error": {"code", "message"}}` (PROTOCOL.md section 4).

Both the metadata endpoint and the resource API answer in it.
"""

from __future__ import annotations

from stacktui.text.sanitize import Redactor
from stacktui.transport.json_body import JsonError, parse_json


def read_arm_error(body: bytes, redactor: Redactor) -> tuple[str, str]:
    """Return the error's code and message, sanitised; empty where the body has another form."""
    try:
        document = parse_json(body)
    except JsonError:
        return "", ""
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
        return "", ""
    code, message = error.get("code"), error.get("message")
    return (
        redactor.sanitize_untrusted(code, 80) if isinstance(code, str) else "",
        redactor.sanitize_untrusted(message) if isinstance(message, str) else "",
    )
