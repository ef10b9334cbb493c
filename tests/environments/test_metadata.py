"""The metadata document in both shapes, well-formed and not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacktui.environments.metadata import (
    IdentityProvider,
    Metadata,
    MetadataError,
    MetadataFault,
    MetadataProblem,
    completed,
    disagreements,
    parse_metadata,
)
from stacktui.text.html_page import looks_like_html, page_title
from stacktui.text.sanitize import Redactor
from tests.environments.documents import ARM, AUDIENCE, cloud, encoded, object_shape


def parsed(document: object, arm: str = ARM) -> Metadata:
    body = document if isinstance(document, bytes) else encoded(document)
    return parse_metadata(body, arm, "2015-01-01", Redactor())


def fault(document: object) -> MetadataFault:
    with pytest.raises(MetadataError) as caught:
        parsed(document)
    return caught.value.fault


def test_the_object_shape_is_read_whole() -> None:
    assert parsed(object_shape()) == Metadata(
        api_version="2015-01-01",
        login_endpoint="https://login.windows.net",
        audience=AUDIENCE,
        identity_provider=IdentityProvider.ENTRA,
        tenant=None,
        graph="https://graph.windows.net/",
        portal="https://portal.local.azurestack.external/",
        gallery="https://adminportal.local.azurestack.external:30015/",
        storage_suffix="local.azurestack.external",
        keyvault_suffix=".vault.local.azurestack.external",
    )


def test_the_list_shape_is_read_whole() -> None:
    assert parsed([cloud()]) == Metadata(
        api_version="2015-01-01",
        login_endpoint="https://adfs.local.azurestack.external/adfs",
        audience=AUDIENCE,
        identity_provider=IdentityProvider.ADFS,
        tenant="adfs",
        graph="https://graph.local.azurestack.external/",
        portal="https://portal.local.azurestack.external/",
        gallery="https://gallery.local.azurestack.external/",
        storage_suffix="storage.contoso.example",
        keyvault_suffix="vault.contoso.example",
    )


@pytest.mark.parametrize("ours", [ARM, f"{ARM}/", ARM.upper().replace("HTTPS", "https")])
def test_a_list_selects_the_stamps_own_cloud(ours: str) -> None:
    other = cloud("https://management.east.contoso.example", "theirs")
    assert parsed([other, cloud(ours, "ours"), other]).audience == "ours"


def test_a_lists_only_cloud_is_this_stamp() -> None:
    clouds = ["noise", cloud("https://management.east.contoso.example", "first")]
    assert parsed(clouds).audience == "first"


def test_of_a_list_of_other_clouds_none_is_taken() -> None:
    clouds = ["noise", cloud("https://management.east.contoso.example", "first"), cloud("", "2nd")]
    with pytest.raises(MetadataError) as caught:
        parsed(clouds)
    fault = caught.value.fault
    assert (fault.problem, fault.field) == (MetadataProblem.INCOMPLETE, "resourceManager")
    assert fault.detail == "none of the 2 clouds listed is this stamp"


def test_one_object_of_the_newer_shape_is_read() -> None:
    assert parsed(cloud()).login_endpoint == "https://adfs.local.azurestack.external/adfs"


def test_a_byte_order_mark_does_not_matter() -> None:
    assert parsed(b"\xef\xbb\xbf" + encoded(object_shape())).audience == AUDIENCE


@pytest.mark.parametrize(
    "audience", ["x", "https://a.example//", " padded ", "ä/\u202e", "URN:A/B/"]
)
def test_the_audience_is_kept_byte_for_byte(audience: str) -> None:
    assert parsed(object_shape(audiences=[audience, "second"])).audience == audience


def test_the_documented_sample_names_the_blank_field() -> None:
    sample = {
        "galleryEndpoint": "https://portal.local.azurestack.external:30015/",
        "graphEndpoint": "https://graph.windows.net/",
        "portal Endpoint": "https://portal.local.azurestack.external/",
        "authentication": {"loginEndpoint": "", "audiences": [""]},
    }
    found = fault(sample)
    assert found.problem is MetadataProblem.INCOMPLETE
    assert found.field == "authentication.loginEndpoint"
    assert found.detail == "authentication.loginEndpoint is blank"


@pytest.mark.parametrize(
    ("document", "field", "detail"),
    [
        ({}, "authentication", "is missing"),
        ([], "authentication", "is missing"),
        ([1, "x"], "authentication", "is missing"),
        ("text", "authentication", "is missing"),
        (None, "authentication", "is missing"),
        ({"authentication": None}, "authentication", "is missing"),
        ({"authentication": "x"}, "authentication", "has the wrong type (str)"),
        ({"authentication": []}, "authentication", "has the wrong type (list)"),
        (object_shape(loginEndpoint=None), "authentication.loginEndpoint", "is missing"),
        (
            object_shape(loginEndpoint=[]),
            "authentication.loginEndpoint",
            "has the wrong type (list)",
        ),
        (object_shape(loginEndpoint=" "), "authentication.loginEndpoint", "is blank"),
        (object_shape(loginEndpoint="login"), "authentication.loginEndpoint", "is no https: URL"),
        (
            object_shape(loginEndpoint="https://"),
            "authentication.loginEndpoint",
            "is no https: URL",
        ),
        (
            object_shape(loginEndpoint="https://a:b"),
            "authentication.loginEndpoint",
            "is a broken URL",
        ),
        (
            object_shape(loginEndpoint="https://[a"),
            "authentication.loginEndpoint",
            "is a broken URL",
        ),
        (
            object_shape(loginEndpoint="https://a/\ud800"),
            "authentication.loginEndpoint",
            "is a broken URL",
        ),
        (
            object_shape(audiences=["https://arm/\ud800"]),
            "authentication.audiences[0]",
            "holds half a character (a lone surrogate)",
        ),
        (object_shape(audiences=None), "authentication.audiences", "is missing"),
        (object_shape(audiences=[]), "authentication.audiences", "has the wrong type (list)"),
        (object_shape(audiences="x"), "authentication.audiences", "has the wrong type (str)"),
        (object_shape(audiences=[""]), "authentication.audiences[0]", "is blank"),
        (object_shape(audiences=[None]), "authentication.audiences[0]", "is missing"),
        (object_shape(audiences=[{}]), "authentication.audiences[0]", "has the wrong type (dict)"),
    ],
)
def test_unusable_sign_in_data_names_the_field(document: Any, field: str, detail: str) -> None:
    found = fault(document)
    assert (found.problem, found.field) == (MetadataProblem.INCOMPLETE, field)
    assert found.detail in (f"{field} {detail}", f"{field} is empty")


def test_a_login_endpoint_over_http_is_refused() -> None:
    found = fault(object_shape(loginEndpoint="http://login.contoso.example/"))
    assert found.problem is MetadataProblem.LOGIN_INSECURE
    assert found.field == "authentication.loginEndpoint"


@pytest.mark.parametrize(
    ("login", "declared", "expected"),
    [
        ("https://login.windows.net/", None, IdentityProvider.ENTRA),
        ("https://login.windows.net", "AAD", IdentityProvider.ENTRA),
        ("https://login.windows.net", 5, IdentityProvider.ENTRA),
        ("https://adfs.contoso.example/adfs", None, IdentityProvider.ADFS),
        ("https://adfs.contoso.example/ADFS/", "AAD", IdentityProvider.ADFS),
        ("https://adfs.contoso.example/notadfs", None, IdentityProvider.ENTRA),
        ("https://adfs.contoso.example/x/adfs", None, IdentityProvider.ADFS),
        ("https://adfs.contoso.example", "adfs", IdentityProvider.ADFS),
    ],
)
def test_who_signs_in_is_declared_or_follows_from_the_path(
    login: str, declared: object, expected: IdentityProvider
) -> None:
    found = parsed(object_shape(loginEndpoint=login, identityProvider=declared))
    assert found.identity_provider is expected
    assert found.login_endpoint == login.rstrip("/")


@pytest.mark.parametrize(
    ("arm", "storage", "keyvault"),
    [
        (ARM, "local.azurestack.external", ".vault.local.azurestack.external"),
        (
            "https://adminmanagement.local.azurestack.external",
            "local.azurestack.external",
            ".adminvault.local.azurestack.external",
        ),
        ("https://localhost:8443", None, None),
    ],
)
def test_suffixes_follow_from_the_name_where_none_are_given(
    arm: str, storage: str | None, keyvault: str | None
) -> None:
    found = parsed(object_shape(), arm)
    assert (found.storage_suffix, found.keyvault_suffix) == (storage, keyvault)


def test_the_newer_shape_adds_what_the_older_lacks() -> None:
    older, newer = parsed(object_shape()), parsed([cloud()])
    found = completed(older, newer)
    assert found.tenant == "adfs"
    assert (found.storage_suffix, found.keyvault_suffix) == (
        "storage.contoso.example",
        "vault.contoso.example",
    )
    assert found.derived == frozenset()
    assert (found.login_endpoint, found.audience) == (older.login_endpoint, older.audience)
    assert completed(older, older) == older


def test_shapes_disagree_where_a_value_differs() -> None:
    older = parsed(object_shape())
    same = {"loginEndpoint": f"{older.login_endpoint.upper().replace('HTTPS', 'https')}/"}
    fields = [what for what, _, _ in disagreements(older, parsed([cloud(**same)]))]
    assert not {"login endpoint", "audience"} & set(fields)
    other = parsed([cloud(audience=f"{AUDIENCE}/", loginEndpoint="https://login.example/")])
    found = {what: pair for what, *pair in disagreements(older, other)}
    assert found["login endpoint"] == [older.login_endpoint, "https://login.example"]
    assert found["audience"] == [AUDIENCE, f"{AUDIENCE}/"]


def test_html_is_recognised_with_its_title() -> None:
    page = b"\xef\xbb\xbf\r\n <!DOCTYPE html><html><TITLE lang=en>\n Sign in &amp; go\x1b</title>"
    found = fault(page)
    assert found.problem is MetadataProblem.HTML
    assert found.page_title == r"Sign in & go\x1b"


@pytest.mark.parametrize(
    ("body", "position"),
    [(b"", 0), (b"  ", 0), (b'{"a": ', 6), (b"\x00\x01", 0), (b'{"a": "\xff"}', 7), (b"nope", 0)],
)
def test_what_is_no_json_says_where_reading_stopped(body: bytes, position: int) -> None:
    found = fault(body)
    assert (found.problem, found.position) == (MetadataProblem.NOT_JSON, position)


def test_text_that_is_shown_is_cleaned() -> None:
    found = parsed(object_shape() | {"portal": "https://x/\x1b[2J\u202e"})
    assert found.portal == r"https://x/\x1b[2J\u202e"


def test_a_fault_never_quotes_the_network_unclean() -> None:
    for document in (
        {"authentication": "\x1b[31m"},
        object_shape(audiences="\x1b[31m"),
        object_shape(loginEndpoint="\x1b[31m"),
    ):
        assert fault(document).detail.isprintable()


@pytest.mark.timeout(5)
def test_a_page_of_titles_without_end_takes_no_time() -> None:
    assert page_title(b"<title>" * 100_000, Redactor()) is None
    assert page_title(b"<title " * 100_000, Redactor()) is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
_DOCUMENTS = st.builds(
    lambda authentication, rest: {"authentication": authentication} | rest,
    st.fixed_dictionaries(
        {},
        optional={
            "loginEndpoint": _JSON | st.just("https://login.contoso.example/"),
            "audiences": _JSON | st.lists(st.text(max_size=10), max_size=2),
            "identityProvider": _JSON,
            "tenant": _JSON,
        },
    )
    | _JSON,
    st.dictionaries(st.sampled_from(["suffixes", "portal", "graph", "gallery"]), _JSON),
)


@given(st.binary(max_size=100) | _JSON.map(json.dumps).map(str.encode) | _DOCUMENTS.map(encoded))
def test_any_bytes_give_metadata_or_a_fault(body: bytes) -> None:
    try:
        found = parsed(body)
    except MetadataError as error:
        met = error.fault
    else:
        assert found.login_endpoint.startswith("https://")
        assert found.audience.strip()
        for shown in (found.tenant, found.graph, found.portal, found.storage_suffix):
            assert shown is None or shown.isprintable()
        return
    assert met.detail.isprintable()
    assert len(met.detail) < 300
    assert met.field or met.problem in (MetadataProblem.NOT_JSON, MetadataProblem.HTML)


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    ("body", "html"),
    [
        (b" " * 1_000_000, False),
        (b"\xef\xbb\xbf" + b"\n" * 1_000_000 + b"<HTML>", True),
        (b"\n\xef\xbb\xbf <!DOCTYPE  html>", False),
        (b"<!doctype html>", True),
        (b"<body x>", True),
        (b'<?xml version="1.0"?><Error/>', False),
        (b"", False),
    ],
)
def test_html_is_recognised_by_its_beginning(body: bytes, html: bool) -> None:
    assert looks_like_html(body) is html


def test_a_title_with_a_number_of_absurd_length_is_shown() -> None:
    page = b"<html><title>&#" + b"9" * 5000 + b";</title>"
    assert page_title(page, Redactor()) is not None
