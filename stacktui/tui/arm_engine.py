"""What the dashboard does in ARM; slow to import, so imported with the first reading."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import cast

from stacktui.check.events import StepFinished
from stacktui.check.fault_text import fault_summary
from stacktui.check.image_aliases import fetch_aliases
from stacktui.check.profile_detection import DetectedProfile, detect_profile, to_detect
from stacktui.check.registration import Discovery, discover
from stacktui.check.report import StepResult
from stacktui.check.runner import run
from stacktui.check.target import CheckTarget
from stacktui.check.write_probe import PROBE_LEFTOVERS, with_probe
from stacktui.environments.alias_document import AliasDocument, ImageAlias
from stacktui.errors import FaultError, StacktuiError
from stacktui.identities.model import Identity
from stacktui.identities.token_source import SignIn, TokenSource
from stacktui.resources.client import ArmClient
from stacktui.resources.connection import open_arm, unseen
from stacktui.resources.group_changes import (
    GroupWrite,
    carry_out,
    location_names,
    plan_creation,
    plan_tags,
)
from stacktui.resources.group_deletion import (
    DeletionAccepted,
    OperationResult,
    PlannedDeletion,
    delete,
    follow,
    plan_deletion,
)
from stacktui.resources.group_details import (
    GroupDetails,
    group_details,
    resource_counts,
    resource_details,
)
from stacktui.resources.groups import group_pages
from stacktui.resources.identity_steps import Confirm, Walk, WalkStepResult, WalkStepStarted
from stacktui.resources.identity_walk import walk
from stacktui.resources.images import ImageMatch, compare_images
from stacktui.resources.listing import Rows, collect
from stacktui.resources.machine_identity import Machine, machine_pages
from stacktui.resources.managed_identities import identity_version
from stacktui.resources.model import (
    ArmError,
    ArmProblem,
    Provider,
    ResourceDetails,
    ResourceGroup,
    Subscription,
)
from stacktui.resources.operations import Operation
from stacktui.resources.providers import (
    provider,
    provider_pages,
    register,
    registered,
    unregistered_in,
)
from stacktui.resources.retry import Wait
from stacktui.resources.roles import Access, access
from stacktui.resources.subscriptions import (
    first_enabled_subscription,
    help_without_subscription,
    subscription_pages,
    why_limited,
)
from stacktui.resources.written import ChangeError
from stacktui.transport.records import Exchange
from stacktui.tui.group_list import ALL, GroupPage, text_of
from stacktui.tui.live_walk import WalkPlace

# With these ARM refuses the `$skiptoken` of a link.
_LINK_GONE = frozenset({400, 404, 410})


class ArmEngine:
    """Calls ARM with the tokens of the session.

    Each method takes a target, with an identity where it signs in, and raises StacktuiError.
    """

    def __init__(self, tokens: TokenSource) -> None:
        self.tokens = tokens

    async def groups(
        self, target: CheckTarget, wanted: str, on_wait: Callable[[Wait], None], start: str = ""
    ) -> AsyncGenerator[GroupPage, None]:
        """Yield the pages of a subscription's groups, and call `on_wait` as a wait for ARM begins.

        `wanted` is its id, `ALL` for those of the tenant that are enabled, or empty for the
        environment's own. `start` is the `next_link` of the page to go on after. Of `ALL`, one
        that cannot be read hides none of the others: its error is raised at the end.
        """
        error: StacktuiError | None = None
        async with self._open(target, on_wait) as client:
            if wanted == ALL:
                found = await collect(subscription_pages(client))
                tenant, error = (await client.token_facts()).tenant, found.error
                ids = [each.id for each in found.rows if not why_limited(each, tenant)]
            else:
                ids = [await _subscription(client, target, wanted)]
            for id_ in ids:
                shown = ALL if wanted == ALL else client.redactor.sanitize(id_, 80)
                try:
                    async with aclosing(group_pages(client, id_, start)) as pages:
                        async for page in pages:
                            groups = {each.id or each.name: each for each in page}
                            texts = {key: text_of(each) for key, each in groups.items()}
                            link = "" if wanted == ALL else page.next_link
                            yield GroupPage(shown, groups, texts, link)
                except FaultError as caught:
                    error = caught
        if error is not None:
            raise error

    async def counts(
        self, target: CheckTarget, subscriptions: Iterable[str], on_wait: Callable[[Wait], None]
    ) -> AsyncGenerator[Mapping[str, int], None]:
        """Yield how many resources each group has, page by page, as `resource_counts` does."""
        async with self._open(target, on_wait) as client:
            for each in subscriptions:
                async with aclosing(resource_counts(client, each)) as pages:
                    async for page in pages:
                        yield page

    async def access(
        self, target: CheckTarget, on_wait: Callable[[Wait], None]
    ) -> AsyncGenerator[Access, None]:
        """Yield what the identity may do in its subscription, by which roles of it and below."""
        async with self._open(target, on_wait) as client:
            scope = f"/subscriptions/{await _subscription(client, target, '')}"
            yield await access(client, scope, (await client.token_facts()).object_id or "")

    async def subscriptions(self, target: CheckTarget) -> tuple[Rows[Subscription], str | None]:
        """Return the visible subscriptions, and the tenant of the token."""
        async with self._open(target) as client:
            found = await collect(subscription_pages(client))
            return found, (await client.token_facts()).tenant

    async def help_without_subscription(self, target: CheckTarget) -> tuple[str, ...]:
        """Return what who sees no subscription can do, a sentence each."""
        async with self._open(target) as client:
            return await help_without_subscription(client)

    async def details(self, target: CheckTarget, path: str) -> GroupDetails:
        """Return what is in the group at a path of ARM."""
        async with self._open(target) as client:
            return await group_details(client, path)

    async def resource(self, target: CheckTarget, path: str) -> ResourceDetails:
        """Return the resource at a path of ARM."""
        async with self._open(target) as client:
            return await resource_details(client, path)

    async def providers(self, target: CheckTarget, wanted: str) -> tuple[str, Rows[Provider]]:
        """Return a subscription's id, named as in `groups`, and its resource providers."""
        async with self._open(target) as client:
            subscription = await _subscription(client, target, wanted)
            return subscription, await collect(provider_pages(client, subscription))

    async def register(
        self,
        target: CheckTarget,
        subscription: str,
        namespace: str,
        on_wait: Callable[[Wait], None],
    ) -> AsyncGenerator[Provider, None]:
        """Register a provider, unless it is or that goes on; yield it then and at the end."""
        async with self._open(target, on_wait) as client:
            found, _ = await provider(client, subscription, namespace)
            if not (found.registered or found.registering):
                found = await register(client, subscription, namespace)
            yield found
            yield await registered(client, subscription, namespace)

    async def remove_leftovers(self, target: CheckTarget) -> AsyncGenerator[StepResult, None]:
        """Delete the groups that write probes left, and yield each step of that as it ends."""
        async with aclosing(
            run(with_probe(target, delete_left=True), tokens=self.tokens, goal=PROBE_LEFTOVERS)
        ) as events:
            async for event in events:
                if isinstance(event, StepFinished):
                    yield event.step

    # Changes of groups

    async def locations(self, target: CheckTarget, wanted: str) -> tuple[str, tuple[str, ...]]:
        """Return a subscription's id, named as in `groups`, and the names of its locations."""
        async with self._open(target) as client:
            subscription = await _subscription(client, target, wanted)
            return subscription, await location_names(client, subscription)

    async def plan_creation(
        self,
        target: CheckTarget,
        subscription: str,
        name: str,
        location: str,
        tags: Mapping[str, str],
    ) -> GroupWrite:
        async with self._open(target) as client:
            return await plan_creation(client, subscription, name, location, tags)

    async def plan_tags(
        self,
        target: CheckTarget,
        subscription: str,
        name: str,
        tags: Mapping[str, str | None],
    ) -> GroupWrite:
        async with self._open(target) as client:
            return await plan_tags(client, subscription, name, tags)

    async def write_group(
        self, target: CheckTarget, plan: GroupWrite, on_wait: Callable[[Wait], None]
    ) -> AsyncGenerator[ResourceGroup, None]:
        """Carry a plan out, and yield the group that is there then."""
        async with self._open(target, on_wait) as client:
            group, _ = await carry_out(client, plan)
            yield group

    async def plan_deletion(
        self, target: CheckTarget, subscription: str, name: str
    ) -> PlannedDeletion | None:
        async with self._open(target) as client:
            return await plan_deletion(client, subscription, name)

    async def delete_group(
        self, target: CheckTarget, plan: PlannedDeletion, on_wait: Callable[[Wait], None]
    ) -> AsyncGenerator[DeletionAccepted | OperationResult, None]:
        """Delete a group, as `delete` does."""
        async with (
            self._open(target, on_wait) as client,
            aclosing(delete(client, plan, target.config)) as events,
        ):
            async for event in events:
                yield event

    async def follow_deletion(
        self, target: CheckTarget, operation: Operation, on_wait: Callable[[Wait], None]
    ) -> AsyncGenerator[OperationResult, None]:
        """Yield how a deletion that is remembered ended, once it has."""
        async with self._open(target, on_wait) as client:
            yield await follow(client, operation)

    async def machines(self, target: CheckTarget) -> tuple[str, Rows[Machine]]:
        """Return the subscription's id and its VMs, which user-assigned identities are given to.

        Raises ManagedIdentityError where it can have no such identities.
        """
        async with self._open(target) as client:
            subscription = await _subscription(client, target, "")
            await identity_version(client, subscription)
            return subscription, await collect(machine_pages(client, subscription))

    async def identity_walk(
        self,
        target: CheckTarget,
        place: WalkPlace,
        confirm: Confirm,
        on_wait: Callable[[Wait], None],
        on_exchange: Callable[[Exchange], None],
    ) -> AsyncGenerator[WalkStepStarted | WalkStepResult, None]:
        """Do all steps to a managed identity that works; `confirm` is asked before each write."""
        async with self._open(target, on_wait, on_exchange) as client:
            where = Walk(
                client,
                target.environment,
                place.subscription,
                place.group,
                place.name,
                confirm,
                place.machine,
                on_wait=on_wait,
                on_exchange=on_exchange,
            )
            async for event in walk(where):
                yield event

    async def image_aliases(self, target: CheckTarget, url: str) -> AliasDocument:
        """Return the document of VM image aliases; without signing in."""
        return await fetch_aliases(target, url)

    async def images(
        self, target: CheckTarget, aliases: Sequence[ImageAlias]
    ) -> tuple[ImageMatch, ...]:
        """Return for each alias whether the stamp has its image."""
        async with self._open(target) as client:
            return await compare_images(client, await _subscription(client, target, ""), aliases)

    async def discover(self, target: CheckTarget) -> Discovery:
        """Return what the stamp says of itself; without signing in, and without an identity."""
        return await discover(target)

    async def detect_profile(self, target: CheckTarget) -> DetectedProfile:
        """Return the newest profile that the stamp accepts."""
        async with self._open(to_detect(target)) as client:
            return await detect_profile(client, target.environment)

    @asynccontextmanager
    async def _open(
        self,
        target: CheckTarget,
        on_wait: Callable[[Wait], None] = unseen,
        on_exchange: Callable[[Exchange], None] = unseen,
    ) -> AsyncIterator[ArmClient]:
        wanted = SignIn(target.environment, cast("Identity", target.identity), target.config)
        async with open_arm(
            wanted, self.tokens, on_wait=on_wait, on_exchange=on_exchange
        ) as client:
            yield client


async def _subscription(client: ArmClient, target: CheckTarget, wanted: str) -> str:
    chosen = "" if wanted == ALL else wanted
    own = target.environment.subscription
    return chosen or own or await first_enabled_subscription(client)


def words_of(error: StacktuiError) -> str:
    """Return why something could not be read, with what to do, if that is known."""
    if isinstance(error, ChangeError):
        return "; ".join(filter(None, (str(error), error.help)))
    if not isinstance(error, FaultError):
        return str(error)
    namespace = unregistered_in(error)
    leads = f"; P in pane 4 registers {namespace}" if namespace else ""
    return fault_summary(error.fault) + leads


def refused_link(error: StacktuiError) -> str:
    """Return why ARM does not take a `next_link` any more; empty for any other error."""
    if not isinstance(error, ArmError):
        return ""
    fault = error.fault
    gone = fault.status in _LINK_GONE or fault.problem.startswith("paging-")
    return fault_summary(fault) if gone else ""


def has_no_subscription(error: StacktuiError) -> bool:
    return isinstance(error, ArmError) and error.fault.problem is ArmProblem.NO_SUBSCRIPTIONS
