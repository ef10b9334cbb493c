"""What of a request may be shown in a log, and repeats it: never a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from stacktui.text.sanitize import REDACTED, Redactor
from stacktui.transport.records import SentRequest

# The most characters of a URL or of a field, and the most bytes of a body, that are kept.
_LONGEST, _MOST = 8 * 1024, 64 * 1024
# The names of fields, in forms and in JSON, whose values are secret, or may be.
_SECRET = re.compile(
    r"(?i) secret | assertion | passw | pwd | passphrase | token | credential | key | signature"
    r"| verifier | connection_?string | command_?to_?execute | custom_?data | user_?data"
    r"| protected_?settings | ^sas | ^sig$ | ^(?:(?:user|device|auth|authorization)_?)?code$",
    re.VERBOSE,
)
# Their values are public names (RFC 6749, RFC 7521, RFC 7523).
_PUBLIC = frozenset({"client_assertion_type", "token_type", "requested_token_use"})
# The token of a long-running operation (PROTOCOL.md section 4).
_OPERATION = re.compile(r"(?i)(/operation(?:results|statuses)/).*")


def sent_request(
    started: datetime,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    redactor: Redactor,
    *,
    ca: tuple[str, ...],
    audience: str,
    local: bool,
) -> SentRequest:
    """Return what may be shown of a request; `headers` have lower-case names.

    The token is left out, and the body's fields are known by their names, never as they were sent.
    """

    def shown(text: str) -> str:
        return redactor.sanitize_untrusted(text, _LONGEST)

    form: tuple[tuple[str, str | None], ...] = ()
    document, kind, whole = "", headers.get("content-type", "").partition(";")[0], body or b""
    if whole and len(whole) <= _MOST:
        if kind == "application/x-www-form-urlencoded":
            fields = parse_qsl(whole.decode("utf-8", "replace"), keep_blank_values=True)
            form = tuple(
                (shown(name), None if _is_secret(name) else shown(value)) for name, value in fields
            )
        elif kind == "application/json":
            document = shown_document(whole, redactor)
    return SentRequest(
        started,
        shown(_OPERATION.sub(r"\1…", url)),
        ca,
        headers.get("authorization", "").startswith("Bearer "),
        audience,
        local,
        form,
        document,
        0 if form or document else len(whole),
        shown(kind),
    )


def _is_secret(name: str) -> bool:
    return name.lower() not in _PUBLIC and _SECRET.search(name) is not None


def shown_document(body: bytes, redactor: Redactor) -> str:
    """Return JSON without its secret values, in ASCII; empty for what is no JSON."""
    try:
        text = json.dumps(_without_secrets(json.loads(body)))
    except (ValueError, RecursionError):
        return ""
    return redactor.sanitize_untrusted(text, 2 * _MOST)


def _without_secrets(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_secrets(each) for each in value]
    if not isinstance(value, dict):
        return value
    # `{"name": "password", "value": "…"}` names its value too.
    named = any(_is_secret(str(value.get(key, ""))) for key in ("name", "key"))
    return {
        key: REDACTED if _is_secret(key) or (named and key == "value") else _without_secrets(each)
        for key, each in value.items()
    }
