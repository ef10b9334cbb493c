"""Long-running operations, in both styles, to an end that is known or known to be unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacktui.environments.model import Environment
from stacktui.identities.token_source import SignIn, TokenSource
from stacktui.resources.connection import open_arm
from stacktui.resources.model import ArmError, ArmProblem, OperationError
from stacktui.stamp import StampOptions, run_in_thread
from tests.identities.sign_ins import identity_of
from tests.resources.conftest import TOKEN, Client
from tests.resources.test_client import error, page
from tests.support.web import Asked, Raw, Web, answer, serving

GROUP = "/subscriptions/s1/resourceGroups/g"


def begun(web: Web, header: str, path: str = "/operationresults/o") -> Raw:
    return answer(status="202 Accepted", Retry_After="0", **{header: f"{web.url}{path}"})


RUNNING = answer(b'{"status":"InProgress"}', status="202 Accepted", Retry_After="0")


@pytest.mark.parametrize("header", ["Location", "Azure_AsyncOperation"])
@pytest.mark.parametrize("status", ["200 OK", "204 No Content", "404 Gone"])
async def test_an_operation_is_followed_to_its_end(
    client: Client, header: str, status: str
) -> None:
    def said(asked: Asked) -> Raw:
        if asked.method == "DELETE":
            return begun(web, header)
        if len(web.asked) < 4:
            return RUNNING
        if status.startswith("204") and header == "Location":
            return Raw(b"HTTP/1.1 204 No Content\r\n\r\n")
        return answer(b'{"status":"Succeeded"}', status=status.replace("204 No Content", "200 OK"))

    async with serving(said) as web, client(web) as (arm, _):
        ended = await arm.poll(await arm.request("DELETE", GROUP))
    assert ended.status in (200, 204, 404)
    assert [asked.target for asked in web.asked[1:]] == ["/operationresults/o"] * 3


@pytest.mark.parametrize("header", ["Location", "Azure_AsyncOperation"])
async def test_an_operation_that_failed_is_an_error(client: Client, header: str) -> None:
    failed = b'{"status":"Failed","error":{"code":"Conflict","message":"locked"}}'

    def said(asked: Asked) -> Raw:
        return begun(web, header) if asked.method == "DELETE" else answer(failed)

    async with serving(said) as web, client(web) as (arm, _):
        response = await arm.request("DELETE", GROUP)
        with pytest.raises(OperationError) as caught:
            await arm.poll(response)
    found = caught.value.fault
    assert (found.problem, found.code, found.message) == (
        ArmProblem.OPERATION_FAILED,
        "Conflict",
        "locked",
    )


@pytest.mark.parametrize("header", ["Location", "Azure_AsyncOperation"])
async def test_an_operation_elsewhere_gets_neither_request_nor_token(
    client: Client, header: str
) -> None:
    async with serving(page()) as other:
        async with serving(begun(other, header)) as web, client(web) as (arm, _):
            response = await arm.request("DELETE", GROUP)
            with pytest.raises(OperationError) as caught:
                await arm.poll(response)
        assert other.listener.connections == 0
    assert caught.value.fault.problem is ArmProblem.OPERATION_FOREIGN_HOST
    assert TOKEN not in repr(caught.value.fault)


async def test_an_operation_without_end_and_a_refusal_are_told(client: Client) -> None:
    def said(asked: Asked) -> Raw:
        return begun(web, "Location") if asked.method == "DELETE" else RUNNING

    async with serving(said) as web, client(web) as (arm, _):
        with pytest.raises(OperationError) as caught:
            await arm.poll(await arm.request("DELETE", GROUP), longest=0.5)
    assert caught.value.fault.problem is ArmProblem.OPERATION_TIMEOUT
    refused = error("409 Conflict", "ScopeLocked")
    script = serving(lambda a: said(a) if a.method == "DELETE" else refused)
    async with script as web, client(web) as (arm, _):
        with pytest.raises(ArmError) as other:
            await arm.poll(await arm.request("DELETE", GROUP))
    assert other.value.fault.code == "ScopeLocked"


async def test_what_began_no_operation_has_ended(client: Client) -> None:
    async with serving(answer(b'{"name":"g"}')) as web, client(web) as (arm, _):
        response = await arm.request("PUT", GROUP, body={})
        assert await arm.poll(response) == response


# The result, where the operation's own URL has its status only.

VM = {"location": "local", "properties": {"hardwareProfile": {"vmSize": "Standard_A1"}}}


@pytest.mark.parametrize("fault", ["", "drop", "500"])
async def test_an_update_ends_with_the_resource_as_it_then_is(fault: str) -> None:
    options = StampOptions(update_seconds=0.3, retry_after=0)
    with run_in_thread(options) as stamp:
        environment = Environment("A", stamp.arm_url, ca=Path(stamp.ca_file))
        async with open_arm(SignIn(environment, identity_of(stamp)), TokenSource()) as arm:
            path = (
                f"/subscriptions/{stamp.subscription_id}/resourceGroups/rg-web-prod-01"
                "/providers/Microsoft.Compute/virtualMachines/vm1"
            )
            await arm.request("PUT", path, body=VM)
            began = await arm.request("PATCH", path, body={"tags": {"by": "us"}})
            assert began.document["properties"]["provisioningState"] == "Updating"
            stamp.fault_at(*([f"GET */virtualMachines/vm1@1={fault}"] if fault else []))
            before = len(stamp.requests)
            if fault == "500":  # it was updated, and cannot be read
                with pytest.raises(ArmError) as caught:
                    await arm.poll(began)
                assert type(caught.value) is ArmError
                assert caught.value.fault.status == 500
                return
            ended = await arm.poll(began)
            assert ended.document["properties"]["provisioningState"] == "Succeeded"
            assert ended.document["tags"] == {"by": "us"}
            asked = [each.path for each in stamp.requests[before:]]
            assert "/operations/" in asked[0]
            assert asked[-1] == path
            assert asked.count(path) == (2 if fault else 1)

            ended = await arm.poll(await arm.request("DELETE", path))
            assert ended.document["status"] == "Succeeded"
            assert stamp.requests[-1].path != path


@pytest.mark.parametrize("result", ["200 OK", "405 Method Not Allowed"])
async def test_an_action_ends_with_what_its_location_has(client: Client, result: str) -> None:
    def said(asked: Asked) -> Raw:
        if asked.method == "POST":
            return begun_both(web, f"{web.url}/operationresults/r")
        if asked.target.endswith("/o"):
            return answer(b'{"status":"Succeeded"}')
        return answer(b'{"value":[1]}', status=result)

    async with serving(said) as web, client(web) as (arm, _):
        ended = await arm.poll(await arm.request("POST", f"{GROUP}/act"))
    assert (ended.status, ended.document) in ((200, {"value": [1]}), (405, None))
    assert [asked.target for asked in web.asked[1:]] == [
        "/operationresults/o",
        "/operationresults/r",
    ]


def begun_both(web: Web, location: str) -> Raw:
    status_url = f"{web.url}/operationresults/o"
    return answer(
        status="202 Accepted", Retry_After="0", Azure_AsyncOperation=status_url, Location=location
    )


async def test_the_location_of_a_result_elsewhere_gets_neither_request_nor_token(
    client: Client,
) -> None:
    def said(asked: Asked) -> Raw:
        if asked.method == "POST":
            return begun_both(web, f"{other.url}/r")
        return answer(b'{"status":"Succeeded"}')

    async with serving(page()) as other:
        async with serving(said) as web, client(web) as (arm, _):
            with pytest.raises(OperationError) as caught:
                await arm.poll(await arm.request("POST", f"{GROUP}/act"))
        assert other.listener.connections == 0
    assert caught.value.fault.problem is ArmProblem.OPERATION_FOREIGN_HOST
