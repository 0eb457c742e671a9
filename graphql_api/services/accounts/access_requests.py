"""Asking for access to a social account that a Workspace holds, and what its admins answer.

A request is for an account by the key that its requester knows it by. If the account leaves the Workspace,
the request stays as it is, and cannot be granted until the account is back; it can be declined and withdrawn.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.domain import inputs
from graphql_api.domain.access_requests import (
    MAX_MESSAGE,
    AccessRequestStatus,
    no_such_request,
    why_not_answer,
    why_not_ask_for,
    why_not_ask_there,
    why_not_grant,
    why_not_withdraw,
)
from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.holders import Personal, Role
from graphql_api.domain.holders import Workspace as Place
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode, Problems
from graphql_api.domain.mails import MailKind
from graphql_api.domain.platforms import Platform, SocialKey
from graphql_api.domain.refusals import Refused
from graphql_api.services.calls import access, mails, quotas
from graphql_api.services.calls.call import Call
from graphql_api.services.calls.pages import Page, PageRequest, read_page
from graphql_api.services.history import recording
from graphql_api.storage.statements import insert_missing
from graphql_api.storage.tables import (
    AccessRequest,
    AccessRequestTeam,
    Membership,
    Share,
    SocialAccount,
    Team,
    TeamMember,
    User,
    Workspace,
)

Outcome = AccessRequest | Refused[InvalidInput]
TEAM_IDS = ("input", "teamIds")


@dataclass(frozen=True, slots=True)
class AskCommand:
    """One call of `requestSocialAccountAccess`; the display_name is told as the requester knows it."""

    workspace_id: UUID
    instagram_user_id: str
    display_name: str
    message: str | None


async def ask(call: Call, command: AskCommand) -> Outcome:
    """Ask the admins of a Workspace for access to an account that it holds.

    Whoever asks again has the request that is pending, as it was written.

    Raises:
        RateLimited: the viewer asked too often.
    """
    problems = Problems()
    inputs.check_meta_id(problems, ("input", "instagramUserId"), command.instagram_user_id)
    inputs.check_username(problems, ("input", "username"), command.display_name)
    message = _check_lines(problems, "message", command.message)
    await quotas.count_access_request(call)

    async def work(session: AsyncSession) -> Outcome:
        viewer = await access.lock_viewer(session, call)
        found = await access.lock_workspaces(session, call.viewer, [command.workspace_id])
        workspace, role = found.get(command.workspace_id, (None, None))
        refusal = why_not_ask_there(role)
        if refusal or problems or workspace is None:
            return Refused([*([refusal] if refusal else ()), *problems.found])
        held, sees = await _held(session, call, command)
        refusal = why_not_ask_for(held=held, sees=sees)
        if refusal:
            return Refused([refusal])
        pending = await _pending(session, viewer.id, command)
        if pending is not None:
            return pending
        request = await _write(session, call, command, message=message, workspace=workspace)
        await _tell_admins(session, call, request, requester=viewer, workspace=workspace)
        return request

    return await call.transact(work)


async def withdraw(call: Call, request_id: UUID) -> Outcome:
    """Take a pending request of the viewer's own back."""

    async def work(session: AsyncSession) -> Outcome:
        found = await _lock(session, call, request_id)
        if found is None:
            return Refused([no_such_request()])
        request = found.request
        refusal = why_not_withdraw(request.status, own=request.requester_id == call.viewer.user_id)
        if refusal:
            return Refused([refusal])
        await _end(session, call, request, AccessRequestStatus.WITHDRAWN)
        event = _event(Place(request.workspace_id), EventKind.ACCESS_REQUEST_WITHDRAWN, request)
        await recording.record(session, call, [event])
        return request

    return await call.transact(work)


async def grant(call: Call, request_id: UUID, team_ids: Sequence[UUID]) -> Outcome:
    """Share the account with these teams, and add the requester to them: an admin's yes."""

    async def work(session: AsyncSession) -> Outcome:
        found = await _lock(session, call, request_id)
        if found is None:
            return Refused([no_such_request()])
        request, account = found.request, await _lock_account(session, found.request)
        refusal = why_not_answer(found.role, request.status) or why_not_grant(
            held=account is not None, is_member=await _is_member(session, request)
        )
        if refusal or account is None:
            return Refused([refusal] if refusal else ())
        problems = Problems()
        teams = await _teams_to_share_with(session, problems, request.workspace_id, team_ids)
        if problems:
            return Refused(problems.found)
        events = await _share(session, call, request, account, teams)
        await _end(session, call, request, AccessRequestStatus.GRANTED)
        events += _outcome(request, EventKind.ACCESS_REQUEST_GRANTED)
        events += await close_satisfied(session, call, workspace_id=request.workspace_id)
        await recording.record(session, call, events)
        await _tell_requester(session, call, MailKind.ACCESS_REQUEST_GRANTED, request)
        return request

    return await call.transact(work)


async def decline(call: Call, request_id: UUID, reason: str | None) -> Outcome:
    """Say no to a pending request: an admin's, with or without a reason."""
    problems = Problems()
    reason = _check_lines(problems, "reason", reason)

    async def work(session: AsyncSession) -> Outcome:
        found = await _lock(session, call, request_id)
        refusal = no_such_request() if found is None else why_not_answer(found.role, found.request.status)
        if refusal or problems or found is None:
            return Refused([*([refusal] if refusal else ()), *problems.found])
        found.request.reason = reason
        await _end(session, call, found.request, AccessRequestStatus.DECLINED)
        await recording.record(session, call, _outcome(found.request, EventKind.ACCESS_REQUEST_DECLINED))
        await _tell_requester(session, call, MailKind.ACCESS_REQUEST_DECLINED, found.request)
        return found.request

    return await call.transact(work)


async def page(
    call: Call,
    request: PageRequest,
    *,
    workspace_id: UUID | None = None,
    status: AccessRequestStatus | None,
) -> Page[AccessRequest]:
    """The viewer's own requests, or those to a Workspace that the viewer sees; the newest first."""
    statement = select(AccessRequest).where(access.sees_access_request(call.viewer))
    if status is not None:
        statement = statement.where(AccessRequest.status == status)
    within = (
        (col(AccessRequest.requester_id), call.viewer.user_id)
        if workspace_id is None
        else (col(AccessRequest.workspace_id), workspace_id)
    )
    return await read_page(
        call,
        statement,
        request,
        within=[within],
        order=[col(AccessRequest.created_at), col(AccessRequest.id)],
        descending=True,
    )


async def teams(call: Call, request_ids: Collection[UUID]) -> dict[UUID, list[Team]]:
    """The teams that requests were granted for, by name, of Workspaces that the viewer belongs to."""
    mine = select(Membership.workspace_id).where(Membership.user_id == call.viewer.user_id)
    statement = (
        select(AccessRequestTeam.access_request_id, Team)
        .join(Team, col(Team.id) == col(AccessRequestTeam.team_id))
        .where(col(AccessRequestTeam.access_request_id).in_(request_ids), col(Team.workspace_id).in_(mine))
        .order_by(col(Team.name), col(Team.id))
    )

    async def work(session: AsyncSession) -> dict[UUID, list[Team]]:
        granted: dict[UUID, list[Team]] = {request_id: [] for request_id in request_ids}
        for request_id, team in (await session.execute(statement)).all():
            granted[request_id].append(team)
        return granted

    return await call.read(work)


async def accounts(call: Call, keys: Collection[tuple[UUID, str]]) -> dict[tuple[UUID, str], SocialAccount]:
    """What requests ask for, by Workspace and Instagram id: where it is held there and the viewer sees it."""
    statement = select(SocialAccount).where(
        col(SocialAccount.platform) == Platform.INSTAGRAM,
        col(SocialAccount.external_id).in_({external_id for _, external_id in keys}),
        col(SocialAccount.holder_workspace_id).in_({workspace_id for workspace_id, _ in keys}),
        access.sees_social_account(call.viewer),
    )

    async def work(session: AsyncSession) -> dict[tuple[UUID, str], SocialAccount]:
        return {
            (account.holder_workspace_id, account.external_id): account
            for account in (await session.scalars(statement)).all()
            if account.holder_workspace_id is not None
        }

    return await call.read(work)


async def pending_of_viewer(
    call: Call, keys: Collection[tuple[UUID, SocialKey]]
) -> dict[tuple[UUID, SocialKey], AccessRequest]:
    """The viewer's pending requests to these Workspaces, each for one of these social accounts."""
    statement = select(AccessRequest).where(
        AccessRequest.requester_id == call.viewer.user_id,
        AccessRequest.status == AccessRequestStatus.PENDING,
        col(AccessRequest.workspace_id).in_({workspace_id for workspace_id, _ in keys}),
        col(AccessRequest.external_id).in_({key.external_id for _, key in keys}),
    )
    found = (await call.read(lambda session: session.scalars(statement))).all()
    by_key = {(one.workspace_id, SocialKey(one.platform, one.external_id)): one for one in found}
    return {key: by_key[key] for key in keys if key in by_key}


async def close_satisfied(
    session: AsyncSession, call: Call, *, workspace_id: UUID, user_ids: Collection[UUID] | None = None
) -> list[NewEvent]:
    """Close the pending requests to a Workspace whose requesters see the social account by now.

    Of these users, or of all of them. Call it under the Workspace's lock, after a change of who sees what;
    the caller records the events that it returns. They are the Workspace's alone: the requester sees them
    there, and is not locked.
    """
    satisfied = [
        col(AccessRequest.workspace_id) == workspace_id,
        col(AccessRequest.status) == AccessRequestStatus.PENDING,
        access.requester_sees_account(),
    ]
    if user_ids is not None:
        satisfied.append(col(AccessRequest.requester_id).in_(user_ids))
    closed = await session.execute(
        sa.update(AccessRequest)
        .where(*satisfied)
        .values(status=AccessRequestStatus.CLOSED, decided_at=call.now, updated_at=call.now)
        .returning(col(AccessRequest.id), col(AccessRequest.display_name), col(AccessRequest.platform))
        .execution_options(synchronize_session=False)
    )
    return [
        NewEvent(
            Place(workspace_id),
            EventKind.ACCESS_REQUEST_CLOSED,
            request_id,
            subject_name=display_name,
            platform=platform,
        )
        for request_id, display_name, platform in closed
    ]


@dataclass(frozen=True, slots=True)
class _Locked:
    """A request that the viewer sees, and the viewer's role in its Workspace, under the locks of both."""

    request: AccessRequest
    role: Role | None


async def _lock(session: AsyncSession, call: Call, request_id: UUID) -> _Locked | None:
    """Lock the viewer, the requester and the Workspace, in that order, and read the request under the locks.

    Whatever ends a request holds the Workspace's lock, so that of two answers at once the second is told.
    """
    known = await access.access_requests(session, call.viewer, [request_id])
    await access.lock_users(
        session, {call.viewer.user_id, *(request.requester_id for request in known.values())}
    )
    await access.lock_viewer(session, call)
    found = await access.lock_workspaces(
        session, call.viewer, {request.workspace_id for request in known.values()}
    )
    request = (await access.access_requests(session, call.viewer, [request_id])).get(request_id)
    if request is None:
        return None
    _, role = found.get(request.workspace_id, (None, None))
    return _Locked(request, role)


def _check_lines(problems: Problems, name: str, value: str | None) -> str | None:
    """A text of several lines; nothing but white space is none."""
    return (
        inputs.check_text(
            problems, ("input", name), value or "", longest=MAX_MESSAGE, required=False, lines=True
        )
        or None
    )


async def _held(session: AsyncSession, call: Call, command: AskCommand) -> tuple[bool, bool]:
    """Does the Workspace hold the account, and does the viewer see it?"""
    statement = sa.select(access.sees_social_account(call.viewer)).where(
        col(SocialAccount.platform) == Platform.INSTAGRAM,
        col(SocialAccount.external_id) == command.instagram_user_id,
        col(SocialAccount.holder_workspace_id) == command.workspace_id,
    )
    found = (await session.execute(statement)).one_or_none()
    return found is not None, found is not None and bool(found[0])


async def _pending(session: AsyncSession, viewer_id: UUID, command: AskCommand) -> AccessRequest | None:
    statement = select(AccessRequest).where(
        AccessRequest.workspace_id == command.workspace_id,
        AccessRequest.requester_id == viewer_id,
        AccessRequest.platform == Platform.INSTAGRAM,
        AccessRequest.external_id == command.instagram_user_id,
        AccessRequest.status == AccessRequestStatus.PENDING,
    )
    return (await session.scalars(statement)).one_or_none()


async def _write(
    session: AsyncSession,
    call: Call,
    command: AskCommand,
    *,
    message: str | None,
    workspace: Workspace,
) -> AccessRequest:
    request = AccessRequest(
        id=uuid4(),
        workspace_id=workspace.id,
        requester_id=call.viewer.user_id,
        platform=Platform.INSTAGRAM,
        external_id=command.instagram_user_id,
        display_name=command.display_name,
        message=message,
        status=AccessRequestStatus.PENDING,
        created_at=call.now,
        updated_at=call.now,
    )
    session.add(request)
    await session.flush()
    await recording.record(session, call, [_event(Place(workspace.id), EventKind.ACCESS_REQUESTED, request)])
    return request


async def _lock_account(session: AsyncSession, request: AccessRequest) -> SocialAccount | None:
    """The account that the request is for, if the Workspace still holds it."""
    statement = (
        select(SocialAccount)
        .where(
            SocialAccount.platform == request.platform,
            SocialAccount.external_id == request.external_id,
            SocialAccount.holder_workspace_id == request.workspace_id,
        )
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).one_or_none()


async def _is_member(session: AsyncSession, request: AccessRequest) -> bool:
    statement = select(Membership.user_id).where(
        Membership.workspace_id == request.workspace_id, Membership.user_id == request.requester_id
    )
    return (await session.scalars(statement)).first() is not None


async def _teams_to_share_with(
    session: AsyncSession, problems: Problems, workspace_id: UUID, team_ids: Sequence[UUID]
) -> list[Team]:
    """The teams that are asked for: at least one, each once, all of this Workspace."""
    if not team_ids:
        problems.add(TEAM_IDS, InvalidInputCode.REQUIRED, "At least one team is required")
    inputs.check_item_count(problems, TEAM_IDS, team_ids)
    if problems:
        return []
    statement = select(Team).where(col(Team.id).in_(team_ids), Team.workspace_id == workspace_id)
    found = {team.id: team for team in (await session.scalars(statement)).all()}
    chosen: dict[UUID, Team] = {}
    for index, team_id in enumerate(team_ids):
        path = (*TEAM_IDS, str(index))
        if team_id not in found:
            problems.add(path, InvalidInputCode.NOT_FOUND, "There is no such team in this Workspace")
        elif team_id in chosen:
            problems.add(path, InvalidInputCode.DUPLICATE, "This team stands in the list already")
        else:
            chosen[team_id] = found[team_id]
    return list(chosen.values())


async def _share(
    session: AsyncSession,
    call: Call,
    request: AccessRequest,
    account: SocialAccount,
    teams: Sequence[Team],
) -> list[NewEvent]:
    """Share with the teams and bring the requester in, as far as that is not so; what changed."""
    team_ids = [team.id for team in teams]
    shared = set(
        await session.scalars(
            select(Share.team_id).where(
                Share.social_account_id == account.id, col(Share.team_id).in_(team_ids)
            )
        )
    )
    joined = set(
        await session.scalars(
            select(TeamMember.team_id).where(
                TeamMember.user_id == request.requester_id, col(TeamMember.team_id).in_(team_ids)
            )
        )
    )
    place, requester_id = Place(request.workspace_id), request.requester_id
    shares = [team for team in teams if team.id not in shared]
    joins = [team for team in teams if team.id not in joined]
    if shares:
        rows = [
            {"team_id": team.id, "social_account_id": account.id, "created_at": call.now} for team in shares
        ]
        await insert_missing(session, Share, rows)
    if joins:
        members = [
            {
                "team_id": team.id,
                "user_id": requester_id,
                "workspace_id": request.workspace_id,
                "created_at": call.now,
            }
            for team in joins
        ]
        await insert_missing(session, TeamMember, members)
    granted = [{"access_request_id": request.id, "team_id": team_id} for team_id in team_ids]
    await insert_missing(session, AccessRequestTeam, granted)
    display_name = account.display_name or ""
    return [
        *(
            NewEvent(
                place,
                EventKind.SOCIAL_ACCOUNT_SHARED,
                account.hold_id,
                {"display_name": display_name, "team": team.name},
            )
            for team in shares
        ),
        *(NewEvent(place, EventKind.TEAM_MEMBER_ADDED, requester_id, {"team": team.name}) for team in joins),
    ]


async def _end(
    session: AsyncSession, call: Call, request: AccessRequest, status: AccessRequestStatus
) -> None:
    request.status = status
    if status is not AccessRequestStatus.WITHDRAWN:
        request.decided_by_id = call.viewer.user_id
        request.decided_at = call.now
    request.updated_at = call.now
    session.add(request)
    await session.flush()


def _outcome(request: AccessRequest, kind: EventKind) -> list[NewEvent]:
    """An answer is told in the Workspace's history and in the requester's own."""
    return [
        _event(Place(request.workspace_id), kind, request),
        _event(Personal(request.requester_id), kind, request),
    ]


def _event(place: Place | Personal, kind: EventKind, request: AccessRequest) -> NewEvent:
    return NewEvent(place, kind, request.id, {"display_name": request.display_name})


async def _tell_admins(
    session: AsyncSession, call: Call, request: AccessRequest, *, requester: User, workspace: Workspace
) -> None:
    """Mail every admin of the Workspace."""
    details = {
        "workspace": workspace.name,
        "display_name": request.display_name,
        "requester": requester.name,
        "message": request.message or "",
    }
    admins = (
        select(User)
        .join(Membership, col(Membership.user_id) == col(User.id))
        .where(Membership.workspace_id == workspace.id, Membership.role == Role.ADMIN)
        .order_by(col(User.id))
    )
    for admin in (await session.scalars(admins)).all():
        await mails.enqueue(
            session, call, MailKind.ACCESS_REQUESTED, admin.email, {"name": admin.name, **details}
        )


async def _tell_requester(session: AsyncSession, call: Call, kind: MailKind, request: AccessRequest) -> None:
    """Mail the answer to who asked, if they still are in the Workspace: its name is its members' to know."""
    if not await _is_member(session, request):
        return
    requester = await session.get_one(User, request.requester_id)
    workspace = await session.get_one(Workspace, request.workspace_id)
    details = {
        "name": requester.name,
        "workspace": workspace.name,
        "display_name": request.display_name,
        "reason": request.reason or "",
    }
    await mails.enqueue(session, call, kind, requester.email, details)
