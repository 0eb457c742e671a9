"""Inviting people into a Workspace, revoking that, and the invited person's answer.

The admin who invites has the code too. So the code does not prove the address: the one who accepts with it
is registered with the invited address, which stays unverified if it was. Without a code, the invited person
must have verified the address.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.domain import bearer_tokens, holders
from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.holders import Role
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode, Problems
from graphql_api.domain.invitations import InvitationStatus, status_of
from graphql_api.domain.mails import MailKind
from graphql_api.domain.permissions import Action, may
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.services.calls import access, attempts, mails, searching
from graphql_api.services.calls.call import Call
from graphql_api.services.calls.emails import check_email
from graphql_api.services.calls.pages import Page, PageRequest, PreparedList
from graphql_api.services.history import recording
from graphql_api.storage.columns import UtcDateTime
from graphql_api.storage.prepared import Prepared
from graphql_api.storage.rows import InvitationRow, WorkspaceRow, columns, row_of
from graphql_api.storage.tables import Invitation, Membership, User, Workspace

_AT_CODE = ("input", "code")
_AT_ID = ("input", "invitationId")
_AT_EMAIL = ("input", "email")
_AT_WORKSPACE = ("input", "workspaceId")


class NamedInvitation(NamedTuple):
    """An invitation with the names that it shows to somebody who is no member yet."""

    row: InvitationRow
    workspace_name: str
    inviter_name: str | None


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """An invitation and its code, which nobody can read again."""

    invitation: NamedInvitation
    code: Secret


async def invite(
    call: Call, *, workspace_id: UUID, email: str, role: Role
) -> NewInvitation | Refused[InvalidInput]:
    """Invite an address into a Workspace, in a role, and mail it the code; for its admins.

    A pending invitation of the same address into it is revoked: the new one replaces it.

    Raises:
        RateLimited: the viewer or the Workspace invited too many people, or this address too often.
    """
    _, counted = check_email(Problems(), (), email)
    _, known_role = (await access.places(call, [workspace_id])).get(workspace_id, (None, None))
    if counted and may(known_role, Action.INVITE):
        await attempts.count_invitation(call, workspace_id, counted)

    async def work(session: AsyncSession) -> NewInvitation | Refused[InvalidInput]:
        viewer = await access.lock_viewer(session, call)
        workspace, viewer_role = await access.lock_workspace(session, call, workspace_id)
        problems = Problems()
        if workspace is None:
            problems.add(_AT_WORKSPACE, InvalidInputCode.NOT_FOUND, "There is no such Workspace")
        elif not may(viewer_role, Action.INVITE):
            problems.add(
                _AT_WORKSPACE,
                InvalidInputCode.NOT_ALLOWED,
                "Only an admin of the Workspace invites people to it",
            )
        address, key = check_email(problems, _AT_EMAIL, email)
        if may(viewer_role, Action.INVITE) and await _is_member(session, workspace_id, key):
            problems.add(_AT_EMAIL, InvalidInputCode.DUPLICATE, "This person is a member of the Workspace")
        if problems or workspace is None:
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
        events = [
            *(_event(EventKind.INVITATION_REVOKED, one) for one in replaced),
            _event(EventKind.MEMBER_INVITED, invitation, {"role": role}),
        ]
        await recording.record(session, call, events)
        details = {
            "workspace": workspace.name,
            "inviter": viewer.name,
            "role": role,
            "expires": mails.moment(invitation.expires_at),
        }
        await mails.enqueue(session, call, MailKind.INVITATION, address, details, secret=code)
        named = NamedInvitation(row_of(invitation, InvitationRow), workspace.name, viewer.name)
        return NewInvitation(named, code)

    return await call.transact(work)


async def accept(
    call: Call, *, code: Secret | None = None, invitation_id: UUID | None = None
) -> tuple[WorkspaceRow, Role] | Refused[InvalidInput]:
    """Join a Workspace, with an invitation's code or by its id; only the user with the invited address can.

    A code that is unknown, used up, revoked, expired or somebody else's is one answer.
    """
    if code is None and invitation_id is None:
        message = "Give the `code` or the `invitationId` of an invitation"
        return Refused([InvalidInput(("input",), InvalidInputCode.REQUIRED, message)])
    if code is not None and invitation_id is not None:
        message = "Give the `code` or the `invitationId` of an invitation, not both"
        return Refused([InvalidInput(("input",), InvalidInputCode.INVALID_FORMAT, message)])

    async def work(session: AsyncSession) -> tuple[WorkspaceRow, Role] | Refused[InvalidInput]:
        viewer = await access.lock_viewer(session, call)
        if code is not None:
            known = await _lock(session, viewer, col(Invitation.code_hash) == bearer_tokens.digest(code))
            if known is None or _status(known[0], call.now) is not InvitationStatus.PENDING:
                return Refused([_no_such_code()])
        else:
            found = await _lock_own(session, viewer, invitation_id)
            if isinstance(found, Refused):
                return found
            known = found
            if _status(known[0], call.now) is not InvitationStatus.PENDING:
                return Refused([_not_pending()])
        invitation, workspace = known
        membership = await session.get(Membership, (workspace.id, viewer.id))
        invitation.accepted_at = call.now
        if membership is None:
            membership = Membership(
                workspace_id=workspace.id, user_id=viewer.id, role=invitation.role, created_at=call.now
            )
            session.add(membership)
        await session.flush()
        event = NewEvent(
            holders.Workspace(workspace.id),
            EventKind.MEMBER_JOINED,
            viewer.id,
            {"role": membership.role},
            subject_name=viewer.name,
        )
        await recording.record(session, call, [event])
        return row_of(workspace, WorkspaceRow), membership.role

    return await call.transact(work)


async def decline(call: Call, *, invitation_id: UUID) -> NamedInvitation | Refused[InvalidInput]:
    """Decline a pending invitation to the viewer's verified address. Declining twice is no error."""

    async def work(session: AsyncSession) -> NamedInvitation | Refused[InvalidInput]:
        viewer = await access.lock_viewer(session, call)
        found = await _lock_own(session, viewer, invitation_id)
        if isinstance(found, Refused):
            return found
        invitation, workspace = found
        status = _status(invitation, call.now)
        if status not in {InvitationStatus.PENDING, InvitationStatus.DECLINED}:
            return Refused([_not_pending()])
        if status is InvitationStatus.PENDING:
            invitation.declined_at = call.now
            await session.flush()
            await recording.record(session, call, [_event(EventKind.INVITATION_DECLINED, invitation)])
        return await _named(session, invitation, workspace)

    return await call.transact(work)


async def revoke(call: Call, *, invitation_id: UUID) -> NamedInvitation | Refused[InvalidInput]:
    """Take back an invitation that nobody has answered; for admins. One that is over already is no error."""

    async def work(session: AsyncSession) -> NamedInvitation | Refused[InvalidInput]:
        await access.lock_viewer(session, call)
        known = (
            await session.scalars(
                select(Invitation).where(Invitation.id == invitation_id, access.sees_invitations(call.viewer))
            )
        ).one_or_none()
        if known is None:
            return Refused([_no_such_invitation()])
        workspace, role = await access.lock_workspace(session, call, known.workspace_id)
        if workspace is None or not may(role, Action.INVITE):
            return Refused([_no_such_invitation()])
        await session.refresh(known)
        status = _status(known, call.now)
        if status in {InvitationStatus.ACCEPTED, InvitationStatus.DECLINED}:
            message = f"This invitation was {status.lower()} already"
            return Refused([InvalidInput(_AT_ID, InvalidInputCode.NOT_ALLOWED, message)])
        if status is InvitationStatus.PENDING:
            known.revoked_at = call.now
            await session.flush()
            await recording.record(session, call, [_event(EventKind.INVITATION_REVOKED, known)])
        return await _named(session, known, workspace)

    return await call.transact(work)


async def preview(call: Call, *, code: Secret) -> NamedInvitation | None:
    """Read a pending invitation by its code, for anybody who has the code; registered or not.

    Nobody guesses a code of 256 random bits, and people want to know what it is for before they register. A
    code that is unknown, used up, revoked or expired is one answer: None.
    """
    if not bearer_tokens.is_well_formed(bearer_tokens.INVITATION_CODE, code):
        return None
    found = await call.rows(_PREVIEW, code_hash=bearer_tokens.digest(code), now=call.now)
    return found[0] if found else None


async def page(
    call: Call,
    request: PageRequest,
    workspace_id: UUID,
    *,
    status: InvitationStatus | None,
    search: str | None,
) -> Page[NamedInvitation]:
    """A Workspace's invitations, newest first; empty for everybody but its admins.

    `search` is a part of the e-mail address, compared without case.

    Raises:
        BadUserInput: the page's arguments, its cursors or the search cannot be used.
    """
    pattern = searching.pattern(search)
    invitations = _of_workspace(status, searched=pattern is not None)
    return await invitations.page(
        call,
        request,
        viewer_id=call.viewer.user_id,
        workspace_id=workspace_id,
        now=call.now,
        pattern=pattern,
    )


async def page_of_viewer(
    call: Call, request: PageRequest, *, status: InvitationStatus | None
) -> Page[NamedInvitation]:
    """The invitations to the viewer's verified address, newest first; empty while it is unverified."""
    verified = await call.rows(_VERIFIED_KEY, viewer_id=call.viewer.user_id)
    email_key = verified[0] if verified else None  # which no invitation equals
    return await _of_address(status).page(call, request, email_key=email_key, now=call.now)


def _has_status(status: InvitationStatus, now: Any) -> sa.ColumnElement[bool]:
    """The same question as `status_of` answers, put to the database."""
    accepted, declined, revoked = (
        col(Invitation.accepted_at),
        col(Invitation.declined_at),
        col(Invitation.revoked_at),
    )
    unanswered = sa.and_(accepted.is_(None), declined.is_(None))
    match status:
        case InvitationStatus.ACCEPTED:
            return accepted.is_not(None)
        case InvitationStatus.DECLINED:
            return sa.and_(accepted.is_(None), declined.is_not(None))
        case InvitationStatus.REVOKED:
            return sa.and_(unanswered, revoked.is_not(None))
        case InvitationStatus.EXPIRED:
            return sa.and_(unanswered, revoked.is_(None), col(Invitation.expires_at) <= now)
        case InvitationStatus.PENDING:
            return sa.and_(unanswered, revoked.is_(None), col(Invitation.expires_at) > now)
        case InvitationStatus.OTHER:
            return sa.false()


_NOW = sa.bindparam("now", type_=UtcDateTime())
_NAMED = (
    sa.select(*columns(Invitation, InvitationRow), col(Workspace.name), col(User.name))
    .join(Workspace, col(Workspace.id) == col(Invitation.workspace_id))
    .outerjoin(User, col(User.id) == col(Invitation.invited_by_id))
)


def _named_invitation(*found: Any) -> NamedInvitation:
    return NamedInvitation(InvitationRow(*found[:-2]), *found[-2:])


_PREVIEW = Prepared(
    _NAMED.where(
        col(Invitation.code_hash) == sa.bindparam("code_hash", type_=sa.LargeBinary()),
        _has_status(InvitationStatus.PENDING, _NOW),
    ),
    _named_invitation,
)
_VERIFIED_KEY: Prepared[str] = Prepared(
    sa.select(col(User.email_key)).where(
        col(User.id) == access.SOMEBODY.user_id, col(User.email_verified_at).is_not(None)
    ),
    str,
)


@lru_cache
def _of_workspace(status: InvitationStatus | None, *, searched: bool) -> PreparedList[NamedInvitation]:
    statement = _NAMED.where(access.sees_invitations(access.SOMEBODY))
    if searched:
        statement = statement.where(searching.matches(col(Invitation.email_key)))
    return _newest_first(statement, status, {"workspace_id": col(Invitation.workspace_id)})


@lru_cache
def _of_address(status: InvitationStatus | None) -> PreparedList[NamedInvitation]:
    return _newest_first(_NAMED, status, {"email_key": col(Invitation.email_key)})


def _newest_first(
    statement: sa.Select[*tuple[Any, ...]], status: InvitationStatus | None, within: dict[str, Any]
) -> PreparedList[NamedInvitation]:
    return PreparedList(
        statement if status is None else statement.where(_has_status(status, _NOW)),
        _named_invitation,
        within=within,
        order=[col(Invitation.created_at), col(Invitation.id)],
        descending=True,
    )


async def _lock(
    session: AsyncSession, viewer: User, which: sa.ColumnElement[bool]
) -> tuple[Invitation, Workspace] | None:
    """An invitation to the viewer's address, under the Workspace's lock, which also guards revoking it."""
    statement = select(Invitation).where(which, col(Invitation.email_key) == viewer.email_key)
    known = (await session.scalars(statement)).one_or_none()
    if known is None:
        return None
    workspace = (
        await session.scalars(
            select(Workspace).where(Workspace.id == known.workspace_id).with_for_update(key_share=True)
        )
    ).one_or_none()
    if workspace is None:
        return None
    await session.refresh(known)
    return known, workspace


async def _lock_own(
    session: AsyncSession, viewer: User, invitation_id: UUID | None
) -> tuple[Invitation, Workspace] | Refused[InvalidInput]:
    """The same by the invitation's id, which anybody may know: so the address must be verified."""
    if viewer.email_verified_at is None:
        message = "Verify your e-mail address first"
        return Refused([InvalidInput(_AT_ID, InvalidInputCode.NOT_ALLOWED, message)])
    return await _lock(session, viewer, col(Invitation.id) == invitation_id) or Refused(
        [_no_such_invitation()]
    )


def _status(invitation: Invitation, now: datetime) -> InvitationStatus:
    return status_of(
        accepted_at=invitation.accepted_at,
        declined_at=invitation.declined_at,
        revoked_at=invitation.revoked_at,
        expires_at=invitation.expires_at,
        now=now,
    )


async def _named(session: AsyncSession, invitation: Invitation, workspace: Workspace) -> NamedInvitation:
    inviter = select(User.name).where(User.id == invitation.invited_by_id)
    name = (await session.scalars(inviter)).one_or_none()
    return NamedInvitation(row_of(invitation, InvitationRow), workspace.name, name)


async def _revoke_pending(
    session: AsyncSession, call: Call, workspace_id: UUID, email_key: str
) -> Sequence[Invitation]:
    """Revoke the pending invitations of an address, under the Workspace's lock."""
    pending = select(Invitation).where(
        Invitation.workspace_id == workspace_id,
        Invitation.email_key == email_key,
        _has_status(InvitationStatus.PENDING, call.now),
    )
    revoked = (await session.scalars(pending.order_by(col(Invitation.id)))).all()
    for invitation in revoked:
        invitation.revoked_at = call.now
    return revoked


def _event(kind: EventKind, invitation: Invitation, details: dict[str, str] | None = None) -> NewEvent:
    place = holders.Workspace(invitation.workspace_id)
    return NewEvent(place, kind, invitation.id, details or {}, subject_name=invitation.email)


async def _is_member(session: AsyncSession, workspace_id: UUID, email_key: str) -> bool:
    statement = (
        select(Membership.user_id)
        .join(User, col(User.id) == col(Membership.user_id))
        .where(Membership.workspace_id == workspace_id, User.email_key == email_key)
    )
    return (await session.scalars(statement)).first() is not None


def _no_such_code() -> InvalidInput:
    return InvalidInput(_AT_CODE, InvalidInputCode.NOT_FOUND, "There is no invitation with this code for you")


def _no_such_invitation() -> InvalidInput:
    return InvalidInput(_AT_ID, InvalidInputCode.NOT_FOUND, "There is no such invitation")


def _not_pending() -> InvalidInput:
    return InvalidInput(_AT_ID, InvalidInputCode.NOT_ALLOWED, "This invitation is no longer pending")
