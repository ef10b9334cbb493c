"""`stacktui check --schema`: the schema itself, and that it refuses what it does not know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import fields
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator, ValidationError

from stacktui.certificates.chain import Certificate
from stacktui.certificates.trust import TrustFileFault
from stacktui.check.report import Fault
from stacktui.diagnosis.document_keys import FAULT_TYPES, KEYS
from stacktui.environments.metadata import Metadata
from stacktui.identities.token import TokenFacts
from stacktui.resources.model import ResourceGroup, Subscription
from stacktui.transport.limits import LimitName
from stacktui.transport.records import TlsFacts
from tests.diagnosis.schema import SCHEMA, validate
from tests.diagnosis.test_drills import drilled, usual
from tests.product import stacktui


def test_the_command_prints_a_schema() -> None:
    ran = stacktui("check", "--schema")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == SCHEMA
    Draft202012Validator.check_schema(SCHEMA)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = drilled("arm-forbidden", usual("arm-forbidden"), "json").document
    return found


def objects(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    for each in value if isinstance(value, list) else ():
        yield from objects(each)


def test_an_unknown_key_is_refused_wherever_it_stands(document: dict[str, Any]) -> None:
    validate(document)
    places = len(list(objects(document)))
    assert places > 30
    for place in range(places):
        changed = deepcopy(document)
        list(objects(changed))[place]["unheard_of"] = 1
        with pytest.raises(ValidationError):
            validate(changed)


@pytest.mark.parametrize("key", ["schema", "verdict", "steps", "box", "az", "clients"])
def test_a_missing_key_is_refused(document: dict[str, Any], key: str) -> None:
    with pytest.raises(ValidationError):
        validate({name: value for name, value in document.items() if name != key})


def test_every_field_of_what_is_published_has_its_key() -> None:
    """Whoever adds a field decides whether it is published.

    Chains are, as certificates; what only the lists of ARM or exports show is not.
    """
    otherwise = {
        TlsFacts: {"chain", "verified_chain"},
        Certificate: {"der"},
        Metadata: {"login_as_given", "derived", "traits"},
        ResourceGroup: {"id", "tags"},
        Subscription: {"tenant", "offer"},
        TokenFacts: {"claims", "lifetime_ends"},
    }
    for kind, keys in KEYS.items():
        held = {each.name for each in fields(kind)} - otherwise.get(kind, set())
        assert set(keys.values()) == held, kind


def test_every_fault_has_a_published_type() -> None:
    assert set(FAULT_TYPES) == set(get_args(Fault))
    assert TrustFileFault in FAULT_TYPES
    named = {SCHEMA["$defs"][each["$ref"].rpartition("/")[2]]["properties"]["type"]["const"]
             for each in SCHEMA["$defs"]["fault"]["oneOf"]}  # fmt: skip
    assert named == set(FAULT_TYPES.values())


def test_the_schema_knows_every_limit() -> None:
    assert SCHEMA["$defs"]["limit_name"]["enum"] == [each.value for each in LimitName]
