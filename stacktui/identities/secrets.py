"""Resolving a reference to its secret, at the last moment and never further than the caller."""

from __future__ import annotations

import os

from stacktui.identities.faults import IdentityError, SecretFault
from stacktui.identities.model import EnvSecret, FileSecret, SecretRef

# A client secret has about 40 characters; a file beyond this is something else.
MAX_SIZE = 64 * 1024


def resolve_secret(reference: SecretRef) -> str:
    """The secret. Blocks on disk for a file. Raises IdentityError with a SecretFault."""
    if isinstance(reference, EnvSecret):
        value = os.environ.get(reference.name)
        if value is None:
            raise _error(reference, "it is not set")
        if not _is_text(value):
            raise _error(reference, "it is not text")
    else:
        value = _read(reference)
    if not value.strip():
        raise _error(reference, "it is empty")
    return value


def _read(reference: FileSecret) -> str:
    path = reference.path
    try:
        if path.exists() and not path.is_file():
            raise _error(reference, "it is not a file")
        with path.open("rb") as file:
            content = file.read(MAX_SIZE + 1)
        if len(content) > MAX_SIZE:
            raise _error(reference, "it is too large to be a secret")
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _error(reference, "it is not text") from None
    except OSError as error:
        raise _error(reference, error.strerror or type(error).__name__) from None
    # Editors and `echo` end a file with a line break that is no part of the secret.
    return text.removesuffix("\n").removesuffix("\r")


def _is_text(value: str) -> bool:
    """False for a variable whose bytes are no UTF-8, which os.environ holds as surrogates."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _error(reference: SecretRef, detail: str) -> IdentityError:
    return IdentityError(SecretFault(str(reference), detail))
