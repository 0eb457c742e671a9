"""Events: what happened in a place."""

from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry

from graphql_api.domain.events import EventKind
from graphql_api.domain.holders import Holder, Personal, Role, read_holder
from graphql_api.schema.context import Info
from graphql_api.schema.ids import write_id
from graphql_api.schema.types.users import User
from graphql_api.storage.rows import AnyEvent

if TYPE_CHECKING:
    from graphql_api.schema.types.social_accounts import SocialAccountHolder

EVENTS = (
    "What happened here, the oldest first: begin with `last` to show the newest. Of a Workspace, its admins see "
    "everything; its creators what they did themselves or what was done to them, and all about the social accounts "
    "that are shared with a team they are in. An `after` whose next events are no longer kept is a `CURSOR_EXPIRED` error."
)
EVENTS_CURSOR = (
    "A cursor that stands for now: give it to `accountEvents` or `events` as `after`. Ask for it above the lists that "
    "you want to keep up to date: fields are read in their order, and so nothing is missed in between."
)

SUBJECTS = {
    EventKind.API_TOKEN_CREATED: "ApiToken",
    EventKind.API_TOKEN_REVOKED: "ApiToken",
    EventKind.MEMBER_INVITED: "Invitation",
    EventKind.INVITATION_REVOKED: "Invitation",
}
KINDS_OF_SUBJECTS = {
    "SOCIAL_ACCOUNT_": "InstagramAccount",
    "ACCESS_TOKEN_": "InstagramAccount",
    "FACEBOOK_ACCOUNT_": "FacebookAccount",
    "ACCESS_REQUEST": "AccessRequest",
    "WORKSPACE_": "Workspace",
    "TEAM_MEMBER_": "User",
    "TEAM_": "Team",
}
LazyHolder = Annotated["SocialAccountHolder", strawberry.lazy("graphql_api.schema.types.social_accounts")]


@strawberry.type(
    description="Something that happened in a Personal or a Workspace. It says what was so at the time, and names what it "
    "is about by ids: the objects themselves may be gone, or not be visible to the viewer any more."
)
class Event:
    """An event."""

    id: strawberry.ID = strawberry.field(description="The event's id.")
    kind: EventKind = strawberry.field(description="What happened.")
    occurred_at: datetime = strawberry.field(description="When it happened.")
    request_id: str = strawberry.field(
        description="The id of the request that did it, as the answer's `X-Request-Id` said it."
    )
    subject_id: strawberry.ID | None = strawberry.field(
        description="The id of what it is about; `kind` says what that is: a social account, a Facebook account, a user, "
        "a team, an invitation, a request for access, an API token or a Workspace."
    )
    social_account_id: strawberry.ID | None = strawberry.field(
        description="The id of the social account that it is about; null when it is about something else."
    )
    username: str | None = strawberry.field(
        description="The social account's name on the platform, as it was then."
    )
    nickname: str | None = strawberry.field(description="The nickname that the social account was given.")
    team_name: str | None = strawberry.field(
        description="The name of the team that it is about, as it is since then."
    )
    workspace_name: str | None = strawberry.field(
        description="The name of the Workspace that it is about, as it is since then; only where that is the subject, or in "
        "the viewer's own history."
    )
    role: Role | None = strawberry.field(
        description="The role that somebody was invited or joined in, or was given."
    )
    actor_id: strawberry.Private[UUID | None]
    moved_from: strawberry.Private[Holder | None]
    moved_to: strawberry.Private[Holder | None]

    @strawberry.field(
        description="Who did it; null when they are gone, or the viewer cannot see them any more."
    )
    async def actor(self, info: Info) -> User | None:
        """The user, where the viewer may see them."""
        if self.actor_id is None:
            return None
        user = await info.context.loaders.users.load(self.actor_id)
        return None if user is None else User.of(user)

    @strawberry.field(
        name="from",
        description="The place that a social account was moved from; null when nothing was moved, or when the viewer "
        "does not see that place.",
    )
    async def from_(self, info: Info) -> LazyHolder | None:
        """The place, where the viewer may see it."""
        return await _holder(info, self.moved_from)

    @strawberry.field(
        description="The place that a social account was moved to; null when nothing was moved, or when the viewer "
        "does not see that place."
    )
    async def to(self, info: Info) -> LazyHolder | None:
        """The place, where the viewer may see it."""
        return await _holder(info, self.moved_to)

    @classmethod
    def of(cls, row: AnyEvent) -> Self:
        """Shape a row."""
        details, moved = row.details, row.kind is EventKind.SOCIAL_ACCOUNT_MOVED
        name = details.get("name") or (None if moved else details.get("to"))
        subject = _subject_id(row)
        return cls(
            id=write_id("Event", row.id),
            kind=row.kind,
            occurred_at=row.created_at,
            request_id=row.request_id,
            subject_id=subject,
            social_account_id=subject if _type_of_subject(row.kind) == "InstagramAccount" else None,
            username=details.get("username"),
            nickname=details.get("nickname"),
            team_name=details.get("team") or (name if row.kind.startswith("TEAM_") else None),
            workspace_name=details.get("workspace") or (name if row.kind.startswith("WORKSPACE_") else None),
            role=Role(details["role"]) if "role" in details else None,
            actor_id=row.actor_id,
            moved_from=read_holder(details.get("from")) if moved else None,
            moved_to=read_holder(details.get("to")) if moved else None,
        )


def _subject_id(row: AnyEvent) -> strawberry.ID | None:
    if row.subject_id is None:
        return None
    return write_id(_type_of_subject(row.kind), row.subject_id)


@cache
def _type_of_subject(kind: EventKind) -> str:
    """The type of what events of this kind are about."""
    if kind in SUBJECTS:
        return SUBJECTS[kind]
    return next((name for start, name in KINDS_OF_SUBJECTS.items() if kind.startswith(start)), "User")


async def _holder(info: Info, holder: Holder | None) -> LazyHolder | None:
    from graphql_api.schema.types.workspaces import Workspace  # noqa: PLC0415 - a cycle of types

    if holder is None:
        return None
    if isinstance(holder, Personal):
        user = await info.context.loaders.users.load(holder.user_id)
        return None if user is None else User.of(user)
    found = await info.context.loaders.workspaces.load(holder.workspace_id)
    return None if found is None else Workspace.of(*found)
