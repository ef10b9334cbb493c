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
    r"|signed by unknown authority|pkix path building failed|cert_e_chaining|0x800b010a"
    r"|valid certification path|certpathbuilderexception|trust anchor for certification path"
    r"|locally verify the issuer|issuer is (?:unknown|not recognized)|unknown_?issuer"
    r"|err_cert_authority_invalid|server certificate verification failed\. cafile"
    r"|certificate is not trusted|untrusted_issuer|err_ssl_server_cert_bad"
    r"|doesn't have a known issuer|certificate of .{1,90}is not trusted|0x80072f0d",
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
    r"|cert_e_untrustedroot|0x800b0109|terminated in a root certificate which is not"
    r"|issued by an authority that is not trusted",
    note=("A whole chain came: its root is the stamp's own, or that of a gateway which opens TLS."),
)

NOT_VALID_AT_THIS_TIME = MessagePattern(
    "the certificate is not valid at this time",
    r"nottimevalid|has expired or is not yet valid|err_cert_date_invalid|validity check failed"
    r"|timestamp check failed|0x80072f05",
)

HANDSHAKE_REFUSED = MessagePattern(
    "the server refused the handshake",
    r"alert handshake failure|handshake_failure|no shared cipher|sslv3 alert"
    r"|could not create ssl/tls secure channel|tlsv13?_alert|sec_e_illegal_message|0x80090326"
    r"|alert (?:access denied|internal error|unrecognized name)|tls: (?:handshake failure|internal)"
    r"|received fatal alert|sent a tls alert|alertreceived"
    r"|unrecognized_name",
)

NOT_TRUSTED = MessagePattern(
    "the certificate is not trusted, and it is not said why",
    r"certificate_verify_failed|certificate verify failed|sslcertverificationerror"
    r"|could not establish trust relationship|ssl certificate problem"
    # .NET Framework in German, French, Spanish and Japanese
    r"|keine vertrauensstellung|établir une relation de confiance|establecer una relación de conf"
    r"|certificado remoto no es v|信頼関係を確立できません"
    r"|remote certificate is invalid|remotecertificatechainerrors"
    r"|certificate verification failed\. this typical|err_cert_invalid|openssl ?engine problem"
    r"|certificate validation failed|peer certificate cannot be authenticated"
    r"|invalid peer certificate"
    r"|remotecertificatevalidationcallback|0x80072f8f",
)

TLS_FAILED = MessagePattern(
    "TLS failed",
    r"sslerror|ssl connection could not be established|ssl/tls secure channel|ssl_connect"
    r"|ssl routines|schannel(?!: .{1,90}revo)|sslhandshakeexception|sslexception"
    r"|err_ssl_(?!key_usage|pinned)"
    r"|unable to establish ssl connection|remotecertificatenotavailable",
)

UNNAMED_TLS_FAILURE = MessagePattern(
    "TLS failed before it was up, and it is not said why",
    r"err_ssl_protocol_error|unknown ssl protocol error|no peer certificate available",
)

# What a certificate is not made for, and what OpenSSL's strict mode and Go refuse (PROTOCOL.md
# section 6).
UNSUITABLE_CERTIFICATE = MessagePattern(
    "the certificate, or its CA's, lacks what makes it one for a server",
    r"missing (?:authority|subject) key identifier|basic constraints of ca cert not marked"
    r"|invalid ca certificate|empty issuer name|unsuitable certificate purpose"
    r"|unsupported certificate purpose"
    r"|ca cert does not include key usage|path ?len\w{0,3} (?:constraint|given)|pathlen invalid"
    r"|unhandled critical extension|certificate specifies an incompatible key usage"
    r"|key ?usage does not|notvalidforusage|invalidpurpose|invalid_purpose"
    r"|not standards compliant|cert_e_wrong_usage|0x800b0110|inadequate_(?:key_usage|cert_type)"
    r"|verify error:num=(?:24|25|26|79|8\d|9\d)\b"
    r"|parent certificate cannot (?:issue|sign)|not authorized to sign|key_usage_incompatible"
    r"|cert\w{0,9}[ _](?:has been |is )?revoked|crypt_e_revoked"
    r"|revoked_certificate|subtree violation|name ?constraints",
)

SIGNATURE_FALSE = MessagePattern(
    "a signature in the chain does not match (7)",
    r"certificate signature failure|verify error:num=7\b|signature is invalid"
    r"|sec_error_bad_signature"
    r"|0x80096004|trust_e_cert_signature",
    note="A signature that does not match is a CA that was replaced by one of the same name, or a "
    "gateway that opens TLS and calls itself by the name of a known CA.",
)

CERTIFICATE_FILE_FORBIDDEN = MessagePattern(
    "a file of certificates may not be read",
    r"sslerror\(permissionerror|ssl.{0,60}permission denied.{0,60}\.(?:pem|crt)",
)

CERTIFICATE_FILE_UNREADABLE = MessagePattern(
    "a file of certificates cannot be read",
    r"error setting certificate (?:verify locations|file)|cacertbadfile|curl: \(77\)"
    r"|error adding trust anchors|bio_new_file:(?:system lib|no such)",
)

NOTHING_IN_PEM = MessagePattern(
    "a PEM file holds none of what it should",
    r"no start line|no_start_line|pem routines|pem lib \(|unable to load pem file|invalidbyte\(",
)
