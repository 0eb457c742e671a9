"""Events: what happened in a place."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING, Annotated

import strawberry

from graphql_api.domain.events import EventKind
from graphql_api.domain.holders import Holder, Personal, Role, read_holder
from graphql_api.schema.context import Info
from graphql_api.schema.ids import write_id
from graphql_api.schema.people.user import User
from graphql_api.storage.rows import AnyEvent, details_of

if TYPE_CHECKING:
    from graphql_api.schema.accounts.social_account import SocialAccountHolder

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
LazyHolder = Annotated["SocialAccountHolder", strawberry.lazy("graphql_api.schema.accounts.social_account")]


@strawberry.type(
    description="Something that happened in a Personal or a Workspace. It says what was so at the time, and names what it "
    "is about by ids: the objects themselves may be gone, or not be visible to the viewer any more."
)
class Event:
    """An event; each field is made when it is asked for, since a page has a hundred events."""

    row: strawberry.Private[AnyEvent]

    @strawberry.field(description="The event's id.")
    def id(self) -> strawberry.ID:
        """Its own, which nothing is fetched by."""
        return write_id("Event", self.row.id)

    @strawberry.field(description="What happened.")
    def kind(self) -> EventKind:
        """As it was recorded."""
        return self.row.kind

    @strawberry.field(description="When it happened.")
    def occurred_at(self) -> datetime:
        """When the request was made that did it."""
        return self.row.created_at

    @strawberry.field(
        description="The id of the request that did it, as the answer's `X-Request-Id` said it."
    )
    def request_id(self) -> str:
        """The same as in the log."""
        return self.row.request_id

    @strawberry.field(
        description="The id of what it is about; `kind` says what that is: a social account, a Facebook account, a user, "
        "a team, an invitation, a request for access, an API token or a Workspace."
    )
    def subject_id(self) -> strawberry.ID | None:
        """Written for the type that events of this kind are about."""
        subject_id = self.row.subject_id
        return None if subject_id is None else write_id(_type_of_subject(self.row.kind), subject_id)

    @strawberry.field(
        description="The id of the social account that it is about; null when it is about something else."
    )
    def social_account_id(self) -> strawberry.ID | None:
        """The same id, where it is one of a social account."""
        subject_id = self.row.subject_id
        if subject_id is None or _type_of_subject(self.row.kind) != "InstagramAccount":
            return None
        return write_id("InstagramAccount", subject_id)

    @strawberry.field(description="The social account's name on the platform, as it was then.")
    def username(self) -> str | None:
        """As it was recorded."""
        return self._details.get("username")

    @strawberry.field(description="The nickname that the social account was given.")
    def nickname(self) -> str | None:
        """As it was recorded."""
        return self._details.get("nickname")

    @strawberry.field(description="The name of the team that it is about, as it is since then.")
    def team_name(self) -> str | None:
        """As it was recorded."""
        return self._details.get("team") or (self._name if self.row.kind.startswith("TEAM_") else None)

    @strawberry.field(
        description="The name of the Workspace that it is about, as it is since then; only where that is the subject, or in "
        "the viewer's own history."
    )
    def workspace_name(self) -> str | None:
        """As it was recorded."""
        details = self._details
        return details.get("workspace") or (self._name if self.row.kind.startswith("WORKSPACE_") else None)

    @strawberry.field(description="The role that somebody was invited or joined in, or was given.")
    def role(self) -> Role | None:
        """As it was recorded."""
        return Role(self._details["role"]) if "role" in self._details else None

    @strawberry.field(
        description="Who did it; null when they are gone, or the viewer cannot see them any more."
    )
    async def actor(self, info: Info) -> User | None:
        """The user, where the viewer may see them."""
        if self.row.actor_id is None:
            return None
        user = await info.context.loaders.users.load(self.row.actor_id)
        return None if user is None else User.of(user)

    @strawberry.field(
        name="from",
        description="The place that a social account was moved from; null when nothing was moved, or when the viewer "
        "does not see that place.",
    )
    async def from_(self, info: Info) -> LazyHolder | None:
        """The place, where the viewer may see it."""
        return await _holder(info, self._moved("from"))

    @strawberry.field(
        description="The place that a social account was moved to; null when nothing was moved, or when the viewer "
        "does not see that place."
    )
    async def to(self, info: Info) -> LazyHolder | None:
        """The place, where the viewer may see it."""
        return await _holder(info, self._moved("to"))

    @cached_property
    def _details(self) -> Mapping[str, str]:
        return details_of(self.row)

    @property
    def _name(self) -> str | None:
        """What it is about is called so, since it was made or renamed."""
        details = self._details
        moved = self.row.kind is EventKind.SOCIAL_ACCOUNT_MOVED
        return details.get("name") or (None if moved else details.get("to"))

    def _moved(self, way: str) -> Holder | None:
        moved = self.row.kind is EventKind.SOCIAL_ACCOUNT_MOVED
        return read_holder(self._details.get(way)) if moved else None


@cache
def _type_of_subject(kind: EventKind) -> str:
    """The type of what events of this kind are about."""
    if kind in SUBJECTS:
        return SUBJECTS[kind]
    return next((name for start, name in KINDS_OF_SUBJECTS.items() if kind.startswith(start)), "User")


async def _holder(info: Info, holder: Holder | None) -> LazyHolder | None:
    from graphql_api.schema.workspaces.workspace import Workspace  # noqa: PLC0415 - a cycle of types

    if holder is None:
        return None
    if isinstance(holder, Personal):
        user = await info.context.loaders.users.load(holder.user_id)
        return None if user is None else User.of(user)
    found = await info.context.loaders.workspaces.load(holder.workspace_id)
    return None if found is None else Workspace.of(*found)
