"""`stacktui certificates show`, `stores` and `matrix` as processes, against what openssl says."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import certifi
import pytest

from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.product import Ran, stacktui, write_config
from tests.support.authority import DAY, STRANGERS, authority, issue
from tests.support.listeners import closed_port
from tests.support.stores import beside_the_one_in_use

# Whose names are in no hosts file.
pytestmark = pytest.mark.every_root
DOMAIN = "east.contoso.invalid"
TRUST_FAULTS = (
    "tls-untrusted-root", "tls-intercepted", "tls-missing-intermediate", "tls-self-signed",
    "tls-expired", "tls-not-yet-valid", "tls-name-mismatch", "tls-weak",
)  # fmt: skip
PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", re.DOTALL)
# openssl's long names of what RFC 5280 calls otherwise.
USAGES = {
    "Digital Signature": "digitalSignature", "Key Encipherment": "keyEncipherment",
    "Certificate Sign": "keyCertSign", "CRL Sign": "cRLSign",
}  # fmt: skip
PURPOSES = {
    "TLS Web Server Authentication": "serverAuth", "TLS Web Client Authentication": "clientAuth",
}  # fmt: skip


def run(command: str, config: Path, *arguments: str, **variables: str) -> Ran:
    return stacktui("certificates", command, "Test", "--config", str(config), *arguments,
                    **variables)  # fmt: skip


def words(done: Ran) -> str:
    """What was written, whatever the lines."""
    return " ".join(done.out.split())


def fits(done: Ran, *paths: str) -> bool:
    """Nothing is wider than a small terminal but lines with a path."""
    forced = (*paths, "https://", "site-packages")
    return all(
        len(line) <= 80 or any(each in line for each in forced) for line in done.out.splitlines()
    )


def shown_by_openssl(stamp: RunningStamp) -> list[str]:
    """The chain as `openssl s_client` gets it, PEM."""
    command = ["openssl", "s_client", "-showcerts", "-connect", f"127.0.0.1:{stamp.port}",
               "-servername", "localhost", "-cipher", "DEFAULT:@SECLEVEL=0"]  # fmt: skip
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=20, check=False)  # fmt: skip
    return PEM.findall(done.stdout)


def x509(pem: str, *options: str) -> str:
    command = ["openssl", "x509", "-noout", "-nameopt", "RFC2253", *options]
    return subprocess.run(command, input=pem, capture_output=True, text=True, check=True).stdout


def fields_by_openssl(pem: str) -> dict[str, Any]:
    text = x509(pem, "-subject", "-issuer", "-serial", "-dates", "-text", "-certopt", "no_sigdump")
    plain = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))

    def listed(name: str, names: dict[str, str]) -> list[str] | None:
        found = re.search(rf"X509v3 {name}:.*\n\s+(.*)", text)
        return [names[each] for each in found[1].split(", ")] if found else None

    san = re.search(r"Subject Alternative Name:.*\n\s+(.*)", text)
    return {
        "subject": plain["subject"],
        "issuer": plain["issuer"],
        "serial": int(plain["serial"], 16),
        "not_before": moment(plain["notBefore"]),
        "not_after": moment(plain["notAfter"]),
        "names": [each.split(":", 1)[1] for each in san[1].split(", ")] if san else [],
        "bits": int(re.search(r"Public-Key: \((\d+) bit\)", text)[1]),  # type: ignore[index]
        "signature": re.search(r"Signature Algorithm: (\S+)", text)[1],  # type: ignore[index]
        "key_usage": listed("Key Usage", USAGES),
        "extended_key_usage": listed("Extended Key Usage", PURPOSES),
        "is_ca": "CA:TRUE" in text,
        **{
            name: x509(pem, "-fingerprint", f"-{name}").strip().split("=")[1]
            for name in ("sha256", "sha1", "md5")
        },
    }


def moment(text: str) -> str:
    parsed = datetime.strptime(text, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
    return parsed.strftime("%Y-%m-%dT%H:%M:%SZ")


def verified_by_openssl(pems: list[str], ca: str, folder: Path) -> bool:
    for number, pem in enumerate(pems):
        (folder / f"{number}.crt").write_text(pem)
    command = ["openssl", "verify", "-no-CApath", "-no-CAstore", "-CAfile", ca,
               "-purpose", "sslserver", "-verify_hostname", "localhost",
               "-auth_level", "2"]  # fmt: skip
    for number in range(1, len(pems)):
        command += ["-untrusted", str(folder / f"{number}.crt")]
    done = subprocess.run([*command, str(folder / "0.crt")], capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.parametrize("fault", [None, *TRUST_FAULTS])
def test_every_field_and_the_verdict_are_openssl_s(fault: str | None, tmp_path: Path) -> None:
    with run_in_thread(StampOptions(fault=fault)) as stamp:
        # The stamp's CA file alone, as openssl is given it.
        config = write_config(tmp_path, stamp.describe(), ca="")
        done = run("show", config, "--format", "json", REQUESTS_CA_BUNDLE=stamp.ca_file)
        pems = shown_by_openssl(stamp)
        trusted = verified_by_openssl(pems, stamp.ca_file, tmp_path)
    (endpoint,) = done.document["endpoints"]
    assert len(endpoint["chain"]) == len(pems) > 0
    for ours, pem in zip(endpoint["chain"], pems, strict=True):
        theirs = fields_by_openssl(pem)
        mine = ours | {"serial": int(ours["serial"], 16), "bits": ours["key"]["bits"]}
        assert {name: mine[name] for name in theirs} == theirs
    assert endpoint["verdict"]["trusted"] == trusted == (fault is None)
    assert done.code == (0 if fault is None else 1)
    assert done.document["ok"] == (fault is None)
    assert done.err == ""


def test_text_names_what_is_wrong_within_80_columns(tmp_path: Path) -> None:
    with run_in_thread(StampOptions(domain=DOMAIN, fault="tls-expired")) as stamp:
        done = run("show", write_config(tmp_path, stamp.describe()))
    assert done.code == 1
    arm = next(line for line in done.out.splitlines() if line.startswith("✗ ARM"))
    assert f"management.{DOMAIN}" in arm
    assert "expired, ended 3 days ago" in arm
    assert "no metadata, so hosts may be missing" in done.out
    paths = (str(tmp_path), "https://")
    long = [line for line in done.out.splitlines() if len(line) > 80]
    assert all(any(part in line for part in paths) for line in long), long


def test_all_names_and_what_is_absent(tmp_path: Path) -> None:
    with run_in_thread(StampOptions(domain=DOMAIN, idp=IdentityProvider.ADFS)) as stamp:
        described = stamp.describe()
        pins = {pin: to for pin, to in stamp.resolve.items() if "hosting" not in pin}
        config = write_config(tmp_path, described | {"resolve": pins})
        document = run("show", config, "--all", "--format", "json").document
        text = run("show", config, "--all")
    states = {each["name"].removesuffix(f".{DOMAIN}"): each["state"]
              for each in document["endpoints"]}  # fmt: skip
    assert len(states) == 13
    assert {name for name, state in states.items() if state == "absent"} == {
        "*.hosting", "*.adminhosting",
    }  # fmt: skip
    assert all(state in ("presented", "absent") for state in states.values())
    # What a stamp does not have is no fault.
    assert text.code == 0
    assert text.out.count("absent: this stamp has no such host") == 2


def test_a_chain_that_many_hosts_present_is_written_once(tmp_path: Path) -> None:
    with run_in_thread(StampOptions(domain=DOMAIN)) as stamp:
        done = run("show", write_config(tmp_path, stamp.describe()))
    assert done.code == 0
    assert done.out.count("SHA-256") == 2
    assert done.out.count("the same chain as ARM") == 3


def test_the_environment_must_be_known(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[environments.East]\narm = "https://management.east.invalid"\n')
    for command in ("show", "matrix", "stores"):
        done = run(command, config)
        assert done.code == 2
        assert done.out == ""
        assert "did you mean" in done.err or "known: East" in done.err


def test_stores_work_without_any_config(tmp_path: Path) -> None:
    done = stacktui("certificates", "stores", "--format", "json",
                    "--config", str(tmp_path / "none.toml"))  # fmt: skip
    assert done.code == 0, done.err
    stores = {each["kind"]: each for each in done.document["stores"]}
    assert stores["certifi"]["files"][0]["path"] == certifi.where()
    pems = Path(certifi.where()).read_text().count("BEGIN CERTIFICATE")
    assert stores["certifi"]["certificates"] == pems
    assert stores["in-use"]["certificates"] == pems


def test_a_store_that_cannot_be_used_is_reported(tmp_path: Path) -> None:
    page = tmp_path / "page.pem"
    page.write_text("<html>no</html>")
    variables = {"CURL_CA_BUNDLE": str(page), "REQUESTS_CA_BUNDLE": str(tmp_path / "gone.pem")}
    none = str(tmp_path / "none.toml")
    done = stacktui("certificates", "stores", "--config", none, **variables)
    assert done.code == 1
    out = words(done)
    assert f"CURL_CA_BUNDLE names {page}, which is an HTML page" in out
    assert "gone.pem, which is not there" in out
    assert "→ Fix the file, or remove the setting that names it" in out
    # in use, and named by the variable: once each
    assert out.count("gone.pem, which is not there") == 2


def test_each_cell_is_that_store_alone(tmp_path: Path) -> None:
    """Six stores: the private root in some of them, each verdict as openssl gives it."""
    root = tmp_path / "root.pem"
    other = tmp_path / "other.pem"
    other.write_bytes(authority("Somebody else").root.pem)
    with run_in_thread(StampOptions(domain=DOMAIN)) as stamp:
        root.write_bytes(Path(stamp.ca_file).read_bytes() + other.read_bytes())
        config = write_config(tmp_path, stamp.describe())
        variables = {"REQUESTS_CA_BUNDLE": str(other), "CURL_CA_BUNDLE": str(root)}
        variables |= {"SSL_CERT_FILE": str(other)}
        done = run("matrix", config, "--format", "json", **variables)
        text = run("matrix", config, **variables)
    document = done.document
    columns = [each["kind"] for each in document["stores"]]
    expected = {"in-use": True, "certifi": False, "requests-ca-bundle": False,
                "curl-ca-bundle": True, "ssl-cert-file": False}  # fmt: skip
    assert len(document["endpoints"]) == 4
    for endpoint in document["endpoints"]:
        verdicts = dict(zip(columns, endpoint["verdicts"], strict=True))
        assert {kind: verdicts[kind]["trusted"] for kind in expected} == expected
        assert verdicts["certifi"]["word"] == "issuer unknown"
    assert done.code == 0
    assert "ARM" in text.out
    assert "unable to get local issuer certificate: every host" in text.out


def test_a_wildcard_s_own_chain_is_judged_by_the_wildcard(tmp_path: Path) -> None:
    with run_in_thread(StampOptions(domain=DOMAIN)) as stamp:
        config = write_config(tmp_path, stamp.describe())
        document = run("show", config, "--all", "--format", "json").document
    blob = next(each for each in document["endpoints"] if "*.blob" in each["roles"])
    assert blob["name"] == f"*.blob.{DOMAIN}"
    assert "*" not in blob["host"]
    names = [each for each in blob["readiness"]["judgements"] if each["rule"] == "names"]
    assert [each["level"] for each in names] == ["pass"]


@pytest.mark.parametrize("fault", [None, *TRUST_FAULTS, "cert-readiness", "tcp-refused"])
def test_what_is_wrong_comes_with_what_to_do(fault: str | None, tmp_path: Path) -> None:
    with run_in_thread(StampOptions(domain=DOMAIN, fault=fault)) as stamp:
        config = write_config(tmp_path, stamp.describe())
        shown, matrix = (run(each, config, "--all") for each in ("show", "matrix"))
        documents = [run(each, config, "--format", "json").document for each in ("show", "matrix")]
    assert fits(shown, str(tmp_path), stamp.ca_file)
    assert fits(matrix, str(tmp_path), stamp.ca_file)
    if fault is None:
        assert "→" not in shown.out
        assert documents[0]["next_steps"] == []
        assert re.search(r"^✓ \d+ hosts: trusted, and none against", shown.out, re.MULTILINE)
    elif fault == "cert-readiness":
        # The rules are no matter of trust.
        assert (shown.code, matrix.code) == (1, 0)
        assert (documents[0]["ok"], documents[1]["ok"]) == (False, True)
        assert "against the vendor's rules" in shown.out
        assert shown.out.count("→ have it issued for serverAuth and clientAuth") == 1
    else:
        assert (shown.code, matrix.code) == (1, 1)
        assert "→" in shown.out
        assert "→" in matrix.out
        assert documents[0]["next_steps"][0]["text"]
        assert documents[1]["ok"] is False


def test_a_root_on_this_machine_is_trusted_by_the_command_that_is_named(tmp_path: Path) -> None:
    with run_in_thread(StampOptions(domain=DOMAIN)) as stamp:
        config = write_config(tmp_path, stamp.describe(), ca="")
        variables = beside_the_one_in_use(stamp.ca_file)
        done = run("show", config, "--format", "json", **variables)
        (step,) = done.document["next_steps"]
        assert "AzureStackSelfSignedRootCert" in step["text"]
        assert "CURL_CA_BUNDLE" in step["text"]
        trust = f"stacktui certificates trust --config {config} --presented=Test"
        assert step["bash"].startswith(trust)
        command = shlex.split(step["bash"])[1:]
        assert stacktui(*command, "--yes", **variables).code == 0
        assert run("show", config, "--format", "json", **variables).document["ok"] is True


def test_the_bundle_for_az_is_made_of_the_config_that_was_named(tmp_path: Path) -> None:
    with run_in_thread(StampOptions(domain=DOMAIN)) as stamp:
        config = write_config(tmp_path, stamp.describe())
        theirs = tmp_path / "theirs.pem"
        theirs.write_bytes(STRANGERS.root.pem)
        done = run("matrix", config, CURL_CA_BUNDLE=str(theirs))
        assert "The store in use is fine, but az looks elsewhere." in words(done)
        (line,) = (each.strip() for each in done.out.splitlines() if " export" in each)
        assert line == f"stacktui certificates export --config {config}"
        made = stacktui(*shlex.split(line)[1:], "--format", "json")
        parts = {each["setting"]: each["added"] for each in made.document["sources"]}
        assert parts["ca of Test"] == 1


def test_az_looks_into_the_first_of_its_stores(tmp_path: Path) -> None:
    """CURL_CA_BUNDLE counts for nothing to az where REQUESTS_CA_BUNDLE is set."""
    theirs = tmp_path / "theirs.pem"
    theirs.write_bytes(STRANGERS.root.pem)
    with run_in_thread(StampOptions(domain=DOMAIN)) as stamp:
        config = write_config(tmp_path, stamp.describe())
        files = {"REQUESTS_CA_BUNDLE": stamp.ca_file, "CURL_CA_BUNDLE": str(theirs)}
        assert "az looks elsewhere" not in words(run("matrix", config, **files))
        files = {"REQUESTS_CA_BUNDLE": str(theirs), "CURL_CA_BUNDLE": stamp.ca_file}
        assert "az looks elsewhere" in words(run("matrix", config, **files))


def test_a_proxy_that_refuses_is_named(tmp_path: Path) -> None:
    with run_in_thread(StampOptions(domain=DOMAIN)) as stamp, closed_port() as port:
        config = write_config(tmp_path, stamp.describe(), proxy=f'"http://127.0.0.1:{port}"')
        shown, matrix = run("show", config), run("matrix", config)
        (step,) = run("show", config, "--format", "json").document["next_steps"]
        checked = stacktui(*shlex.split(step["bash"])[1:])
    assert f"through the proxy http://127.0.0.1:{port}" in shown.out
    assert f"the proxy 127.0.0.1:{port}: Connection refused" in words(shown)
    assert f"the proxy 127.0.0.1:{port}: Connection refused" in words(matrix)
    assert step["bash"] == f"stacktui check --config {config} -- Test"
    assert step["bash"] in shown.out
    assert (checked.code, checked.err) == (1, "")
    assert checked.out.startswith("Test · ")
    assert fits(shown, str(tmp_path))
    assert fits(matrix, str(tmp_path), stamp.ca_file)


@pytest.mark.parametrize("command", ["show", "matrix"])
@pytest.mark.parametrize("fault", [None, "tls-untrusted-root", "tcp-refused"])
def test_a_hostile_name_reaches_no_terminal(
    command: str, fault: str | None, tmp_path: Path
) -> None:
    name = "\x1b]0;a\x07\x1b[2J\u202eb\x9b1m\nc"
    with run_in_thread(StampOptions(domain=DOMAIN, fault=fault)) as stamp:
        config = write_config(tmp_path, stamp.describe())
        text = config.read_text().replace('"Test"', json.dumps(name))
        config.write_text(text.replace(".Test]", f".{json.dumps(name)}]"))
        done = stacktui("certificates", command, "--config", str(config))
    assert done.code == (0 if fault is None else 1), done
    assert r"\x1b]0;a\x07\x1b[2J\u202eb\x9b1m\nc" in done.out
    for line in (done.out + done.err).split("\n"):
        assert line == "" or line.isprintable(), line


def test_other_ports_and_addresses_can_be_distinguished(tmp_path: Path) -> None:
    with run_in_thread(StampOptions()) as stamp:
        described = stamp.describe()
        assert f"localhost:{stamp.port}" in run("matrix", write_config(tmp_path, described)).out
        arm = f'"https://[::1]:{stamp.port}"'
        done = run("show", write_config(tmp_path, described, arm=arm))
    assert f"ARM  [::1]:{stamp.port}" in done.out


def test_a_store_named_twice_is_reported_once(tmp_path: Path) -> None:
    expired = authority("Old").root
    old = issue("Ended Root", (), None, starts=-90 * DAY, ends=-DAY)
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(expired.pem + old.pem)
    variables = {"CURL_CA_BUNDLE": str(bundle), "SSL_CERT_FILE": str(bundle)}
    done = stacktui("certificates", "stores", "--config", str(tmp_path / "none.toml"), **variables)
    assert done.out.count("1 expired: Ended Root") == 1
    assert "the same as" in done.out
    assert fits(done, str(tmp_path))


def test_the_certificate_that_the_identity_signs_in_with(tmp_path: Path) -> None:
    with run_in_thread(StampOptions()) as stamp:
        keys = {"secret": "", "certificate": f'"{stamp.certificate_file}"'}
        config = write_config(tmp_path, stamp.describe(), **keys)
        document = run("show", config, "--format", "json").document
        text = run("show", config)
        pem = Path(stamp.certificate_file).read_text()
        gone = write_config(tmp_path, stamp.describe(), secret="", certificate='"gone.pem"')
        without = run("show", gone)
    (identity,) = document["identities"]
    assert identity["problem"] is None
    (found,) = PEM.findall(pem)
    expected = x509(found, "-fingerprint", "-sha1").strip().split("=")[1]
    assert identity["chain"][0]["sha1"] == expected
    assert f"thumbprint  {expected.replace(':', '')}" in text.out
    assert "✓ identity tester  usable, " in text.out
    assert text.code == 0
    assert without.code == 1
    assert "✗ identity tester" in without.out
    # The key is nobody's business.
    key = "".join(pem.split("PRIVATE KEY-----")[1].split())
    assert key[:40] not in "".join(text.out.split())
