"""The subscription fields."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from graphql_api.domain import holders
from graphql_api.schema.accounts.listing import PLATFORMS
from graphql_api.schema.context import Info
from graphql_api.schema.described import output
from graphql_api.schema.history.event import Event
from graphql_api.schema.history.filtering import EventPlatforms, Kinds, read_filter
from graphql_api.schema.ids import read_id
from graphql_api.schema.nodes import Edge
from graphql_api.services.history import events


@output
class Subscription:
    """Everything that you can follow as it happens."""

    @strawberry.subscription(
        description="The events of a place as they happen: those that `Workspace.events` and `Viewer.events` list. First come "
        "the events since `after` that you missed, then each new one. You get them in their order, each exactly once. "
        "The stream ends with the error `FORBIDDEN` if the viewer is not, or no longer, a member of the Workspace, and with "
        "`CURSOR_EXPIRED` if events after `after` are no longer kept."
    )
    async def events(
        self,
        info: Info,
        workspace_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="The Workspace. If left out, the viewer's Personal."),
        ] = None,
        after: Annotated[
            str | None,
            strawberry.argument(
                description="Start after this cursor: the `cursor` of the last event that you handled, or `eventsCursor` of "
                "the same place. If left out, only new events are sent."
            ),
        ] = None,
        kinds: Kinds = None,
        platforms: EventPlatforms = PLATFORMS,
    ) -> AsyncGenerator[Edge[Event], None]:
        """One edge for each event."""
        call = info.context.call
        holder: holders.Holder = (
            holders.Personal(call.viewer.user_id)
            if workspace_id is None
            else holders.Workspace(read_id("Workspace", workspace_id))
        )
        following = events.follow(
            call, holder, read_filter(kinds, platforms), after=after, renew=info.context.renew_loaders
        )
        async with aclosing(following) as stream:
            async for event in stream:
                yield Edge(cursor=events.cursor_of(holder, event.seq), node=Event(row=event, asked=kinds))
