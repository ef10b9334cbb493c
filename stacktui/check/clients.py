"""Whether the Python environments on this machine trust a stamp: each file of roots alone.

Azure's packages for Python send by `requests`, which takes REQUESTS_CA_BUNDLE, then CURL_CA_BUNDLE,
then the certifi of its own environment (PROTOCOL.md section 6).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import certifi

from stacktui.certificates.trust import (
    BASE_VARIABLES,
    CERTIFI,
    TrustFileError,
    TrustFileFault,
    TrustSource,
    TrustUsed,
    build_context,
)
from stacktui.certificates.verify import ROOTLESS, VerifyCode, verify
from stacktui.config.locations import additions_file
from stacktui.environments.model import Environment
from stacktui.python_clients.packages import PythonEnvironment
from stacktui.transport.records import TlsFacts

# A root of that name is in the store, with another key.
_UNTRUSTED = ROOTLESS | {VerifyCode.CERT_SIGNATURE_FAILURE}
_OF_REQUESTS = BASE_VARIABLES[:2]


@dataclass(frozen=True, slots=True)
class PythonClient:
    """A Python environment; `store` is the file of roots that it uses, None where it has none.

    `trusts` says whether that file alone leads to the stamp's root; None where that is not known,
    or nothing there talks to ARM. `fault` says why the file cannot be used.
    """

    environment: PythonEnvironment
    store: TrustSource | None
    trusts: bool | None = None
    fault: TrustFileFault | None = None


def judge_clients(
    found: Sequence[PythonEnvironment],
    environment: Environment,
    chain: Sequence[bytes],
    trusted: Sequence[str] = (),
) -> tuple[PythonClient, ...]:
    """Return whether each trusts a chain of ARM's (DER, leaf first), or a root alone.

    An empty chain leaves it open. `trusted` are files that are known to lead to its root. Blocks on
    disk and on OpenSSL. Never raises.
    """
    host = urlsplit(environment.arm).hostname or ""
    return tuple(_judged(each, _store_of(each), chain, host, trusted) for each in found)


def trusting_files(used: TrustUsed, tls: TlsFacts, found: Sequence[PythonEnvironment]) -> list[str]:
    """Return which of the clients' files are known, without loading them, to trust what ARM showed.

    One that this check trusted ARM by; and where certifi's own roots were enough, every certifi.
    """
    return trusting_bundles(used, tls, [str(each.ca_bundle) for each in found])


def trusting_bundles(used: TrustUsed, tls: TlsFacts, bundles: Sequence[str]) -> list[str]:
    """As `trusting_files`; `bundles` are the certifis of the clients."""
    files = used.files_for(tls.chain, tls.verified_chain) if tls.verified_chain else ()
    if len(files) != 1:
        return []
    if files[0] == certifi.where() and not os.path.exists(additions_file()):
        return list(bundles)
    return list(files)


def variable_store() -> TrustSource | None:
    """Return the file that a variable names for all clients with `requests`, None without one."""
    for variable in _OF_REQUESTS:
        if value := os.environ.get(variable):
            return TrustSource(variable, value)
    return None


def _store_of(environment: PythonEnvironment) -> TrustSource | None:
    if (store := variable_store()) is not None:
        return store
    bundle = environment.ca_bundle
    return TrustSource(CERTIFI, str(bundle)) if bundle is not None else None


def _judged(
    environment: PythonEnvironment,
    store: TrustSource | None,
    chain: Sequence[bytes],
    host: str,
    trusted: Sequence[str],
) -> PythonClient:
    if store is None or not chain or not environment.has_client:
        return PythonClient(environment, store)
    if store.path in trusted:
        return PythonClient(environment, store, True)
    try:
        code = verify(chain, host, build_context(TrustUsed((store,)))).code
    except TrustFileError as error:
        return PythonClient(environment, store, False, error.fault)
    return PythonClient(environment, store, code not in _UNTRUSTED if code >= 0 else None)
