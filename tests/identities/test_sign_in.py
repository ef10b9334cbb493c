"""Tokens from stamps of either kind, by secret and by certificate."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from stacktui.environments.metadata import IdentityProvider, Metadata
from stacktui.identities.faults import IdentityError, SecretFault, SignInFault, SignInProblem
from stacktui.identities.model import CertificateRef, EnvSecret, FileSecret, Identity
from stacktui.identities.sign_in import authority_of, prepare, read_secret, scopes_of
from stacktui.stamp import IdentityProvider as StampKind
from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from stacktui.text.sanitize import Redactor
from tests.identities.sign_ins import identity_of, ops, protected, refusal, sign_in
from tests.support.sessions import names

PAIR = pytest.mark.parametrize("stamp_name", ["entra_stamp", "adfs_stamp"])


@pytest.fixture
def stamp(stamp_name: str, request: pytest.FixtureRequest) -> RunningStamp:
    running = request.getfixturevalue(stamp_name)
    assert isinstance(running, RunningStamp)
    return running


@PAIR
@pytest.mark.parametrize("certificate", [False, True], ids=["secret", "certificate"])
async def test_a_service_principal_gets_a_token(stamp: RunningStamp, certificate: bool) -> None:
    token, exchanges = await sign_in(stamp, identity_of(stamp, certificate=certificate))
    assert token.facts.audience == stamp.identity_provider_audience
    assert token.facts.scope == f"{stamp.identity_provider_audience}/.default"
    assert token.facts.subject == stamp.client_id
    assert token.facts.expires is not None
    assert token.facts.expires > datetime.now(UTC)
    login = stamp.login_url.rstrip("/")
    entra = stamp.idp is StampKind.AAD
    assert token.facts.authority == (f"{login}/{stamp.tenant}" if entra else login)
    assert token.value.count(".") == 2
    assert exchanges[-1].method == "POST"
    assert all(each.response is not None and each.response.status == 200 for each in exchanges)


@PAIR
@pytest.mark.parametrize("form", ["pfx", "encrypted"])
async def test_a_certificate_with_a_password_gets_a_token(
    stamp: RunningStamp, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS", "p4ss word")
    path = tmp_path / "sp.file"
    path.write_bytes(protected(Path(stamp.certificate_file), form, "p4ss word"))
    identity = identity_of(stamp, credential=CertificateRef(path, EnvSecret("OPS")))
    token, _ = await sign_in(stamp, identity, redactor := Redactor())
    assert token.facts.subject == stamp.client_id
    assert token.facts.certificate_ends is not None
    assert redactor.sanitize("an echo of p4ss word") == "an echo of [redacted]"


async def test_one_connection_serves_metadata_and_token(entra_stamp: RunningStamp) -> None:
    _, exchanges = await sign_in(entra_stamp, identity_of(entra_stamp))
    assert [names(each.phases) for each in exchanges] == [["request", "first-byte", "body"]] * 2


async def test_the_tenant_comes_from_metadata_where_the_config_has_none(
    entra_stamp: RunningStamp,
) -> None:
    # The stamp's older shape tells no tenant: then Entra needs one to be named.
    fault = await refusal(entra_stamp, identity_of(entra_stamp, tenant=None))
    assert fault.problem is SignInProblem.NO_TENANT
    assert fault.authority == entra_stamp.login_url.rstrip("/")
    assert fault.status is None


async def test_a_tenant_may_be_a_domain(entra_stamp: RunningStamp) -> None:
    token, _ = await sign_in(
        entra_stamp, identity_of(entra_stamp, tenant=entra_stamp.tenant_domain)
    )
    assert token.facts.tenant == entra_stamp.tenant


async def test_adfs_ignores_a_tenant(adfs_stamp: RunningStamp) -> None:
    for tenant in (None, str(uuid4())):
        token, _ = await sign_in(adfs_stamp, identity_of(adfs_stamp, tenant=tenant))
        assert token.value


@pytest.mark.parametrize("certificate", [False, True], ids=["secret", "certificate"])
async def test_the_scope_that_adfs_accepts_is_reported(certificate: bool) -> None:
    options = StampOptions(idp=StampKind.ADFS, adfs_default_scope=False)
    with run_in_thread(options) as stamp:
        token, exchanges = await sign_in(stamp, identity_of(stamp, certificate=certificate))
    assert token.facts.scope == f"{stamp.identity_provider_audience}/openid"
    statuses = [each.response.status for each in exchanges if each.response]
    assert statuses[-2:] == [400, 200]
    refused = exchanges[-2].response
    assert refused is not None
    assert "MSIS9605" in refused.excerpt


async def test_only_that_refusal_leads_to_the_second_scope(adfs_stamp: RunningStamp) -> None:
    wrong = identity_of(adfs_stamp, client_id=str(uuid4()))
    fault = await refusal(adfs_stamp, wrong)
    assert fault.scopes == (f"{adfs_stamp.identity_provider_audience}/.default",)


@PAIR
async def test_a_wrong_secret_is_named(stamp: RunningStamp, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("not-the-s3cret")
    fault = await refusal(stamp, identity_of(stamp, credential=FileSecret(path)))
    assert fault.problem is SignInProblem.REFUSED
    entra = stamp.idp is StampKind.AAD
    assert fault.code == ("AADSTS7000215" if entra else "MSIS9622")
    assert fault.error == "invalid_client"
    assert not fault.secret_looks_like_id
    assert fault.description.startswith(fault.code)
    assert "not-the-s3cret" not in repr(fault)


async def test_a_secret_that_looks_like_its_id_is_reported(
    entra_stamp: RunningStamp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS", str(uuid4()))
    fault = await refusal(entra_stamp, identity_of(entra_stamp, credential=EnvSecret("OPS")))
    assert fault.code == "AADSTS7000215"
    assert fault.secret_looks_like_id


@PAIR
async def test_an_unknown_application_is_named(stamp: RunningStamp) -> None:
    unknown = str(uuid4())
    fault = await refusal(stamp, identity_of(stamp, client_id=unknown))
    assert fault.code == ("AADSTS700016" if stamp.idp is StampKind.AAD else "MSIS9607")
    assert fault.problem is SignInProblem.REFUSED


async def test_an_unknown_tenant_is_named(entra_stamp: RunningStamp) -> None:
    unknown = str(uuid4())
    fault = await refusal(entra_stamp, identity_of(entra_stamp, tenant=unknown))
    assert fault.problem is SignInProblem.DISCOVERY
    assert fault.code == "AADSTS90002"
    assert unknown in fault.authority
    assert fault.scopes == ()


@PAIR
async def test_a_certificate_that_is_not_registered_is_named(
    stamp: RunningStamp, tmp_path: Path
) -> None:
    from tests.support.authority import issue, rsa_key

    other = issue("other", ("other",), None, key=rsa_key())
    path = tmp_path / "sp.pem"
    path.write_bytes(other.key_pem + other.pem)
    fault = await refusal(stamp, identity_of(stamp, credential=CertificateRef(path)))
    assert fault.code == ("AADSTS700027" if stamp.idp is StampKind.AAD else "MSIS9622")


@pytest.mark.parametrize(
    ("fault_id", "code"),
    [
        ("sp-secret-expired", "AADSTS7000222"),
        ("audience-unknown", "AADSTS500011"),
        ("login-throttled", "AADSTS90055"),
    ],
)
async def test_what_else_entra_refuses_is_named(fault_id: str, code: str) -> None:
    with run_in_thread(StampOptions(fault=fault_id)) as stamp:
        fault = await refusal(stamp, identity_of(stamp))
    assert (fault.problem, fault.code) == (SignInProblem.REFUSED, code)


async def test_a_sign_in_service_that_fails_is_named() -> None:
    with run_in_thread(StampOptions(fault="login-server-error")) as stamp:
        fault = await refusal(stamp, identity_of(stamp))
    assert fault.status == 500
    assert fault.error == "server_error"


async def test_a_missing_secret_is_named_before_anybody_is_asked(entra_stamp: RunningStamp) -> None:
    asked = len(entra_stamp.requests)
    with pytest.raises(IdentityError) as caught:
        read_secret(identity_of(entra_stamp, credential=EnvSecret("NO_SUCH")), Redactor())
    assert isinstance(caught.value.fault, SecretFault)
    assert len(entra_stamp.requests) == asked


@pytest.mark.parametrize(
    ("login", "provider", "tenant", "authority"),
    [
        ("https://login", IdentityProvider.ENTRA, "t", "https://login/t"),
        ("https://login/adfs", IdentityProvider.ADFS, "t", "https://login/adfs"),
        ("https://login/ADFS", IdentityProvider.ADFS, None, "https://login/ADFS"),
        ("https://login", IdentityProvider.ADFS, None, "https://login/adfs"),
    ],
)
def test_the_authority_follows_from_the_provider(
    login: str, provider: IdentityProvider, tenant: str | None, authority: str
) -> None:
    assert authority_of(Metadata("v", login, "a", provider), ops(tenant=tenant)) == authority


def test_the_configs_tenant_comes_before_that_of_metadata() -> None:
    metadata = Metadata("v", "https://login", "a", IdentityProvider.ENTRA, tenant="theirs")
    assert authority_of(metadata, ops(tenant="ours")) == "https://login/ours"
    assert authority_of(metadata, ops(tenant=None)) == "https://login/theirs"


def test_no_tenant_is_reported_harmlessly() -> None:
    metadata = Metadata("v", "https://login\x1b[31m", "a", IdentityProvider.ENTRA)
    with pytest.raises(IdentityError) as caught:
        authority_of(metadata, ops(tenant=None))
    assert isinstance(caught.value.fault, SignInFault)
    assert caught.value.fault.authority == r"https://login\x1b[31m"


@pytest.mark.parametrize("audience", ["https://a", "https://a/", "https://a//", "urn:x"])
def test_nothing_of_the_audience_is_trimmed(audience: str) -> None:
    entra = Metadata("v", "https://l", audience, IdentityProvider.ENTRA)
    adfs = Metadata("v", "https://l", audience, IdentityProvider.ADFS)
    assert scopes_of(entra) == (f"{audience}/.default",)
    assert scopes_of(adfs) == (f"{audience}/.default", f"{audience}/openid")


def test_an_identity_shows_where_its_secret_is_and_not_what(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPS", "s3cret-value")
    identity: Identity = ops()
    redactor = Redactor()
    assert prepare(identity, read_secret(identity, redactor)) == "s3cret-value"
    assert "s3cret" not in repr(identity)
    assert redactor.sanitize("an echo of s3cret-value") == "an echo of [redacted]"
