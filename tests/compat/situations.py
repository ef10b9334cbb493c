"""The situations that az 2.66.2 and the check are compared in (see `agreement`)."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.identities.sign_ins import protected
from tests.product import SignInKind

from .agreement import ADFS, PRINCIPALS, TOKENS, UNSET, Machine, Prepare, Situation
from .conftest import CLOUD

CERTIFICATE, PASSWORD = SignInKind.CERTIFICATE, SignInKind.PASSWORD
BOM = "\ufeff"
NO_SUCH_FILE = "/nonexistent/roots.pem"
UNTRUSTED = r"Unable to get endpoints(?s:.*)CERTIFICATE_VERIFY_FAILED"


def variables(**values: str) -> Prepare:
    """Set variables, or unset them by an empty value."""
    return lambda _machine: values


def in_config(text: str, **values: str) -> Prepare:
    def prepare(machine: Machine) -> Mapping[str, str]:
        (machine.files / "config").write_text(text)
        return values

    return prepare


def in_clouds(old: str, new: str) -> Prepare:
    return lambda machine: machine.rewrite("clouds.config", old, new)


def by_curl_bundle(machine: Machine) -> Mapping[str, str]:
    return {"REQUESTS_CA_BUNDLE": UNSET, "CURL_CA_BUNDLE": machine.stamp.ca_file}


def by_folder(machine: Machine) -> Mapping[str, str]:
    folder = machine.folder / "roots"
    folder.mkdir()
    shutil.copy(machine.stamp.ca_file, folder / "root.pem")
    subprocess.run(["openssl", "rehash", str(folder)], check=True, capture_output=True)
    return {"REQUESTS_CA_BUNDLE": str(folder)}


def holding(name: str, content: str) -> Prepare:
    def prepare(machine: Machine) -> None:
        (machine.files / name).write_text(content)

    return prepare


def cut(name: str) -> Prepare:
    """Leave a file of az's that ends early."""
    return holding(name, '{"AccessToken": {')


def folder_named(name: str) -> Prepare:
    return lambda machine: (machine.files / name).mkdir()


def by_domain(machine: Machine) -> dict[str, str]:
    return {"tenant": f'"{machine.stamp.tenant_domain}"'}


def with_mark(machine: Machine) -> dict[str, str]:
    path = machine.folder / "mark.pem"
    path.write_bytes(BOM.encode() + Path(machine.stamp.certificate_file).read_bytes())
    return {"certificate": f'"{path}"'}


def locked(form: str) -> Callable[[Machine], dict[str, str]]:
    """Sign in by an encrypted file, whose password the config has."""

    def config(machine: Machine) -> dict[str, str]:
        path, password = machine.folder / f"locked.{form}", machine.folder / "password"
        path.write_bytes(protected(Path(machine.stamp.certificate_file), form, "pfx-passw0rd"))
        password.write_text("pfx-passw0rd")
        secret = f'{{ file = "{password}" }}'
        return {"certificate": f'"{path}"', "certificate_password": secret}

    return config


# These run with every change.
DOZEN = (
    Situation("healthy, to be registered"),
    Situation("healthy, registered, AD FS, certificate", idp=ADFS, kind=CERTIFICATE,
              registered=True),
    Situation("metadata by 2019-10-01 alone", False, "metadata-api-version",
              "Unable to get endpoints(?s:.*)status code 400",
              stamp={"metadata_form": "newer-only"}),
    Situation("metadata with a byte-order mark", False, "metadata-not-json", "valid json",
              idp=ADFS, stamp={"metadata_form": "byte-order-mark"}),
    Situation("a login host of its own, and instance discovery", False, "az-instance-discovery",
              "login.microsoftonline.com", registered=True,
              prepare=variables(AZURE_CORE_INSTANCE_DISCOVERY=UNSET)),
    Situation("a name in the CN alone", False, "tls-name-mismatch", UNTRUSTED, idp=ADFS,
              stamp={"san": False}),
    Situation("CURL_CA_BUNDLE names no file", False, "trust-file-missing", "invalid path",
              prepare=variables(REQUESTS_CA_BUNDLE=UNSET, CURL_CA_BUNDLE=NO_SUCH_FILE)),
    Situation("CURL_CA_BUNDLE has the only root", idp=ADFS, prepare=by_curl_bundle),
    Situation("a truncated token cache", False, "az-config-broken", "Expecting|JSONDecodeError",
              registered=True, prepare=cut(TOKENS)),
    Situation("a certificate file with a byte-order mark", False, "sp-cert-unusable",
              "'ascii' codec", kind=CERTIFICATE, registered=True, config=with_mark),
    Situation("verification switched off cures no registration", False, "tls-untrusted-root",
              UNTRUSTED, prepare=variables(REQUESTS_CA_BUNDLE=UNSET,
                                           AZURE_CLI_DISABLE_CONNECTION_VERIFICATION="1")),
    Situation("AD FS that takes /openid alone", False, "adfs-client-not-allowed", "MSIS9605",
              idp=ADFS, registered=True, stamp={"adfs_default_scope": False}),
)  # fmt: skip

OTHERS = (
    Situation("healthy, certificate", kind=CERTIFICATE),
    Situation("healthy, registered", registered=True),
    Situation("healthy, AD FS", idp=ADFS),
    Situation("healthy, AD FS, password", idp=ADFS, kind=PASSWORD),
    Situation("the leaf ends soon", fault="cert-expires-soon"),
    Situation("the readiness checker would reject it", idp=ADFS, fault="cert-readiness"),
    Situation("az's own certifi", False, "tls-untrusted-root", UNTRUSTED,
              prepare=variables(REQUESTS_CA_BUNDLE=UNSET)),
    Situation("az's own certifi, registered", False, "tls-untrusted-root",
              "CERTIFICATE_VERIFY_FAILED", idp=ADFS, registered=True,
              prepare=variables(REQUESTS_CA_BUNDLE=UNSET)),
    Situation("REQUESTS_CA_BUNDLE is a page", False, "trust-file-bad", "",
              fault="trust-file-bad"),
    Situation("metadata is a list", False, "metadata-incomplete", "'list' object",
              stamp={"metadata_form": "list"}),
    Situation("metadata without graph", False, "metadata-incomplete", "endpoints are required",
              stamp={"metadata_form": "no-graph"}),
    Situation("metadata by 2019-10-01, registered", registered=True,
              stamp={"metadata_form": "newer-only"}),
    Situation("metadata with a mark, registered", idp=ADFS, registered=True,
              stamp={"metadata_form": "byte-order-mark"}),
    Situation("instance discovery off by file",
              prepare=in_config("[core]\ninstance_discovery = False\n",
                                AZURE_CORE_INSTANCE_DISCOVERY=UNSET)),
    Situation("instance discovery on by variable", False, "az-instance-discovery",
              "login.microsoftonline.com",
              prepare=in_config("[core]\ninstance_discovery = false\n",
                                AZURE_CORE_INSTANCE_DISCOVERY="true")),
    Situation("instance discovery on, AD FS", idp=ADFS,
              prepare=variables(AZURE_CORE_INSTANCE_DISCOVERY=UNSET)),
    Situation("an option that is no boolean", False, "az-config-broken", "Not a boolean",
              prepare=variables(AZURE_CORE_INSTANCE_DISCOVERY="maybe")),
    Situation("an option of the file that is no boolean", False, "az-config-broken",
              "Not a boolean", idp=ADFS, prepare=in_config("[core]\nonly_show_errors = maybe\n")),
    Situation("tokens to be encrypted, without PyGObject", False, "az-config-broken",
              "Unable to import module 'gi'", registered=True,
              prepare=variables(AZURE_CORE_ENCRYPT_TOKEN_CACHE="true")),
    Situation("an output that az does not have", False, "az-config-broken", "KeyError: 'tabel'",
              registered=True, prepare=in_config("[core]\noutput = tabel\n")),
    Situation("subscriptions that are a list", False, "az-config-broken", "AttributeError",
              idp=ADFS, registered=True, prepare=holding("azureProfile.json", "[]")),
    Situation("service principals without ids", False, "az-config-broken", "KeyError",
              registered=True, prepare=holding(PRINCIPALS, "[{}]")),
    Situation("a folder in the place of clouds.config", False, "az-config-broken",
              "IsADirectoryError", prepare=folder_named("clouds.config")),
    Situation("a folder of roots", False, "trust-file-bad", "invalid file path", idp=ADFS,
              prepare=by_folder),
    Situation("truncated service principals", False, "az-config-broken",
              "Expecting|JSONDecodeError", registered=True, prepare=cut(PRINCIPALS)),
    Situation("an empty token cache", registered=True,
              prepare=lambda machine: (machine.files / TOKENS).touch()),
    Situation("clouds.config with a mark", False, "az-config-broken", "", registered=True,
              prepare=in_clouds("[", f"{BOM}[")),
    Situation("clouds.config with a section twice", False, "az-config-broken",
              "DuplicateSectionError", registered=True,
              prepare=in_clouds("[", f"[{CLOUD}]\n[")),
    Situation("a cloud of another audience", False, "az-config-broken", "AADSTS500011",
              registered=True, prepare=in_clouds("_resource_id = https://management.",
                                                 "_resource_id = https://old.")),
    Situation("a cloud with profile latest", False, "az-config-broken", "InvalidApiVersion",
              idp=ADFS, registered=True, prepare=in_clouds("2020-09-01-hybrid", "latest")),
    Situation("an older profile", registered=True,
              prepare=in_clouds("2020-09-01-hybrid", "2019-03-01-hybrid")),
    Situation("AZURE_CLOUD_NAME names another cloud", False, "az-config-broken", "",
              registered=True, prepare=variables(AZURE_CLOUD_NAME="AzureCloud")),
    Situation("a PFX", False, "sp-cert-unusable", "Invalid certificate", kind=CERTIFICATE,
              registered=True, config=locked("pfx")),
    Situation("an encrypted key", False, "sp-cert-unusable", "encrypted", idp=ADFS,
              kind=CERTIFICATE, registered=True, config=locked("encrypted")),
    Situation("metadata answers 500", False, "metadata-server-error", "status code 500",
              fault="metadata-server-error"),
    Situation("metadata is cut", False, "metadata-not-json", "valid json",
              fault="metadata-not-json"),
    Situation("metadata is a page", False, "metadata-intercepted", "valid json", idp=ADFS,
              fault="metadata-intercepted"),
    Situation("metadata without sign-in data", False, "metadata-incomplete", "",
              fault="metadata-incomplete"),
    Situation("a login endpoint of http:", False, "login-endpoint-insecure", "",
              fault="login-endpoint-insecure"),
    Situation("no listener", False, "tcp-refused", "refused", fault="tcp-refused"),
    Situation("no such name", False, "dns-not-found", "resolve", idp=ADFS, fault="dns-not-found"),
    Situation("no proxy listens", False, "proxy-unreachable", "proxy",
              prepare=variables(HTTPS_PROXY="http://127.0.0.1:9"),
              config=lambda _machine: {"proxy": ""}),
    Situation("expired", False, "tls-expired", "expired", fault="tls-expired"),
    Situation("not yet valid", False, "tls-not-yet-valid", "not yet valid",
              fault="tls-not-yet-valid"),
    Situation("a root that nobody trusts", False, "tls-untrusted-root", UNTRUSTED, idp=ADFS,
              fault="tls-untrusted-root"),
    Situation("a gateway's root", False, "tls-intercepted", UNTRUSTED, fault="tls-intercepted"),
    Situation("no intermediate", False, "tls-missing-intermediate", "local issuer",
              fault="tls-missing-intermediate"),
    Situation("self-signed", False, "tls-self-signed", "self-signed", idp=ADFS,
              fault="tls-self-signed"),
    Situation("another name", False, "tls-name-mismatch", UNTRUSTED, fault="tls-name-mismatch"),
    Situation("a weak key", False, "tls-weak", "too weak|too small", fault="tls-weak"),
    Situation("no login host", False, "login-unreachable", "resolve", idp=ADFS,
              fault="login-unreachable"),
    Situation("a wrong secret", False, "sp-secret-wrong", "AADSTS7000215",
              fault="sp-secret-wrong"),
    Situation("a wrong secret, AD FS", False, "sp-secret-wrong", "MSIS9622", idp=ADFS,
              fault="sp-secret-wrong"),
    Situation("no such application", False, "app-not-found", "AADSTS700016", registered=True,
              fault="app-not-found"),
    Situation("another audience", False, "audience-unknown", "AADSTS500011",
              fault="audience-unknown"),
    Situation("a refused certificate", False, "sp-cert-rejected", "AADSTS700027",
              kind=CERTIFICATE, fault="sp-cert-rejected"),
    Situation("no subscriptions", False, "no-subscriptions", "No subscriptions",
              fault="no-subscriptions"),
    Situation("no right to read", False, "arm-forbidden", "AuthorizationFailed", idp=ADFS,
              fault="arm-forbidden"),
    Situation("an old build", False, "api-version-unsupported", "InvalidApiVersion",
              fault="api-version-unsupported"),
    Situation("a token of another tenant", False, "arm-unauthorized",
              "InvalidAuthenticationToken", fault="arm-unauthorized"),
    Situation("a tenant by its name", registered=True, config=by_domain,
              prepare=in_clouds("/\nendpoint_active_directory_graph",
                                "\nendpoint_active_directory_graph")),
    Situation("a tenant by its name, and a slash too many", False, "tenant-not-found", "90002",
              config=by_domain),
    Situation("a tenant of AD FS by name", False, "tenant-not-found",
              "Failed to resolve tenant 'adfs'", idp=ADFS,
              config=lambda _machine: {"tenant": '"adfs"'}),
    # Nobody can tell: a person has to enter the code, and the check did not get as far as az.
    Situation("a device code", None, "az-undecided", kind=SignInKind.DEVICE_CODE,
              stamp={"device_approve_after": 1, "device_interval": 1}),
    Situation("metadata answers 500, registered", None, "az-undecided", registered=True,
              fault="metadata-server-error"),
)  # fmt: skip
