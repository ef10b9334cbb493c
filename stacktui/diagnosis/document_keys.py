"""The keys of the check's JSON document, by the type of the value.

A table, so that a renaming in the code cannot change the public document (`check.schema.json`). A
key takes the attribute of the same name unless another is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stacktui.certificates.chain import Certificate
from stacktui.certificates.trust import TrustFileFault, TrustSource
from stacktui.diagnosis.finding import Action
from stacktui.environments.metadata import Metadata, MetadataFault
from stacktui.environments.record import Drift, DriftFault, RecordFault
from stacktui.identities.faults import (
    AzureCliFault,
    CertificateFault,
    ImdsFault,
    SecretFault,
    SignInFault,
)
from stacktui.identities.token import TokenFacts
from stacktui.resources.model import (
    ArmFault,
    ArmRefusal,
    ResourceGroup,
    ResourceGroupList,
    Subscription,
)
from stacktui.transport.proxy import ProxyUsed
from stacktui.transport.records import (
    Attempt,
    ConnectionFacts,
    Phase,
    ResponseFacts,
    TlsFacts,
    TransportFault,
)


def _keys(*same: str, **attributes: str) -> Mapping[str, str]:
    """Return the attribute of each key, in the document's order."""
    return {key: attributes.get(key, key) for key in (*same, *attributes)}


KEYS: Mapping[type[Any], Mapping[str, str]] = {
    Action: _keys("kind", "key", "value", "host", "port"),
    Attempt: _keys("address", "port", "seconds", "error"),
    ConnectionFacts: _keys(
        "host", "port", "proxy", "addresses", "attempts", "pinned", "tls", "reused"
    ),
    Phase: _keys("name", "host", "seconds", "ok"),
    ProxyUsed: _keys("url", "source", "has_credentials", "unmatched"),
    ResponseFacts: _keys("status", "headers", "size", "excerpt", "received", "clock_skew"),
    TlsFacts: _keys(
        # `document` adds the chain and its root, as certificates.
        "server_name", "protocol", "cipher", "verify_code", "verify_message",
        looked="unverified_probe", code_but_name="verify_code_ignoring_name",
    ),
    TrustSource: _keys("setting", "path"),
    # Results of steps.
    Metadata: _keys(
        "api_version", "login_endpoint", "audience", "identity_provider", "tenant", "graph",
        "portal", "gallery", "storage_suffix", "keyvault_suffix",
    ),
    TokenFacts: _keys(
        "authority", "scope", "audience", "issuer", "tenant", "object_id", "subject", "expires",
        "begins", "certificate_ends",
    ),
    ResourceGroupList: _keys("subscription", "groups", "pages", "cut"),
    ResourceGroup: _keys("name", "location", "state"),
    Subscription: _keys("id", "name", "state"),
    Drift: _keys("field", "recorded", "seen"),
    Certificate: _keys(
        "sha256", "sha1", "md5", "subject", "issuer", "common_name", "issuer_name", "names",
        "not_before", "not_after", "serial", "version", "key_type", "key_bits", "curve",
        "signature", "signature_hash", "key_usage", "extended_key_usage", "issuer_urls", "is_ca",
        "self_issued", "unreadable", "addresses", "other_names", "crl_urls",
    ),
    # Faults; `type` names them in the document.
    ArmFault: _keys(
        "problem", "what", "status", "code", "message", "request_id", "correlation_id", "seen",
        "page_title", "next_refusal",
    ),
    ArmRefusal: _keys("status", "code", "message", "request_id", "correlation_id"),
    AzureCliFault: _keys("problem", "detail", "launcher", "cloud", "code"),
    CertificateFault: _keys("path", "problem", "detail"),
    DriftFault: _keys("drifts", "recorded"),
    ImdsFault: _keys(
        "problem", "endpoint", "by_variable", "status", "error", "description", "page_title",
        "tries", "seconds", "cause", "versions",
    ),
    MetadataFault: _keys(
        "problem", "detail", "status", "field", "position", "page_title", "location", "code",
        "message", "versions",
    ),
    RecordFault: _keys("path", "detail"),
    SecretFault: _keys("reference", "detail"),
    SignInFault: _keys(
        "problem", "authority", "status", "error", "code", "description", "scopes",
        "correlation_id", "secret_looks_like_id", "thumbprint", "page_title",
    ),
    TransportFault: _keys(
        "kind", "host", "port", "detail", "errno", "verify_code", "limit", "setting", "answer",
        "resolvers",
    ),
    TrustFileFault: _keys(
        "setting", "path", "problem", "detail", repairable="is_repairable",
    ),
}  # fmt: skip
FAULT_TYPES: Mapping[type[Any], str] = {
    ArmFault: "ArmFault",
    AzureCliFault: "AzureCliFault",
    CertificateFault: "CertificateFault",
    DriftFault: "DriftFault",
    ImdsFault: "ImdsFault",
    MetadataFault: "MetadataFault",
    RecordFault: "RecordFault",
    SecretFault: "SecretFault",
    SignInFault: "SignInFault",
    TransportFault: "TransportFault",
    TrustFileFault: "TrustFileFault",
}
