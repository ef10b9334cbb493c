"""Remedies as they are printed, executed in bash: the next check is healthy, or names what is next.

Those of proxies, secrets in files and certificates in DER are executed beside their rules' tests.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from stacktui.certificates.trust import BASE_VARIABLES
from stacktui.config.locations import own_bundle
from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.diagnosis.servers import Script, scripted, verdict_on
from tests.product import check_json, write_config
from tests.support.authority import authority, server_context
from tests.support.listeners import closed_port
from tests.support.pasted import Shell

DOMAIN = "local.azurestack.external"


@pytest.fixture(scope="module")
def stamp() -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(domain=DOMAIN)) as running:
        yield running


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def verdict_of(config: Path, **variables: str) -> dict[str, Any]:
    ran = check_json(config, **variables)
    assert (ran.code, ran.err) == (1, "")
    verdict: dict[str, Any] = ran.document["verdict"]
    return verdict


def command_with(word: str, verdict: dict[str, Any]) -> str:
    """The only command of a verdict with this word in it."""
    (command,) = (each["bash"] for each in verdict["remedies"] if word in each["bash"])
    return str(command)


def is_healthy(document: dict[str, Any]) -> bool:
    assert document["verdict"] is None, document["verdict"]
    return bool(document["ok"])


@pytest.mark.parametrize("form", ["pem", "~"])
def test_a_root_from_a_file(
    form: str, shell: Shell, stamp: RunningStamp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_config(tmp_path, stamp.describe(), ca="")
    verdict = verdict_of(config)
    assert verdict["id"] == "tls-untrusted-root"
    typed = stamp.ca_file
    if form == "~":
        monkeypatch.setenv("HOME", str(Path(stamp.ca_file).parent))
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
        typed = f"~/{Path(stamp.ca_file).name}"
    command = command_with("trust -- ", verdict)
    assert is_healthy(shell.check_after(command, config=config, typed=f"{typed}\n"))


@pytest.mark.parametrize(
    ("name", "id_"), [("Contoso", "tls-untrusted-root"), ("Gateway", "tls-intercepted")]
)
async def test_a_root_that_is_presented(name: str, id_: str, shell: Shell, tmp_path: Path) -> None:
    """Compared by its digits, on a terminal, as whoever runs the stamp or the gateway says."""
    signer = authority(name)
    whole = signer.intermediate.pem + signer.root.pem
    context = server_context(signer.leaf("localhost"), whole)
    other = authority("Fabrikam").root
    async with scripted(Script(), context) as web:
        verdict = await verdict_on(tmp_path, web.url, roots=(other,))
        assert verdict["id"] == id_
        # An interceptor is never trusted first.
        first = verdict["remedies"][0]
        assert (first["action"] is not None) is (id_ == "tls-untrusted-root")
        document = await asyncio.to_thread(
            shell.check_after_dialogue,
            command_with("--presented", verdict),
            config=tmp_path / "config.toml",
            replies=[("last 8 digits", sha256(signer.root.der).hexdigest()[-8:])],
        )
    assert is_healthy(document)


@pytest.mark.parametrize("content", [None, b"<html>Not found</html>\n"])
@pytest.mark.parametrize("setting", BASE_VARIABLES)
def test_a_variable_that_names_no_certificates(
    setting: str, content: bytes | None, shell: Shell, stamp: RunningStamp, tmp_path: Path
) -> None:
    config, path = write_config(tmp_path, stamp.describe()), tmp_path / "a bundle.pem"
    if content is not None:
        path.write_bytes(content)
    verdict = verdict_of(config, **{setting: str(path)})
    assert verdict["id"] == ("trust-file-bad" if content else "trust-file-missing")
    command = command_with("unset", verdict)
    assert is_healthy(shell.check_after(command, config=config, **{setting: str(path)}))


def test_an_own_bundle_that_is_broken(shell: Shell, stamp: RunningStamp, tmp_path: Path) -> None:
    config = write_config(tmp_path, stamp.describe())
    own_bundle().parent.mkdir(parents=True, exist_ok=True)
    own_bundle().write_bytes(b"not a certificate\n")
    verdict = verdict_of(config)
    assert verdict["id"] == "trust-file-bad"
    assert is_healthy(shell.check_after(command_with("mv", verdict), config=config))
    assert Path(f"{own_bundle()}.aside").read_bytes() == b"not a certificate\n"


@pytest.mark.parametrize("form", ["partly damaged", "der"])
def test_what_can_be_read_of_an_own_bundle_is_trusted_again(
    form: str, shell: Shell, stamp: RunningStamp, tmp_path: Path
) -> None:
    """The stamp's root is in it alone."""
    config = write_config(tmp_path, stamp.describe(), ca="")
    root = Path(stamp.ca_file).read_bytes()
    content = root + b"-----BEGIN CERTIFICATE-----\nAAAA\n"
    if form == "der":
        content = ssl.PEM_cert_to_DER_cert(root.decode())
    own_bundle().parent.mkdir(parents=True, exist_ok=True)
    own_bundle().write_bytes(content)
    verdict = verdict_of(config)
    assert verdict["id"] == "trust-file-bad"
    away, again = command_with("mv", verdict), command_with("certificates trust", verdict)
    assert is_healthy(shell.check_after(away, again, config=config, typed="y\n"))
    assert Path(f"{own_bundle()}.aside").read_bytes() == content


def test_what_was_put_aside_before_is_not_overwritten(
    shell: Shell, stamp: RunningStamp, tmp_path: Path
) -> None:
    config, aside = write_config(tmp_path, stamp.describe()), Path(f"{own_bundle()}.aside")
    own_bundle().parent.mkdir(parents=True, exist_ok=True)
    own_bundle().write_bytes(b"not a certificate\n")
    aside.write_bytes(b"an earlier one\n")
    shell.run(command_with("mv", verdict_of(config)), typed="n\n")
    assert aside.read_bytes() == b"an earlier one\n"
    assert own_bundle().exists()


@pytest.mark.parametrize("setting", BASE_VARIABLES)
def test_a_der_file_of_a_variable_is_converted_and_named(
    setting: str, shell: Shell, stamp: RunningStamp, tmp_path: Path
) -> None:
    config, path = write_config(tmp_path, stamp.describe(), ca=""), tmp_path / "a root.cer"
    path.write_bytes(ssl.PEM_cert_to_DER_cert(Path(stamp.ca_file).read_text()))
    verdict = verdict_of(config, **{setting: str(path)})
    assert verdict["id"] == "trust-file-bad"
    commands = command_with("openssl", verdict), f"export {setting}='{path}.pem'"
    assert is_healthy(shell.check_after(*commands, config=config))


def test_a_secret_in_a_variable(shell: Shell, stamp: RunningStamp, tmp_path: Path) -> None:
    config = write_config(tmp_path, stamp.describe(), secret='{ env = "STAMP_SECRET" }')
    verdict = verdict_of(config)
    assert verdict["id"] == "secret-missing"
    command = command_with("export", verdict)
    assert is_healthy(shell.check_after(command, config=config, typed=f"{stamp.secret}\n"))
    again = shell.check_after(command, config=config, typed="not-the-secret\n")
    assert again["verdict"]["id"] == "sp-secret-wrong"


@pytest.mark.parametrize(("form", "prompt"), [("pfx", "assword"), ("encrypted", "pass phrase")])
def test_a_certificate_that_asks_for_its_password(
    form: str, prompt: str, shell: Shell, stamp: RunningStamp, tmp_path: Path
) -> None:
    """On a terminal, as the commands ask there; the config then names what they made."""
    path = tmp_path / "the app.file"
    path.write_bytes(locked(Path(stamp.certificate_file), form))
    described = stamp.describe()
    config = write_config(tmp_path, described, secret="", certificate=f'"{path}"')
    verdict = verdict_of(config)
    assert verdict["id"] == "sp-cert-unusable"
    command = verdict["remedies"][1]["bash"]
    write_config(tmp_path, described, secret="", certificate=f'"{path}.pem"')
    document = shell.check_after_dialogue(command, config=config, replies=[(prompt, "tested")])
    assert is_healthy(document)
    assert Path(f"{path}.pem").stat().st_mode & 0o777 == 0o600


def locked(usable: Path, form: str) -> bytes:
    """The stamp's own certificate and key, with a password."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
        pkcs12,
    )

    content = usable.read_bytes()
    certificate = x509.load_pem_x509_certificate(content)
    key: Any = load_pem_private_key(content[content.index(b"-----BEGIN PRIVATE") :], None)
    lock = BestAvailableEncryption(b"tested")
    if form == "pfx":
        return pkcs12.serialize_key_and_certificates(b"sp", key, certificate, None, lock)
    private: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    return private + certificate.public_bytes(Encoding.PEM)


# what is wrong in the config: its verdict, and the word by which the remedy is known
SETTINGS = {
    "proxy": ('"http://127.0.0.1:9"', "proxy-unreachable", "proxy="),
    "arm": (f'"https://portal.{DOMAIN}"', "metadata-wrong-url", f"arm=https://management.{DOMAIN}"),
    "subscription": ('"00000000-0000-4000-8000-000000000000"', "subscription-not-found", "n="),
}


@pytest.mark.parametrize("key", SETTINGS)
def test_a_setting_that_is_wrong(
    key: str, shell: Shell, stamp: RunningStamp, tmp_path: Path
) -> None:
    value, id_, word = SETTINGS[key]
    verdict = verdict_of(config := write_config(tmp_path, stamp.describe(), **{key: value}))
    assert verdict["id"] == id_
    commands = [each["bash"] for each in verdict["remedies"] if word in each["bash"]]
    assert commands
    for command in commands:
        write_config(tmp_path, stamp.describe(), **{key: value})
        assert is_healthy(shell.check_after(command, config=config))


def test_one_fault_behind_the_other(shell: Shell, stamp: RunningStamp, tmp_path: Path) -> None:
    """Four at once, fixed in one shell, in the order in which they are named."""
    config = write_config(
        tmp_path, stamp.describe(), proxy="", ca="", secret='{ env = "STAMP_SECRET" }'
    )
    with closed_port() as port:
        variables = {
            "SSL_CERT_FILE": str(tmp_path / "missing.pem"),
            "HTTPS_PROXY": f"http://127.0.0.1:{port}",
        }
        remedies = {
            "proxy-unreachable": ("no_proxy", ""),
            "trust-file-missing": ("unset", ""),
            "tls-untrusted-root": ("trust -- ", f"{stamp.ca_file}\n"),
            "secret-missing": ("export", f"{stamp.secret}\n"),
        }
        verdict, pasted, typed = verdict_of(config, **variables), [], ""
        for id_, (word, said) in remedies.items():
            assert verdict["id"] == id_
            pasted.append(command_with(word, verdict))
            typed += said
            document = shell.check_after(*pasted, config=config, typed=typed, **variables)
            verdict = document["verdict"]
    assert is_healthy(document)


# What only looks, by the fault in which it is named: a word of the command, and what it shows.
LOOKS = {
    "dns-not-found": ("getent", ""),
    "tcp-refused": ("/dev/tcp/", "onnection refused"),
    "tcp-reset": ("s_client", "errno"),
    "tls-untrusted-root": ("matrix", "AzureStackSelfSignedRootCert"),
    "cert-expires-soon": ("show --all", "20 days"),
    "metadata-not-json": ("curl", "HTTP/1.1 200"),
    "login-not-json": ("curl", "Server: "),
}


@pytest.mark.parametrize("fault", LOOKS)
def test_a_look_shows_something_and_ends(fault: str, shell: Shell, tmp_path: Path) -> None:
    word, shown = LOOKS[fault]
    with run_in_thread(StampOptions(fault=fault, domain=DOMAIN)) as stamp:
        document = check_json(write_config(tmp_path, stamp.describe())).document
        found = [document["verdict"]] if document["verdict"] else document["also_seen"]
        done = shell.run(command_with(word, found[0]), seconds=20)
    assert shown in done.stdout + done.stderr, done
