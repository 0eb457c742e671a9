"""Inviting people into a Workspace, and accepting."""

import secrets
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.domain import bearer_tokens
from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.holders import Role
from graphql_api.domain.holders import Workspace as Place
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode, Problems
from graphql_api.domain.permissions import may_invite
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.services import access, history
from graphql_api.services.call import Call
from graphql_api.services.emails import check_email
from graphql_api.storage.tables import Invitation, Membership, User, Workspace


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """An invitation and its code, which nobody can read again."""

    invitation: Invitation
    workspace: Workspace
    role: Role
    code: Secret


async def invite(
    call: Call, *, workspace_id: UUID, email: str, role: Role
) -> NewInvitation | Refused[InvalidInput]:
    """Invite an address into a Workspace, in a role; for its admins."""

    async def work(session: AsyncSession) -> NewInvitation | Refused[InvalidInput]:
        await access.lock_viewer(session, call)
        found = await access.lock_workspaces(session, call.viewer, [workspace_id])
        problems = Problems()
        workspace, viewer_role = found.get(workspace_id, (None, None))
        if workspace is None:
            problems.add(("input", "workspaceId"), InvalidInputCode.NOT_FOUND, "There is no such Workspace")
        elif not may_invite(viewer_role):
            problems.add(
                ("input", "workspaceId"),
                InvalidInputCode.NOT_ALLOWED,
                "Only an admin of the Workspace invites people to it",
            )
        address, key = check_email(problems, ("input", "email"), email)
        if (
            workspace is not None
            and viewer_role is Role.ADMIN
            and await _is_member(session, workspace_id, key)
        ):
            problems.add(
                ("input", "email"), InvalidInputCode.DUPLICATE, "This person is a member of the Workspace"
            )
        if problems or workspace is None or viewer_role is None:
            return Refused(problems.found)
        code = bearer_tokens.mint(
            bearer_tokens.INVITATION_CODE, secrets.token_bytes(bearer_tokens.RANDOM_BYTES)
        )
        invitation = Invitation(
            workspace_id=workspace_id,
            email=address,
            email_key=key,
            role=role,
            code_hash=bearer_tokens.digest(code),
            invited_by_id=call.viewer.user_id,
            created_at=call.now,
            expires_at=call.now + call.services.rules.invitation_lifetime,
        )
        session.add(invitation)
        await session.flush()
        event = NewEvent(Place(workspace_id), EventKind.MEMBER_INVITED, invitation.id, {"role": role})
        await history.record(session, call, [event])
        return NewInvitation(invitation, workspace, viewer_role, code)

    return await call.transact(work)


async def accept(call: Call, *, code: Secret) -> tuple[Workspace, Role] | Refused[InvalidInput]:
    """Join a Workspace by an invitation's code; only the user with the invited address can.

    A code that is unknown, used up, expired or somebody else's is one answer.
    """

    async def work(session: AsyncSession) -> tuple[Workspace, Role] | Refused[InvalidInput]:
        viewer = await access.lock_viewer(session, call)
        statement = select(Invitation).where(
            Invitation.code_hash == bearer_tokens.digest(code), Invitation.email_key == viewer.email_key
        )
        known = (await session.scalars(statement)).one_or_none()
        if known is None:
            return Refused([_no_such_code()])
        workspace = (
            await session.scalars(
                select(Workspace).where(Workspace.id == known.workspace_id).with_for_update(key_share=True)
            )
        ).one_or_none()
        if workspace is None:
            return Refused([_no_such_code()])
        # Read again, under the lock that also guards accepting and revoking it.
        await session.refresh(known)
        if known.accepted_at is not None or known.expires_at <= call.now:
            return Refused([_no_such_code()])
        membership = await session.get(Membership, (workspace.id, viewer.id))
        known.accepted_at = call.now
        if membership is None:
            membership = Membership(
                workspace_id=workspace.id, user_id=viewer.id, role=known.role, created_at=call.now
            )
            session.add(membership)
        await session.flush()
        event = NewEvent(Place(workspace.id), EventKind.MEMBER_JOINED, viewer.id, {"role": membership.role})
        await history.record(session, call, [event])
        return workspace, membership.role

    return await call.transact(work)


async def _is_member(session: AsyncSession, workspace_id: UUID, email_key: str) -> bool:
    statement = (
        select(Membership.user_id)
        .join(User, col(User.id) == col(Membership.user_id))
        .where(Membership.workspace_id == workspace_id, User.email_key == email_key)
    )
    return (await session.scalars(statement)).first() is not None


def _no_such_code() -> InvalidInput:
    return InvalidInput(
        ("input", "code"), InvalidInputCode.NOT_FOUND, "There is no invitation with this code for you"
    )
