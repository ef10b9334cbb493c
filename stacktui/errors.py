"""The product's errors, as one tree. Light to import.

    StacktuiError                     `str()` is one harmless line that may be shown
     ├── FaultError                   `fault` is frozen data, which the diagnosis reads
     │    ├── TransportError          a request got no whole answer
     │    ├── TrustFileError          a file of trusted certificates cannot be used
     │    ├── MetadataError           an answer is no usable metadata
     │    ├── DriftError              the metadata names another login host than was recorded
     │    ├── RecordError             what was recorded of a stamp cannot be read
     │    ├── IdentityError           an identity gets no token
     │    └── ArmError                ARM did not give what it was asked for
 │         └── OperationError     a long-running operation failed, or cannot be followed
     ├── ConfigError                  the config cannot be used
     ├── ReadOnlyError                something was to be changed in read-only mode
     ├── EditorError                  the user's editor cannot be run
     ├── ThemeError                   a theme file cannot be used
     ├── PrincipalError               an identity's object id cannot be found out
     ├── ChangeError                  something in ARM cannot be changed as asked
     │    ├── ManagedIdentityError    a managed identity cannot be made or used as asked
     │    ├── RegistrationError       a provider is not registered, or that is not known
     │    └── GroupChangeError        a resource group cannot be made, tagged or deleted as asked
     ├── OperationsFileError          what is remembered of operations cannot be read or written
     ├── UnreadError                  ARM was not read, for the reason that its message gives
     ├── AzFileError                  a file of az's cannot be used or changed
     ├── FileReadError                a user's file cannot be read
     ├── ModeError                    a file's mode cannot be read or changed
     ├── JsonError                    an answer is not JSON
     ├── UnknownFormError             a text to import carries no environment in a known form
     ├── AcceptError                  a stamp cannot be recorded anew
     ├── GrantError                   a role is not granted as another identity
     ├── AliasFetchError              the document of VM image aliases cannot be fetched
     ├── HistoryError                 the history of checks cannot be read or written
     │    └── DamagedHistoryError     its file is broken, or no database of ours
     ├── CertificateError             certificates cannot be handled as asked
     │    ├── CertificateFileError    a file holds no certificates, or cannot be read
     │    ├── BundleError             a bundle cannot be changed as asked
     │    ├── RepairError             a file of certificates cannot be written as it was meant
     │    └── KeyBundleError          a certificate with its key cannot be read or written
     │         ├── PasswordError      its password is wrong or missing
     │         └── PrivateKeyError    its private key cannot be read
     └── CommandError                 a command does not do what was asked (exit code 2)
          └── RemoteError             for a fault of the other side (exit code 1)

Each is defined where it is raised. A FaultError never leaves a check: the step's evidence holds
its fault. What this machine runs out of (`is_exhaustion`) is no fault of a file or a host: whoever
turns an OSError into one of these lets it pass first.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import Generic, TypeVar

from stacktui.text.sanitize import escape_control_chars

F = TypeVar("F")


class StacktuiError(Exception):
    """Base of every error that the product raises on purpose."""

    def __init__(self, message: str) -> None:
        super().__init__(escape_control_chars(message))


class FaultError(StacktuiError, Generic[F]):
    """Carries a fault as data; its message is the fault's own `str()`."""

    def __init__(self, fault: F) -> None:
        super().__init__(str(fault))
        self.fault = fault


_MEMORY = "out of memory: end other programs, or raise the limit (ulimit -v)"
_FILES = "too many open files: raise the limit (ulimit -n), or end other programs"
_THREADS = "cannot start a thread: raise the limit (ulimit -u), or end other programs"
_DISK = "no space left on the disk: make room on it"
# EAGAIN is fork's, where there are too many processes. 10024 is EMFILE of Windows' sockets.
_EXHAUSTED = {
    errno.EMFILE: _FILES,
    errno.ENFILE: _FILES,
    10024: _FILES,
    errno.ENOMEM: _MEMORY,
    errno.ENOBUFS: _MEMORY,
    errno.EAGAIN: _THREADS,
    errno.ENOSPC: _DISK,
    getattr(errno, "EDQUOT", errno.ENOSPC): _DISK,
    errno.EFBIG: "a file may not grow further: raise the limit (ulimit -f)",
}
# How the system's loader says it, of a compiled module, and CPython, of a failure without an error.
_NOT_LOADED = {
    "failed to map segment": _MEMORY,
    "without setting an exception": _MEMORY,
    os.strerror(errno.ENOMEM): _MEMORY,
    os.strerror(errno.EMFILE): _FILES,
    os.strerror(errno.ENFILE): _FILES,
}


def is_exhaustion(error: BaseException) -> bool:
    """Return whether the machine lacks memory, descriptors, threads, processes or disk space.

    Such an error says nothing about the file or the host that it came up at.
    """
    return bool(exhausted_resource(error))


def exhausted_resource(error: BaseException) -> str:
    """Return what the machine lacks, with what helps, in one line; empty for any other error."""
    # Who raised one of their errors has imported these; they are too slow for every start.
    ssl, socket = sys.modules.get("ssl"), sys.modules.get("socket")
    match error:
        case MemoryError():
            return _MEMORY
        case OSError() if ssl and isinstance(error, ssl.SSLError):  # its errno is OpenSSL's own
            # Without a library's name, OpenSSL had no room for an error either.
            told = "malloc failure" in str(error) or str(error).startswith("unknown error")
            return _MEMORY if told else ""
        case OSError() if socket and isinstance(error, socket.gaierror):
            return _MEMORY if error.errno == socket.EAI_MEMORY else ""
        case OSError():
            return _EXHAUSTED.get(error.errno or 0, "")
        case RuntimeError():
            return _THREADS if "can't start new thread" in str(error) else ""
        case ImportError() | SystemError():
            said = str(error)
            return next((what for words, what in _NOT_LOADED.items() if words in said), "")
    return ""
