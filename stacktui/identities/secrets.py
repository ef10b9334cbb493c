"""Resolving a reference to its secret."""

from __future__ import annotations

import os
from typing import Any

from stacktui.config.bounded_read import FileReadError, read_bounded
from stacktui.errors import is_exhaustion
from stacktui.identities.faults import NO_KEYRING, IdentityError, SecretFault
from stacktui.identities.model import (
    EnvSecret,
    FileSecret,
    KeyringSecret,
    PromptSecret,
    SecretRef,
    TypedSecret,
)
from stacktui.text.sanitize import escape_control_chars
from stacktui.transport.json_body import is_valid_utf8

# A client secret has about 40 characters; a larger file is something else.
MAX_SIZE = 64 * 1024


def resolve_secret(reference: SecretRef) -> str:
    """Return the secret. Blocks on disk, and on a keyring. Raises IdentityError (SecretFault)."""
    match reference:
        case TypedSecret():
            value = reference.value
        case EnvSecret():
            value = _read_variable(reference)
        case FileSecret():
            value = _read(reference)
        case KeyringSecret():
            value = _read_keyring(reference)
        case PromptSecret():
            raise _error(reference, "nobody was asked; a command on a terminal asks")
    if not value.strip():
        raise _error(reference, "it is empty")
    return value


def _read_variable(reference: EnvSecret) -> str:
    if (found := os.environ.get(reference.name)) is None:
        raise _error(reference, "it is not set")
    if not is_valid_utf8(found):  # os.environ holds bytes that are not UTF-8 as surrogates
        raise _error(reference, "it is not text")
    return found


def store_in_keyring(reference: KeyringSecret, secret: str) -> None:
    """Put a secret into the keyring, in place of what is there. Raises IdentityError (SecretFault).

    May block until the user has unlocked the keyring.
    """
    _call_keyring(reference, "written", "set_password", secret)


def _read_keyring(reference: KeyringSecret) -> str:
    """Return an entry. May block until the user has unlocked the keyring."""
    found: str | None = _call_keyring(reference, "read", "get_password")
    if found is None:
        raise _error(reference, "there is no such entry")
    return found


def _call_keyring(reference: KeyringSecret, what: str, function: str, *values: str) -> Any:
    try:
        import keyring
    except ImportError:
        raise _error(reference, NO_KEYRING) from None
    try:
        return getattr(keyring, function)(reference.service, reference.user, *values)
    except Exception as error:  # each back end has its own
        if is_exhaustion(error):
            raise
        said = escape_control_chars(str(error).partition("\n")[0][:200])
        raise _error(reference, f"it cannot be {what} ({said or type(error).__name__})") from None


def _read(reference: FileSecret) -> str:
    try:
        text = read_bounded(reference.path, MAX_SIZE).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _error(reference, "it is not text") from None
    except FileReadError as error:
        raise _error(reference, error.detail) from None
    # The line break at the end, which editors and `echo` write, is not part of the secret.
    return text.removesuffix("\n").removesuffix("\r")


def _error(reference: SecretRef, detail: str) -> IdentityError:
    return IdentityError(SecretFault(str(reference), detail))
