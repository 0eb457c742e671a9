"""Social accounts: what is held."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

import strawberry

from graphql_api.domain.holders import Holder, Personal, Role, holder_of
from graphql_api.domain.holders import Workspace as Place
from graphql_api.domain.platforms import Platform
from graphql_api.schema.accounts.facebook_account import FacebookAccount
from graphql_api.schema.context import Info
from graphql_api.schema.described import interface, output, resolved
from graphql_api.schema.ids import write_id
from graphql_api.schema.nodes import Node, setter
from graphql_api.schema.people.user import User
from graphql_api.schema.workspaces.team import Team
from graphql_api.schema.workspaces.workspace import Workspace
from graphql_api.services.accounts.listing import NOT_READ, NotRead
from graphql_api.storage.rows import (
    AnyFacebookAccount,
    AnySocialAccount,
    AnyTeam,
    AnyUser,
    AnyWorkspace,
    SocialAccountRow,
)

SocialAccountHolder = Annotated[
    User | Workspace,
    strawberry.union(
        "SocialAccountHolder",
        description="The place that has a social account: a person (their Personal) or a Workspace. Closed.",
    ),
]


@interface
class SocialAccount(Node):
    """An account on a social platform, held in exactly one place.

    Its id stands for one period of being held: disconnecting ends it, and whoever connects the account next
    gets another id.
    """

    platform: Platform = strawberry.field(description="Where the account lives.")
    username: str = strawberry.field(description="The name on the platform, as last told.")
    nickname: str | None = strawberry.field(description="The name that its holders gave it.")
    profile_picture_url: str | None = strawberry.field(
        description="Where the picture is, as last told. It may have expired: platforms sign such URLs."
    )
    created_at: datetime = strawberry.field(description="When the holder connected it.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    row_id: strawberry.Private[UUID]
    hold_id: strawberry.Private[UUID]
    held_by: strawberry.Private[Holder | None]
    connected_by_id: strawberry.Private[UUID | None]
    facebook_account_id: strawberry.Private[UUID | None]
    login: strawberry.Private[FacebookAccount | NotRead | None] = NOT_READ

    @resolved
    def holder(self, info: Info) -> SocialAccountHolder | None:
        """The place that has it; null once it is disconnected."""
        if self.held_by is None:
            return None
        if isinstance(self.held_by, Personal):
            return info.context.loaders.users.get(self.held_by.user_id, _user)
        return info.context.loaders.workspaces.get(self.held_by.workspace_id, _workspace)

    @resolved
    def connected_by(self, info: Info) -> User | None:
        """Who connected it, or last reconnected it; null when the viewer cannot see them any more."""
        if self.connected_by_id is None:
            return None
        return info.context.loaders.users.get(self.connected_by_id, _user)

    @resolved
    def connected_teams(self, info: Info) -> list[Team] | None:
        """The teams of the Workspace that it is shared with, by name; empty in a Personal."""
        if not isinstance(self.held_by, Place):
            return []  # teams are of Workspaces
        return info.context.loaders.teams_of_social_accounts.get(self.row_id, _teams)


@output
class InstagramAccount(SocialAccount):
    """An Instagram professional account."""

    instagram_user_id: str = strawberry.field(
        description="Instagram's id of the account: 1 to 20 digits, as text, since it does not fit a JavaScript number."
    )
    facebook_page_id: str | None = strawberry.field(
        description="The Facebook page that the account is linked to; null until Meta was asked."
    )

    @resolved
    async def access_token(self, info: Info) -> str | None:
        """Meta's access token of this account.

        Needs an API token with the scope `READ_ACCESS_TOKENS`: otherwise it is null, with a `FORBIDDEN`
        error. Every reading is recorded.
        """
        if self.held_by is None:
            return None
        secret = await info.context.loaders.access_tokens.load(self.hold_id)
        return None if secret is None else secret.reveal()

    @resolved
    def facebook_account(self, info: Info) -> FacebookAccount | None:
        """The Facebook account that vouched for it; null when it is not the viewer's own, or was disconnected."""
        if self.login is not NOT_READ:
            return self.login
        if self.facebook_account_id is None or self.held_by is None:
            return None
        return info.context.loaders.facebook_accounts.get(self.facebook_account_id, _facebook_account)

    @classmethod
    def of(cls, row: AnySocialAccount, *, disconnected: bool = False) -> Self:
        """Shape a row that is held, or (disconnected) was until a moment ago."""
        if row.hold_id is None or row.display_name is None or row.created_at is None:
            raise ValueError("a social account that is free has no shape")
        account = cls.__new__(cls)
        _fill(account, row if isinstance(row, SocialAccountRow) else [getattr(row, name) for name in _NAMES])
        account.id = write_id("InstagramAccount", row.hold_id)
        account.held_by = None if disconnected else holder_of(row.holder_user_id, row.holder_workspace_id)
        return account


# What the attributes of an account are called, where they have other names than the columns.
ATTRIBUTES = {"id": "row_id", "external_id": "instagram_user_id", "display_name": "username"}
_NAMES = SocialAccountRow._fields
_fill = setter([ATTRIBUTES.get(name, name) for name in _NAMES])


def _user(row: AnyUser | None) -> User | None:
    return None if row is None else User.of(row)


def _workspace(found: tuple[AnyWorkspace, Role] | None) -> Workspace | None:
    return None if found is None else Workspace.of(*found)


def _teams(rows: Sequence[AnyTeam] | None) -> list[Team]:
    return [Team.of(row) for row in rows or ()]


def _facebook_account(row: AnyFacebookAccount | None) -> FacebookAccount | None:
    return None if row is None else FacebookAccount.of(row)
