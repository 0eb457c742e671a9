"""The arguments of lists of social accounts."""

from typing import Annotated

import strawberry

from graphql_api.domain.health import AccessHealthState
from graphql_api.domain.listing import Listing, OrderDirection, SocialAccountOrderField
from graphql_api.domain.platforms import Platform
from graphql_api.schema.described import arguments
from graphql_api.schema.ids import read_id

# Not every platform of the code: a list has a later one only for clients that ask for it.
PLATFORMS = [Platform.INSTAGRAM, Platform.FACEBOOK_PAGE]
Platforms = Annotated[
    list[Platform],
    strawberry.argument(
        description="Only accounts of these platforms. Name a newer platform to get its accounts."
    ),
]
Search = Annotated[
    str | None,
    strawberry.argument(
        description="Only accounts with this text in their display name or nickname, without regard to case; at most 100 "
        "characters."
    ),
]


@arguments
class SocialAccountOrder:
    """The order of a list of social accounts."""

    field: SocialAccountOrderField = strawberry.field(description="The value that they are ordered by.")
    direction: OrderDirection = strawberry.field(
        default=OrderDirection.ASC, description="Upwards or downwards; upwards if left out."
    )


OrderBy = Annotated[
    SocialAccountOrder | None,
    strawberry.argument(
        description="The order of the list; oldest connection first if left out. A cursor belongs to the order that it came "
        "from."
    ),
]
TeamId = Annotated[
    strawberry.ID | None,
    strawberry.argument(
        description="Only accounts that are shared with this team of the Workspace. The list is empty for a team that the "
        "viewer is not in, unless they have the role ADMIN."
    ),
]


def read_listing(
    platforms: list[Platform],
    order_by: SocialAccountOrder | None,
    search: str | None,
    health_states: list[AccessHealthState] | None,
    team_id: strawberry.ID | None = None,
) -> Listing:
    """The arguments as the services take them."""
    team = None if team_id is None else read_id("Team", team_id)
    if order_by is None:
        return Listing(platforms, search=search, team_id=team, health_states=health_states)
    return Listing(platforms, order_by.field, order_by.direction, search, team, health_states)
