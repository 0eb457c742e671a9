"""Moving social accounts from place to place."""

import strawberry

from graphql_api.domain.inputs import InvalidInput
from graphql_api.domain.moves import NoRoom
from graphql_api.domain.refusals import Refused
from graphql_api.schema.accounts.connecting import IDEMPOTENCY_KEY
from graphql_api.schema.accounts.social_account import SocialAccount, shape_social_account
from graphql_api.schema.context import Info
from graphql_api.schema.described import arguments, output
from graphql_api.schema.ids import read_id, read_social_account_id
from graphql_api.schema.mutation import mutation
from graphql_api.services.accounts import moving
from graphql_api.services.accounts.moving import MoveCommand


@arguments
class MoveSocialAccountsInput:
    """The social accounts to move, and the place to move them to."""

    social_account_ids: list[strawberry.ID] = strawberry.field(
        description="Ids of social accounts: 1 to 100, each once, of any platform. They may be in several places: the viewer's "
        "Personal, and Workspaces where the viewer has the role ADMIN."
    )
    workspace_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The Workspace that is to hold them. Requires the role ADMIN there. If left out or null: the viewer's "
        "Personal.",
    )
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)

    def to_command(self) -> MoveCommand:
        """As the service takes it."""
        return MoveCommand(
            hold_ids=[read_social_account_id(text) for text in self.social_account_ids],
            workspace_id=None if self.workspace_id is None else read_id("Workspace", self.workspace_id),
            idempotency_key=self.idempotency_key,
        )


@output
class MoveSocialAccountsSuccess:
    """The other place holds the accounts now.

    They kept their ids, nicknames and `createdAt`, and left the teams of the old place.
    """

    social_accounts: list[SocialAccount] = strawberry.field(
        description="The moved accounts, in the order of the input."
    )


@mutation(
    "Nothing was moved.",
    errors="What blocks the call, in the order of the input: wrong input, or else accounts that the place has no room for.",
)
async def move_social_accounts(
    info: Info, input: MoveSocialAccountsInput
) -> MoveSocialAccountsSuccess | Refused[InvalidInput | NoRoom]:
    """Move social accounts to the viewer's Personal or to a Workspace, all or none.

    They are never free for somebody else to connect. If a Workspace loses accounts, its other admins get an e-mail.
    """
    outcome = await moving.move(info.context.call, input.to_command())
    if isinstance(outcome, Refused):
        return outcome
    return MoveSocialAccountsSuccess(social_accounts=[shape_social_account(row) for row in outcome])
