"""How clients say that they do not trust: OpenSSL, requests, curl, .NET, Schannel, Go and Node."""

from __future__ import annotations

from stacktui.diagnosis.sayings.model import Saying

_GAP = (
    "The same words are said of an unknown root, of an intermediate that is not sent, and of a "
    "gateway that opens TLS: only the chain that is presented tells them apart."
)

TLS = (
    Saying(
        "the issuer is not known (20)",
        (
            (
                r"unable to get local issuer certificate|unable_to_get_issuer_cert|partialchain"
                r"|verify error:num=20\b|unable to get issuer certificate|partial chain"
                r"|signed by unknown authority|pkix path building failed|cert_e_chaining"
            ),
        ),
        {"tls-untrusted-root": 84, "tls-missing-intermediate": 83, "tls-intercepted": 82},
        _GAP,
    ),
    Saying(
        "the first certificate cannot be verified (21)",
        (
            (
                r"unable to verify the first certificate|unable_to_verify_leaf_signature"
                r"|verify error:num=21\b"
            ),
        ),
        {"tls-missing-intermediate": 84, "tls-untrusted-root": 76, "tls-intercepted": 74},
        _GAP,
    ),
    Saying(
        "an unknown root is in the chain (19)",
        (
            (
                r"self[- ]signed certificate in (?:the )?certificate chain|untrustedroot"
                r"|self_signed_cert_in_chain|verify error:num=19\b|sec_e_untrusted_root|0x80090325"
                r"|cert_e_untrustedroot|0x800b0109|terminated in a root certificate which is not"
            ),
        ),
        {"tls-untrusted-root": 88, "tls-intercepted": 84},
        "A whole chain came: its root is the stamp's own, or that of a gateway which opens TLS.",
    ),
    Saying(
        "the certificate is its own issuer (18)",
        (
            (
                r"(?<!with a )self[- ]signed certificate(?! in)|depth_zero_self_signed_cert"
                r"|verify error:num=18\b"
            ),
        ),
        {"tls-self-signed": 88},
    ),
    Saying(
        "the certificate has expired",
        (
            (
                r"certificate has expired(?! or)|cert_has_expired|verify error:num=10\b"
                r"|sec_e_cert_expired|0x80090328|certificate expired"
            ),
        ),
        {"tls-expired": 90},
    ),
    Saying(
        "the certificate is not valid at this time",
        (r"nottimevalid|has expired or is not yet valid",),
        {"tls-expired": 88, "tls-not-yet-valid": 86},
    ),
    Saying(
        "the certificate is not valid yet",
        (r"certificate is not yet valid|cert_not_yet_valid|verify error:num=9\b",),
        {"tls-not-yet-valid": 92},
    ),
    Saying(
        "the certificate has another name",
        (
            (
                r"hostname mismatch|ip address mismatch|err_tls_cert_altname_invalid"
                r"|remotecertificatenamemismatch|no alternative certificate subject name"
                r"|certificate is (?:not )?valid for|cert_e_cn_no_match|0x800b010f"
                r"|doesn.t match either of|verify error:num=6[24]\b|does not match target host name"
                r"|sec_e_wrong_principal|0x80090322"
            ),
        ),
        {"tls-name-mismatch": 92},
    ),
    Saying(
        "key, signature or protocol is too weak",
        (
            (
                r"(?:ee|ca) certificate key too weak|(?:ee|ca)[_ ]key[_ ]too[_ ]small"
                r"|ca md too weak|ca_md_too_weak|dh_key_too_small|dh key too small"
                r"|unsupported_protocol|unsupported protocol|alert_protocol_version"
                r"|alert protocol version|insufficient_security|insufficient security"
                r"|unsafe_legacy_renegotiation|unsafe legacy renegotiation|wrong signature type"
                r"|sec_e_algorithm_mismatch|no protocols available"
            ),
        ),
        {"tls-weak": 90},
    ),
    Saying(
        "the server refused the handshake",
        (
            (
                r"alert handshake failure|handshake_failure|no shared cipher"
                r"|sslv3 alert|could not create ssl/tls secure channel|tlsv13?_alert"
                r"|sec_e_illegal_message|0x80090326"
            ),
        ),
        {"tls-weak": 60, "tcp-reset": 40, "tls-not-tls": 36},
    ),
    Saying(
        "the port does not speak TLS",
        (
            (
                r"wrong_version_number|wrong version number|unknown_protocol|http_request\]"
                r"|corrupted frame was received|cannot determine the frame size"
                r"|packet[_ ]length[_ ]too[_ ]long|record_layer_failure|http request to an https"
                r"|first record does not look like a tls handshake|sec_e_invalid_token|0x80090308"
                r"|record too long|ssl_error_rx_record_too_long"
            ),
        ),
        {"tls-not-tls": 90},
    ),
    Saying(
        "the handshake never ended",
        (r"handshake operation timed out|handshake timed? ?out|ssl connection timeout",),
        {"tls-timeout": 92},
    ),
    Saying(
        "the certificate is not trusted, and it is not said why",
        (
            (
                r"certificate_verify_failed|certificate verify failed|sslcertverificationerror"
                r"|could not establish trust relationship|ssl certificate problem"
                r"|remote certificate is invalid|remotecertificatechainerrors"
                r"|certificate verification failed\. this typical|err_cert_authority_invalid"
            ),
        ),
        {
            "tls-untrusted-root": 42,
            "tls-intercepted": 41,
            "tls-missing-intermediate": 40,
            "tls-name-mismatch": 28,
            "tls-expired": 27,
        },
    ),
    Saying(
        "TLS failed",
        (
            (
                r"sslerror|ssl connection could not be established|ssl/tls secure channel"
                r"|ssl_connect|ssl routines|schannel"
            ),
        ),
        {"tls-untrusted-root": 24, "tcp-reset": 20, "tls-not-tls": 20, "tls-weak": 20},
    ),
    Saying(
        "a file of certificates is not there",
        (
            r"could not find a suitable tls ca certificate bundle",
            r"invalid path",
        ),
        {"trust-file-missing": 95},
    ),
    Saying(
        "a file of certificates cannot be read",
        (r"error setting certificate (?:verify locations|file)|cacertbadfile|curl: \(77\)",),
        {"trust-file-missing": 72, "trust-file-bad": 70},
    ),
    Saying(
        "a file of trusted certificates holds none",
        (r"no_certificate_or_crl_found|no certificate or crl found|\[x509\] pem lib",),
        {"trust-file-bad": 95},
    ),
    Saying(
        "a PEM file holds none of what it should",
        (r"no start line|no_start_line|pem routines|pem lib \(",),
        {"trust-file-bad": 64, "sp-cert-unusable": 62},
    ),
    Saying(
        "verification is switched off",
        (
            (
                r"insecurerequestwarning|unverified https request is being made"
                r"|connection verification disabled by environment variable"
                r"|azure_cli_disable_connection_verification|adal_python_ssl_no_verify"
            ),
        ),
        {"verification-off": 85},
    ),
)
