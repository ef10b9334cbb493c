"""How each command of the catalogue's remedies is run: here, by another test, or by a person.

The key is the command as its template has it, for bash. Texts have the places of a `Site`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stacktui.diagnosis.catalogue.azure_cli import INSTALL_AZ
from stacktui.diagnosis.catalogue.every_fault import EVERY_FAULT
from stacktui.diagnosis.remedy_template import PlainWord, RemedyTemplate

TEMPLATES: Mapping[str, RemedyTemplate] = {
    each.bash: each for fault in EVERY_FAULT.values() for each in fault.remedies if each.bash
}
"""One template of each command: titles differ, and are not run."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run of one command, as a user pastes it.

    `values` fill the template: a `PlainWord` is inserted as it is. `before` and `after` are
    commands before and after it, one a line. `shows` is a pattern that the output of all has,
    `needs` a program that not every machine has. `code` is 1 for a command of ours that looks, and
    found something.
    """

    values: Mapping[str, str | int] = field(default_factory=dict)
    shows: str = ""
    before: str = ""
    after: str = ""
    typed: str = ""
    needs: str = ""
    code: int = 0


def _shown(path: str) -> str:
    return f"stat -c %a '{path}'; cat '{path}'"


_PEM = {"path": "{certificate_file}"}
_FILE = {"file": "{folder}/a file", "aside": "{folder}/a file.aside"}
_STORE = {"store": "{folder}/store.pem"}
_SLEEPS_NOT = "printf '#!/bin/sh\\necho waits $1 s\\n' > bin/sleep; chmod +x bin/sleep"
_OTHER = "cp {other} store.pem"
_IN_STORE = _OTHER + "\nstacktui certificates trust {ca_file} --store {folder}/store.pem --yes"
_LEFTOVER = "stacktui rest PUT /subscriptions/{subscription_id}/resourceGroups/left --yes --body "
_WITH_ALIASES = (
    "stacktui environments set --config config.toml Test vm_image_aliases={vm_image_aliases}"
)
_WAITED = r"waits {seconds} s[\s\S]*OK"
_ENDS = r"notAfter="
_NO_PROXY = r"(?m)^NO_PROXY={host},kept.test$"

RUNS: Mapping[str, Run] = {
    # Files
    '"${EDITOR:-vi}" {config_file}': Run(
        {"config_file": "{folder}/config.toml"},
        r"\[environments.Test\]", before="export EDITOR=cat",
    ),
    '(umask 077; read -rs s && printf %s "$s" > {file})': Run(
        _FILE, "600\ns3cret$", typed="s3cret\n", after=_shown("{folder}/a file"),
    ),
    "chmod {mode} {file}": Run(
        _FILE | {"mode": 600}, "600", before="touch 'a file'", after="stat -c %a 'a file'",
    ),
    "chmod {mode} {folder}": Run(
        {"mode": 700, "folder": "{folder}/open"}, "700",
        before="mkdir -m 777 open", after="stat -c %a open",
    ),
    "iconv -f UTF-16 -t UTF-8 {path} > {new} && mv -- {new} {path}": Run(
        {"path": "{folder}/a file", "new": "{folder}/a file.new"}, r"^644\n\[Küste\]$",
        before="umask 022; printf '[Küste]' | iconv -f UTF-8 -t UTF-16 > 'a file'",
        after=_shown("{folder}/a file"),
    ),
    "tail -c +4 {path} > {new} && mv -- {new} {path}": Run(
        {"path": "{folder}/a file", "new": "{folder}/a file.new"}, r"^644\n\[A\]$",
        before="umask 022; printf '\\357\\273\\277[A]' > 'a file'",
        after=_shown("{folder}/a file"),
    ),
    "ls -l -- {path}": Run(_PEM, r"^-r.*\.pem$"),
    "mv -i -- {file} {aside}": Run(
        _FILE, "kept", before="echo kept > 'a file'", after="cat 'a file.aside'",
    ),
    "mv -- {path} {aside}": Run(
        {"path": "{folder}/a file", "aside": "{folder}/a file.aside"}, "kept",
        before="echo kept > 'a file'", after="cat 'a file.aside'",
    ),
    "rm -f -- {cache}": Run(
        {"cache": "{folder}/a file"}, "gone",
        before="touch 'a file'", after="test -e 'a file' || echo gone",
    ),
    # Certificates
    "(umask 077; { openssl pkey -in {path}; openssl x509 -in {path}; } > {pem})": Run(
        _PEM | {"pem": "{folder}/a file"}, f"^600\n{_ENDS}.*\nKey is valid",
        after="stat -c %a 'a file'; openssl x509 -in 'a file' -noout -enddate; "
        "openssl pkey -in 'a file' -noout -check",
    ),
    "openssl x509 -in {path} -noout -fingerprint -sha1 -subject -dates": Run(
        _PEM, rf"(?i)sha1 Fingerprint=[\s\S]*subject=[\s\S]*{_ENDS}",
    ),
    "openssl x509 -in {path} -noout -subject -enddate": Run(_PEM, rf"subject=.*\n{_ENDS}"),
    "openssl x509 -in {path} -noout -subject -enddate; openssl pkey -in {path} -noout -check": Run(
        _PEM, rf"{_ENDS}.*\nKey is valid"
    ),
    "openssl x509 -inform DER -in {file} -out {pem}": Run(
        _FILE | {"pem": "{folder}/a file.pem"}, _ENDS,
        before="openssl x509 -in {ca_file} -outform DER -out 'a file'",
        after="openssl x509 -in 'a file.pem' -noout -enddate",
    ),
    "stacktui certificates convert {path} {pem}": Run(
        {"path": "{folder}/sp.pfx", "pem": "{folder}/sp.pem"}, _ENDS,
        before="openssl pkcs12 -export -in {certificate_file} -passout pass: -out sp.pfx",
        after="openssl x509 -in sp.pem -noout -enddate",
    ),
    "stacktui certificates export{config}": Run(shows="export REQUESTS_CA_BUNDLE="),
    "stacktui certificates matrix{environment}": Run(shows="localhost"),
    "stacktui certificates repair {file}": Run(
        _FILE, _ENDS, typed="y\n",
        before="{ printf %s \"$(cat {ca_file})\"; cat {ca_file}; } > 'a file'",
        after="openssl x509 -in 'a file' -noout -enddate",
    ),
    "stacktui certificates show --all{environment}": Run(shows="AzureStackSelfSignedRootCert"),
    "stacktui certificates stores{environment}": Run(shows="certifi"),
    "stacktui certificates trust {aside}": Run({"aside": "{ca_file}"}, "Added 1 cert", typed="y\n"),
    "stacktui certificates trust {fingerprint} --store {store}": Run(
        _STORE | {"fingerprint": "{sha256}"}, "AzureStackSelfSignedRootCert",
        typed="y\n", before=f"{_IN_STORE}\n{_OTHER}",
        after="grep Subject: store.pem",
    ),
    "stacktui certificates trust{config} {presented} --store {store}": Run(
        _STORE | {"presented": PlainWord("--presented=Test")}, "AzureStackSelfSignedRootCert",
        typed="{sha256_end}\n", before=_OTHER, after="grep Subject: store.pem",
    ),
    "stacktui certificates trust{config}{of_host} {presented}": Run(
        {"of_host": PlainWord(" --host localhost:{port}"),
         "presented": PlainWord("--presented=Test")},
        "Added 1 certificate", typed="{sha256_end}\n",
    ),
    "stacktui certificates untrust {fingerprints} --store {store}": Run(
        _STORE | {"fingerprints": "{sha256}"}, "none left", typed="y\n",
        before=_IN_STORE,
        after="grep Subject: store.pem || echo none left",
    ),
    "stacktui certificates untrust {fingerprint}": Run(
        {"fingerprint": "{sha256}"}, "Took 1 certificate out", typed="y\n",
        before="stacktui certificates trust {ca_file} --yes",
    ),
    # The network
    "curl {options} {url} | head -c 2000 | cat -v": Run(
        {"options": PlainWord("-sS -i -g -m 60 --cacert {ca_file} --noproxy '*'"),
         "url": "{arm_url}/metadata/endpoints?api-version=2015-01-01"},
        r"HTTP/1.1 200[\s\S]*loginEndpoint",
    ),
    "getent ahosts {host}; grep -v '^#' /etc/resolv.conf": Run(
        {"host": "localhost"}, r"127\.0\.0\.1|::1", after="true"
    ),
    "grep -v '^#' /etc/resolv.conf; getent ahosts {host}": Run(
        {"host": "localhost"}, r"127\.0\.0\.1|::1"
    ),
    "ip route get {address}": Run({"address": "127.0.0.1"}, "dev lo", needs="ip"),
    "timeout 5 bash -c '</dev/tcp/\"$0\"/\"$1\"' {host} {port} && echo open": Run(
        {"host": "127.0.0.1", "port": "{port}"}, "^open$"
    ),
    "timeout 5 openssl s_client -brief -connect {address} -servername {host} < /dev/null; "
    "timeout 5 openssl s_client -brief -connect {address} -noservername < /dev/null": Run(
        {"address": "localhost:{port}", "host": "localhost"}, r"(CONNECTION EST[\s\S]*){2}",
    ),
    # Variables
    "env | grep -i _proxy": Run(
        shows="https_proxy=http://p.test", before="export https_proxy=http://p.test"
    ),
    'export NO_PROXY=169.254.169.254"${NO_PROXY:+,$NO_PROXY}"': Run(
        shows=_NO_PROXY.format(host="169.254.169.254"),
        before="export NO_PROXY=kept.test", after="env",
    ),
    'export NO_PROXY={host}"${NO_PROXY:+,$NO_PROXY}"': Run(
        {"host": "arm.test"}, _NO_PROXY.format(host="arm.test"),
        before="export NO_PROXY=kept.test", after="env",
    ),
    'no_proxy={name},"${no_proxy:-$NO_PROXY}"; no_proxy="${no_proxy%,}"; '
    'export no_proxy NO_PROXY="$no_proxy"': Run(
        {"name": ".arm.test"}, _NO_PROXY.format(host=".arm.test"),
        before="export NO_PROXY=kept.test", after="env",
    ),
    'export PATH={folder}:"$PATH"': Run(
        {"folder": "{folder}/a b"}, "(?m)^PATH=/.*/a b:/", after="env"
    ),
    "export REQUESTS_CA_BUNDLE={file}": Run(
        {"file": "{ca_file}"}, "(?m)^REQUESTS_CA_BUNDLE=.*pem$", after="env"
    ),
    'sudo chown -R -- "$(id -un)" {path}': Run(
        {"path": "{folder}/az's files"}, "^own$",
        before="printf '#!/bin/sh\\nexec \"$@\"\\n' > bin/sudo; chmod +x bin/sudo\n"
        "mkdir \"az's files\"",
        after="[ -O \"az's files\" ] && echo own",
    ),
    "export AZURE_CORE_INSTANCE_DISCOVERY=false": Run(
        shows="^false$", after="printenv AZURE_CORE_INSTANCE_DISCOVERY"
    ),
    'export {source}="$(printenv {source} | tr -d "\\"\'")"': Run(
        {"source": PlainWord("HTTPS_PROXY")}, "^http://p.test$",
        before="export HTTPS_PROXY='\"http://p.test\"'", after="printenv HTTPS_PROXY",
    ),
    "export {source}={url}": Run(
        {"source": PlainWord("HTTPS_PROXY"), "url": "http://p.test:3128"},
        "(?m)^HTTPS_PROXY=http://p.test:3128$", after="env",
    ),
    "read -rs {variable} && export {variable}": Run(
        {"variable": PlainWord("ARM_SECRET")}, r"(?m)^ARM_SECRET=s3cr\\et$",
        typed="s3cr\\et\n", after="env",
    ),
    "read -rsp 'user:password ' p && export {source}={scheme}://\"$p\"@{address}": Run(
        {"source": PlainWord("HTTPS_PROXY"), "scheme": "http", "address": "p.test:3128"},
        "(?m)^HTTPS_PROXY=http://u:p%40@p.test:3128$", typed="u:p%40\n", after="env",
    ),
    "unset AZURE_POD_IDENTITY_AUTHORITY_HOST": Run(
        shows="^none$", before="export AZURE_POD_IDENTITY_AUTHORITY_HOST=http://x.test",
        after="printenv AZURE_POD_IDENTITY_AUTHORITY_HOST || echo none",
    ),
    "unset {variable}": Run(
        {"variable": PlainWord("REQUESTS_CA_BUNDLE")}, "^none$",
        before="export REQUESTS_CA_BUNDLE=/missing",
        after="printenv REQUESTS_CA_BUNDLE || echo none",
    ),
    "unset {variables}": Run(
        {"variables": PlainWord("ADAL_A ADAL_B")}, "^none$",
        before="export ADAL_A=1 ADAL_B=1", after="printenv ADAL_A ADAL_B || echo none",
    ),
    # Checks
    "sleep 600 && stacktui check{environment}": Run(
        shows=_WAITED.format(seconds=600), before=_SLEEPS_NOT
    ),
    "sleep 70 && stacktui check{environment}": Run(
        shows=_WAITED.format(seconds=70), before=_SLEEPS_NOT
    ),
    "sleep {seconds}": Run({"seconds": 60}, "waits 60 s", before=_SLEEPS_NOT),
    "{sleep}stacktui check{environment}": Run(
        {"sleep": PlainWord("sleep 17 && "), "start_sleep": PlainWord("")},
        _WAITED.format(seconds=17), before=_SLEEPS_NOT,
    ),
    "stacktui check{environment}": Run(shows="OK"),
    "stacktui check --format json{environment}": Run(shows='"ok": true'),
    "stacktui check{config} --format json {name} > check.json": Run(
        {"name": PlainWord("-- Test")}, '"ok": true', after="cat check.json"
    ),
    "stacktui check --remove-leftovers{environment}": Run(shows="no probe left a group"),
    "stacktui explain {code}": Run({"code": "AADSTS700016"}, "app-not-found"),
    # Environments
    "mv -- {file} {aside} && stacktui environments accept{environment}": Run(
        _FILE, "kept", before="echo kept > 'a file'", typed="y\n", after="cat 'a file.aside'",
    ),
    "stacktui environments accept{environment}": Run(typed="y\n", shows="recorded"),
    "stacktui environments aliases{environment}": Run(shows="UbuntuLTS", before=_WITH_ALIASES),
    "stacktui environments aliases --check{environment}": Run(
        shows="UbuntuLTS", before=_WITH_ALIASES, code=1
    ),
    "stacktui environments aliases --check --sample aliases.json{environment}": Run(
        shows='"aliases"', before=_WITH_ALIASES, after="cat aliases.json"
    ),
    "stacktui environments export --format az{environment}": Run(
        typed="y\ny\n", shows=r"endpoint_resource_manager = {arm_url}",
        after="cat ~/.azure/clouds.config",
    ),
    "stacktui environments set{environment} limits.step={seconds}": Run(
        {"seconds": 60}, "step = 60", after="cat config.toml"
    ),
    "stacktui environments set{environment} {change}": Run(
        {"change": "proxy=none"}, 'proxy = "none"', after="cat config.toml"
    ),
    "stacktui environments set{environment} {setting}": Run(
        {"setting": "limits.rows=15000"}, "rows = 15000", after="cat config.toml"
    ),
    # Resources
    "stacktui identities grant {principal} --role {role} --scope {scope}{asked}": Run(
        {"principal": "{group_object_id}", "role": PlainWord("Contributor"),
         "scope": "/subscriptions/{subscription_id}"}, "Contributor", typed="y\n",
    ),
    "stacktui providers list{asked}": Run(shows="Microsoft.Compute"),
    "stacktui providers register {namespace}{asked}": Run(
        {"namespace": "Microsoft.Web"}, "Microsoft.Web is registered", typed="y\n"
    ),
    "stacktui rest DELETE {path} --wait{asked}": Run(
        {"path": "/subscriptions/{subscription_id}/resourceGroups/left"}, "left", typed="y\nleft\n",
        before=_LEFTOVER + "'{\"location\": \"local\"}' --environment Test --config config.toml",
    ),
}  # fmt: skip

ELSEWHERE: Mapping[str, str] = {
    INSTALL_AZ.bash: "tests/compat/release/test_az_install.py::test_az_is_the_one_of_the_shell",
    "read -erp 'File of the root: ' f && stacktui certificates trust -- \"${f/#\\~/$HOME}\"": (
        "tests/diagnosis/test_remedies.py::test_a_root_from_a_file"
    ),
    "ip route get 169.254.169.254; curl -sS -i -m 5 --noproxy '*' -H Metadata:true "
    "'http://169.254.169.254/metadata/instance?api-version=2018-02-01' | head -c 2000 | cat -v": (
        "tests/network/test_imds.py::test_the_look_that_is_offered_shows_the_service"
    ),
    "curl -sS -m 5 --noproxy '*' -H Metadata:true 'http://169.254.169.254/metadata/versions' "
    "| cat -v": "tests/network/test_imds.py::test_the_list_of_versions_is_asked_for",
    "ping -c 3 -W 2 -M do -s 1472 {address}; ping -c 3 -W 2 -M do -s 1200 {address}": (
        "tests/network/test_packets.py::test_pings_of_two_sizes_tell_it"
    ),
    **dict.fromkeys(
        (
            "{python} -m pip install --force-reinstall certifi",
            "pipx runpip {venv} install --force-reinstall certifi",
            "uv pip install --python {python} --reinstall certifi",
        ),
        "tests/diagnosis/test_certifi_repair.py::test_certifi_is_reinstalled_by_what_installed_it",
    ),
    "{python} -m keyring set {service} {user}": (
        "tests/compat/test_keyring.py::test_a_secret_of_the_keyring"
    ),
    **dict.fromkeys(
        (
            "{python} -m pip install keyring",
            "{python} -m pip install {pins}",
            "uv pip install --python {python} {pins}",
        ),
        "tests/compat/test_installers.py::test_a_package_is_installed_there",
    ),
}
"""The test that runs the command, where that takes more than a shell: a terminal, a network of its
own, another Python."""

BY_A_PERSON: Mapping[str, str] = dict.fromkeys(
    (
        "timedatectl status",
        "sudo timedatectl set-ntp true",
        "timedatectl status; sudo timedatectl set-ntp true",
    ),
    "asks systemd as the first process, and sets the clock of the whole machine",
)
"""What no test can run, with the reason."""
