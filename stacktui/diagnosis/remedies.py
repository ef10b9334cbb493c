"""Remedies that several faults share, and the functions that fill them."""

from __future__ import annotations

import re
import sys
from dataclasses import replace

from stacktui.diagnosis.context import FailureContext, ReportContext
from stacktui.diagnosis.finding import Action, ActionKind, Remedy
from stacktui.diagnosis.remedy_template import PlainWord, Quote, RemedyTemplate, for_both
from stacktui.diagnosis.sign_in_facts import section_of
from stacktui.environments.naming import domain_of
from stacktui.identities.model import (
    EnvSecret,
    FileSecret,
    Identity,
    KeyringSecret,
    PromptSecret,
    TypedSecret,
)
from stacktui.text.shell import toml
from stacktui.transport.proxy import DIRECT
from stacktui.transport.request_commands import curl_options

# Time-out of a remedy's request in seconds, longer than a check's.
_FETCH_SECONDS = 60
# Prompts without echo, in Windows PowerShell 5.1 and in PowerShell 7.
_POWERSHELL_ASKS = "[Net.NetworkCredential]::new('', (Read-Host -AsSecureString)).Password"
# A variable name that a shell accepts.
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# The name of an environment's proxy setting in `transport.proxy`, beside names of variables.
PROXY_SETTING = "proxy setting"
PROXY_VARIABLE = re.compile(r"(?:https|all)_proxy", re.IGNORECASE)


# Settings of the environment


def setting(title: str, key: str, value: str, **shown: str) -> RemedyTemplate:
    """Return a remedy that sets `key`; the catalogue shows `value`. Filled by `fill_setting`."""
    command = "stacktui environments set{environment} {change}"
    return for_both(title, command, change=f"{key}={value}", **shown)


def fill_setting(
    template: RemedyTemplate, report: ReportContext, key: str, value: str, **more: str
) -> Remedy:
    """Fill a remedy that sets `key` of the environment; an empty `value` removes the key."""
    action = Action(ActionKind.SET, key=key, value=value)
    return template.fill(action, **report.placeholders, change=f"{key}={value}", **more)


def editing(title: str, **shown: str) -> RemedyTemplate:
    """Return a remedy that changes the config by hand; filled with `**report.placeholders`."""
    return RemedyTemplate(title, '"${EDITOR:-vi}" {config_file}', "notepad {config_file}", shown)


CHECK_OTHER_ENDPOINT = setting(
    "Check {endpoint} instead ({whose})",
    "arm",
    "https://management.REGION.FQDN",
    endpoint="management.REGION.FQDN",
    whose="for users; adminmanagement for operators",
)


def accepting(title: str, **shown: str) -> RemedyTemplate:
    """Return a remedy that records the stamp's login endpoint and root again."""
    return for_both(title, "stacktui environments accept{environment}", **shown)


def fill_accepting(template: RemedyTemplate, report: ReportContext, **more: str) -> Remedy:
    return template.fill(Action(ActionKind.ACCEPT), **report.placeholders, **more)


def checking_again(title: str, **shown: str) -> RemedyTemplate:
    """Return a remedy that runs the check again; filled with `**report.placeholders`."""
    return for_both(title, "stacktui check{environment}", **shown)


def exporting(title: str) -> RemedyTemplate:
    """Return a remedy that writes a CA bundle for az; filled with `**report.placeholders`."""
    return for_both(title, "stacktui certificates export{config}")


EXPORT_BUNDLE = exporting(
    "Then for az: a bundle of certifi's roots and yours, which upgrades leave alone"
)
TRUST_MATRIX = for_both(
    "See which trust store on this machine trusts it, and which does not",
    "stacktui certificates matrix{environment}",
)


# Trust


def trusting_presented(title: str, **shown: str) -> RemedyTemplate:
    """Return a remedy that trusts the root that a host presents; the command asks for its hash."""
    return for_both(
        title,
        "stacktui certificates trust{config}{of_host} {presented}",
        of_host=" --host HOST",
        presented="--presented NAME",
        **shown,
    )


def fill_trusting_presented(
    template: RemedyTemplate, failure: FailureContext, **more: str
) -> Remedy:
    def of_host(quote: Quote) -> str:
        return "" if failure.at_arm else f" --host {quote(f'{failure.host}:{failure.port}')}"

    # One word for the shell; after `=`, a name that starts with a dash is not an option.
    presented = f"--presented={failure.environment.name}"
    action = Action(ActionKind.TRUST_ROOT, host=failure.host, port=failure.port)
    placeholders = {**failure.placeholders, **more}
    return template.fill(action, of_host=of_host, presented=presented, **placeholders)


def fill_trusting_file(template: RemedyTemplate, failure: FailureContext, **more: str) -> Remedy:
    """Fill a remedy that trusts a file; stacktui asks for the file where the root is not at hand.

    Where it is, trusting the presented root is the remedy that stacktui carries out.
    """
    if failure.root_available:
        return template.fill(**more)
    action = Action(ActionKind.TRUST_ROOT, host=failure.host, port=failure.port)
    return template.fill(action, **more)


def trusting_file(title: str, **shown: str) -> RemedyTemplate:
    """Return a remedy that trusts a root from a file; the command asks for the file."""
    return RemedyTemplate(
        title,
        # Bash expands ~ neither in input nor in quotes.
        "read -erp 'File of the root: ' f && stacktui certificates trust -- \"${f/#\\~/$HOME}\"",
        "stacktui certificates trust -- (Read-Host 'File of the root')",
        shown,
    )


# Tenants

SET_OWN_TENANT = RemedyTemplate(
    "Set the stamp's own tenant under {identity}: tenant = {tenant}",
    shown={"identity": "the identity", "tenant": '"TENANT"'},
)
CHECK_TENANT = RemedyTemplate(
    "Check tenant under {identity}: the id or domain of the directory that the application is in, "
    "as the portal's overview of the directory shows it",
    shown={"identity": "the identity"},
)


def own_tenant(failure: FailureContext, identity: Identity) -> Remedy:
    """Set the stamp's own tenant if the identity has another; else check the tenant."""
    metadata, section = failure.metadata, section_of(identity)
    own = metadata.tenant if metadata else None
    if own and identity.tenant and own.lower() != identity.tenant.lower():
        return SET_OWN_TENANT.fill(identity=section, tenant=toml(own))
    return CHECK_TENANT.fill(identity=section)


# Certificates

LINT_NEW_FILES = RemedyTemplate(
    "And judges new files with `stacktui certificates lint` before they are deployed"
)


# Clocks

CLOCK_STATUS = RemedyTemplate(
    "See whether this machine's clock is kept", "timedatectl status", "w32tm /query /status"
)
SET_TIME = RemedyTemplate(
    "Let it be set by a time server (as administrator)",
    "sudo timedatectl set-ntp true",
    "w32tm /resync",
)
OPERATOR_SETS_TIME = RemedyTemplate(
    "If this machine is right, the stamp's operator looks at the stamp's time source (privileged "
    "endpoint)",
    powershell="Invoke-Command -Session $pep { Get-AzsTimeSource }",
)


def setting_clock(title: str) -> RemedyTemplate:
    """Return a remedy that shows this machine's clock and sets it."""
    return RemedyTemplate(
        title,
        "timedatectl status; sudo timedatectl set-ntp true",
        "w32tm /query /status; w32tm /resync",
    )


# Fetching a URL


def fetching(title: str, url: str = "https://HOST/…") -> RemedyTemplate:
    """Return a remedy that requests a URL as the check did; the catalogue shows `url`.

    The output is escaped, as raw bytes could act on the terminal. Filled by `fill_fetching`.
    """
    return RemedyTemplate(
        title,
        "curl {options} {url} | head -c 2000 | cat -v",
        rf"(Invoke-WebRequest -TimeoutSec {_FETCH_SECONDS} {{url}}).RawContent "
        r"-replace '[^\x20-\x7E\r\n\t]', '?'",
        {"options": f"-sS -i -g -m {_FETCH_SECONDS}", "url": f"'{url}'"},
    )


def fill_fetching(
    template: RemedyTemplate, failure: FailureContext, url: str | None = None, **more: str
) -> Remedy:
    """Fill with `url`, else with the URL of the request that failed, if there was one.

    curl gets the environment's CA, pin and proxy bypass. Without a URL the remedy has no command.
    """
    target = url or (failure.last.url if failure.last else None)
    if target is None:
        return replace(template, bash="", powershell="").fill(**more)

    def options(quote: Quote) -> str:
        # -g: curl must not expand a URL that the server may have chosen.
        reaching = curl_options(
            quote,
            ca=str(failure.environment.ca or ""),
            direct=failure.environment.proxy == DIRECT,
            pinned=failure.connection.pinned if failure.connection else None,
        )
        return " ".join((f"-sS -i -g -m {_FETCH_SECONDS}", *reaching))

    return template.fill(options=options, url=target, **more)


# Proxies

CONNECT_DIRECTLY = setting("If no proxy is needed, connect directly", "proxy", DIRECT)
GO_AROUND_PROXY = RemedyTemplate(
    "If no proxy is needed for {name}, go round it (az reads NO_PROXY too)",
    # Python prefers the lower-case name if both are set.
    'no_proxy={name},"${no_proxy:-$NO_PROXY}"; no_proxy="${no_proxy%,}"; '
    'export no_proxy NO_PROXY="$no_proxy"',
    '$env:NO_PROXY = (@({name}, $env:NO_PROXY) -ne $null) -join ","',
    {"name": "HOST"},
)


def bypassing_proxy(title: str) -> RemedyTemplate:
    """Return a remedy that adds {host} to NO_PROXY."""
    return RemedyTemplate(
        title,
        'export NO_PROXY={host}"${NO_PROXY:+,$NO_PROXY}"',
        '$env:NO_PROXY = (@({host}, $env:NO_PROXY) -ne $null) -join ","',
    )


def proxy_source(failure: FailureContext) -> str:
    """Return the variable or setting that names the proxy; the fault names an unreadable one."""
    if failure.connection:
        return failure.connection.proxy.source
    first = str(getattr(failure.fault, "detail", "")).partition(":")[0]
    return first if PROXY_VARIABLE.fullmatch(first) else PROXY_SETTING


def around_proxy(failure: FailureContext) -> tuple[Remedy, ...]:
    """Return how to reach the stamp without the proxy; empty if there is none."""
    if failure.connection and failure.connection.proxy.url is None:
        return ()
    source = proxy_source(failure)
    if source == PROXY_SETTING:
        return (fill_setting(CONNECT_DIRECTLY, failure, "proxy", DIRECT),)
    if not PROXY_VARIABLE.fullmatch(source):
        return ()
    domain = domain_of(failure.host)
    return (GO_AROUND_PROXY.fill(name=f".{domain}" if domain else failure.host),)


# Secrets

SET_SECRET_VARIABLE = RemedyTemplate(
    "Set {variable} in this shell without leaving the {what} in its history",
    "read -rs {variable} && export {variable}",
    f"$env:{{variable}} = {_POWERSHELL_ASKS}",
    {"what": "secret"},
)
PUT_SECRET_FILE = RemedyTemplate(
    "Put the {what} into {file}, readable by you alone",
    '(umask 077; read -rs s && printf %s "$s" > {file})',
    f"{_POWERSHELL_ASKS} | Set-Content -NoNewline {{file}}",
    {"what": "secret"},
)


PUT_KEYRING_ENTRY = RemedyTemplate(
    "Put the {what} into the keyring; the command asks for it",
    "{python} -m keyring set {service} {user}",
    "& {python} -m keyring set {service} {user}",
    {"what": "secret", "python": "python"},
)
# Who asks where there is no key for it.
ON_A_TERMINAL = ": a command on a terminal asks for it"
TYPE_SECRET = RemedyTemplate(
    f"Type the {{what}} for this run{ON_A_TERMINAL}", shown={"what": "secret"}
)


def put_secret(reference: object, what: str) -> tuple[Remedy, ...]:
    """Return how to store a secret or password at the place that `reference` names."""
    ask = Action(ActionKind.ASK_SECRET)
    match reference:
        case TypedSecret(instead_of=named):
            return put_secret(named, what)
        case EnvSecret(name=name) if _VARIABLE.fullmatch(name):
            return (SET_SECRET_VARIABLE.fill(ask, variable=PlainWord(name), what=what),)
        case FileSecret(path=path):
            return (PUT_SECRET_FILE.fill(ask, file=str(path), what=what),)
        case KeyringSecret(service=service, user=user):
            python = sys.executable
            return (
                PUT_KEYRING_ENTRY.fill(ask, python=python, service=service, user=user, what=what),
            )
        case PromptSecret():
            return (TYPE_SECRET.fill(ask, what=what),)
    return ()
