"""What `az` would meet at a stamp's hosts, of what this check has seen; nothing is started or sent.

az sends by `requests`: it trusts the file of REQUESTS_CA_BUNDLE, then of CURL_CA_BUNDLE, then the
certifi of its own Python alone, and how strictly depends on its urllib3 and Python (PROTOCOL.md
section 6). It knows neither the environment's `proxy` nor its `resolve`.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stacktui.azure_cli.facts import AzFacts, AzInstallation
from stacktui.certificates.files import FileProblem
from stacktui.certificates.trust import (
    CERTIFI,
    TrustFileError,
    TrustFileFault,
    TrustSource,
    TrustUsed,
    VerifyRules,
    build_context,
)
from stacktui.certificates.verify import Verification, verify
from stacktui.check.clients import trusting_bundles, variable_store
from stacktui.config.bounded_read import FileReadError, read_bounded
from stacktui.identities.model import CertificateRef, Identity
from stacktui.python_clients.site_packages import is_venv, read_text
from stacktui.transport.proxy import choose_proxy, without_credentials
from stacktui.transport.records import ConnectionFacts

_VERSION = re.compile(r"\d{1,6}")
# The first urllib3 that ignores the CN, and the first that is strict, on the first such Python.
_NO_COMMON_NAME, _STRICT, _STRICT_PYTHON = (2,), (2, 4), (3, 13)
_TRUSTED = Verification(0)
_NO_FOLDER = "it is a folder, where az takes a file"
_CERTIFICATE = re.compile(r"^-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----", re.MULTILINE)
_KEY = re.compile(r"^-----BEGIN (?:RSA |EC )?PRIVATE KEY-----", re.MULTILINE)
_ENCRYPTED = re.compile(
    r"^(?:-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED)", re.MULTILINE
)
_MAX_CERTIFICATE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class AzHost:
    """A host that this check connected to, as az would.

    `verification` is None where `AzClient.fault` says why az verifies nothing, or no chain was
    seen. `way` says how az would connect otherwise than this check did, empty if it would not;
    `unresolved` that the name, which the environment pins, does not exist for az.
    """

    host: str
    port: int
    verification: Verification | None
    way: str = ""
    unresolved: bool = False


@dataclass(frozen=True, slots=True)
class AzClient:
    """An `az`, the file of roots that it uses, and the hosts, in the order of this check.

    `fault` says why that file cannot be used. `certificate` says why az cannot read the file that
    the identity signs in with; empty if it can, or if there is none. `missing` is the Python that
    its launcher starts, where that is not there, else empty. `has_keyring` is False where that
    Python cannot import PyGObject, and None where that is not known.
    """

    installation: AzInstallation
    store: TrustSource | None
    fault: TrustFileFault | None
    hosts: tuple[AzHost, ...]
    certificate: str = ""
    missing: str = ""
    has_keyring: bool | None = None


def az_clients(
    az: AzFacts,
    connections: Sequence[ConnectionFacts],
    used: TrustUsed,
    identity: Identity | None,
    resolved: Mapping[str, tuple[str, ...] | None],
) -> tuple[AzClient, ...]:
    """Return what each `az` would meet. `used` is what this check trusts.

    `resolved` are the addresses that a resolver has of the names that the environment pins, None
    where it does not answer. Blocks on disk and on OpenSSL. Never raises.
    """
    reached = {(each.host, each.port): each for each in connections}
    ways = {key: _way(each, resolved.get(each.host)) for key, each in reached.items()}
    certificate = _why_no_certificate(identity)
    unknown = (AzInstallation(launcher, "") for launcher in az.unknown)
    return tuple(
        _client(each, reached, ways, used, certificate) for each in (*az.installations, *unknown)
    )


_Key = tuple[str, int]


def _client(
    installation: AzInstallation,
    reached: dict[_Key, ConnectionFacts],
    ways: dict[_Key, tuple[str, bool]],
    used: TrustUsed,
    certificate: str,
) -> AzClient:
    store, rules = _store_of(installation), rules_of(installation)
    # Where the check saw no chain, a file of roots may be why, and az's too.
    seen = any(each.tls and each.tls.chain for each in reached.values())
    fault = _fault_of(store, rules) if store is not None and not seen else None
    hosts = []
    for key, connection in reached.items():
        verification: Verification | None = None
        if store is not None and fault is None:
            try:
                verification = _verified(connection, store, rules, used)
            except TrustFileError as error:
                fault = error.fault
        hosts.append(AzHost(*key, verification, *ways[key]))
    # az verifies the registration with a folder, and then wants no folder when it signs in.
    if store is not None and fault is None and _is_refused_folder(store, hosts):
        fault = TrustFileFault(store.setting, store.path, FileProblem.UNREADABLE, _NO_FOLDER)
    interpreter = installation.interpreter
    missing = interpreter if interpreter and not os.path.exists(interpreter) else ""
    return AzClient(
        installation, store, fault, tuple(hosts), certificate, missing, _has_keyring(interpreter)
    )


def _has_keyring(interpreter: str) -> bool | None:
    """Return False for a virtual environment without PyGObject, None for what cannot be told."""
    prefix = Path(interpreter).parent.parent
    if not interpreter or not is_venv(str(prefix)):
        return None
    if "include-system-site-packages = true" in read_text(str(prefix / "pyvenv.cfg")):
        return None
    return None if any(prefix.glob("lib*/python3*/site-packages/gi")) else False


def _is_refused_folder(store: TrustSource, hosts: Sequence[AzHost]) -> bool:
    """Return whether a folder is all that stops az: requests takes one (2.66, `core/_debug.py`)."""
    if store.setting != "REQUESTS_CA_BUNDLE" or not os.path.isdir(store.path):
        return False
    return all(each.verification is None or each.verification.ok for each in hosts)


def _fault_of(store: TrustSource, rules: VerifyRules) -> TrustFileFault | None:
    try:
        build_context(TrustUsed((store,)), rules)
    except TrustFileError as error:
        return error.fault
    return None


def _store_of(installation: AzInstallation) -> TrustSource | None:
    if (store := variable_store()) is not None:
        return store
    bundle = installation.ca_bundle
    return TrustSource(CERTIFI, str(bundle)) if bundle is not None else None


def rules_of(installation: AzInstallation) -> VerifyRules:
    urllib3, python = _numbers(installation.urllib3), _numbers(installation.python)
    return VerifyRules(
        common_name=bool(urllib3) and urllib3 < _NO_COMMON_NAME,
        strict=urllib3 >= _STRICT and python >= _STRICT_PYTHON,
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in _VERSION.findall(version)[:3])


def _verified(
    connection: ConnectionFacts, store: TrustSource, rules: VerifyRules, used: TrustUsed
) -> Verification | None:
    tls = connection.tls
    if tls is None or not tls.chain:
        return None
    if rules == VerifyRules() and store.path in trusting_bundles(used, tls, (store.path,)):
        return _TRUSTED  # without loading the file: this check has verified with it
    return verify(tls.chain, connection.host, build_context(TrustUsed((store,)), rules))


def _way(connection: ConnectionFacts, addresses: tuple[str, ...] | None) -> tuple[str, bool]:
    """Return how az would connect otherwise, and whether it would not find the name."""
    host, port, ours = connection.host, connection.port, connection.proxy
    try:
        proxy, theirs = choose_proxy(host, port, None)
    except ValueError:
        return "a proxy variable of this shell cannot be read", False
    if theirs.url != ours.url:
        way = "directly" if theirs.url is None else f"through {without_credentials(theirs.url)}"
        return f"az connects to {host} {way} ({theirs.source}), this check did not", False
    if connection.pinned is None or proxy is not None:
        return "", False
    if addresses is None:
        return f"az asks the resolver for {host}, which did not answer", False
    if not addresses:
        return "", True
    if any(_same_address(connection.pinned, each, port) for each in addresses):
        return "", False
    return f"az reaches {host} at {addresses[0]}, this check at {connection.pinned}", False


def _same_address(pinned: str, address: str, port: int) -> bool:
    return pinned in (address, f"{address}:{port}", f"[{address}]:{port}")


def _why_no_certificate(identity: Identity | None) -> str:
    """Return why az cannot read the identity's certificate.

    az 2.66 to 2.91 read the file as text, want a certificate and a key without a password in it,
    and give the whole of it to MSAL, which takes ASCII alone.
    """
    reference = identity.credential if identity else None
    if not isinstance(reference, CertificateRef):
        return ""
    try:
        content = read_bounded(Path(reference.path), _MAX_CERTIFICATE)
    except FileReadError as error:
        return error.detail
    return next(_flaws(content), "")


def _flaws(content: bytes) -> Iterator[str]:
    if content.startswith(codecs.BOM_UTF8):
        yield "it begins with a byte-order mark"
    try:
        text = content.decode("utf-8")
    except ValueError:
        yield "it is no PEM file (az takes no PFX)"
        return
    if not text.isascii():
        yield "it holds characters that are not ASCII"
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _CERTIFICATE.search(text) is None:
        yield "it holds no certificate"
    if _ENCRYPTED.search(text):
        yield "its key is encrypted, and az takes no password for it"
    elif _KEY.search(text) is None:
        yield "it holds no private key"
