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
     ├── ConfigError                  the config cannot be used
     ├── ThemeError                   a theme file cannot be used
     ├── FileReadError                a user's file cannot be read
     ├── ModeError                    a file's mode cannot be read or changed
     ├── JsonError                    an answer is not JSON
     ├── AcceptError                  a stamp cannot be recorded anew
     ├── HistoryError                 the history of checks cannot be read or written
     │    └── DamagedHistoryError     its file is broken, or no database of ours
     ├── CertificateError             certificates cannot be handled as asked
     │    ├── CertificateFileError    a file holds no certificates, or cannot be read
     │    ├── BundleError             a bundle cannot be changed as asked
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
import socket
import ssl
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


# Descriptors, memory, disk, and of fork() processes. Windows' sockets have their own EMFILE, 10024.
_EXHAUSTED = frozenset(
    {
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.ENOBUFS,
        errno.ENOSPC,
        errno.EAGAIN,
        getattr(errno, "EDQUOT", errno.ENOSPC),
        10024,
    }
)
_UNLOADABLE = (
    "failed to map segment",
    *map(os.strerror, (errno.EMFILE, errno.ENFILE, errno.ENOMEM)),
)


def is_exhaustion(error: BaseException) -> bool:
    """Return whether the machine lacks memory, descriptors, threads, processes or disk space.

    Such an error says nothing about the file or the host that it came up at.
    """
    match error:
        case MemoryError():
            return True
        case ssl.SSLError():  # its errno is OpenSSL's own
            # Without a library's name, OpenSSL had no room for an error either.
            return "malloc failure" in str(error) or str(error).startswith("unknown error")
        case socket.gaierror():
            return error.errno == socket.EAI_MEMORY
        case OSError():
            return error.errno in _EXHAUSTED
        case RuntimeError():
            return "can't start new thread" in str(error)
        case ImportError():  # of a compiled module, which the system's loader reads
            return any(text in str(error) for text in _UNLOADABLE)
    return False
