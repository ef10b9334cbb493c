"""The step that lists the resource groups."""

from __future__ import annotations

from stacktui.check.step import Step, StepContext
from stacktui.check.step_names import StepName
from stacktui.identities.token import Token
from stacktui.resources.client import ArmClient
from stacktui.resources.model import ArmError, ResourceGroupList


async def _run(context: StepContext) -> ResourceGroupList:
    environment = context.target.environment
    client = ArmClient(context.session, environment, context.result(Token))
    subscription = environment.subscription or await client.first_enabled_subscription()
    try:
        return await client.resource_groups(subscription)
    except ArmError as error:
        raise await client.with_subscriptions(error) from None


RESOURCE_GROUPS = Step(StepName.RESOURCE_GROUPS, _run, needs=(StepName.TOKEN,))
