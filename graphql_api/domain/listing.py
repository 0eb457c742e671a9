"""How social accounts are listed: in which order, and which of them."""

from collections.abc import Collection
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from graphql_api.domain.health import AccessHealthState
from graphql_api.domain.platforms import Platform

LONGEST_SEARCH = 100


class SocialAccountOrderField(StrEnum):
    """What a list of social accounts is ordered by."""

    CONNECTED_AT = "CONNECTED_AT"
    DISPLAY_NAME = "DISPLAY_NAME"


class OrderDirection(StrEnum):
    """Upwards or downwards."""

    ASC = "ASC"
    DESC = "DESC"


class Listing(NamedTuple):
    """What a screen asks for. `search` is a part of the display_name or nickname, compared without case.

    Without `health_states`, accounts in any state are listed.
    """

    platforms: Collection[Platform]
    order: SocialAccountOrderField = SocialAccountOrderField.CONNECTED_AT
    direction: OrderDirection = OrderDirection.ASC
    search: str | None = None
    team_id: UUID | None = None
    health_states: Collection[AccessHealthState] | None = None
