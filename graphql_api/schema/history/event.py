"""Events: what happened in a place."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING, Annotated

import strawberry

from graphql_api.domain.events import EventKind
from graphql_api.domain.holders import Holder, Personal, Role, read_holder
from graphql_api.schema.context import Info
from graphql_api.schema.described import output, resolved
from graphql_api.schema.ids import write_id
from graphql_api.schema.people.user import User
from graphql_api.storage.rows import EventRow, details_of

if TYPE_CHECKING:
    from graphql_api.schema.accounts.social_account import SocialAccountHolder

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


@output
class Event:
    """Something that happened in a Personal or a Workspace.

    It says what was so at the time, and names what it is about by ids: the objects themselves may be gone,
    or not be visible to the viewer any more.
    """

    row: strawberry.Private[EventRow]

    @resolved
    def id(self) -> strawberry.ID:
        """The event's id."""
        return write_id("Event", self.row.id)

    @resolved
    def kind(self) -> EventKind:
        """What happened."""
        return self.row.kind

    @resolved
    def occurred_at(self) -> datetime:
        """When it happened."""
        return self.row.created_at

    @resolved
    def request_id(self) -> str:
        """The id of the request that did it, as the answer's `X-Request-Id` said it."""
        return self.row.request_id

    @resolved
    def subject_id(self) -> strawberry.ID | None:
        """The id of what it is about; `kind` says what that is: a social account, a Facebook account, a user, a team, an invitation, a request for access, an API token or a Workspace."""
        subject_id = self.row.subject_id
        return None if subject_id is None else write_id(_type_of_subject(self.row.kind), subject_id)

    @resolved
    def social_account_id(self) -> strawberry.ID | None:
        """The id of the social account that it is about; null when it is about something else."""
        subject_id = self.row.subject_id
        if subject_id is None or _type_of_subject(self.row.kind) != "InstagramAccount":
            return None
        return write_id("InstagramAccount", subject_id)

    @resolved
    def username(self) -> str | None:
        """The social account's name on the platform, as it was then."""
        return self._details.get("display_name")

    @resolved
    def nickname(self) -> str | None:
        """The nickname that the social account was given."""
        return self._details.get("nickname")

    @resolved
    def team_name(self) -> str | None:
        """The name of the team that it is about, as it is since then."""
        return self._details.get("team") or (self._name if self.row.kind.startswith("TEAM_") else None)

    @resolved
    def workspace_name(self) -> str | None:
        """The name of the Workspace that it is about, as it is since then; only where that is the subject, or in the viewer's own history."""
        details = self._details
        return details.get("workspace") or (self._name if self.row.kind.startswith("WORKSPACE_") else None)

    @resolved
    def role(self) -> Role | None:
        """The role that somebody was invited or joined in, or was given."""
        return Role(self._details["role"]) if "role" in self._details else None

    @resolved
    async def actor(self, info: Info) -> User | None:
        """Who did it; null when they are gone, or the viewer cannot see them any more."""
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

    @resolved
    async def to(self, info: Info) -> LazyHolder | None:
        """The place that a social account was moved to; null when nothing was moved, or when the viewer does not see that place."""
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
