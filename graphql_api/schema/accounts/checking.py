"""Checking what connecting would do, before it is done."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import strawberry

from graphql_api.domain import inputs
from graphql_api.domain.claims import Candidate
from graphql_api.domain.conflicts import CheckStatus
from graphql_api.domain.platforms import Platform
from graphql_api.domain.refusals import Refused
from graphql_api.schema.accounts.key import SocialAccountKeyInput
from graphql_api.schema.described import arguments, output
from graphql_api.schema.errors import (
    AccountLimitReached,
    HeldByPersonal,
    HeldByWorkspace,
    HeldElsewhere,
    InvalidInput,
    OtherConflict,
    conflict_error,
    errors_of,
)
from graphql_api.schema.ids import read_id
from graphql_api.services.accounts.checking import Checked


@arguments
class CheckSocialAccountsInput:
    """The social accounts to check, and the place that would hold them."""

    social_accounts: list[SocialAccountKeyInput] = strawberry.field(
        description="The social accounts to check: at most 100, each once."
    )
    workspace_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The Workspace that would hold them. Requires the role ADMIN there. Left out or null: the viewer's "
        "Personal.",
    )

    def to_candidates(self) -> tuple[Sequence[Candidate], UUID | None]:
        """As the service takes it."""
        return (
            [
                Candidate(index, one.to_key(), one.display_name, ("input", "socialAccounts", str(index)))
                for index, one in enumerate(self.social_accounts)
            ],
            None if self.workspace_id is None else read_id("Workspace", self.workspace_id),
        )


SocialAccountConflict = Annotated[
    HeldByWorkspace | HeldByPersonal | HeldElsewhere | OtherConflict | AccountLimitReached,
    strawberry.union(
        "SocialAccountConflict",
        description="What would block connecting a social account. The list of types is closed.",
    ),
]


@output
class SocialAccountCheck:
    """What connecting one social account would do, as things are now."""

    platform: Platform = strawberry.field(description="Where the account lives.")
    external_id: str = strawberry.field(description="The platform's id of the account.")
    status: CheckStatus = strawberry.field(description="What connecting it would do.")
    conflict: SocialAccountConflict | None = strawberry.field(
        description="Why it could not be connected. Null unless `status` is `CONFLICT`."
    )


@output
class SocialAccountChecks:
    """The result of `checkSocialAccounts`: the checks, or what is wrong with the input."""

    checks: list[SocialAccountCheck] = strawberry.field(
        description="One for each account, in the order of the input. Empty if there are `errors`."
    )
    errors: list[InvalidInput] = strawberry.field(
        description="What is wrong with the input, as `connectSocialAccounts` would say it. If there are errors, nothing "
        "was looked up."
    )


def checks_of(outcome: Checked | Refused[inputs.InvalidInput]) -> SocialAccountChecks:
    """Shape what a check found."""
    if isinstance(outcome, Refused):
        return SocialAccountChecks(checks=[], errors=errors_of(outcome))
    return SocialAccountChecks(
        checks=[
            SocialAccountCheck(
                platform=candidate.key.platform,
                external_id=candidate.key.external_id,
                status=status,
                conflict=None if conflict is None else conflict_error(conflict, outcome.facts),
            )
            for candidate, status, conflict in outcome.checks
        ],
        errors=[],
    )
