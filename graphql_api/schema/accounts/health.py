"""Health: whether our access to an account still works."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Self

import strawberry

from graphql_api.domain.health import AccessHealthState, Watched, health_of
from graphql_api.domain.proofs import AccessTokenProblem
from graphql_api.schema.context import Info
from graphql_api.schema.described import output

HealthStates = Annotated[
    list[AccessHealthState] | None,
    strawberry.argument(
        description="Only accounts whose `health.state` is one of these. Left out or null: all."
    ),
]


@output
class AccessHealth:
    """Whether the access token that is kept for an account still works."""

    state: AccessHealthState = strawberry.field(description="The state, for programs.")
    problem: AccessTokenProblem | None = strawberry.field(
        description="What is wrong with the access token. Null unless `state` is `BROKEN`."
    )
    message: str = strawberry.field(description="A sentence for people: what is wrong, and what they can do.")
    since: datetime | None = strawberry.field(
        description="Since when the account is in this state, as far as is known. Null if it was connected before health "
        "was watched."
    )
    checked_at: datetime | None = strawberry.field(
        description="When Meta was last asked about the access token and answered. Null if `state` is `UNVERIFIED`."
    )
    breaks_at: datetime | None = strawberry.field(
        description="When the access ends if nobody logs in again: the end of the access token or of Meta's data access, "
        "whichever is earlier. Null if it is broken or unverified, or if Meta names no end."
    )
    missing_permissions: list[str] = strawberry.field(
        description="The names of the permissions that were not granted, as Meta writes them, for example "
        "`instagram_basic`. Empty unless `problem` is `MISSING_PERMISSION`."
    )

    @classmethod
    def of(cls, kept: Watched, info: Info) -> Self:
        """Shape what is kept of an account."""
        call = info.context.call
        meta = call.services.meta
        health = health_of(kept, source=meta.source if meta else None, now=call.now)
        trouble = health.trouble
        return cls(
            state=health.state,
            problem=trouble.problem if trouble else None,
            message=health.message,
            since=health.since,
            checked_at=health.checked_at,
            breaks_at=health.breaks_at,
            missing_permissions=list(trouble.missing) if trouble else [],
        )


@output
class HealthSummary:
    """How many of the social accounts of a place that the viewer sees are in each state of health."""

    working: int = strawberry.field(description="How many are `WORKING`.")
    breaking_soon: int = strawberry.field(description="How many are `BREAKING_SOON`.")
    broken: int = strawberry.field(description="How many are `BROKEN`.")
    unverified: int = strawberry.field(description="How many are `UNVERIFIED`.")
    other: int = strawberry.field(description="How many are `OTHER`.")

    @classmethod
    def of(cls, counted: Mapping[AccessHealthState, int]) -> Self:
        """Shape the counts."""
        return cls(**{state.name.lower(): counted.get(state, 0) for state in AccessHealthState})
