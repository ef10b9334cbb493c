"""Faults of TLS: what is presented, and who trusts it."""

from __future__ import annotations

from stacktui.diagnosis.catalogue import handshake, trust_files
from stacktui.diagnosis.entries.model import (
    AZ_NETWORK,
    EXPORT,
    SET_CLOCK,
    Entry,
    Group,
    entry_of,
    same,
)
from stacktui.diagnosis.finding import Remedy, Side

_AZ_VERIFY = AZ_NETWORK + "SSLCertVerificationError(1, '… certificate verify failed: "
_MATRIX = same(
    "See which trust store on this box trusts which host", "stacktui certificates matrix NAME"
)
_SHOW = same(
    "See what each host of the stamp presents, and until when",
    "stacktui certificates show NAME --all",
)

TLS = (
    entry_of(handshake.TLS_NOT_TLS),
    Entry(
        "tls-untrusted-root",
        Group.TLS,
        (Side.BOX,),
        "The chain is whole; its root is unknown to the trust store in use.",
        "The chain leads to a root, by its own certificate or by its name, and the root is the "
        "stamp's. Where an issuer below the root is not sent, it is `tls-missing-intermediate`; "
        "where the root is a gateway's or another than the one recorded, `tls-intercepted`; a "
        "leaf that is its own issuer is `tls-self-signed`.",
        (
            same(
                "Trust the root as it was presented: you compare its SHA-256 with what the "
                "stamp's operator tells you, and type its last 8 digits",
                "stacktui certificates trust --presented NAME",
            ),
            same(
                "Or from a file (PEM or DER) of the operator's", "stacktui certificates trust FILE"
            ),
            _MATRIX,
            EXPORT,
        ),
        _AZ_VERIFY + "self-signed certificate in certificate chain' / 'unable to get local issuer "
        "certificate')",
    ),
    Entry(
        "tls-missing-intermediate",
        Group.TLS,
        (Side.STAMP,),
        "The server does not send an intermediate certificate of its chain.",
        "What is sent stops below a root, and the issuer that is missing is no root: the chain "
        "can be completed from this box's stores or from the issuer's address (AIA), or the issuer "
        "is named as only CAs below a root are. A missing root alone is `tls-untrusted-root`. "
        "Browsers hide this fault, as they fetch or remember the intermediate.",
        (
            Remedy(
                "The stamp's operator installs the chain whole: the missing certificate goes into "
                "the PFX that serves the host"
            ),
            same(
                "Until then, trust the missing certificate besides the root",
                "stacktui certificates trust FILE",
            ),
            _SHOW,
        ),
        _AZ_VERIFY + "unable to get local issuer certificate' / 'unable to verify the first "
        "certificate')",
    ),
    Entry(
        "tls-self-signed",
        Group.TLS,
        (Side.STAMP,),
        "The certificate is signed by nobody but itself.",
        "One certificate is sent, and its issuer is its subject. A root of its own above it is "
        "`tls-untrusted-root`; an issuer named like a gateway `tls-intercepted`.",
        (
            Remedy(
                "The stamp's operator gives the host a certificate that a CA has issued: all "
                "clients can trust that CA"
            ),
            Remedy(
                "If it should have one, compare its SHA-256 with the operator's: something else "
                "may answer at this address",
                "openssl s_client -connect HOST:443 -servername HOST < /dev/null | openssl x509 "
                "-noout -subject -fingerprint -sha256",
                "'' | openssl s_client -connect HOST:443 -servername HOST | openssl x509 "
                "-noout -subject -fingerprint -sha256",
            ),
        ),
        _AZ_VERIFY + "self-signed certificate')",
    ),
    Entry(
        "tls-intercepted",
        Group.TLS,
        (Side.NETWORK,),
        "Somebody on the way opens TLS: the chain ends in a gateway's root.",
        "The root is named like a gateway's, signs for an unrelated host too, or is another than "
        "the one recorded on the environment's first good check. Where that record is all that "
        "tells, the operator may have renewed the CA just as well, and the title says so. Without "
        "such evidence it is `tls-untrusted-root`. Where this box trusts the other root already, "
        "the check is healthy, and `root-changed` is seen beside it.",
        (
            Remedy("Ask for the stamp's hosts to be exempt from TLS inspection"),
            same(
                "Else trust the gateway's root: compare its SHA-256 with what whoever runs the "
                "gateway tells you",
                "stacktui certificates trust --presented NAME",
            ),
            EXPORT,
            Remedy(
                "Do not switch verification off: then anybody on the way can read your secrets, "
                "not only the gateway"
            ),
        ),
        _AZ_VERIFY + "self-signed certificate in certificate chain' / 'unable to get local issuer "
        "certificate')",
    ),
    Entry(
        "tls-expired",
        Group.TLS,
        (Side.STAMP, Side.BOX),
        "A certificate has expired, or this box's clock is ahead.",
        "The stamp's own clock (Date) is asked first: if by it the chain is valid, this box's "
        "clock is wrong. Else the report names the certificate, how long ago it ended, and "
        "whether it was presented or is in a trust file of this box.",
        (
            Remedy("The stamp's operator renews the certificate (secret rotation)"),
            SET_CLOCK,
            _SHOW,
        ),
        _AZ_VERIFY + "certificate has expired')",
    ),
    Entry(
        "tls-not-yet-valid",
        Group.TLS,
        (Side.STAMP, Side.BOX),
        "A certificate is not valid yet, or this box's clock is behind.",
        "As with `tls-expired`: if by the stamp's own clock (Date) the chain is valid, this "
        "box's clock is wrong. Else the report names the certificate and when it begins.",
        (
            SET_CLOCK,
            Remedy("Else the stamp's operator puts back a certificate that is valid today"),
        ),
        _AZ_VERIFY + "certificate is not yet valid')",
    ),
    Entry(
        "tls-name-mismatch",
        Group.TLS,
        (Side.BOX, Side.STAMP),
        "The certificate is for other names than the one that was asked.",
        "The report has both: the name asked, and the names offered; the nearest one may have "
        "been meant. The chain itself is trusted, unlike in `tls-untrusted-root`. A portal's or "
        "vault's name leads to `metadata-wrong-url`.",
        (
            same(
                "If another name is meant, set it",
                "stacktui environments set NAME arm=https://HOST",
            ),
            Remedy("Else the stamp's operator issues a certificate that names the host"),
        ),
        _AZ_VERIFY + "Hostname mismatch, certificate is not valid for 'HOST'.')",
    ),
    Entry(
        "tls-weak",
        Group.TLS,
        (Side.STAMP,),
        "Key, signature or protocol of the stamp is too weak for this box's rules.",
        "The report says what was offered: the size of the key, the hash of the signature, or "
        "the version of TLS. A handshake that ends without a word is `tcp-reset`.",
        (
            Remedy(
                "The stamp's operator mends it: RSA keys of 2048 bits or more, SHA-256 "
                "signatures, TLS 1.2 or later"
            ),
            Remedy(
                "Do not lower this box's rules (SECLEVEL, MinProtocol): others on the way could "
                "then read your secrets"
            ),
        ),
        _AZ_VERIFY + "EE certificate key too weak') / '[SSL: UNSUPPORTED_PROTOCOL] unsupported "
        "protocol'",
    ),
    entry_of(handshake.TLS_TIMEOUT),
    *map(entry_of, trust_files.FAULTS),
)
