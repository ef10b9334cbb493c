"""The vendor's rules on a file to deploy: how a PFX is packed, and where its CRL is.

The source is the readiness checker's page of remedies ("Fix common issues with Azure Stack Hub PKI
certificates"): PFX encryption, Read PFX, Private key, HTTP CRL.
"""

from __future__ import annotations

from stacktui.certificates.levels import Level
from stacktui.certificates.pfx import TRIPLE_DES
from stacktui.certificates.readiness import CertificateUnderTest, Rule, Source, Verdict

REPACK = "pack it again: stacktui certificates convert IN OUT.pfx"
_UNREAD = "how the PFX is packed cannot be read: it is not DER"


def _encryption(tested: CertificateUnderTest) -> Verdict:
    if tested.source is not Source.PFX:
        return None
    if tested.pfx is None:
        return Level.SKIPPED, _UNREAD
    if "" in tested.pfx.keys:
        return Level.FAIL, "the private key is not encrypted"
    ciphers = dict.fromkeys((*tested.pfx.keys, *filter(None, tested.pfx.certificates)))
    others = [each for each in ciphers if each != TRIPLE_DES]
    if others:
        return Level.FAIL, f"encrypted with {', '.join(others)}; {TRIPLE_DES} is needed"
    return Level.PASS, TRIPLE_DES


def _privacy(tested: CertificateUnderTest) -> Verdict:
    if tested.source is not Source.PFX:
        return None
    if tested.pfx is None:
        return Level.SKIPPED, _UNREAD
    if "" in tested.pfx.certificates:
        return (
            Level.WARNING,
            "the certificates are not encrypted: the password is the key's only",
        )
    return Level.PASS, "the certificates are encrypted too"


def _password(tested: CertificateUnderTest) -> Verdict:
    if tested.source is not Source.PFX:
        return None
    if tested.pfx is None:
        return Level.SKIPPED, _UNREAD
    if not tested.pfx.has_mac:
        return Level.FAIL, "it has no MAC: nothing shows that the password is right"
    if tested.pfx.empty_password:
        return Level.FAIL, "its password is empty"
    return Level.PASS, "a password and its MAC protect it"


def _local_machine(tested: CertificateUnderTest) -> Verdict:
    if tested.source is not Source.PFX:
        return None
    if tested.pfx is None or tested.pfx.local_machine is None:
        return Level.SKIPPED, "the attributes of the private key cannot be read"
    if not tested.pfx.local_machine:
        return Level.FAIL, "the private key has no local-machine attribute"
    return Level.PASS, "the private key is for the machine's store"


def _http_crl(tested: CertificateUnderTest) -> Verdict:
    if tested.source is Source.LIVE:
        return None  # the checker reads files
    urls = [url for url in tested.leaf.crl_urls if url.lower().startswith("http:")]
    if not urls:
        return (
            Level.WARNING,
            "it names no CRL at an http: address, by which it could be revoked",
        )
    return Level.PASS, urls[0]


FILE_RULES: tuple[Rule, ...] = (
    Rule("pfx-encryption", "PFX encryption isn't TripleDES-SHA1", REPACK, _encryption),
    Rule("pfx-privacy", "Password only protects the private information", REPACK, _privacy),
    Rule("pfx-password", "PFX file invalid", REPACK, _password),
    Rule("local-machine", "doesn't contain the local machine attribute", REPACK, _local_machine),
    Rule(
        "http-crl",
        "does not contain HTTP CRL in CDP Extension",
        "have it issued by a CA that publishes its CRL by http",
        _http_crl,
    ),
)
