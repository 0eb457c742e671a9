"""Answering a request for access: an admin grants it through teams, or declines it."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from graphql_api.domain import holders
from graphql_api.domain.access_requests import (
    AccessRequestStatus,
    no_such_request,
    why_not_answer,
    why_not_grant,
)
from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.holders import Role
from graphql_api.domain.inputs import InvalidInput, Problems
from graphql_api.domain.mails import MailKind
from graphql_api.domain.refusals import Refused
from graphql_api.services.accounts import access_requests, sharing
from graphql_api.services.accounts.access_requests import Outcome
from graphql_api.services.calls import access, mails
from graphql_api.services.calls.call import Call
from graphql_api.services.history import recording
from graphql_api.storage.rows import AccessRequestRow, SocialAccountRow, TeamRow, columns
from graphql_api.storage.statements import insert_missing
from graphql_api.storage.tables import (
    AccessRequestTeam,
    Membership,
    SocialAccount,
    TeamMember,
    User,
    Workspace,
)

_ANSWERS = {
    AccessRequestStatus.GRANTED: (EventKind.ACCESS_REQUEST_GRANTED, MailKind.ACCESS_REQUEST_GRANTED),
    AccessRequestStatus.DECLINED: (EventKind.ACCESS_REQUEST_DECLINED, MailKind.ACCESS_REQUEST_DECLINED),
}


class _Requester(NamedTuple):
    """Whom an answer is mailed to, and the Workspace that it names."""

    name: str
    email: str
    workspace: str


async def grant(call: Call, request_id: UUID, team_ids: Sequence[UUID]) -> Outcome:
    """Share the account with these teams, and add the requester to them."""

    async def work(session: AsyncSession) -> Outcome:
        request, role = await access.lock_access_request(session, call, request_id)
        if request is None:
            return Refused([no_such_request()])
        account, requester = await _account(session, request), await _requester(session, request)
        problem = _why_not_answer(call, request, role) or why_not_grant(
            held=account is not None, is_member=requester is not None
        )
        if problem or account is None or requester is None:
            return Refused([problem] if problem else ())
        problems = Problems()
        teams = await sharing.teams_within(
            session, call, problems, team_ids, workspace_id=request.workspace_id, role=role
        )
        if problems:
            return Refused(problems.found)
        shared = await sharing.share_each(session, call, [account], teams)
        joined = await _bring_in(session, call, request, teams, name=requester.name)
        granted, answered = await _answer(session, call, request, AccessRequestStatus.GRANTED, requester)
        closed = await access_requests.close_satisfied(session, call, workspace_id=request.workspace_id)
        await recording.record(session, call, [*shared, *joined, *answered, *closed])
        return granted

    return await call.transact(work)


async def decline(call: Call, request_id: UUID, reason: str | None) -> Outcome:
    """Refuse a pending request, with or without a reason."""
    problems = Problems()
    reason = access_requests.check_lines(problems, "reason", reason)

    async def work(session: AsyncSession) -> Outcome:
        request, role = await access.lock_access_request(session, call, request_id)
        problem = no_such_request() if request is None else _why_not_answer(call, request, role)
        if problem or problems or request is None:
            return Refused([*([problem] if problem else ()), *problems.found])
        requester = await _requester(session, request)
        status = AccessRequestStatus.DECLINED
        declined, answered = await _answer(session, call, request, status, requester, reason=reason)
        await recording.record(session, call, answered)
        return declined

    return await call.transact(work)


def _why_not_answer(call: Call, request: AccessRequestRow, role: Role | None) -> InvalidInput | None:
    return why_not_answer(role, request.status, own=request.requester_id == call.viewer.user_id)


async def _account(session: AsyncSession, request: AccessRequestRow) -> SocialAccountRow | None:
    """The account that the request is for, if the Workspace, which is locked, still holds it."""
    held = sa.select(*columns(SocialAccount, SocialAccountRow)).where(
        col(SocialAccount.platform) == request.platform,
        col(SocialAccount.external_id) == request.external_id,
        col(SocialAccount.holder_workspace_id) == request.workspace_id,
    )
    found = (await session.execute(held)).one_or_none()
    return None if found is None else SocialAccountRow(*found)


async def _requester(session: AsyncSession, request: AccessRequestRow) -> _Requester | None:
    """The requester, if they still are in the Workspace: its name is its members' to know."""
    member = (
        sa.select(col(User.name), col(User.email), col(Workspace.name))
        .join(Membership, col(Membership.user_id) == col(User.id))
        .join(Workspace, col(Workspace.id) == col(Membership.workspace_id))
        .where(col(User.id) == request.requester_id, col(Workspace.id) == request.workspace_id)
    )
    found = (await session.execute(member)).one_or_none()
    return None if found is None else _Requester(*found)


async def _bring_in(
    session: AsyncSession, call: Call, request: AccessRequestRow, teams: Sequence[TeamRow], *, name: str
) -> list[NewEvent]:
    """Add the requester to the teams that they are not in yet, and keep what the request was granted for."""
    user_id, place = request.requester_id, holders.Workspace(request.workspace_id)
    membership = {"user_id": user_id, "workspace_id": place.workspace_id, "created_at": call.now}
    joined = await insert_missing(session, TeamMember, [{"team_id": team.id, **membership} for team in teams])
    granted = [{"access_request_id": request.id, "team_id": team.id} for team in teams]
    await insert_missing(session, AccessRequestTeam, granted)
    return [
        NewEvent(place, EventKind.TEAM_MEMBER_ADDED, user_id, {"team": team.name}, subject_name=name)
        for team in teams
        if (team.id, user_id) in joined
    ]


async def _answer(
    session: AsyncSession,
    call: Call,
    request: AccessRequestRow,
    status: AccessRequestStatus,
    requester: _Requester | None,
    *,
    reason: str | None = None,
) -> tuple[AccessRequestRow, list[NewEvent]]:
    """End a request and mail the requester; returns it, and its events in the histories of both sides."""
    request = await access_requests.end(
        session,
        call,
        request,
        status=status,
        reason=reason,
        decided_by_id=call.viewer.user_id,
        decided_at=call.now,
    )
    event, mail = _ANSWERS[status]
    if requester is not None:
        details = {
            "name": requester.name,
            "workspace": requester.workspace,
            "display_name": request.display_name,
            "reason": reason or "",
        }
        await mails.enqueue(session, call, mail, requester.email, details)
    places = holders.Workspace(request.workspace_id), holders.Personal(request.requester_id)
    return request, [access_requests.event_of(place, event, request) for place in places]
