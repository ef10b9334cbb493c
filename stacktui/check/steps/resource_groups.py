"""The step that lists the resource groups."""

from __future__ import annotations

from stacktui.check.step import Step, StepContext
from stacktui.check.step_names import StepName
from stacktui.identities.token import Token
from stacktui.resources.client import ArmClient, only
from stacktui.resources.groups import resource_groups, with_next_refusal
from stacktui.resources.model import ArmError, ResourceGroupList
from stacktui.resources.subscriptions import first_enabled_subscription, with_subscriptions


async def _run(context: StepContext) -> ResourceGroupList:
    environment = context.target.environment
    client = ArmClient(context.session, environment, only(context.result(Token)))
    subscription = environment.subscription or await first_enabled_subscription(client)
    try:
        return await resource_groups(client, subscription)
    except ArmError as error:
        found = await with_next_refusal(client, subscription, error)
        raise await with_subscriptions(client, found) from None


RESOURCE_GROUPS = Step(StepName.RESOURCE_GROUPS, _run, needs=(StepName.TOKEN,))
