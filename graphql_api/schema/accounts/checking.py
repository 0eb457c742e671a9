"""Looking before leaping: what connecting would come to."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import strawberry

from graphql_api.domain import inputs
from graphql_api.domain.claims import Candidate
from graphql_api.domain.conflicts import CheckStatus
from graphql_api.domain.refusals import Refused
from graphql_api.schema.described import arguments, output
from graphql_api.schema.errors import (
    AccountLimitReached,
    HeldByPersonal,
    HeldByWorkspace,
    HeldElsewhere,
    InvalidInput,
    conflict_error,
    errors_of,
)
from graphql_api.schema.ids import read_id
from graphql_api.services.accounts.checking import Checked


@arguments
class CheckInstagramAccountInput:
    """One Instagram account to look up."""

    instagram_user_id: str = strawberry.field(
        description="Instagram's id of the account: 1 to 20 digits, as text."
    )
    username: str = strawberry.field(
        description="1 to 30 letters, digits, dots and underscores; no dot first, last or doubled. It stands in the "
        "messages."
    )


@arguments
class CheckSocialAccountsInput:
    """What would be connected, and where."""

    instagram_accounts: list[CheckInstagramAccountInput] = strawberry.field(
        description="The Instagram accounts to look up: at most 100, each once."
    )
    workspace_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The Workspace that would hold them; the viewer must be its admin. Left out or null: the viewer's "
        "Personal.",
    )

    def to_candidates(self) -> tuple[Sequence[Candidate], UUID | None]:
        """As the service takes it."""
        return (
            [
                Candidate(index, item.instagram_user_id, item.username)
                for index, item in enumerate(self.instagram_accounts)
            ],
            None if self.workspace_id is None else read_id("Workspace", self.workspace_id),
        )


SocialAccountConflict = Annotated[
    HeldByWorkspace | HeldByPersonal | HeldElsewhere | AccountLimitReached,
    strawberry.union(
        "SocialAccountConflict",
        description="What would stand in the way of connecting a social account. Closed: for something newer `conflict` "
        "is null, and the status `OTHER`.",
    ),
]


@output
class SocialAccountCheck:
    """What connecting one Instagram account would come to, as things are now."""

    instagram_user_id: str = strawberry.field(description="The Instagram account that was looked up.")
    status: CheckStatus = strawberry.field(description="What connecting it would come to.")
    conflict: SocialAccountConflict | None = strawberry.field(
        description="What stands in the way: the same that connecting would answer. Null unless the status is `CONFLICT`."
    )


@output
class SocialAccountChecks:
    """What connecting these Instagram accounts would come to, as things are now."""

    checks: list[SocialAccountCheck] = strawberry.field(
        description="One for each account, in the order of the input; empty when there are `errors`."
    )
    errors: list[InvalidInput] = strawberry.field(
        description="What is wrong with the input: the same that connecting would answer, a Workspace that does not exist, "
        "or that the viewer cannot connect into, among it. Nothing was looked up then."
    )


def checks_of(outcome: Checked | Refused[inputs.InvalidInput]) -> SocialAccountChecks:
    """Shape what a look-up found."""
    if isinstance(outcome, Refused):
        return SocialAccountChecks(checks=[], errors=errors_of(outcome))
    return SocialAccountChecks(
        checks=[
            SocialAccountCheck(
                instagram_user_id=candidate.instagram_user_id,
                status=status,
                conflict=None if conflict is None else conflict_error(conflict, outcome.surroundings),
            )
            for candidate, status, conflict in outcome.checks
        ],
        errors=[],
    )
