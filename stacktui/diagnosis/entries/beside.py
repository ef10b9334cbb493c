"""What fails no check but should be known, and what no rule explains."""

from __future__ import annotations

from stacktui.diagnosis.catalogue import pinning
from stacktui.diagnosis.entries.model import EXPORT, Entry, Group, entry_of, same
from stacktui.diagnosis.finding import Remedy, Side

BESIDE = (
    Entry(
        "cert-expires-soon",
        Group.BESIDE,
        (Side.STAMP, Side.BOX),
        "A certificate ends within 90 days: the stamp's, or the one that signs in.",
        "Days left, by host and certificate. One that has ended is `tls-expired`, and its check "
        "fails.",
        (
            Remedy("The stamp's operator renews it (secret rotation) before that day"),
            same("See all hosts of the stamp", "stacktui certificates show NAME --all"),
        ),
        "nothing: it works until the last day",
    ),
    Entry(
        "cert-readiness",
        Group.BESIDE,
        (Side.STAMP,),
        "The vendor's readiness checker would reject a certificate of this stamp.",
        "The rule it breaks is named, such as key usage or chain order. What this box itself "
        "refuses is a verdict: `tls-weak`, `tls-name-mismatch`, `tls-missing-intermediate`.",
        (
            Remedy("The stamp's operator mends it, as the report says for each rule"),
            Remedy(
                "And judges new files before they are deployed",
                "stacktui certificates lint FILE --region REGION --fqdn FQDN",
                "stacktui certificates lint FILE --region REGION --fqdn FQDN",
            ),
        ),
        "nothing: it works until the last day",
    ),
    Entry(
        "verification-off",
        Group.BESIDE,
        (Side.BOX,),
        "TLS verification is switched off: anybody on the way can read your secrets.",
        "A variable that az or other programs read is set; the report names it. stacktui goes on "
        "verifying, so that it may find `tls-intercepted` or `tls-untrusted-root` where az finds "
        "nothing.",
        (
            Remedy(
                "Switch it on again, in this shell and wherever it is set for good",
                "unset AZURE_CLI_DISABLE_CONNECTION_VERIFICATION ADAL_PYTHON_SSL_NO_VERIFY",
                "Remove-Item Env:AZURE_CLI_DISABLE_CONNECTION_VERIFICATION, "
                "Env:ADAL_PYTHON_SSL_NO_VERIFY -ErrorAction Ignore",
            ),
            same("Trust the root instead", "stacktui certificates trust --presented NAME"),
            EXPORT,
        ),
        "InsecureRequestWarning: Unverified HTTPS request is being made … / Connection "
        "verification disabled by environment variable AZURE_CLI_DISABLE_CONNECTION_VERIFICATION",
    ),
    entry_of(pinning.ROOT_CHANGED),
    Entry(
        "az-too-new",
        Group.BESIDE,
        (Side.BOX,),
        "az on this box is 2.67 or later, which no longer works with a stamp.",
        "Its version is read. It takes the stamp's metadata for one object where it is a list, "
        "has no hybrid profiles, and asks for API versions that a stamp refuses: the stamp is "
        "healthy, and neither `metadata-incomplete` nor `api-version-unsupported` is its fault.",
        (
            Remedy(
                "Put az 2.66, the last that works, into a virtual environment of its own (with "
                "Python 3.12 or older)",
                "python3.12 -m venv ~/az-2.66 && ~/az-2.66/bin/pip install 'azure-cli==2.66.*'",
                r'py -3.12 -m venv "$HOME\az-2.66"; & "$HOME\az-2.66\Scripts\pip" install '
                "'azure-cli==2.66.*'",
            ),
        ),
        "a traceback: TypeError: list indices must be integers or slices, not str",
    ),
    Entry(
        "az-config-broken",
        Group.BESIDE,
        (Side.BOX,),
        "az's own files are broken, or say something else of the stamp than it does.",
        "A file of az's that it cannot parse (it removes such a clouds.config), or a registered "
        "cloud of this stamp whose login endpoint, audience or profile is not what the stamp says. "
        "The check does not read them, and may be healthy. An old error without either is "
        "`az-stale-error-cache`; a profile that az does not know `az-too-new`.",
        (
            Remedy(
                "Put a broken file aside before az runs again, and register the cloud anew",
                'mv -- "${AZURE_CONFIG_DIR:-$HOME/.azure}/clouds.config" clouds.config.aside; '
                "az cloud register -n NAME --endpoint-resource-manager https://HOST",
                r'Move-Item "$HOME\.azure\clouds.config" clouds.config.aside; '
                "az cloud register -n NAME --endpoint-resource-manager https://HOST",
            ),
            same(
                "Else correct what differs; the report has the values",
                "az cloud update -n NAME --profile PROFILE --endpoint-active-directory https://LOGIN",
            ),
        ),
        "'…/clouds.config' is in bad format and has been removed. / a traceback: "
        "configparser.DuplicateSectionError: While reading from … / The cloud "
        "'…' is not registered.",
    ),
    Entry(
        "az-stale-error-cache",
        Group.BESIDE,
        (Side.BOX,),
        "az repeats an old sign-in error from its cache, though it is mended.",
        "az keeps an error answer of the sign-in service for 60 seconds, on disk; a check asks "
        "anew. Where the check fails too, the verdict counts.",
        (
            Remedy("Wait a minute and run az again"),
            Remedy(
                "Or take the cache away",
                'rm -f -- "${AZURE_CONFIG_DIR:-$HOME/.azure}/msal_http_cache.bin"',
                "Remove-Item $HOME\\.azure\\msal_http_cache.bin",
            ),
        ),
        "the same AADSTS or MSIS error as before the mend",
    ),
    Entry(
        "certifi-addition-lost",
        Group.BESIDE,
        (Side.BOX,),
        "A root that was added to another program's trust store is gone.",
        "stacktui remembers what it added: an upgrade of certifi threw it away. Then az fails as "
        "in `tls-untrusted-root`, where stacktui does not.",
        (
            EXPORT,
            same(
                "Or add it again, until the next upgrade",
                "stacktui certificates trust SHA-256 --store FILE",
            ),
        ),
        "the same TLS error as before the root was added",
    ),
)

OTHER = (
    Entry(
        "unexplained",
        Group.OTHER,
        (Side.BOX, Side.NETWORK, Side.SIGN_IN, Side.STAMP),
        "No known fault fits; the evidence is given as it is.",
        "Every other rule was asked, and none explains what was seen. The side is only where it "
        "was seen.",
        (
            same(
                "Keep the full evidence for whoever looks into it",
                "stacktui check NAME --format json > check.json",
            ),
        ),
        "whatever it says, it cannot be told from here",
    ),
)
