"""The arguments of lists of social accounts."""

from typing import Annotated

import strawberry

from graphql_api.domain.listing import Listing, OrderDirection, SocialAccountOrderField
from graphql_api.domain.platforms import Platform
from graphql_api.schema.described import arguments
from graphql_api.schema.ids import read_id

# Not every platform of the code: a list has a later one only for clients that ask for it.
PLATFORMS = [Platform.INSTAGRAM, Platform.FACEBOOK_PAGE]
Platforms = Annotated[
    list[Platform],
    strawberry.argument(description="Only accounts of these platforms. A new platform has to be asked for."),
]
Search = Annotated[
    str | None,
    strawberry.argument(
        description="Only accounts with this in their username or nickname, at most 100 characters; upper and lower case are "
        "the same."
    ),
]


@arguments
class SocialAccountOrder:
    """In which order social accounts are listed."""

    field: SocialAccountOrderField = strawberry.field(description="What they are ordered by.")
    direction: OrderDirection = strawberry.field(
        default=OrderDirection.ASC, description="Which end comes first."
    )


OrderBy = Annotated[
    SocialAccountOrder | None,
    strawberry.argument(
        description="The order; by the time of connecting, the oldest first, if it is left out. A cursor belongs to the order "
        "that it came from."
    ),
]
TeamId = Annotated[
    strawberry.ID | None,
    strawberry.argument(
        description="Only accounts that are shared with this team of the Workspace. Who is not an admin names a team that they "
        "are in."
    ),
]


def read_listing(
    platforms: list[Platform],
    order_by: SocialAccountOrder | None,
    search: str | None,
    team_id: strawberry.ID | None = None,
) -> Listing:
    """The arguments as the services take them."""
    team = None if team_id is None else read_id("Team", team_id)
    if order_by is None:
        return Listing(platforms, search=search, team_id=team)
    return Listing(platforms, order_by.field, order_by.direction, search, team)
