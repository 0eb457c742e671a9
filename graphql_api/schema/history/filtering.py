"""The arguments that say which events of a place are asked for."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from graphql_api.domain.events import EventFilter, EventKind
from graphql_api.domain.platforms import Platform
from graphql_api.schema.ids import read_id, read_social_account_id

Kinds = Annotated[
    list[EventKind] | None,
    strawberry.argument(
        description="Only events of these kinds; at least one. If left out, events of every kind, where `kind` is `OTHER` for "
        "kinds that are younger than the first release."
    ),
]
EventPlatforms = Annotated[
    list[Platform],
    strawberry.argument(
        description="Leave out events about social accounts of other platforms. Events that are not about a social account "
        "are always included."
    ),
]
ActorId = Annotated[strawberry.ID | None, strawberry.argument(description="Only what this user did.")]
SocialAccountId = Annotated[
    strawberry.ID | None, strawberry.argument(description="Only events about this social account.")
]
Since = Annotated[datetime | None, strawberry.argument(description="Only events at this time or after it.")]
Until = Annotated[datetime | None, strawberry.argument(description="Only events before this time.")]


def read_filter(
    kinds: Sequence[EventKind] | None,
    platforms: Sequence[Platform],
    actor_id: strawberry.ID | None = None,
    social_account_id: strawberry.ID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> EventFilter:
    """The arguments as the services take them."""
    return EventFilter(
        kinds,
        platforms,
        None if actor_id is None else read_id("User", actor_id),
        None if social_account_id is None else read_social_account_id(social_account_id),
        since,
        until,
    )
