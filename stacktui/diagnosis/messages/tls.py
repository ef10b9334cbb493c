"""Messages of TLS stacks that several faults share: OpenSSL, requests, curl, .NET, Schannel, Go."""

from __future__ import annotations

from stacktui.diagnosis.message_pattern import MessagePattern

_GAP = (
    "The same words are said of an unknown root, of an intermediate that is not sent, and of a "
    "gateway that opens TLS: only the chain that is presented tells them apart."
)

ISSUER_UNKNOWN = MessagePattern(
    "the issuer is not known (20)",
    r"unable to get local issuer certificate|unable_to_get_issuer_cert|partialchain"
    r"|verify error:num=20\b|unable to get issuer certificate|partial chain"
    r"|signed by unknown authority|pkix path building failed|cert_e_chaining",
    note=_GAP,
)

FIRST_CERTIFICATE_UNVERIFIED = MessagePattern(
    "the first certificate cannot be verified (21)",
    r"unable to verify the first certificate|unable_to_verify_leaf_signature"
    r"|verify error:num=21\b",
    note=_GAP,
)

UNKNOWN_ROOT_IN_CHAIN = MessagePattern(
    "an unknown root is in the chain (19)",
    r"self[- ]signed certificate in (?:the )?certificate chain|untrustedroot"
    r"|self_signed_cert_in_chain|verify error:num=19\b|sec_e_untrusted_root|0x80090325"
    r"|cert_e_untrustedroot|0x800b0109|terminated in a root certificate which is not",
    note=("A whole chain came: its root is the stamp's own, or that of a gateway which opens TLS."),
)

NOT_VALID_AT_THIS_TIME = MessagePattern(
    "the certificate is not valid at this time", r"nottimevalid|has expired or is not yet valid"
)

HANDSHAKE_REFUSED = MessagePattern(
    "the server refused the handshake",
    r"alert handshake failure|handshake_failure|no shared cipher|sslv3 alert"
    r"|could not create ssl/tls secure channel|tlsv13?_alert|sec_e_illegal_message"
    r"|0x80090326",
)

NOT_TRUSTED = MessagePattern(
    "the certificate is not trusted, and it is not said why",
    r"certificate_verify_failed|certificate verify failed|sslcertverificationerror"
    r"|could not establish trust relationship|ssl certificate problem"
    r"|remote certificate is invalid|remotecertificatechainerrors"
    r"|certificate verification failed\. this typical|err_cert_authority_invalid",
)

TLS_FAILED = MessagePattern(
    "TLS failed",
    r"sslerror|ssl connection could not be established|ssl/tls secure channel|ssl_connect"
    r"|ssl routines|schannel",
)

CERTIFICATE_FILE_UNREADABLE = MessagePattern(
    "a file of certificates cannot be read",
    r"error setting certificate (?:verify locations|file)|cacertbadfile|curl: \(77\)",
)

NOTHING_IN_PEM = MessagePattern(
    "a PEM file holds none of what it should",
    r"no start line|no_start_line|pem routines|pem lib \(",
)
