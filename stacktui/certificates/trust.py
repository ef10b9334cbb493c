"""What is trusted: a base store, plus stacktui's own bundle, plus the environment's `ca`.

Plus, not instead: a stamp under Entra has a private root on ARM and a public one on the login
host, and a bundle with the private root alone breaks sign-in (DESIGN.md, Trust and secrets).
"""

from __future__ import annotations

import os
import ssl
import threading
from dataclasses import dataclass
from pathlib import Path

from stacktui.certificates.files import (
    MAX_SIZE,
    CertificateFileError,
    FileProblem,
    problem_of,
    read_content,
)
from stacktui.transport.text import visible

# What names the base store, in the order in which our users' other programs look.
BASE_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True)
class TrustSource:
    """One file of certificates in use. `setting` is what names it (`REQUESTS_CA_BUNDLE`, `ca`)."""

    setting: str
    path: str


@dataclass(frozen=True, slots=True)
class TrustUsed:
    """The files a check trusts, base first."""

    sources: tuple[TrustSource, ...]


@dataclass(frozen=True, slots=True)
class TrustFileFault:
    """A file of certificates that cannot be used; `setting` names who asked for it."""

    setting: str
    path: str
    problem: FileProblem
    detail: str = ""


class TrustFileError(Exception):
    """Raised when a context is to be built from an unusable file; carries the fault as data."""

    def __init__(self, fault: TrustFileFault) -> None:
        super().__init__(f"{fault.setting} names {fault.path}: {fault.problem}")
        self.fault = fault


def sources_for(ca: Path | None, own_bundle: Path) -> TrustUsed:
    """The files that count for an environment whose `ca` is given, by today's variables."""
    sources = [_base()]
    # Unlike Path.exists, this takes a folder that may not be searched for one without a bundle.
    if os.path.exists(own_bundle):
        sources.append(TrustSource("own bundle", str(own_bundle)))
    if ca is not None:
        sources.append(TrustSource("ca", str(ca)))
    return TrustUsed(tuple(sources))


def _base() -> TrustSource:
    for variable in BASE_VARIABLES:
        if value := os.environ.get(variable):
            return TrustSource(variable, value)
    import certifi

    return TrustSource("certifi", certifi.where())


# A file as it was: its path, its times of change (of content and of inode) and its size.
_Stamp = tuple[str, int, int, int]
_contexts: dict[tuple[_Stamp, ...], ssl.SSLContext] = {}
_building = threading.Lock()


def known_context(used: TrustUsed) -> ssl.SSLContext | None:
    """The context that `build_context` has built from the same unchanged files, if it has.

    Raises TrustFileError for a file that is not there.
    """
    return _contexts.get(tuple(_stamp(source) for source in used.sources))


def build_context(used: TrustUsed) -> ssl.SSLContext:
    """A verifying client context over all of `used`; TLS 1.2 and later.

    The same unchanged files give the same context again, as parsing a base store costs more than
    a handshake. Blocks on disk. Raises TrustFileError.
    """
    key = tuple(_stamp(source) for source in used.sources)
    with _building:  # who comes second waits for the first one's work
        if (context := _contexts.get(key)) is not None:
            return context
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        for source in used.sources:
            _load(context, source)
        _contexts.clear()  # one set of files is in use at a time; older ones would pile up
        _contexts[key] = context
        return context


def _stamp(source: TrustSource) -> _Stamp:
    try:
        status = Path(source.path).stat()
    except (OSError, ValueError) as error:
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        problem = FileProblem.MISSING if missing else FileProblem.UNREADABLE
        raise _error(source, problem, _reason(error)) from None
    return source.path, status.st_mtime_ns, status.st_ctime_ns, status.st_size


def _load(context: ssl.SSLContext, source: TrustSource) -> None:
    path = Path(source.path)
    if path.is_dir():
        # A directory in OpenSSL's hashed form, as requests and OpenSSL accept it too.
        context.load_verify_locations(capath=source.path)
        return
    if not path.is_file():  # a FIFO or a device would block for ever
        raise _error(source, FileProblem.UNREADABLE, "not a regular file")
    if path.stat().st_size > MAX_SIZE:
        raise _error(source, FileProblem.TOO_LARGE, f"over {MAX_SIZE} bytes")
    try:
        # The file itself, not its text: OpenSSL skips the comments between certificates.
        context.load_verify_locations(cafile=source.path)
    except ssl.SSLError as error:
        problem = _problem(path)
        raise _error(source, problem, visible(error.reason or str(error))) from None
    except OSError as error:
        raise _error(source, FileProblem.UNREADABLE, _reason(error)) from None


def _problem(path: Path) -> FileProblem:
    try:
        return problem_of(read_content(path))
    except CertificateFileError as error:
        return error.problem


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _error(source: TrustSource, problem: FileProblem, detail: str) -> TrustFileError:
    fault = TrustFileFault(source.setting, visible(source.path), problem, detail)
    return TrustFileError(fault)
