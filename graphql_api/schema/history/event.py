"""Events: what happened in a place."""

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING, Annotated

import strawberry

from graphql_api.domain.events import EventKind, kind_shown
from graphql_api.domain.holders import Holder, Personal, Role, read_holder
from graphql_api.domain.platforms import PLATFORMS, Platform
from graphql_api.domain.proofs import AccessTokenProblem
from graphql_api.schema.context import Info
from graphql_api.schema.described import output, resolved
from graphql_api.schema.ids import write_id
from graphql_api.schema.people.user import User
from graphql_api.storage.rows import EventRow, details_of

if TYPE_CHECKING:
    from graphql_api.schema.accounts.social_account import SocialAccountHolder

EVENTS_CURSOR = (
    "A cursor for the present moment: pass it as `after` to `Subscription.events` or to `events`. Select it above the lists that "
    "you want to keep up to date: fields are read in their order, so you miss nothing in between."
)

SUBJECTS = {
    EventKind.API_TOKEN_CREATED: "ApiToken",
    EventKind.API_TOKEN_REVOKED: "ApiToken",
    EventKind.MEMBER_INVITED: "Invitation",
    EventKind.INVITATION_REVOKED: "Invitation",
    EventKind.INVITATION_DECLINED: "Invitation",
}
SOCIAL_ACCOUNT = "SocialAccount"  # whose type in the schema follows from its platform
KINDS_OF_SUBJECTS = {
    "SOCIAL_ACCOUNT_": SOCIAL_ACCOUNT,
    "ACCESS_TOKEN_": SOCIAL_ACCOUNT,
    "HOLD_": SOCIAL_ACCOUNT,
    "TRANSFER_": "TransferRequest",
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

    Names are kept as they were at the time. Ids may lead to nothing: the object may be gone, or the viewer can no longer see it.
    """

    row: strawberry.Private[EventRow]
    asked: strawberry.Private[Collection[EventKind] | None]

    @resolved
    def id(self) -> strawberry.ID:
        """The event's id."""
        return write_id("Event", self.row.id)

    @resolved
    def kind(self) -> EventKind:
        """What happened. `OTHER` if you left out `kinds` and the kind is younger than the first release."""
        return kind_shown(self.row.kind, self.asked)

    @resolved
    def kind_name(self) -> str:
        """The name of the kind, also where `kind` is `OTHER`."""
        return self.row.kind

    @resolved
    def occurred_at(self) -> datetime:
        """When it happened."""
        return self.row.created_at

    @resolved
    def request_id(self) -> str:
        """The id of the request that did it: the `X-Request-Id` of its response."""
        return self.row.request_id

    @resolved
    def subject_id(self) -> strawberry.ID | None:
        """The id of what the event is about; `kind` says what that is: a social account, a Facebook account, a user, a team, an invitation, a request for access, an API token or a Workspace."""
        return self._subject_id

    @resolved
    def subject_name(self) -> str | None:
        """The name of what the event is about, as it was at the time: a social account's display name, the id of a Facebook account's user, the name of a person, team or Workspace, the address of an invitation. Null if it has no name."""
        return self.row.subject_name

    @resolved
    def social_account_id(self) -> strawberry.ID | None:
        """The id of the social account that the event is about; null if it is about something else."""
        return self._subject_id if _kind_of_subject(self.row.kind) == SOCIAL_ACCOUNT else None

    @resolved
    def platform(self) -> Platform | None:
        """The platform of the social account that the event or the request for access is about; null if there is none."""
        return self.row.platform

    @resolved
    def nickname(self) -> str | None:
        """The nickname that the social account was given; null if it was removed, or the event is about something else."""
        return self._details.get("nickname")

    @resolved
    def problem(self) -> AccessTokenProblem | None:
        """What is wrong with the access token of the social account; null unless the kind is `SOCIAL_ACCOUNT_BROKE`."""
        return AccessTokenProblem(self._details["problem"]) if "problem" in self._details else None

    @resolved
    def reason(self) -> str | None:
        """Why the operator disconnected the social account; null unless the kind is `HOLD_RELEASED`."""
        return self._details.get("reason")

    @resolved
    def place_name(self) -> str | None:
        """The name, at the time, of the team that the social account or member was added to or removed from; in the viewer's own history, of the Workspace that they left. Null for other events."""
        return self._details.get("team") or self._details.get("workspace")

    @resolved
    def role(self) -> Role | None:
        """The role in which somebody was invited or joined, or that they were given; null for other events."""
        return Role(self._details["role"]) if "role" in self._details else None

    @resolved
    async def actor(self, info: Info) -> User | None:
        """The user who did it. Null if they are gone, or the viewer can no longer see them: `actorName` still says who it was."""
        if self.row.actor_id is None:
            return None
        user = await info.context.loaders.users.load(self.row.actor_id)
        return None if user is None else User.of(user)

    @resolved
    def actor_name(self) -> str | None:
        """The name of who did it, as it was at the time. Null if the system did it."""
        return self.row.actor_name

    @resolved
    async def moved_from(self, info: Info) -> LazyHolder | None:
        """The place that a social account was moved from. Null if nothing was moved, or the viewer cannot see that place."""
        return await _holder(info, self._moved("from"))

    @resolved
    async def moved_to(self, info: Info) -> LazyHolder | None:
        """The place that a social account was moved to. Null if nothing was moved, or the viewer cannot see that place."""
        return await _holder(info, self._moved("to"))

    @cached_property
    def _details(self) -> Mapping[str, str]:
        return details_of(self.row)

    @property
    def _subject_id(self) -> strawberry.ID | None:
        if self.row.subject_id is None:
            return None
        kind = _kind_of_subject(self.row.kind)
        if kind == SOCIAL_ACCOUNT and self.row.platform is not None:
            kind = PLATFORMS[self.row.platform].graphql_type
        return write_id(kind, self.row.subject_id)

    def _moved(self, way: str) -> Holder | None:
        moved = self.row.kind is EventKind.SOCIAL_ACCOUNT_MOVED
        return read_holder(self._details.get(way)) if moved else None


@cache
def _kind_of_subject(kind: EventKind) -> str:
    """What events of this kind are about."""
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
