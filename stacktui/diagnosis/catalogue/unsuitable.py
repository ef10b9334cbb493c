"""A certificate that is valid, and not made for a server."""

from __future__ import annotations

from stacktui.diagnosis.az_messages import AZ_VERIFY
from stacktui.diagnosis.fault import FaultInfo, Group
from stacktui.diagnosis.finding import Side
from stacktui.diagnosis.messages.tls import SIGNATURE_FALSE, UNSUITABLE_CERTIFICATE
from stacktui.diagnosis.remedy_template import RemedyTemplate

_REISSUE = RemedyTemplate(
    "The stamp's operator has the certificate issued anew, with extended key usage for servers "
    "(serverAuth), key usage for digital signature and key encipherment, and the identifiers of "
    "its key and of its CA's"
)

TLS_UNSUITABLE = FaultInfo(
    id="tls-unsuitable",
    group=Group.TLS,
    sides=(Side.STAMP,),
    meaning="The certificate, or its CA's, is not made for a server.",
    distinguishing_evidence=(
        "The chain is whole and in time, and its names fit; the client's reason names what is "
        "missing. Python from 3.13 on, Go and Windows refuse more than others. A key or a "
        "signature that is too weak is `tls-weak`; a signature that does not match may be "
        "`tls-intercepted`."
    ),
    az_says=AZ_VERIFY + "'… unsuitable certificate purpose')))",
    patterns={UNSUITABLE_CERTIFICATE: 94, SIGNATURE_FALSE: 60},
    remedies=(_REISSUE,),
)
