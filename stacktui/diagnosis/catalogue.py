"""The catalogue: every rule, in the order in which a check would meet its fault."""

from __future__ import annotations

from stacktui.diagnosis.rules import (
    interception,
    metadata,
    reach,
    resources,
    tls,
    token,
    trust,
)

RULES = (
    # trust files
    trust.trust_file_missing,
    trust.trust_file_bad,
    # reach
    reach.dns_not_found,
    reach.tcp_refused,
    # TLS
    tls.tls_expired,
    tls.tls_expired_here,
    tls.tls_name_mismatch,
    interception.tls_intercepted,
    tls.tls_untrusted_root,
    # metadata
    metadata.metadata_intercepted,
    metadata.metadata_not_json,
    # token
    token.secret_missing,
    token.sp_cert_unusable,
    token.sp_secret_wrong,
    # resources
    resources.arm_forbidden,
    resources.arm_server_error,
)
