"""The trust sources: a base store, plus stacktui's own bundle, plus the environment's `ca`.

They add up, and do not replace each other: a stamp under Entra has a private root on ARM and a
public one on the login host, so a bundle with only the private root breaks sign-in.
"""

from __future__ import annotations

import os
import re
import ssl
import threading
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from stacktui.certificates.file_repair import DefectKind, repair_of
from stacktui.certificates.files import (
    MAX_SIZE,
    WHAT,
    CertificateFileError,
    FileProblem,
    entries,
    problem_of,
    read_content,
)
from stacktui.errors import FaultError, is_exhaustion
from stacktui.text.sanitize import escape_control_chars

# The variables that name the base store: those of `requests`, and so of az, in its order; then that
# of OpenSSL.
BASE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
# The setting of the base store that none of them names.
CERTIFI = "certifi"


@dataclass(frozen=True, slots=True)
class TrustSource:
    """One file of certificates in use; `setting` names it (`REQUESTS_CA_BUNDLE`, `ca`)."""

    setting: str
    path: str


@dataclass(frozen=True, slots=True)
class TrustUsed:
    """The files that a check trusts, base first."""

    sources: tuple[TrustSource, ...]

    def files_for(
        self, presented: tuple[bytes, ...], verified: tuple[bytes, ...]
    ) -> tuple[str, ...]:
        """Return the files by which another program trusts a chain as we did: one, if that does.

        Both are in DER; `verified` is the path to the root, empty where there was none. Where
        nothing was presented either, each file may be needed. A directory ends with a separator.
        """
        files = tuple(
            os.path.join(each.path, "") if os.path.isdir(each.path) else each.path
            for each in reversed(self.sources)
        )
        if not verified:
            return files[:1] if presented else files
        needed = frozenset({verified[-1], *set(verified).difference(presented)})
        held = {path: _held(path, needed) for path in files}
        alone = [path for path in files if held[path] == needed]
        return tuple(alone[:1]) or tuple(filter(held.get, files)) or files


@lru_cache(64)  # a base store takes some milliseconds, and each request of a session asks
def _held(path: str, wanted: frozenset[bytes]) -> frozenset[bytes]:
    """Return those of some certificates (DER) that a file, or those of a directory, hold as PEM."""
    found, text = Path(path), b""
    for each in found.iterdir() if found.is_dir() else (found,):
        with suppress(OSError):
            if each.is_file() and each.stat().st_size <= MAX_SIZE:
                text += b"".join(each.read_bytes().split())
    return frozenset(der for der in wanted if b64encode(der) in text)


@dataclass(frozen=True, slots=True)
class VerifyRules:
    """How a client verifies a chain; the default is our own way.

    `common_name`: a host name in the CN counts where there is no SAN, as with urllib3 1. `strict`:
    RFC 5280 is enforced (`VERIFY_X509_STRICT`), and an intermediate in the store is enough
    (`PARTIAL_CHAIN`), as with urllib3 2.4 on Python 3.13 (PROTOCOL.md section 6).
    """

    common_name: bool = False
    strict: bool = False


OUR_RULES = VerifyRules()


_ALL_REFUSED = "OpenSSL refuses all of it for the damaged certificate"
# The other problems say it all.
_DETAILED = (
    FileProblem.UNREADABLE,
    FileProblem.TOO_LARGE,
    FileProblem.NO_CERTIFICATE,
)


@dataclass(frozen=True, slots=True)
class TrustFileFault:
    """A file of certificates that cannot be used; `setting` is what names it.

    `is_repairable` says that its form is all that is wrong, and `certificates repair` puts it
    right; then `detail` says on which line what is wrong.
    """

    setting: str
    path: str
    problem: FileProblem
    detail: str = ""
    is_repairable: bool = False

    @property
    def is_named(self) -> bool:
        """Whether a setting of the user's names it: a variable, or `ca`. Else it is where it is."""
        return self.setting.isupper() or self.setting == "ca"

    @property
    def is_partly_good(self) -> bool:
        """Whether the file also holds certificates that are not damaged."""
        return self.is_repairable or self.detail.startswith(_ALL_REFUSED)

    @property
    def what(self) -> str:
        """What is wrong with it, to follow its name."""
        if self.is_repairable and self.problem is not FileProblem.DER:
            return f"{WHAT[self.problem]} as it stands"
        return WHAT[self.problem]

    @property
    def subject(self) -> str:
        """The beginning of a sentence on it."""
        if self.is_named:
            return f"{self.setting} names {self.path}, which"
        return f"{self.setting}: {self.path}"

    def __str__(self) -> str:
        why = f" ({self.detail})" if self.detail and self.problem in _DETAILED else ""
        return f"{self.subject} {self.what}{why}"


class TrustFileError(FaultError[TrustFileFault]):
    """A context cannot be built because one of its files cannot be used."""


def ca_sources(ca: Path | None, own_bundle: Path) -> TrustUsed:
    """Return the trust sources of an environment with this `ca`; reads the current variables."""
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

    return TrustSource(CERTIFI, certifi.where())


# A file as it was: its path, its times of change (of content and of inode) and its size.
Stamp = tuple[str, int, int, int]
# Contexts by what they trust, and what files held, the least recently used first. A context with a
# base store takes about 1 MB; environments with a file each often have one root.
_contexts: OrderedDict[tuple[object, ...], ssl.SSLContext] = OrderedDict()
_contents: OrderedDict[Stamp, object] = OrderedDict()
_CONTEXTS, _CONTENTS = 32, 2048
_building = threading.Lock()


def known_context(used: TrustUsed) -> ssl.SSLContext | None:
    """Return the context that `build_context` built from the same unchanged files, if any.

    Raises TrustFileError if a file is missing.
    """
    # Without the lock, which whoever builds one holds for long: this must not block.
    contents = [_contents.get(stamp_of(source)) for source in used.sources]
    return None if None in contents else _contexts.get(tuple(contents))


def build_context(used: TrustUsed, rules: VerifyRules = OUR_RULES) -> ssl.SSLContext:
    """Return a verifying client context with all of `used`; TLS 1.2 and later.

    Cached for files with the same content, as parsing a base store costs more than a handshake.
    Blocks on disk. Raises TrustFileError.
    """
    with _building:  # who comes second waits for the first one's work
        contents = tuple(_content_of(source) for source in used.sources)
        key = contents if rules == OUR_RULES else (*contents, rules)
        if (context := _cached(key)) is not None:
            return context
        context = new_context(used.sources, rules)
        _contexts[key] = context
        if len(_contexts) > _CONTEXTS:
            _contexts.popitem(last=False)
        return context


def _cached(key: tuple[object, ...]) -> ssl.SSLContext | None:
    if (context := _contexts.get(key)) is not None:
        _contexts.move_to_end(key)
    return context


def _content_of(source: TrustSource) -> object:
    """Return a key of what OpenSSL reads from a source: a file's digest, else how it is there."""
    stamp = stamp_of(source)
    if (known := _contents.get(stamp)) is not None:
        return known
    content: object = stamp
    path = Path(source.path)
    if path.is_file() and stamp[-1] <= MAX_SIZE:
        with suppress(OSError):  # `_load` says what is wrong with it
            content = sha256(path.read_bytes()).digest()
    _contents[stamp] = content
    if len(_contents) > _CONTENTS:
        _contents.popitem(last=False)
    return content


def new_context(sources: Iterable[TrustSource], rules: VerifyRules = OUR_RULES) -> ssl.SSLContext:
    """Build a verifying client context with these sources alone. Blocks on disk.

    Raises TrustFileError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.hostname_checks_common_name = rules.common_name
    if rules.strict:
        context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    # Some distributions' Python leaves this to OpenSSL, which may allow less.
    context.minimum_version = max(context.minimum_version, ssl.TLSVersion.TLSv1_2)
    for source in sources:
        _load(context, source)
    return context


def stamp_of(source: TrustSource) -> Stamp:
    """Return what changes when the file changes, without its path. Raises TrustFileError."""
    try:
        status = Path(source.path).stat()
    except (OSError, ValueError) as error:
        if is_exhaustion(error):
            raise
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        problem = FileProblem.MISSING if missing else FileProblem.UNREADABLE
        raise source_error(source, problem, _reason(error)) from None
    return source.path, status.st_mtime_ns, status.st_ctime_ns, status.st_size


def _load(context: ssl.SSLContext, source: TrustSource) -> None:
    path = Path(source.path)
    if path.is_dir():
        # A directory in OpenSSL's hashed form, as requests and OpenSSL accept it too.
        context.load_verify_locations(capath=source.path)
        return
    if not path.is_file():  # a FIFO or a device would block for ever
        raise source_error(source, FileProblem.UNREADABLE, "not a regular file")
    if path.stat().st_size > MAX_SIZE:
        raise source_error(source, FileProblem.TOO_LARGE, f"over {MAX_SIZE} bytes")
    try:
        # The file itself, not its text: OpenSSL skips the comments between certificates.
        context.load_verify_locations(cafile=source.path)
    except ssl.SSLError as error:
        if is_exhaustion(error):
            raise
        problem, damage, repairable = _problem(path)
        damage = damage or _openssl_reason(error)
        raise source_error(source, problem, damage, repairable=repairable) from None
    except OSError as error:
        if is_exhaustion(error):
            raise
        raise source_error(source, FileProblem.UNREADABLE, _reason(error)) from None


def _problem(path: Path) -> tuple[FileProblem, str, bool]:
    """Return what is wrong with a file that OpenSSL refuses, with the line of a damaged entry.

    The last says whether `certificates repair` puts it right.
    """
    try:
        content = read_content(path)
    except CertificateFileError as error:
        return error.problem, error.detail, False
    repair = repair_of(content)
    if repair is not None and any(each.kind is not DefectKind.DER for each in repair.defects):
        return FileProblem.NO_CERTIFICATE, str(repair), True
    found = list(entries(content))
    damaged = next((each.line for each in found if not each.der), None)
    if damaged is None or not any(each.der for each in found):
        return problem_of(content), "", repair is not None
    detail = f"{_ALL_REFUSED} at line {damaged}"
    return FileProblem.NO_CERTIFICATE, detail, False


def _openssl_reason(error: ssl.SSLError) -> str:
    """Return `no certificate or crl found`, without the position in CPython's source."""
    if error.reason:
        return error.reason.replace("_", " ").lower()
    return re.sub(r"^\[\w+\] | \(_ssl\.c:\d+\)$", "", str(error))


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def source_error(
    source: TrustSource, problem: FileProblem, detail: str, *, repairable: bool = False
) -> TrustFileError:
    """Return the error for a file that cannot be used."""
    fault = TrustFileFault(
        source.setting,
        escape_control_chars(source.path),
        problem,
        escape_control_chars(detail),
        repairable,
    )
    return TrustFileError(fault)
