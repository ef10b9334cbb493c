"""Which faults a pasted message can mean: real messages, every code, and any bytes at all."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from re import _constants as constants
from re import _parser as parser
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stacktui.diagnosis.catalogue.every_fault import EVERY_FAULT
from stacktui.diagnosis.fault import FaultInfo
from stacktui.diagnosis.recognise import MAX_TEXT, WEIGHTS, Recognised, decoded, recognise
from tests.support.draws import draws

# What az 2.66.2 said of the embedded stamp's faults, of closed ports and of proxies, word for word
# but for ports, ids and the middle of tracebacks.
AZ_SAID: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "az_said.json").read_text(encoding="utf-8")
)
# Messages of other clients, most of them from public threads with their ids and hosts replaced:
# the faults of which one is the first candidate (none if the catalogue has none), and a word of
# the note. `may_be_unknown`: to recognise nothing is as honest.
OTHERS_SAID: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "others_said.json").read_text(encoding="utf-8")
)
ENDPOINTS = "Unable to get endpoints from the cloud.\n"
NETWORK = ENDPOINTS + "Please ensure you have network connection. Error detail: "
ABORTED = NETWORK + "('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))"
VERIFY = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
NEW = "Failed to establish a new connection: "


def ids(found: Recognised) -> list[str]:
    return [each.fault.id for each in found.candidates]


def test_what_a_real_az_said() -> None:
    for sample in AZ_SAID:
        means = sample["means"]
        assert ids(recognise(sample["said"]))[: len(means)] == means, sample["case"]


def test_what_other_clients_say() -> None:
    wrong = []
    for sample in OTHERS_SAID:
        found = recognise(sample["said"])
        means, first = sample["means"], ids(found)[:1]
        none_is_right = not means or sample.get("may_be_unknown")
        known = first[0] in means if first else none_is_right
        if not known or sample.get("note", "") not in " ".join(found.notes):
            wrong.append((sample, ids(found), found.notes))
    assert wrong == []


# The first is the best; `…` means that more may follow, and a name alone that nothing does.
SAID = {
    # DNS, TCP
    NETWORK + f"NewConnectionError({NEW}[Errno 110] Connection timed out)": "tcp-timeout",
    NETWORK + f"NewConnectionError({NEW}[Errno 113] No route to host)": "tcp-unreachable",
    NETWORK + f"NewConnectionError({NEW}[Errno 101] Network is unreachable)": "tcp-unreachable",
    NETWORK + f"NewConnectionError({NEW}[WinError 10061] No connection could be made because the "
    "target machine actively refused it)": "tcp-refused",
    NETWORK + f"NewConnectionError({NEW}[WinError 10060] A connection attempt failed because the "
    "connected party did not properly respond)": "tcp-timeout",
    NETWORK + f"NewConnectionError({NEW}[Errno 11001] getaddrinfo failed)": "dns-not-found",
    NETWORK + "NameResolutionError([Errno -3] Temporary failure in name resolution)": "dns-timeout",
    "HTTPSConnectionPool(host='m', port=443): Max retries exceeded with url: / (Caused by "
    "ConnectTimeoutError(<urllib3.connection.HTTPSConnection object at 0x7f>, 'Connection to m "
    "timed out. (connect timeout=5)'))": "tcp-timeout",
    "HTTPSConnectionPool(host='m', port=443): Read timed out. (read timeout=300)": "arm-timeout …",
    ABORTED: "tcp-reset …",
    "('Connection aborted.', RemoteDisconnected('Remote end closed connection without "
    "response'))": "arm-reset login-reset metadata-reset tcp-reset",
    "Connection broken: IncompleteRead(10 bytes read, 90 more expected)": "arm-reset",
    # TLS
    VERIFY + "unable to get local issuer certificate (_ssl.c:1006)": (
        "tls-untrusted-root tls-missing-intermediate tls-intercepted"
    ),
    VERIFY + "unable to verify the first certificate": "tls-missing-intermediate …",
    VERIFY + "self signed certificate in certificate chain": "tls-untrusted-root tls-intercepted",
    VERIFY + "self-signed certificate (_ssl.c:1006)": "tls-self-signed",
    VERIFY + "certificate has expired": "tls-expired",
    VERIFY + "certificate is not yet valid": "tls-not-yet-valid",
    VERIFY + "IP address mismatch, certificate is not valid for '10.0.0.1'.": "tls-name-mismatch",
    VERIFY + "Hostname mismatch, certificate is not valid for 'm'.": "tls-name-mismatch",
    VERIFY + "EE certificate key too weak": "tls-weak",
    VERIFY + "CA md too weak": "tls-weak",
    "hostname 'm' doesn't match either of '*.blob.local', 'portal'": "tls-name-mismatch",
    "[SSL: WRONG_VERSION_NUMBER] wrong version number": "tls-not-tls",
    "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol": "tcp-reset",
    "[SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] sslv3 alert handshake failure": "tls-weak …",
    "[SSL: UNSUPPORTED_PROTOCOL] unsupported protocol": "tls-weak",
    "_ssl.c:1006: The handshake operation timed out": "tls-timeout …",
    "Certificate verification failed. This typically happens when using Azure CLI behind a proxy "
    "that intercepts traffic with a self-signed certificate.": (
        "tls-untrusted-root tls-intercepted tls-missing-intermediate …"
    ),
    "OSError: Could not find a suitable TLS CA certificate bundle, invalid path: /ca.pem": (
        "trust-file-missing"
    ),
    "InsecureRequestWarning: Unverified HTTPS request is being made to host 'm'.": (
        "verification-off"
    ),
    # Proxies
    NETWORK + "ProxyError('Cannot connect to proxy.', NewConnectionError('[Errno 111] Connection "
    "refused'))": "proxy-unreachable",
    NETWORK + "ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed: 407 Proxy "
    "Authentication Required'))": "proxy-auth-required",
    NETWORK + "ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed: 503 "
    "Service Unavailable'))": "proxy-refused",
    # curl
    "curl: (6) Could not resolve host: m": "dns-not-found",
    "curl: (5) Could not resolve proxy: p": "proxy-unreachable",
    "curl: (7) Failed to connect to m port 443 after 1 ms: Connection refused": "tcp-refused",
    "curl: (7) Failed to connect to m port 443 after 1 ms: Couldn't connect to server": (
        "tcp-refused tcp-timeout tcp-unreachable"
    ),
    "curl: (28) Failed to connect to m port 443 after 130000 ms: Connection timed out": (
        "tcp-timeout"
    ),
    "curl: (35) OpenSSL SSL_connect: Connection reset by peer in connection to m:443": (
        "tcp-reset …"
    ),
    "curl: (35) error:0A00010B:SSL routines::wrong version number": "tls-not-tls",
    "curl: (60) SSL certificate problem: unable to get local issuer certificate": (
        "tls-untrusted-root …"
    ),
    "curl: (60) SSL: no alternative certificate subject name matches target host name 'm'": (
        "tls-name-mismatch"
    ),
    "curl: (77) error setting certificate verify locations: CAfile: /ca.pem": (
        "trust-file-missing trust-file-bad"
    ),
    "curl: (56) CONNECT tunnel failed, response 407": "proxy-auth-required",
    "curl: (56) Received HTTP code 403 from proxy after CONNECT": "proxy-refused",
    "curl: (52) Empty reply from server": "arm-reset login-reset metadata-reset tcp-reset",
    "curl: (35) schannel: SEC_E_UNTRUSTED_ROOT (0x80090325) - The certificate chain was issued by "
    "an authority that is not trusted.": "tls-untrusted-root tls-intercepted",
    # PowerShell and .NET
    "Invoke-WebRequest : The remote name could not be resolved: 'm'": "dns-not-found",
    "Invoke-RestMethod: No such host is known. (m:443)": "dns-not-found",
    "Invoke-WebRequest : Unable to connect to the remote server": "tcp-refused …",
    "The underlying connection was closed: Could not establish trust relationship for the SSL/TLS "
    "secure channel.": "tls-untrusted-root …",
    "The remote certificate is invalid because of errors in the certificate chain: UntrustedRoot": (
        "tls-untrusted-root tls-intercepted"
    ),
    "The remote certificate is invalid because of errors in the certificate chain: PartialChain": (
        "tls-untrusted-root tls-missing-intermediate tls-intercepted"
    ),
    "The remote certificate is invalid according to the validation procedure: "
    "RemoteCertificateNameMismatch": "tls-name-mismatch",
    "The request was aborted: Could not create SSL/TLS secure channel.": "tls-weak …",
    "Cannot determine the frame size or a corrupted frame was received.": "tls-not-tls",
    "An existing connection was forcibly closed by the remote host.": "tcp-reset …",
    "The remote server returned an error: (407) Proxy Authentication Required.": (
        "proxy-auth-required"
    ),
    "The remote server returned an error: (503) Server Unavailable.": "arm-unavailable …",
    # Go and Node
    'Get "https://m": x509: certificate signed by unknown authority': "tls-untrusted-root …",
    "x509: certificate has expired or is not yet valid": "tls-expired tls-not-yet-valid",
    "dial tcp: lookup m: no such host": "dns-not-found",
    "Error: unable to verify the first certificate UNABLE_TO_VERIFY_LEAF_SIGNATURE": (
        "tls-missing-intermediate …"
    ),
    "Error: connect ECONNREFUSED 10.0.0.5:443": "tcp-refused",
    # Metadata
    ENDPOINTS + "Server returned status code 404 for https://m/": "metadata-wrong-url",
    ENDPOINTS + "Server returned status code 400 for https://m/metadata/endpoints": (
        "metadata-api-version metadata-wrong-url"
    ),
    ENDPOINTS + "Server returned status code 502 for https://m/": "metadata-server-error",
    ENDPOINTS + "Server returned status code 503 for https://m/": "metadata-unavailable",
    ENDPOINTS + "Response body does not contain valid json. Error detail: Expecting value: line 1 "
    "column 1 (char 0)": "metadata-intercepted metadata-wrong-url metadata-not-json",
    ENDPOINTS + "Response body does not contain valid json. Error detail: Extra data: line 2": (
        "metadata-not-json"
    ),
    ABORTED.replace("ConnectionResetError(104, 'Connection reset by peer')", "RemoteDisconnected("
    "'Remote end closed connection without response')"): "metadata-reset",
    ENDPOINTS + "Connection broken: IncompleteRead(512 bytes read, 900 more expected)": (
        "metadata-not-json"
    ),
    # az itself
    "TypeError: list indices must be integers or slices, not str": "az-too-new",
    "az cloud update: '2020-09-01-hybrid' is not a valid value for '--profile'. Allowed values: "
    "latest.": "az-too-new",
    "Profile 2020-09-01-hybrid does not exist or is not supported.": "az-too-new",
    "KeyError: 'authentication'": "metadata-incomplete",
    "TypeError: 'NoneType' object is not subscriptable": "metadata-incomplete az-too-new",
    "configparser.MissingSectionHeaderError: File contains no section headers.": "az-config-broken",
    # MSAL
    "ValueError: Unable to get authority configuration for https://l/t.": "tenant-not-found …",
    "ValueError: Your given address (http://l/t) should consist of an https url with a minimum": (
        "login-endpoint-insecure"
    ),
    "msal.exceptions.MsalServiceError: HTTP Error: 503": "login-server-error",
    'File "msal/oauth2cli/oauth2.py"\nRemote end closed connection without response': (
        "login-reset …"
    ),
    'File "msal/oauth2cli/oauth2.py"\nrequests.exceptions.ReadTimeout: Read timed out.': (
        "login-timeout …"
    ),
    "HTTPSConnectionPool(host='login.microsoftonline.com', port=443): Max retries exceeded with "
    f"url: /t/.well-known/openid-configuration (Caused by SSLError({VERIFY}unable to get local "
    "issuer certificate))": "login-unreachable tls-untrusted-root …",
    # Managed identity
    "Failed to connect to MSI. Please make sure MSI is configured correctly.": "imds-unreachable …",
    "ManagedIdentityCredential authentication unavailable, no response from the IMDS endpoint.": (
        "imds-unreachable …"
    ),
    '{"error":"invalid_request","error_description":"Identity not found"}': "imds-no-identity",
    "MSI: Failed to acquire tokens after 12 times": "imds-unavailable",
    # Sign-in beyond the table of codes
    "AADSTS700024: Client assertion is not within its valid time range.": "clock-skew",
    "AADSTS7000218: The request body must contain the following parameter: 'client_assertion' or "
    "'client_secret'.": "secret-missing app-not-public sp-secret-wrong",
    "AADSTS700023: Client assertion audience claim does not match Realm issuer: 'x'.": (
        "sp-cert-rejected audience-unknown"
    ),
    "AADSTS50059: No tenant-identifying information found in either the request or implied by any "
    "provided credentials.": "tenant-not-found",
    "AADSTS700027: The certificate with identifier used to sign the client assertion is not "
    "registered on application. [Reason - The key was not found.]": "sp-cert-rejected",
    "AADSTS700027: Client assertion failed signature validation.": "sp-cert-rejected clock-skew",
    "AADSTS90055: The request was throttled.": "login-throttled",
    "AADSTS50196: The server terminated an operation because it encountered a loop": (
        "login-throttled"
    ),
    "AADSTS70019: Verification code expired.": "device-code-expired",
    "AADSTS70016: Authorization is pending.": "device-code-expired",
    '{"error": "authorization_declined"}': "device-code-declined",
    # ARM
    "(AuthenticationFailed) Authentication failed.": "arm-unauthorized",
    "(InvalidAuthenticationToken) The access token is invalid.": "arm-unauthorized clock-skew",
    "(InvalidAuthenticationTokenAudience) The access token has been obtained for wrong audience": (
        "token-audience-mismatch arm-unauthorized"
    ),
    "(InvalidAuthenticationTokenTenant) The access token is from the wrong issuer": (
        "arm-unauthorized"
    ),
    "(ExpiredAuthenticationToken) The access token expiry UTC time": (
        "token-expired-on-arrival clock-skew arm-unauthorized"
    ),
    '{"error":{"code":"AuthorizationFailed","message":"The client"}}': "arm-forbidden",
    "(SubscriptionNotFound) The subscription 'x' could not be found.": "subscription-not-found",
    "(DisabledSubscription) The subscription 'x' is disabled.": "subscription-disabled",
    "(InvalidApiVersionParameter) The api-version '2019-10-01' is invalid. The supported versions "
    "are '2016-06-01'.": "api-version-unsupported az-too-new",
    "(NoRegisteredProviderFound) No registered resource provider found": (
        "api-version-unsupported az-too-new"
    ),
    "(TooManyRequests) The number of requests": "arm-throttled",
    "(InvalidSubscriptionId) The provided subscription identifier 'x' is malformed or invalid.": (
        "subscription-not-found"
    ),
    "(NoRegisteredProviderFound) No registered resource provider found for API version "
    "'2022-09-01'": "api-version-unsupported az-too-new",
    "GET https://m/metadata/endpoints?api-version=2015-01-01: InvalidApiVersionParameter": (
        "metadata-api-version"
    ),
    # Statuses
    ENDPOINTS + "Server returned status code 403 for https://m/metadata/endpoints": (
        "metadata-wrong-url metadata-intercepted …"
    ),
    ENDPOINTS + "Error detail: Exceeded 30 redirects.": "metadata-intercepted metadata-wrong-url",
    "401 Client Error: Unauthorized for url: https://m/": "arm-unauthorized",
    "The remote server returned an error: (403) Forbidden.": "arm-forbidden proxy-refused",
    "429 Client Error: Too Many Requests for url: https://m/": "arm-throttled login-throttled",
    "502 Server Error: Bad Gateway for url: https://m/": "arm-server-error metadata-server-error …",
    "504 Server Error: Gateway Time-out for url: https://m/": (
        "arm-server-error metadata-server-error"
    ),
    # OAuth's errors alone
    '{"error": "invalid_client"}': "sp-secret-wrong sp-cert-rejected app-not-found",
    '{"error": "unauthorized_client"}': "app-not-found adfs-client-not-allowed",
    '{"error": "invalid_grant"}': "password-wrong mfa-required consent-required",
    '{"error": "interaction_required"}': "mfa-required conditional-access",
    # Others
    NETWORK + f"NewConnectionError({NEW}[WinError 10013] An attempt was made to access a socket in "
    "a way forbidden by its access permissions)": "tcp-timeout",
    "requests.exceptions.SSLError": "tls-untrusted-root tcp-reset tls-not-tls tls-weak",
    "should consist of an https url with a minimum of one segment in a path": (
        "login-endpoint-insecure metadata-incomplete"
    ),
    "ssl.SSLError: [SSL] PEM lib (_ssl.c:4149)": "trust-file-bad sp-cert-unusable",
    "MSI: Failed to retrieve a token from 'http://169.254.169.254/metadata/identity/oauth2/token/' "
    "with an error of 'No JSON object could be decoded'": "imds-unavailable imds-unreachable",
    # Python programs with azure-mgmt-resource 26.0.0
    "ImportError: cannot import name 'ResourceManagementClient' from 'azure.mgmt.resource' "
    "(unknown location)": "sdk-too-new",
    "ModuleNotFoundError: No module named 'azure.mgmt.resource.resources.v2019_10_01'": (
        "sdk-too-new"
    ),
    "HTTPConnectionPool(host='169.254.169.254', port=80): Max retries exceeded with url: "
    "/metadata/identity/oauth2/token (Caused by ConnectTimeoutError('timed out'))": (
        "imds-unreachable login-unreachable"
    ),
}  # fmt: skip


def test_what_clients_say() -> None:
    for message, said in SAID.items():
        expected = said.split()
        found = ids(recognise(message))
        if expected[-1] == "…":
            expected.pop()
            assert len(found) > len(expected), message
        else:
            assert len(found) == len(expected), message
        assert found[: len(expected)] == expected, message


def test_every_pattern_of_a_definition_finds_its_fault() -> None:
    """Each in one of the messages here at least."""
    messages = [
        *SAID,
        *(each["said"] for each in (*AZ_SAID, *OTHERS_SAID)),
        *(each.az_says for each in EVERY_FAULT.values()),
        *(code for each in EVERY_FAULT.values() for code in each.codes),
        ENDPOINTS,
    ]
    recognised = {
        (label, candidate.fault.id)
        for message in messages
        for candidate in recognise(message).candidates
        for label in candidate.because
    }
    defined = {(each.label, id_) for each, weights in WEIGHTS.items() for id_ in weights}
    assert defined <= recognised


@pytest.mark.parametrize(
    "fault", [each for each in EVERY_FAULT.values() if each.codes], ids=lambda each: each.id
)
def test_every_code_of_a_refusal_finds_its_fault(fault: FaultInfo) -> None:
    for code in fault.codes:
        found = ids(recognise(f"ERROR: {code}: it was refused. Trace ID: 1"))
        assert fault.id in found, code
        # A code that begins alike is another one.
        assert recognise(f"ERROR: {code}9: it was refused").candidates == ()


@pytest.mark.parametrize(
    "code",
    [
        "AADSTS50049",
        "AADSTS50999",
        "MSIS7102",
        "ResourceGroupNotFound",
        "ResourceGroupBeingDeleted",
        "LocationNotAvailableForResourceGroup",
    ],
)
def test_what_no_check_can_meet_is_still_explained(code: str) -> None:
    found = recognise(f"({code}) …")
    assert not found.candidates
    assert found.notes


def test_a_provider_that_is_not_registered_leads_to_the_command_that_registers_it() -> None:
    message = "The subscription is not registered to use namespace 'Microsoft.Web'."
    for said in (f"(MissingSubscriptionRegistration) {message}", message):
        first = recognise(said).candidates[0]
        assert first.fault.id == "provider-not-registered"
        shown = first.fault.remedies[0].in_catalogue()
        assert shown.bash == "stacktui providers register NAMESPACE --environment NAME"


def test_only_a_code_that_is_not_known_is_called_so() -> None:
    unknown = "does not have this code"
    (note,) = recognise("AADSTS50999: something new").notes
    assert unknown in note
    assert "AADSTS50999" in note
    assert "error?code=50999" in note
    for code in ("AADSTS50049", "AADSTS7000215", "AADSTS700016", "MSIS9612", "AADSTS90055"):
        assert unknown not in "".join(recognise(f"{code}: refused").notes)


def test_the_sentence_that_means_everything_says_so() -> None:
    found = recognise(ENDPOINTS)
    assert len(found.candidates) > 5
    assert "DNS, TCP, proxy and TLS alike" in " ".join(found.notes)


@pytest.mark.parametrize(
    "message", ["", "   ", "hello world", "the build is green", "az group list -o table", "42"]
)
def test_what_says_nothing_is_not_explained(message: str) -> None:
    assert not recognise(message)


_DESCRIBED = ("nothing", "a traceback", "the same", "the error of", "whatever")


_QUOTED = [each for each in EVERY_FAULT.values() if not each.az_says.startswith(_DESCRIBED)]


def test_what_az_says_of_a_fault_finds_it() -> None:
    for fault in _QUOTED:
        assert fault.id in ids(recognise(fault.az_says))


# The form of a text


MESSAGE = NETWORK + f"SSLError(SSLCertVerificationError(1, '{VERIFY}certificate has expired'))"


def test_a_message_that_a_terminal_cut_into_lines_is_whole() -> None:
    for columns in (20, 33, 80):
        lines = [MESSAGE[at : at + columns] for at in range(0, len(MESSAGE), columns)]
        assert ids(recognise("\n".join(lines))) == ["tls-expired"]
        assert ids(recognise("\r\n".join(lines))) == ["tls-expired"]


def test_colours_and_typographic_quotes_do_not_matter() -> None:
    coloured = re.sub(r"(certificate|expired)", "\x1b[91m\\1\x1b[0m", MESSAGE)
    assert ids(recognise(coloured)) == ["tls-expired"]
    assert ids(recognise("KeyError: ‘authentication’")) == ["metadata-incomplete"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_files_of_every_shell_are_read(encoding: str) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    assert ids(recognise(decoded((mark + MESSAGE).encode(encoding)))) == ["tls-expired"]


def test_of_a_long_text_the_end_counts() -> None:
    assert ids(recognise("x" * MAX_TEXT + MESSAGE)) == ["tls-expired"]
    assert not recognise(MESSAGE + "x" * MAX_TEXT)


# Any text


def test_every_pattern_takes_linear_time() -> None:
    """No repetition without a small bound, and none inside another."""
    for each in WEIGHTS:
        for pattern in (each.regex, each.also):
            assert pattern == pattern.lower() or "\\" in pattern, pattern
            _assert_linear(parser.parse(pattern), pattern, inside=False)


def _assert_linear(parsed: Any, pattern: str, *, inside: bool) -> None:
    for operation, argument in parsed:
        if operation in (constants.MAX_REPEAT, constants.MIN_REPEAT):
            _, most, repeated = argument
            assert most <= 100, pattern
            assert not inside, pattern
            _assert_linear(repeated, pattern, inside=most > 1)
        elif operation is constants.BRANCH:
            for branch in argument[1]:
                _assert_linear(branch, pattern, inside=inside)
        elif operation is constants.SUBPATTERN:
            _assert_linear(argument[3], pattern, inside=inside)
        elif operation in (constants.ASSERT, constants.ASSERT_NOT):
            _assert_linear(argument[1], pattern, inside=inside)


def test_every_pattern_means_a_fault_or_says_something() -> None:
    for pattern, weights in WEIGHTS.items():
        assert set(weights) <= set(EVERY_FAULT), pattern.label
        assert weights or pattern.note
        assert pattern.regex


def test_every_pattern_is_written_once() -> None:
    for each in (lambda pattern: pattern.label, lambda pattern: (pattern.regex, pattern.also)):
        assert len(set(map(each, WEIGHTS))) == len(WEIGHTS)


WORDS = st.sampled_from([*SAID, *(each["said"] for each in AZ_SAID), "\x1b[", "’", "\n", "\0"])


@given(st.one_of(st.binary(), st.text().map(lambda text: text.encode("utf-8", "replace"))))
@example(b"\xff\xfe\x00")
@example(b"\xff\xfe\x00\xd8")
def test_any_bytes_have_an_answer(raw: bytes) -> None:
    assert isinstance(recognise(decoded(raw)), Recognised)


@settings(deadline=None)
@given(st.lists(st.one_of(WORDS, st.text(max_size=20)), max_size=6).map("".join))
def test_any_mixture_of_messages_has_an_answer_in_order(text: str) -> None:
    found = recognise(text)
    weights = [each.weight for each in found.candidates]
    assert weights == sorted(weights, reverse=True)
    assert all(each.because for each in found.candidates)


@settings(deadline=timedelta(seconds=20), max_examples=draws(25))
@given(st.one_of(WORDS, st.text(min_size=1, max_size=30)))
def test_the_longest_text_has_an_answer_too(piece: str) -> None:
    """A pattern that took quadratic time would need minutes."""
    text = (piece * (MAX_TEXT // len(piece) + 1))[:MAX_TEXT]
    assert isinstance(recognise(text), Recognised)
