"""Faults of the token: the service, the credential, the application, the clock."""

from __future__ import annotations

from stacktui.diagnosis.catalogue import token_claims
from stacktui.diagnosis.entries.model import AGAIN, Entry, Group, entry_of, same
from stacktui.diagnosis.finding import Remedy, Side

_CHECK_CLIENT = Remedy("Check client_id under the identity: the application's id")
_CHECK_TENANT = Remedy(
    "Check tenant under the identity: the id or domain of the directory that the application is in"
)
_CHECK_ARM = Remedy("Check that arm under the environment is the stamp that you mean")

TOKEN = (
    Entry(
        "login-unreachable",
        Group.TOKEN,
        (Side.BOX, Side.NETWORK, Side.STAMP),
        "The login host cannot be reached, or its TLS is not trusted.",
        "The metadata came, so that the way to ARM is good; the same fault of reach or TLS as "
        "for ARM, such as `dns-not-found`, `tcp-timeout`, `proxy-refused` or "
        "`tls-untrusted-root`, is named for the login host. A bundle with the stamp's root alone "
        "breaks the sign-in at a public login host.",
        (
            same("See which host fails and why", "stacktui check NAME --format json"),
            same("See who trusts the login host on this box", "stacktui certificates matrix NAME"),
            Remedy("Then mend it as the named fault says, for the login host"),
        ),
        "a traceback: requests.exceptions.ConnectionError: HTTPSConnectionPool(host='login…', "
        "port=443): Max retries exceeded with url: …",
    ),
    Entry(
        "login-server-error",
        Group.TOKEN,
        (Side.SIGN_IN,),
        "The sign-in service fails inside (5xx).",
        "The service answers with a 5xx and no error of its own about the request. 429 is "
        "`login-throttled`; a page instead of JSON with another status `login-not-json`.",
        (AGAIN, Remedy("If it stays so, give whoever runs it the time and the correlation id")),
        "a traceback: msal.exceptions.MsalServiceError: HTTP Error: 500",
    ),
    Entry(
        "login-foreign-endpoint",
        Group.TOKEN,
        (Side.SIGN_IN,),
        "The login host sends sign-ins on to another host: no secret was sent there.",
        "The discovery document of the login host names a token endpoint on a host that is not "
        "its own, nor a public login host's alias; the report names both. A login endpoint that "
        "differs from the recorded one is `metadata-drift`.",
        (
            Remedy("Ask whoever runs the login host whether the other host is theirs"),
            Remedy("If they know nothing of it, sign in nowhere with this stamp"),
        ),
        "nothing: az sends the secret to that host",
    ),
    Entry(
        "token-too-large",
        Group.TOKEN,
        (Side.SIGN_IN,),
        "The token is larger than any request can carry.",
        "A token came, and has more characters than a request's header may have; the report "
        "says how many. One that ARM refuses is `arm-unauthorized`.",
        (
            Remedy("Take the identity out of groups it does not need, or have its claims limited"),
            Remedy("Else whoever runs the sign-in service limits what a token lists"),
        ),
        "(…) Request Header Fields Too Large / Bad Request",
    ),
    Entry(
        "login-not-json",
        Group.TOKEN,
        (Side.SIGN_IN,),
        "The login host answers with a page, or in another form than a sign-in service.",
        "A captive portal, a gateway or a bare web server answers in its place; the report has "
        "the page's title. A 5xx is `login-server-error`.",
        (
            Remedy(
                "See who answers",
                "curl -sS -i -m 60 https://LOGIN-HOST | head -c 2000 | cat -v",
                r"(Invoke-WebRequest -TimeoutSec 60 'https://LOGIN-HOST').RawContent "
                r"-replace '[^\x20-\x7E\r\n\t]', '?'",
            ),
            Remedy("If it stays so, tell whoever runs the login host what answers there"),
        ),
        "a traceback: json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
    ),
    Entry(
        "login-timeout",
        Group.TOKEN,
        (Side.SIGN_IN,),
        "The login host takes the sign-in, and never answers it.",
        "The request was sent, and the bound that was hit is in the report. Where nothing could "
        "be sent, it is `login-unreachable`; a connection that is closed instead `login-reset`.",
        (AGAIN, Remedy("If it stays so, whoever runs the login host looks at its health")),
        "nothing: az has no time-out there, and waits for ever",
    ),
    Entry(
        "login-reset",
        Group.TOKEN,
        (Side.SIGN_IN,),
        "The login host closes the connection before it has answered.",
        "The request was sent, and no whole answer came. Where the connection is closed before "
        "TLS is up, it is `login-unreachable`; silence is `login-timeout`.",
        (AGAIN, Remedy("If it stays so, whoever runs the login host looks at its load balancer")),
        "('Connection aborted.', RemoteDisconnected('Remote end closed connection without "
        "response'))",
    ),
    Entry(
        "secret-missing",
        Group.TOKEN,
        (Side.BOX,),
        "The secret's variable, file or keyring entry holds nothing.",
        "Nothing was sent to the sign-in service; the report names the reference. A secret that "
        "is there and wrong is `sp-secret-wrong`.",
        (
            Remedy(
                "Set the variable without leaving the secret in the shell's history",
                "read -rs VARIABLE && export VARIABLE",
                "$env:VARIABLE = [Net.NetworkCredential]::new('', (Read-Host "
                "-AsSecureString)).Password",
            ),
            Remedy("Or change where it comes from: secret under the identity"),
        ),
        "nothing: az keeps its own copy of the secret, or asks for it",
    ),
    Entry(
        "sp-secret-wrong",
        Group.TOKEN,
        (Side.SIGN_IN,),
        "The sign-in service refuses the application's secret.",
        "AADSTS7000215, or AD FS's MSIS9622 or MSIS9612 while signing in with a secret; often the "
        "secret's id was pasted in place of its value, which the report sees by its form. Entra "
        "has a code of its own for `sp-secret-expired`, AD FS has not; with a certificate the same "
        "code is `sp-cert-rejected`.",
        (
            Remedy("Check that the secret's value was pasted, not its id: the portal shows both"),
            same(
                "Else make a new one (Entra)", "az ad app credential reset --id CLIENT-ID --append"
            ),
            Remedy(
                "Under AD FS, the stamp's operator makes one at the privileged endpoint",
                powershell="Invoke-Command -Session $pep { Set-GraphApplication "
                "-ApplicationIdentifier CLIENT-ID -ResetClientSecret }",
            ),
        ),
        "AADSTS7000215: Invalid client secret provided. … / MSIS9622: Client authentication "
        "failed. …",
    ),
    Entry(
        "sp-secret-expired",
        Group.TOKEN,
        (Side.SIGN_IN,),
        "The application's secret has expired.",
        "AADSTS7000222: the secret was right once. A wrong one is `sp-secret-wrong`, and AD FS "
        "says so of both.",
        (
            same("Make a new one", "az ad app credential reset --id CLIENT-ID --append"),
            same(
                "See when the application's secrets end",
                "az ad app credential list --id CLIENT-ID --query '[].[displayName,endDateTime]'",
            ),
        ),
        "AADSTS7000222: The provided client secret keys for app '…' are expired. …",
    ),
    Entry(
        "sp-cert-unusable",
        Group.TOKEN,
        (Side.BOX,),
        "The certificate's file cannot sign in.",
        "The file is missing, has no key, has a key that is encrypted or another's, is a PFX, or "
        "has expired; the report says which. Nothing was sent; what the service refuses is "
        "`sp-cert-rejected`.",
        (
            same(
                "Convert a PFX to PEM with key", "stacktui certificates convert FILE.pfx FILE.pem"
            ),
            Remedy(
                "See what the file holds",
                "openssl x509 -in FILE -noout -subject -dates; openssl pkey -in FILE -noout -check",
                "openssl x509 -in FILE -noout -subject -dates; openssl pkey -in FILE -noout -check",
            ),
        ),
        "Invalid certificate / Unable to load certificate …",
    ),
    Entry(
        "sp-cert-rejected",
        Group.TOKEN,
        (Side.SIGN_IN,),
        "The sign-in service does not take the application's certificate.",
        "AADSTS700027, or AD FS's MSIS9622 or MSIS9612 while signing in with a certificate; the "
        "report has the thumbprint that was sent. Where this box's clock is far off, it is "
        "`clock-skew`; with a secret, AD FS's codes are `sp-secret-wrong`.",
        (
            Remedy(
                "Compare its dates and thumbprint with those of the application's certificates",
                "openssl x509 -in FILE -noout -fingerprint -sha1 -subject -dates",
                "openssl x509 -in FILE -noout -fingerprint -sha1 -subject -dates",
            ),
            Remedy(
                "If it is not there, add it, without its key (Entra)",
                "openssl x509 -in FILE -out FILE.crt && az ad app credential reset "
                "--id CLIENT-ID --cert @FILE.crt --append",
                "openssl x509 -in FILE -out FILE.crt; az ad app credential reset "
                "--id CLIENT-ID --cert '@FILE.crt' --append",
            ),
        ),
        "AADSTS700027: The certificate with identifier used to sign the client assertion is not "
        "registered on application. … / MSIS9612",
    ),
    Entry(
        "app-not-found",
        Group.TOKEN,
        (Side.SIGN_IN,),
        "The directory, or the stamp's AD FS, has no such application.",
        "AADSTS700016 or MSIS9607: the id is mistyped, or the application is in another tenant. "
        "Where the tenant itself is unknown, it is `tenant-not-found`.",
        (
            _CHECK_CLIENT,
            _CHECK_TENANT,
            same(
                "Signed in to that directory with az: see whether it is there",
                "az ad sp show --id CLIENT-ID",
            ),
        ),
        "AADSTS700016: Application with identifier '…' was not found in the directory. … / "
        "MSIS9607: The 'client_id' parameter in the request is invalid. …",
    ),
    Entry(
        "tenant-not-found",
        Group.TOKEN,
        (Side.BOX, Side.SIGN_IN),
        "The sign-in service knows no such tenant, or none is named.",
        "AADSTS90002, which MSAL hides behind words of its own. The report has the tenant that "
        "was asked and the one that the stamp names. An unknown application in a known tenant is "
        "`app-not-found`.",
        (
            _CHECK_TENANT,
            same("See the tenants of your own account", "az account tenant list"),
        ),
        "AADSTS90002: Tenant '…' not found. … / ValueError: Unable to get authority configuration "
        "for https://…",
    ),
    Entry(
        "audience-unknown",
        Group.TOKEN,
        (Side.SIGN_IN,),
        "The sign-in service does not know this stamp.",
        "AADSTS500011 or MSIS9602: the audience of the metadata is not registered in this "
        "directory, or arm leads to another stamp. A token that is given for another audience is "
        "`token-audience-mismatch`.",
        (
            _CHECK_TENANT,
            _CHECK_ARM,
            Remedy(
                "If the stamp was never registered in this directory, an administrator of it does "
                "so (module AzureStack.Identity of AzureStack-Tools)",
                powershell="Register-AzSWithMyDirectoryTenant -TenantResourceManagerEndpoint "
                "https://HOST -DirectoryTenantName TENANT",
            ),
        ),
        "AADSTS500011: The resource principal named … was not found in the tenant. … / MSIS9602: "
        "The received 'resource' parameter is invalid. …",
    ),
    Entry(
        "adfs-client-not-allowed",
        Group.TOKEN,
        (Side.SIGN_IN,),
        "AD FS does not let this application ask for a token of the stamp's ARM.",
        "MSIS9605 to both scopes, /.default and /openid. Some AD FS say so of the first alone, "
        "which is no fault here; az tries no second. An application that AD FS does not know is "
        "`app-not-found`.",
        (
            Remedy(
                "The stamp's operator registers the application at the privileged endpoint",
                powershell="Invoke-Command -Session $pep { New-GraphApplication -Name APP "
                "-GenerateClientSecret }",
            ),
        ),
        "MSIS9605: The client is not allowed to access the requested resource.",
    ),
    entry_of(token_claims.TOKEN_AUDIENCE_MISMATCH),
    entry_of(token_claims.TOKEN_EXPIRED_ON_ARRIVAL),
    entry_of(token_claims.CLOCK_SKEW),
)
