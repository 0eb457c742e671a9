"""The subscription fields."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from graphql_api.domain.holders import Personal, Workspace
from graphql_api.schema.context import Info
from graphql_api.schema.described import output
from graphql_api.schema.history.event import Event
from graphql_api.schema.ids import read_id
from graphql_api.schema.nodes import Edge
from graphql_api.services.history import events


@output
class Subscription:
    """Everything that can be followed as it happens."""

    @strawberry.subscription(
        description="The events of a place as they happen: those that `Workspace.events` and `Viewer.events` list. First come "
        "those that were missed since `after`, then each new one, in their order, none twice and none left out. "
        "Ends with the error `FORBIDDEN` when the viewer is not, or no longer, a member of the Workspace, and with "
        "`CURSOR_EXPIRED` when events after `after` are no longer kept."
    )
    async def account_events(
        self,
        info: Info,
        workspace_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="The Workspace; the viewer's Personal if it is left out."),
        ] = None,
        after: Annotated[
            str | None,
            strawberry.argument(
                description="A cursor of this place: of the last event that was received, or its `eventsCursor`. Without it, "
                "only what happens from now on."
            ),
        ] = None,
    ) -> AsyncGenerator[Edge[Event], None]:
        """One edge for each event."""
        call = info.context.call
        holder = (
            Personal(call.viewer.user_id)
            if workspace_id is None
            else Workspace(read_id("Workspace", workspace_id))
        )
        following = events.follow(call, holder, after=after, renew=info.context.renew_loaders)
        async with aclosing(following) as stream:
            async for event in stream:
                yield Edge(cursor=events.cursor_of(holder, event.seq), node=Event(row=event))
