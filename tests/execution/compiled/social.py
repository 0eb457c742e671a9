# mypy: disable-error-code="no-any-return"
# ruff: noqa: A002 - names are those of the schema
"""A schema of the usual shapes: unions of results, interfaces, input objects, connections, loaders."""

import datetime as dt
import enum
from typing import Annotated, Any

import strawberry
from strawberry import ID, UNSET, Info


def world(info: Info[Any, Any]) -> Any:
    return info.context["world"]


@strawberry.enum
class SocialPlatform(enum.Enum):
    INSTAGRAM = "instagram"
    OTHER = "other"


@strawberry.enum
class ConflictPolicy(enum.Enum):
    REJECT_ALL = "reject"
    CONNECT_OTHERS = "others"


@strawberry.enum
class InvalidInputCode(enum.Enum):
    REQUIRED = "required"
    DUPLICATE = "duplicate"
    RENAMED = strawberry.enum_value("renamed", name="OTHER")


@strawberry.interface
class Node:
    id: ID


@strawberry.interface
class SocialAccount(Node):
    platform: SocialPlatform
    username: str
    nickname: str | None

    @strawberry.field
    def holder(
        self, info: Info
    ) -> "Annotated[SocialAccountHolder, strawberry.lazy('tests.execution.compiled.social')] | None":
        return world(info).resolve(self, "InstagramAccount.holder")


@strawberry.type
class Team(Node):
    name: str


@strawberry.type
class FacebookAccount(Node):
    facebook_user_id: str
    location: str | None
    created_at: dt.datetime


@strawberry.type
class InstagramAccount(SocialAccount):
    instagram_user_id: str
    profile_picture_url: str | None = strawberry.field(name="profilePictureUrl")
    created_at: dt.datetime
    updated_at: dt.datetime | None
    teams: list[Team]
    facebook_account: FacebookAccount | None

    @strawberry.field
    async def connected_teams(self, info: Info, first: int = 10) -> list[Team]:
        return await world(info).resolve_later(self, "InstagramAccount.connectedTeams", first=first)

    @strawberry.field
    def loaded_facebook_account(self, info: Info) -> FacebookAccount | None:
        return world(info).load(self, "FacebookAccount")


@strawberry.type
class User(Node):
    name: str
    email: str | None

    @strawberry.field
    async def best_friend(self, info: Info) -> "User":
        return await world(info).load(self, "User")


@strawberry.type
class Workspace(Node):
    name: str
    viewer_role: str | None
    size: int


SocialAccountHolder = Annotated[User | Workspace, strawberry.union("SocialAccountHolder")]


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class SocialAccountEdge:
    cursor: str
    node: SocialAccount


@strawberry.type
class SocialAccountConnection:
    edges: list[SocialAccountEdge]
    page_info: PageInfo
    total_count: int | None


@strawberry.type
class Viewer:
    user: User
    facebook_accounts: list[FacebookAccount]

    @strawberry.field
    async def social_accounts(
        self,
        info: Info,
        first: int = 20,
        after: str | None = None,
        platforms: list[SocialPlatform] = [SocialPlatform.INSTAGRAM],  # noqa: B006 - Strawberry copies it
    ) -> SocialAccountConnection:
        return await world(info).resolve_later(
            self, "Viewer.socialAccounts", first=first, after=after, platforms=platforms
        )

    @strawberry.field
    def workspaces(self, info: Info) -> list[Workspace | None] | None:
        return world(info).resolve(self, "Viewer.workspaces")


@strawberry.interface
class FieldError:
    path: list[str]
    message: str


@strawberry.type
class InvalidInput(FieldError):
    code: InvalidInputCode


@strawberry.type
class HeldByWorkspace(FieldError):
    instagram_account: InstagramAccount | None
    workspace: Workspace
    contact_email: str | None


@strawberry.type
class HeldElsewhere(FieldError):
    instagram_user_id: str


ConnectSocialAccountsError = Annotated[
    InvalidInput | HeldByWorkspace | HeldElsewhere, strawberry.union("ConnectSocialAccountsError")
]


@strawberry.type
class ConnectedInstagramAccount:
    outcome: SocialPlatform
    instagram_account: InstagramAccount


@strawberry.type
class ConnectSocialAccountsSuccess:
    facebook_account: FacebookAccount
    instagram_accounts: list[ConnectedInstagramAccount]
    not_connected: list[ConnectSocialAccountsError]


@strawberry.type
class ConnectSocialAccountsFailure:
    message: str
    errors: list[ConnectSocialAccountsError]


ConnectSocialAccountsResult = Annotated[
    ConnectSocialAccountsSuccess | ConnectSocialAccountsFailure,
    strawberry.union("ConnectSocialAccountsResult"),
]


@strawberry.input
class FacebookAccountInput:
    facebook_user_id: str
    access_token: str
    location: str | None = None


@strawberry.input
class InstagramAccountInput:
    instagram_user_id: str
    username: str
    profile_picture_url: str
    access_token: str


@strawberry.input
class ConnectSocialAccountsInput:
    facebook_account: FacebookAccountInput
    instagram_accounts: list[InstagramAccountInput] = strawberry.field(default_factory=list)
    workspace_id: ID | None = UNSET
    on_conflict: ConflictPolicy = ConflictPolicy.REJECT_ALL
    idempotency_key: str | None = None


@strawberry.type
class Query:
    @strawberry.field
    async def viewer(self, info: Info) -> Viewer | None:
        return await world(info).resolve_later(self, "Query.viewer")

    @strawberry.field
    def sync_viewer(self, info: Info) -> Viewer | None:
        return world(info).resolve(self, "Query.syncViewer")

    @strawberry.field
    def node(self, info: Info, id: ID) -> Node | None:
        return world(info).resolve(self, "Query.node", id=id)

    @strawberry.field
    def accounts(self, info: Info, ids: list[ID] | None = None) -> list[SocialAccount]:
        return world(info).resolve(self, "Query.accounts", ids=ids)

    @strawberry.field
    def since(self, info: Info, at: dt.datetime | None = UNSET) -> dt.datetime | None:
        return world(info).resolve(self, "Query.since", at=at)


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def connect_social_accounts(
        self, info: Info, input: ConnectSocialAccountsInput
    ) -> ConnectSocialAccountsResult:
        return await world(info).resolve_later(self, "Mutation.connectSocialAccounts", input=input)

    @strawberry.mutation
    def rename(self, info: Info, id: ID, name: str | None = None) -> InstagramAccount | None:
        return world(info).resolve(self, "Mutation.rename", id=id, name=name)

    @strawberry.mutation
    async def forget(self, info: Info, ids: list[ID]) -> int:
        return await world(info).resolve_later(self, "Mutation.forget", ids=ids)


schema = strawberry.Schema(query=Query, mutation=Mutation, types=[InstagramAccount, Team])
