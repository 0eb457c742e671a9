"""Deleting Workspaces and users: access tokens are destroyed, and social accounts are free again."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.domain import holders
from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.faults import TemporarilyUnavailable
from graphql_api.domain.holders import Holder, Personal, Role
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode
from graphql_api.domain.memberships import keeps_an_admin, may_go_with_its_member
from graphql_api.domain.permissions import Action, may
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.services.accounts import social_accounts
from graphql_api.services.calls import access
from graphql_api.services.calls.call import Call
from graphql_api.services.history import recording
from graphql_api.services.people import passwords
from graphql_api.services.people.passwords import CredentialsRejected
from graphql_api.services.workspaces.members import no_such_workspace, not_allowed
from graphql_api.storage.rows import UserRow, WorkspaceRow, row_of
from graphql_api.storage.tables import Event, FacebookAccount, Membership, SocialAccount, User, Workspace

_TRIES = 10
DELETED_USER = "a deleted user"


@dataclass(frozen=True, slots=True)
class _MembersChanged(Refused[InvalidInput]):
    """Somebody joined before the Workspace was locked, so that their row is not: begin again."""


async def delete_workspace(call: Call, workspace_id: UUID) -> WorkspaceRow | Refused[InvalidInput]:
    """Delete a Workspace with its teams, invitations and history; each member is told in their own.

    Raises:
        TemporarilyUnavailable: people kept joining.
    """

    async def work(session: AsyncSession) -> WorkspaceRow | Refused[InvalidInput]:
        # Users are locked before workspaces, so who is in it is read twice.
        expected = set(await _members(session, call, workspace_id))
        await access.lock_users(session, expected | {call.viewer.user_id})
        await access.lock_viewer(session, call)
        workspace, role = await access.lock_workspace(session, call, workspace_id)
        if workspace is None:
            return Refused([no_such_workspace()])
        if not may(role, Action.DELETE):
            return Refused([not_allowed("Only an admin can delete the Workspace")])
        members = await _members(session, call, workspace_id)
        if not expected.issuperset(members):
            return _MembersChanged(())
        session.expunge(workspace)
        await _lock_accounts(session, _held_by([holders.Workspace(workspace_id)]))
        await social_accounts.empty(session, call, _held_by([holders.Workspace(workspace_id)]))
        await session.execute(sa.delete(Workspace).where(col(Workspace.id) == workspace_id))
        name = workspace.name
        deleted = [
            NewEvent(Personal(user_id), EventKind.WORKSPACE_DELETED, workspace_id, subject_name=name)
            for user_id in members
        ]
        await recording.record(session, call, deleted)
        return row_of(workspace, WorkspaceRow)

    for _ in range(_TRIES):
        outcome = await call.transact(work)
        if not isinstance(outcome, _MembersChanged):
            return outcome
    raise TemporarilyUnavailable


async def delete_user(
    call: Call, *, current_password: Secret
) -> UserRow | Refused[InvalidInput | CredentialsRejected]:
    """Delete the viewer, with whatever is theirs alone: API tokens, Facebook and social accounts, history.

    A Workspace whose only member they are goes with them. One that has other members must keep an admin.
    """
    known = await passwords.read_viewer(call)
    if refused := await passwords.confirm(call, known, current_password):
        return refused

    async def work(session: AsyncSession) -> UserRow | Refused[InvalidInput | CredentialsRejected]:
        viewer = await access.lock_viewer(session, call)
        if viewer.password_hash != known.password_hash:
            return passwords.rejected()
        # Only the viewer's own transactions make them a member of more, and those wait for this one.
        mine = (
            await session.scalars(select(Membership.workspace_id).where(Membership.user_id == viewer.id))
        ).all()
        workspaces = await access.lock_workspaces(session, call.viewer, mine)
        going, problems = [], []
        for workspace, _ in workspaces.values():
            roles = await _roles(session, workspace.id)
            if may_go_with_its_member(roles, member=viewer.id):
                going.append(workspace.id)
            elif not keeps_an_admin(
                [user_id for user_id, role in roles.items() if role is Role.ADMIN], without=viewer.id
            ):
                problems.append(_only_admin(workspace))
        if problems:
            return Refused(problems)
        await _leave_no_trace(session, call, viewer, going)
        staying = [
            holders.Workspace(workspace_id) for workspace_id in workspaces if workspace_id not in going
        ]
        left = [NewEvent(place, EventKind.MEMBER_LEFT, viewer.id) for place in staying]
        await recording.record(session, call, left)
        await _forget_name(session, viewer.id)
        session.expunge(viewer)
        await session.execute(sa.delete(Workspace).where(col(Workspace.id).in_(going)))
        # Last, so that the database itself forgets who did what: that is null from now on.
        await session.execute(sa.delete(User).where(col(User.id) == viewer.id))
        return row_of(viewer, UserRow)

    return await call.transact(work)


async def _leave_no_trace(
    session: AsyncSession, call: Call, viewer: User, workspace_ids: Collection[UUID]
) -> None:
    """Free what the viewer holds, and part from what others hold that they once connected."""
    held = _held_by([Personal(viewer.id), *map(holders.Workspace, workspace_ids)])
    vouched = col(SocialAccount.facebook_account_id).in_(
        select(FacebookAccount.id).where(FacebookAccount.user_id == viewer.id)
    )
    connected = col(SocialAccount.connected_by_id) == viewer.id
    # In one statement, by key: ON DELETE SET NULL would lock the rows in an order of its own.
    await _lock_accounts(session, sa.or_(held, vouched, connected))
    await social_accounts.empty(session, call, held)
    for which, column in ((vouched, "facebook_account_id"), (connected, "connected_by_id")):
        await session.execute(
            sa.update(SocialAccount)
            .where(which)
            .values({column: None})
            .execution_options(synchronize_session=False)
        )


async def _forget_name(session: AsyncSession, user_id: UUID) -> None:
    """What others keep of what the user did, or of what was done to them, no longer says who it was."""
    for whose, name in ((Event.actor_id, "actor_name"), (Event.subject_id, "subject_name")):
        await session.execute(
            sa.update(Event)
            .where(col(whose) == user_id, col(Event.user_id).is_distinct_from(user_id))
            .values({name: DELETED_USER})
            .execution_options(synchronize_session=False)
        )


def _held_by(places: Collection[Holder]) -> sa.ColumnElement[bool]:
    user_ids, workspace_ids = zip(*map(holders.columns_of, places), strict=True)
    return sa.or_(
        col(SocialAccount.holder_user_id).in_([one for one in user_ids if one]),
        col(SocialAccount.holder_workspace_id).in_([one for one in workspace_ids if one]),
    )


async def _lock_accounts(session: AsyncSession, which: sa.ColumnElement[bool]) -> None:
    locked = (
        select(SocialAccount.id)
        .where(which)
        .order_by(col(SocialAccount.platform), col(SocialAccount.external_id))
        .with_for_update(key_share=True)
    )
    await session.execute(locked)


async def _members(session: AsyncSession, call: Call, workspace_id: UUID) -> list[UUID]:
    """The members of a Workspace, if the viewer is one of them."""
    mine = select(Membership.workspace_id).where(Membership.user_id == call.viewer.user_id)
    statement = select(Membership.user_id).where(
        Membership.workspace_id == workspace_id, col(Membership.workspace_id).in_(mine)
    )
    return list((await session.scalars(statement)).all())


async def _roles(session: AsyncSession, workspace_id: UUID) -> dict[UUID, Role]:
    statement = select(Membership.user_id, Membership.role).where(Membership.workspace_id == workspace_id)
    return {user_id: Role(role) for user_id, role in (await session.execute(statement)).all()}


def _only_admin(workspace: Workspace) -> InvalidInput:
    return InvalidInput(
        ("input",),
        InvalidInputCode.NOT_ALLOWED,
        f"You are the only admin of the Workspace {workspace.name}, which has other members: "
        "make one of them an admin first, or delete it",
    )
