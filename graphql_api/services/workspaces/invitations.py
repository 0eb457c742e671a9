"""Inviting people into a Workspace, taking that back, and accepting.

The code comes by mail, and to the admin who invites. So having it does not prove the address: who accepts
is registered with the invited address, and whether that is verified stays as it was.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.domain import bearer_tokens
from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.holders import Role
from graphql_api.domain.holders import Workspace as Place
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode, Problems
from graphql_api.domain.invitations import InvitationStatus
from graphql_api.domain.mails import MailKind
from graphql_api.domain.permissions import may_invite
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.services.calls import access, attempts, mails
from graphql_api.services.calls.call import Call
from graphql_api.services.calls.emails import check_email
from graphql_api.services.calls.pages import Page, PageRequest, read_page
from graphql_api.services.history import recording
from graphql_api.storage.tables import Invitation, Membership, User, Workspace


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """An invitation and its code, which nobody can read again."""

    invitation: Invitation
    workspace: Workspace
    role: Role
    code: Secret


@dataclass(frozen=True, slots=True)
class Preview:
    """What an invitation says to whoever has its code."""

    workspace_name: str
    inviter_name: str | None
    email: str
    role: Role
    expires_at: datetime


async def invite(
    call: Call, *, workspace_id: UUID, email: str, role: Role
) -> NewInvitation | Refused[InvalidInput]:
    """Invite an address into a Workspace, in a role, and mail it the code; for its admins.

    A pending invitation of the same address into it is revoked: the new one replaces it.

    Raises:
        RateLimited: this address was invited several times in the last hour.
    """
    _, counted = check_email(Problems(), (), email)
    if counted and may_invite(await _role(call, workspace_id)):
        await attempts.count_mail(call, MailKind.INVITATION, counted)

    async def work(session: AsyncSession) -> NewInvitation | Refused[InvalidInput]:
        viewer = await access.lock_viewer(session, call)
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
        replaced = await _revoke_pending(session, call, workspace_id, key)
        session.add(invitation)
        await session.flush()
        place = Place(workspace_id)
        events = [
            *(NewEvent(place, EventKind.INVITATION_REVOKED, one) for one in replaced),
            NewEvent(place, EventKind.MEMBER_INVITED, invitation.id, {"role": role}),
        ]
        await recording.record(session, call, events)
        details = {
            "workspace": workspace.name,
            "inviter": viewer.name,
            "role": role,
            "expires": mails.moment(invitation.expires_at),
        }
        await mails.enqueue(session, call, MailKind.INVITATION, address, details, secret=code)
        return NewInvitation(invitation, workspace, viewer_role, code)

    return await call.transact(work)


async def accept(call: Call, *, code: Secret) -> tuple[Workspace, Role] | Refused[InvalidInput]:
    """Join a Workspace by an invitation's code; only the user with the invited address can.

    A code that is unknown, used up, revoked, expired or somebody else's is one answer.
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
        if known.accepted_at is not None or known.revoked_at is not None or known.expires_at <= call.now:
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
        await recording.record(session, call, [event])
        return workspace, membership.role

    return await call.transact(work)


async def revoke(
    call: Call, *, invitation_id: UUID
) -> tuple[Invitation, Workspace, Role] | Refused[InvalidInput]:
    """Take back an invitation that nobody has accepted; for the Workspace's admins. Twice is no error."""

    async def work(session: AsyncSession) -> tuple[Invitation, Workspace, Role] | Refused[InvalidInput]:
        await access.lock_viewer(session, call)
        known = (
            await session.scalars(
                select(Invitation).where(Invitation.id == invitation_id, access.sees_invitations(call.viewer))
            )
        ).one_or_none()
        if known is None:
            return Refused([_no_such_invitation()])
        found = await access.lock_workspaces(session, call.viewer, [known.workspace_id])
        workspace, role = found.get(known.workspace_id, (None, None))
        if workspace is None or role is None or not may_invite(role):
            return Refused([_no_such_invitation()])
        await session.refresh(known)
        if known.accepted_at is not None:
            return Refused([_accepted_already()])
        if known.revoked_at is None:
            known.revoked_at = call.now
            await session.flush()
            event = NewEvent(Place(workspace.id), EventKind.INVITATION_REVOKED, known.id)
            await recording.record(session, call, [event])
        return known, workspace, role

    return await call.transact(work)


async def preview(call: Call, *, code: Secret) -> Preview | None:
    """What a pending invitation says, to whoever has its code; registered or not.

    Nobody guesses a code of 256 random bits, and whoever was mailed one wants to know what it is before
    they register. A code that is unknown, used up, revoked or expired is one answer: None.
    """
    if not bearer_tokens.is_well_formed(bearer_tokens.INVITATION_CODE, code):
        return None
    statement = (
        select(Invitation, Workspace.name, User.name)
        .join(Workspace, col(Workspace.id) == col(Invitation.workspace_id))
        .outerjoin(User, col(User.id) == col(Invitation.invited_by_id))
        .where(
            Invitation.code_hash == bearer_tokens.digest(code),
            _has_status(InvitationStatus.PENDING, call.now),
        )
    )

    async def work(session: AsyncSession) -> Preview | None:
        found = (await session.execute(statement)).first()
        if found is None:
            return None
        known, workspace_name, inviter_name = found
        return Preview(workspace_name, inviter_name, known.email, known.role, known.expires_at)

    return await call.read(work)


async def page(
    call: Call, request: PageRequest, workspace_id: UUID, *, status: InvitationStatus | None
) -> Page[Invitation]:
    """A Workspace's invitations, the newest first; to anybody but its admins there are none."""
    statement = select(Invitation).where(access.sees_invitations(call.viewer))
    if status is not None:
        statement = statement.where(_has_status(status, call.now))
    return await read_page(
        call,
        statement,
        request,
        within=[(col(Invitation.workspace_id), workspace_id)],
        order=[col(Invitation.created_at), col(Invitation.id)],
        descending=True,
    )


def _has_status(status: InvitationStatus, now: datetime) -> sa.ColumnElement[bool]:
    """The same question as `status_of` answers, put to the database."""
    accepted, revoked = col(Invitation.accepted_at), col(Invitation.revoked_at)
    open_ = sa.and_(accepted.is_(None), revoked.is_(None))
    match status:
        case InvitationStatus.ACCEPTED:
            return accepted.is_not(None)
        case InvitationStatus.REVOKED:
            return sa.and_(accepted.is_(None), revoked.is_not(None))
        case InvitationStatus.EXPIRED:
            return sa.and_(open_, col(Invitation.expires_at) <= now)
        case InvitationStatus.PENDING:
            return sa.and_(open_, col(Invitation.expires_at) > now)
        case InvitationStatus.OTHER:
            return sa.false()


async def _revoke_pending(
    session: AsyncSession, call: Call, workspace_id: UUID, email_key: str
) -> Sequence[UUID]:
    """Revoke what is pending for an address, under the Workspace's lock."""
    revoked = await session.execute(
        sa.update(Invitation)
        .where(
            col(Invitation.workspace_id) == workspace_id,
            col(Invitation.email_key) == email_key,
            _has_status(InvitationStatus.PENDING, call.now),
        )
        .values(revoked_at=call.now)
        .returning(col(Invitation.id))
        .execution_options(synchronize_session=False)
    )
    return sorted(revoked.scalars())


async def _role(call: Call, workspace_id: UUID) -> Role | None:
    found = await call.read(lambda session: access.workspaces(session, call.viewer, [workspace_id]))
    _, role = found.get(workspace_id, (None, None))
    return role


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


def _no_such_invitation() -> InvalidInput:
    return InvalidInput(("input", "invitationId"), InvalidInputCode.NOT_FOUND, "There is no such invitation")


def _accepted_already() -> InvalidInput:
    return InvalidInput(
        ("input", "invitationId"), InvalidInputCode.NOT_ALLOWED, "This invitation was accepted already"
    )
