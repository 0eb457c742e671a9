"""Social accounts: what is held."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Annotated
from uuid import UUID

import strawberry

from graphql_api.domain import holders
from graphql_api.domain.faults import Forbidden
from graphql_api.domain.holders import Holder, Personal, Role, holder_of
from graphql_api.domain.platforms import Platform
from graphql_api.domain.proofs import AccessTokenProblem
from graphql_api.schema.accounts.facebook_account import FacebookAccount
from graphql_api.schema.accounts.health import AccessHealth
from graphql_api.schema.context import Info
from graphql_api.schema.described import interface, output, resolved
from graphql_api.schema.ids import write_id
from graphql_api.schema.nodes import Node, setter
from graphql_api.schema.people.user import User
from graphql_api.schema.workspaces.team import Team
from graphql_api.schema.workspaces.workspace import Workspace
from graphql_api.storage.rows import (
    FacebookAccountRow,
    SocialAccountRow,
    TeamRow,
    UserRow,
    WorkspaceRow,
)

SocialAccountHolder = Annotated[
    User | Workspace,
    strawberry.union(
        "SocialAccountHolder",
        description="The place that has a social account: a person (their Personal) or a Workspace. Closed.",
    ),
]


class NotRead(Enum):
    """In the place of a value that was not read along."""

    NOT_READ = "NOT_READ"


NOT_READ = NotRead.NOT_READ


@interface
class SocialAccount(Node):
    """An account on a social platform, held in exactly one place.

    Its id stays the same when it is moved or reconnected. Disconnecting ends it: if the account is connected
    again, it gets a new id.
    """

    platform: Platform = strawberry.field(description="The platform that the account is on.")
    external_id: str = strawberry.field(
        description="The platform's id of the account: 1 to 20 digits, as text, since it does not fit a JavaScript number."
    )
    display_name: str = strawberry.field(
        description="What the platform calls it: an Instagram username, or the name of a Facebook Page."
    )
    nickname: str | None = strawberry.field(
        description="The name that its holders gave it. Null if they gave it none."
    )
    profile_picture_url: str | None = strawberry.field(
        description="The address of its picture when it was last connected. It may have expired: platforms sign such URLs. Null "
        "if it was connected without a picture."
    )
    created_at: datetime = strawberry.field(description="When the holder connected it.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    row_id: strawberry.Private[UUID]
    hold_id: strawberry.Private[UUID]
    held_by: strawberry.Private[Holder | None]
    connected_by_id: strawberry.Private[UUID | None]
    facebook_account_id: strawberry.Private[UUID | None]
    proof_source: strawberry.Private[str | None]
    checked_at: strawberry.Private[datetime | None]
    health_since: strawberry.Private[datetime | None]
    health_problem: strawberry.Private[AccessTokenProblem | None]
    health_details: strawberry.Private[str | None]
    breaks_at: strawberry.Private[datetime | None]
    login: strawberry.Private[FacebookAccount | NotRead | None] = NOT_READ

    @resolved
    def holder(self, info: Info) -> SocialAccountHolder | None:
        """The place that holds it. Null once it is disconnected."""
        if self.held_by is None:
            return None
        if isinstance(self.held_by, Personal):
            return info.context.loaders.users.get(self.held_by.user_id, _user)
        return info.context.loaders.workspaces.get(self.held_by.workspace_id, _workspace)

    @resolved
    def health(self, info: Info) -> AccessHealth | None:
        """Whether our access to it still works. Null once it is disconnected."""
        return None if self.held_by is None else AccessHealth.of(self, info)

    @resolved
    def connected_by(self, info: Info) -> User | None:
        """The user who connected it, or last reconnected it. Null if the viewer shares no Workspace with them any longer."""
        if self.connected_by_id is None:
            return None
        return info.context.loaders.users.get(self.connected_by_id, _user)

    @resolved
    def connected_teams(self, info: Info) -> list[Team] | None:
        """The teams of the Workspace that it is shared with, by name; empty in a Personal. Null, with an error, only if they could not be read."""
        if not isinstance(self.held_by, holders.Workspace):
            return []  # teams are of Workspaces
        return info.context.loaders.teams_of_social_accounts.get(self.row_id, _teams)

    @resolved
    async def access_token(self, info: Info) -> str | None:
        """Meta's access token of this account, for API tokens with the scope `READ_ACCESS_TOKENS`; each read is an event.

        Requires the role ADMIN, unless the account is in the viewer's Personal. Null with a `FORBIDDEN` error if the
        viewer may not read it, and without an error once the account is disconnected.
        """
        if self.held_by is None:
            return None
        found = await info.context.loaders.access_tokens.load(self.hold_id)
        if found is None:
            raise Forbidden("Only an admin of the Workspace reads the access tokens of its social accounts")
        (secret,) = found
        return None if secret is None else secret.reveal()

    @resolved
    def facebook_account(self, info: Info) -> FacebookAccount | None:
        """The Facebook account that vouched for it. Null if it is not the viewer's own, or was disconnected."""
        if self.login is not NOT_READ:
            return self.login
        if self.facebook_account_id is None or self.held_by is None:
            return None
        return info.context.loaders.facebook_accounts.get(self.facebook_account_id, _facebook_account)


@output
class InstagramAccount(SocialAccount):
    """An Instagram professional account."""

    facebook_page_id: str | None = strawberry.field(
        description="The id of the Facebook Page that the account is linked to. Null until Meta was asked."
    )

    @resolved
    def username(self) -> str:
        """The Instagram username: the same as `displayName`."""
        return self.display_name


@output
class FacebookPage(SocialAccount):
    """A Facebook Page."""


# A new platform's type stands here, and nowhere else in the code that makes accounts of rows.
TYPES: Mapping[Platform, type[InstagramAccount | FacebookPage]] = {
    Platform.INSTAGRAM: InstagramAccount,
    Platform.FACEBOOK_PAGE: FacebookPage,
}
# What the attributes of an account are called, where they have other names than the columns.
ATTRIBUTES = {"id": "row_id"}
_fill = setter([ATTRIBUTES.get(name, name) for name in SocialAccountRow._fields])


def shape_social_account(
    row: SocialAccountRow, *, disconnected: bool = False
) -> InstagramAccount | FacebookPage:
    """Shape a row that is held, or (disconnected) was until a moment ago; its platform decides the type."""
    kind = TYPES[row.platform]
    account = kind.__new__(kind)
    _fill(account, row)
    account.id = write_id(kind.__name__, row.hold_id)
    account.held_by = None if disconnected else holder_of(row.holder_user_id, row.holder_workspace_id)
    return account


def _user(row: UserRow | None) -> User | None:
    return None if row is None else User.of(row)


def _workspace(found: tuple[WorkspaceRow, Role] | None) -> Workspace | None:
    return None if found is None else Workspace.of(*found)


def _teams(rows: Sequence[TeamRow] | None) -> list[Team]:
    return [Team.of(row) for row in rows or ()]


def _facebook_account(row: FacebookAccountRow | None) -> FacebookAccount | None:
    return None if row is None else FacebookAccount.of(row)
