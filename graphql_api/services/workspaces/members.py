"""The members of a Workspace: their roles, and how they go. A Workspace always keeps an admin."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.domain.access_requests import AccessRequestStatus
from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.holders import Personal, Role
from graphql_api.domain.holders import Workspace as Place
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode
from graphql_api.domain.memberships import keeps_an_admin
from graphql_api.domain.permissions import may_leave, may_manage_members
from graphql_api.domain.refusals import Refused
from graphql_api.services.calls import access
from graphql_api.services.calls.call import Call
from graphql_api.services.history import recording
from graphql_api.storage.tables import AccessRequest, Membership, User, Workspace

_AT_WORKSPACE = ("input", "workspaceId")
_AT_USER = ("input", "userId")


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a Workspace, and the viewer's own role there."""

    workspace: Workspace
    viewer_role: Role | None
    user: User
    membership: Membership


async def change_role(
    call: Call, *, workspace_id: UUID, user_id: UUID, role: Role
) -> Member | Refused[InvalidInput]:
    """Give a member another role, oneself too; the one they have already is no error."""

    async def work(session: AsyncSession) -> Member | Refused[InvalidInput]:
        member = await _member(session, call, workspace_id, user_id)
        if isinstance(member, Refused):
            return member
        membership = member.membership
        if membership.role is role:
            return member
        if role is not Role.ADMIN and not await _can_spare(session, membership):
            return Refused([_last_admin(_AT_USER)])
        membership.role = role
        await session.flush()
        event = NewEvent(Place(workspace_id), EventKind.MEMBER_ROLE_CHANGED, user_id, {"role": role})
        await recording.record(session, call, [event])
        own = user_id == call.viewer.user_id
        return Member(member.workspace, role if own else member.viewer_role, member.user, membership)

    return await call.transact(work)


async def remove(call: Call, *, workspace_id: UUID, user_id: UUID) -> Member | Refused[InvalidInput]:
    """End somebody's membership; what they had asked for is withdrawn, and they leave their teams."""

    async def work(session: AsyncSession) -> Member | Refused[InvalidInput]:
        member = await _member(session, call, workspace_id, user_id)
        if isinstance(member, Refused):
            return member
        if not await _can_spare(session, member.membership):
            return Refused([_last_admin(_AT_USER)])
        await _end(session, call, member, EventKind.MEMBER_REMOVED)
        own = user_id == call.viewer.user_id
        return Member(member.workspace, None if own else member.viewer_role, member.user, member.membership)

    return await call.transact(work)


async def leave(call: Call, *, workspace_id: UUID) -> Workspace | Refused[InvalidInput]:
    """End the viewer's own membership."""

    async def work(session: AsyncSession) -> Workspace | Refused[InvalidInput]:
        viewer = await access.lock_viewer(session, call)
        workspace, role = await access.lock_workspace(session, call, workspace_id)
        if workspace is None or not may_leave(role):
            return Refused([no_such_workspace()])
        membership = await session.get_one(Membership, (workspace_id, viewer.id), populate_existing=True)
        if not await _can_spare(session, membership):
            return Refused([_last_admin(_AT_WORKSPACE)])
        await _end(session, call, Member(workspace, role, viewer, membership), EventKind.MEMBER_LEFT)
        return workspace

    return await call.transact(work)


async def _member(
    session: AsyncSession, call: Call, workspace_id: UUID, user_id: UUID
) -> Member | Refused[InvalidInput]:
    """Lock the viewer, the member and the Workspace; the viewer must be allowed to manage its members."""
    users = await access.lock_users(session, {call.viewer.user_id, user_id})
    await access.lock_viewer(session, call)
    workspace, role = await access.lock_workspace(session, call, workspace_id)
    membership = await session.get(Membership, (workspace_id, user_id), populate_existing=True)
    if workspace is None:
        return Refused([no_such_workspace()])
    if not may_manage_members(role):
        return Refused([not_allowed("Only an admin of the Workspace manages its members")])
    if membership is None:
        return Refused(
            [InvalidInput(_AT_USER, InvalidInputCode.NOT_FOUND, "The Workspace has no such member")]
        )
    return Member(workspace, role, users[user_id], membership)


async def _can_spare(session: AsyncSession, membership: Membership) -> bool:
    """Does the Workspace, whose row is locked, keep an admin without this one?"""
    admins = select(Membership.user_id).where(
        Membership.workspace_id == membership.workspace_id, Membership.role == Role.ADMIN
    )
    found = (await session.scalars(admins)).all()
    return membership.role is not Role.ADMIN or keeps_an_admin(found, without=membership.user_id)


async def _end(session: AsyncSession, call: Call, member: Member, kind: EventKind) -> None:
    """End a membership. Whoever loses sight of the Workspace's history has it in their own as well."""
    place, user_id = Place(member.workspace.id), member.user.id
    withdrawn = await withdraw_requests(session, call, [member.workspace.id], user_id)
    session.expunge(member.membership)
    await session.execute(
        sa.delete(Membership).where(
            col(Membership.workspace_id) == member.workspace.id, col(Membership.user_id) == user_id
        )
    )
    own = NewEvent(Personal(user_id), kind, user_id, {"workspace": member.workspace.name})
    await recording.record(session, call, [*withdrawn, NewEvent(place, kind, user_id), own])


async def withdraw_requests(
    session: AsyncSession, call: Call, workspace_ids: Collection[UUID], requester_id: UUID
) -> list[NewEvent]:
    """Withdraw what somebody who goes had asked for and nobody had answered; what happened thereby."""
    withdrawn = await session.execute(
        sa.update(AccessRequest)
        .where(
            col(AccessRequest.workspace_id).in_(workspace_ids),
            col(AccessRequest.requester_id) == requester_id,
            col(AccessRequest.status) == AccessRequestStatus.PENDING,
        )
        .values(status=AccessRequestStatus.WITHDRAWN, updated_at=call.now)
        .returning(col(AccessRequest.id), col(AccessRequest.workspace_id), col(AccessRequest.display_name))
        .execution_options(synchronize_session=False)
    )
    return [
        NewEvent(
            Place(workspace_id),
            EventKind.ACCESS_REQUEST_WITHDRAWN,
            request_id,
            {"display_name": name},
        )
        for request_id, workspace_id, name in withdrawn
    ]


def no_such_workspace() -> InvalidInput:
    """The Workspace is not there, or not the viewer's: one answer."""
    return InvalidInput(_AT_WORKSPACE, InvalidInputCode.NOT_FOUND, "There is no such Workspace")


def not_allowed(message: str) -> InvalidInput:
    """The viewer is in the Workspace, in a role that may not do this."""
    return InvalidInput(_AT_WORKSPACE, InvalidInputCode.NOT_ALLOWED, message)


def _last_admin(path: tuple[str, ...]) -> InvalidInput:
    return InvalidInput(
        path,
        InvalidInputCode.NOT_ALLOWED,
        "A Workspace keeps at least one admin: make somebody else an admin first, or delete it",
    )
