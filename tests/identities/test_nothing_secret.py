"""Whatever happens on the way to the resource groups, no secret is in what is kept or logged."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from stacktui.environments.discovery import fetch_metadata
from stacktui.environments.metadata import MetadataError
from stacktui.environments.model import Environment
from stacktui.identities.faults import IdentityError
from stacktui.identities.model import CertificateRef, FileSecret, Identity, IdentityKind
from stacktui.identities.sign_in import acquire_token, prepare, read_secret
from stacktui.identities.token import Token
from stacktui.resources.client import ArmClient, only
from stacktui.resources.groups import resource_groups
from stacktui.resources.model import ArmError
from stacktui.resources.subscriptions import first_enabled_subscription
from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from stacktui.transport.records import TransportError
from tests.identities.sign_ins import identity_of, protected, sign_in, user_of
from tests.support.azure import answering_az, registered_cloud
from tests.support.proxies import proxying
from tests.support.sessions import Recorder, opened, trusting_file

# What a token begins with (RFC 7515 section 7.1); three letters alone occur in a certificate too.
TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{8}")
PROXY_PASSWORD = "pr0xy-passw0rd"
PFX_PASSWORD = "pfx-passw0rd+of=ops"
WRONG_SECRET = "wr0ng~secret/with+signs="


async def everything_kept(stamp: RunningStamp, identity: Identity) -> tuple[str, str | None]:
    """All that a check of `stamp` could keep or show, and the token if there was one."""
    watch, told, token = Recorder(), "", None
    async with proxying() as proxy:
        url = f"http://ops:{PROXY_PASSWORD}@localhost:{proxy.port}"
        context = trusting_file(stamp.ca_file)
        async with opened(context, proxy=url, resolve=stamp.resolve, watch=watch) as session:
            try:
                metadata = await fetch_metadata(session, stamp.arm_url)
                credential = prepare(identity, read_secret(identity, session.redactor))
                prompted: list[object] = []
                token = await acquire_token(
                    session,
                    metadata,
                    identity,
                    credential,
                    lambda *told: prompted.append(told),
                    arm=stamp.arm_url,
                )
                told += repr(prompted)
                arm = ArmClient(session, Environment("A", stamp.arm_url), only(token))
                told += repr(await resource_groups(arm, await first_enabled_subscription(arm)))
                told += repr((metadata, token, str(token), token.facts, arm.__dict__))
            except (TransportError, MetadataError, IdentityError, ArmError) as error:
                told += repr((error, error.fault)) + str(error) + repr(error.__cause__)
            told += repr((session.take_exchanges(), watch, identity, str(identity.credential)))
    return told, token.value if isinstance(token, Token) else None


@pytest.mark.parametrize("idp", list(IdentityProvider))
@pytest.mark.parametrize("certificate", [False, True], ids=["secret", "certificate"])
@pytest.mark.parametrize("fault", [None, "sp-secret-wrong", "sp-cert-rejected", "arm-forbidden"])
def test_nothing_secret_is_kept_or_logged(
    idp: IdentityProvider, certificate: bool, fault: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    with run_in_thread(StampOptions(idp=idp, fault=fault)) as stamp:
        caplog.set_level(logging.DEBUG)
        identity = identity_of(stamp, certificate=certificate)
        told, token = asyncio.run(everything_kept(stamp, identity))
        pem = Path(stamp.certificate_file).read_text()
    refused = fault == ("sp-cert-rejected" if certificate else "sp-secret-wrong")
    assert (token is None) == refused
    kept = told + caplog.text
    key_line = pem.splitlines()[3]
    for secret in filter(
        None, (stamp.secret, quote(stamp.secret), token, key_line, PROXY_PASSWORD)
    ):
        assert secret not in kept
    assert "PRIVATE KEY" not in kept
    assert not TOKEN.search(kept)
    assert stamp.client_id in told


@pytest.mark.parametrize("idp", list(IdentityProvider))
@pytest.mark.parametrize("form", ["pfx", "encrypted"])
@pytest.mark.parametrize("refused", [False, True])
def test_nothing_of_a_protected_certificate_is_kept_or_logged(
    idp: IdentityProvider,
    form: str,
    refused: bool,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path, password = tmp_path / "sp.file", tmp_path / "password"
    password.write_text(WRONG_SECRET if refused else PFX_PASSWORD)
    caplog.set_level(logging.DEBUG)
    with run_in_thread(StampOptions(idp=idp)) as stamp:
        path.write_bytes(protected(Path(stamp.certificate_file), form, PFX_PASSWORD))
        reference = CertificateRef(path, FileSecret(password))
        identity = identity_of(stamp, credential=reference)
        told, token = asyncio.run(everything_kept(stamp, identity))
        key_line = Path(stamp.certificate_file).read_text().splitlines()[3]
    assert (token is None) == refused
    for secret in filter(None, (PFX_PASSWORD, WRONG_SECRET, WRONG_SECRET[:8], token, key_line)):
        assert secret not in told + caplog.text
    assert "PRIVATE KEY" not in told + caplog.text


def test_a_refused_secret_is_not_kept_or_logged(
    entra_stamp: RunningStamp, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "secret"
    path.write_text(WRONG_SECRET)
    caplog.set_level(logging.DEBUG)
    identity = identity_of(entra_stamp, credential=FileSecret(path))
    told, token = asyncio.run(everything_kept(entra_stamp, identity))
    assert token is None
    assert "AADSTS7000215" in told
    for secret in (WRONG_SECRET, quote(WRONG_SECRET, safe=""), WRONG_SECRET[:8]):
        assert secret not in told + caplog.text


@pytest.mark.parametrize("idp", list(IdentityProvider))
@pytest.mark.parametrize("kind", [each for each in IdentityKind if "principal" not in each])
@pytest.mark.parametrize("fault", [None, "password-wrong", "mfa-required", "imds-no-identity"])
def test_nothing_secret_of_a_person_or_a_machine_is_kept_or_logged(
    idp: IdentityProvider,
    kind: IdentityKind,
    fault: str | None,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    options = StampOptions(idp=idp, fault=fault, device_interval=1, device_approve_after=1)
    with run_in_thread(options) as stamp:
        caplog.set_level(logging.DEBUG)
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", stamp.imds_url)
        identity = user_of(stamp)
        if kind is not IdentityKind.USER:
            identity = replace(identity, kind=kind, username="", credential=None)
        if kind is IdentityKind.MANAGED_IDENTITY:
            identity = replace(identity, client_id=stamp.imds_client_id)
        if kind is IdentityKind.AZURE_CLI:
            put_az(stamp, tmp_path, monkeypatch)
        codes = _device_codes_of(stamp, monkeypatch)
        told, token = asyncio.run(everything_kept(stamp, identity))
    of_users = fault in ("password-wrong", "mfa-required") and kind is IdentityKind.USER
    of_machines = fault == "imds-no-identity" and kind is IdentityKind.MANAGED_IDENTITY
    assert (token is None) == (of_users or of_machines)
    assert bool(codes) == (kind is IdentityKind.DEVICE_CODE)
    kept = told + caplog.text
    for secret in filter(None, (stamp.password, token, PROXY_PASSWORD, *codes)):
        assert secret not in kept
    assert not TOKEN.search(kept)


def put_az(stamp: RunningStamp, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An `az` on PATH that is signed in to the stamp."""
    token, _ = asyncio.run(sign_in(stamp, identity_of(stamp, certificate=True)))
    (folder / "answer").write_text(json.dumps({"accessToken": token.value}))
    answering_az(folder, f"cat {folder}/answer; cat {folder}/answer >&2")
    registered_cloud(folder, stamp.arm_url, stamp.login_url, stamp.identity_provider_audience)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(folder))


def _device_codes_of(stamp: RunningStamp, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The device codes that the stamp will give, as it gives them."""
    from stacktui.stamp.signin.device_codes import DeviceCode, DeviceCodes

    given: list[str] = []
    issue = DeviceCodes.issue

    def noted(self: DeviceCodes, client_id: str, scope: str) -> DeviceCode:
        code = issue(self, client_id, scope)
        given.append(code.device_code)
        return code

    monkeypatch.setattr(DeviceCodes, "issue", noted)
    return given
