"""Scopes, assignments and their paths as texts."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacktui.resources.model import Principal, RoleAssignment
from stacktui.resources.role_paths import (
    READER,
    Reach,
    assignment_body,
    assignment_name,
    assignment_path,
    is_object_id,
    parse_assignment_id,
    reach,
    scope_words,
)

SUB = "/subscriptions/s1"
GROUP = f"{SUB}/resourceGroups/DevTest"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm-1"
NAME = "0b1ec700-0000-4000-8000-00000000000a"


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        (SUB, "subscription s1"),
        (GROUP, "resource group DevTest"),
        (GROUP.lower(), "resource group devtest"),
        (VM, "virtualMachines vm-1 in resource group DevTest"),
        ("", "/"),
        ("/providers/Microsoft.Management/managementGroups/m", None),
        (f"{GROUP}/", "resource group DevTest"),
    ],
)
def test_a_scope_in_words(scope: str, words: str | None) -> None:
    assert scope_words(scope) == (scope if words is None else words)


@pytest.mark.parametrize(
    ("assigned", "seen_from", "expected"),
    [
        (SUB, SUB.upper(), Reach.DIRECT),
        (SUB, GROUP, Reach.INHERITED),
        ("", SUB, Reach.INHERITED),
        (GROUP, SUB, Reach.BELOW),
        (GROUP, f"{GROUP}-2", Reach.BELOW),
        (f"{GROUP}/", GROUP, Reach.DIRECT),
    ],
)
def test_inherited_means_that_its_scope_is_a_prefix(
    assigned: str, seen_from: str, expected: Reach
) -> None:
    assert reach(RoleAssignment("", assigned, READER.id, "p"), seen_from) is expected


def test_the_name_is_made_from_scope_role_and_principal() -> None:
    name = assignment_name(GROUP, READER, Principal("p1"))
    assert UUID(name)
    same = (GROUP.upper(), READER, Principal("P1", is_application=True, identity="ops"))
    assert assignment_name(*same) == name
    others = {
        assignment_name(SUB, READER, Principal("p1")),
        assignment_name(GROUP, READER, Principal("p2")),
        name,
    }
    assert len(others) == 3


@pytest.mark.parametrize(
    ("version", "sent"), [("2015-07-01", None), ("2022-04-01", "ServicePrincipal")]
)
def test_the_type_is_sent_where_it_is_known_there(version: str, sent: str | None) -> None:
    application, user = (Principal("p", is_application=each) for each in (True, False))
    body = assignment_body(VM, READER, application, version)["properties"]
    assert body.get("principalType") == sent
    defined = f"{SUB}/providers/Microsoft.Authorization/roleDefinitions/{READER.id}"
    assert body["roleDefinitionId"] == defined
    assert "principalType" not in assignment_body(VM, READER, user, version)["properties"]


def test_an_assignment_is_known_by_its_path() -> None:
    path = assignment_path(GROUP, NAME)
    assert parse_assignment_id(path) == (GROUP, NAME)
    assert parse_assignment_id(path.upper()) == (GROUP.upper(), NAME.upper())
    for other in (GROUP, NAME, f"{path}/x", f"{path[:-1]}", f"{path}\n", "S-1-5-21"):
        assert parse_assignment_id(other) is None


def test_an_object_id_is_a_guid_or_a_sid() -> None:
    sid = "S-1-5-21-397955417-626881126-188441444-3001"
    assert all(map(is_object_id, (NAME, NAME.upper(), sid)))
    assert not any(map(is_object_id, ("", "ops", f"{NAME}0", f"{NAME}\n", "S-1-", "S-2-5-21")))


@given(st.text(), st.text())
def test_any_scope_and_name_stay_in_the_path(scope: str, name: str) -> None:
    path = assignment_path(scope, name)
    assert path.isascii()
    assert not set(path) & set("?# \n\x1b")
