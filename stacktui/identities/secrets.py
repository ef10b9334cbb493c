"""Resolving a reference to its secret."""

from __future__ import annotations

import os

from stacktui.config.bounded_read import FileReadError, read_bounded
from stacktui.identities.faults import IdentityError, SecretFault
from stacktui.identities.model import EnvSecret, FileSecret, SecretRef, TypedSecret
from stacktui.transport.json_body import is_valid_utf8

# A client secret has about 40 characters; a larger file is something else.
MAX_SIZE = 64 * 1024


def resolve_secret(reference: SecretRef) -> str:
    """Return the secret. Blocks on disk for a file. Raises IdentityError with a SecretFault."""
    if isinstance(reference, TypedSecret):
        value = reference.value
    elif isinstance(reference, EnvSecret):
        if (found := os.environ.get(reference.name)) is None:
            raise _error(reference, "it is not set")
        value = found
        if not is_valid_utf8(value):  # os.environ holds bytes that are not UTF-8 as surrogates
            raise _error(reference, "it is not text")
    else:
        value = _read(reference)
    if not value.strip():
        raise _error(reference, "it is empty")
    return value


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
