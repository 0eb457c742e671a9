"""Asking for access to a social account that a Workspace holds, and reading what was asked.

A request is for an account by the key that its requester knows it by. If the account leaves the Workspace,
the request stays pending: it cannot be granted until the account is back, but declined and withdrawn.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from graphql_api.domain import holders, inputs
from graphql_api.domain.access_requests import (
    MAX_MESSAGE,
    AccessRequestStatus,
    no_such_request,
    why_not_ask_for,
    why_not_ask_there,
    why_not_withdraw,
)
from graphql_api.domain.claims import Candidate, check_candidates
from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.holders import Holder
from graphql_api.domain.inputs import InvalidInput, Problems
from graphql_api.domain.mails import MailKind
from graphql_api.domain.permissions import ROLES, Action
from graphql_api.domain.platforms import Platform, SocialKey
from graphql_api.domain.refusals import Refused
from graphql_api.services.calls import access, mails, quotas
from graphql_api.services.calls.call import Call
from graphql_api.services.calls.pages import Page, PageRequest, PreparedList
from graphql_api.services.history import recording
from graphql_api.storage.database import rows_within
from graphql_api.storage.prepared import Prepared, one_of
from graphql_api.storage.rows import AccessRequestRow, SocialAccountRow, TeamRow, columns, row_of
from graphql_api.storage.tables import (
    AccessRequest,
    AccessRequestTeam,
    Membership,
    SocialAccount,
    Team,
    User,
    Workspace,
)

Outcome = AccessRequestRow | Refused[InvalidInput]
Asked = tuple[UUID, SocialKey]
"""What a request is for: an account, by its key, that this Workspace holds."""


@dataclass(frozen=True, slots=True)
class AskCommand:
    """One call of `requestSocialAccountAccess`; the admins read the name that the requester knows."""

    workspace_id: UUID
    account: Candidate
    message: str | None


async def ask(call: Call, command: AskCommand) -> Outcome:
    """Ask the admins of a Workspace for access to an account that it holds.

    Asking again returns the pending request, unchanged.

    Raises:
        RateLimited: the viewer asked too often.
    """
    problems = Problems()
    check_candidates(problems, [command.account])
    message = check_lines(problems, "message", command.message)
    await quotas.count_access_request(call)

    async def work(session: AsyncSession) -> Outcome:
        viewer = await access.lock_viewer(session, call)
        workspace, role = await access.lock_workspace(session, call, command.workspace_id)
        problem = why_not_ask_there(role)
        if problem or problems or workspace is None:
            return Refused([*([problem] if problem else ()), *problems.found])
        problem = await _why_not_ask_for(session, call, command)
        if problem:
            return Refused([problem])
        asked = _parts([(workspace.id, command.account.key)])
        pending = await rows_within(session, _PENDING, viewer_id=viewer.id, **asked)
        if pending:
            return pending[0]
        request = await _write(session, call, command, message)
        await recording.record(
            session, call, [event_of(holders.Workspace(workspace.id), EventKind.ACCESS_REQUESTED, request)]
        )
        await _mail_admins(session, call, request, requester=viewer, workspace=workspace)
        return request

    return await call.transact(work)


async def withdraw(call: Call, request_id: UUID) -> Outcome:
    """Take a pending request of the viewer's own back."""

    async def work(session: AsyncSession) -> Outcome:
        request, _ = await access.lock_access_request(session, call, request_id)
        if request is None:
            return Refused([no_such_request()])
        problem = why_not_withdraw(request.status, own=request.requester_id == call.viewer.user_id)
        if problem:
            return Refused([problem])
        place = holders.Workspace(request.workspace_id)
        request = await end(session, call, request, status=AccessRequestStatus.WITHDRAWN)
        await recording.record(session, call, [event_of(place, EventKind.ACCESS_REQUEST_WITHDRAWN, request)])
        return request

    return await call.transact(work)


async def page(
    call: Call,
    request: PageRequest,
    *,
    workspace_id: UUID | None = None,
    status: AccessRequestStatus | None,
    platforms: Collection[Platform],
) -> Page[AccessRequestRow]:
    """The viewer's own requests, or those to a Workspace that the viewer sees; the newest first."""
    wanted = {
        "statuses": list(AccessRequestStatus) if status is None else [status],
        "platforms": platforms,
    }
    viewer_id = call.viewer.user_id
    if workspace_id is None:
        return await _OWN.page(call, request, requester_id=viewer_id, **wanted)
    return await _TO_WORKSPACE.page(call, request, workspace_id=workspace_id, viewer_id=viewer_id, **wanted)


async def teams(call: Call, request_ids: Collection[UUID]) -> dict[UUID, list[TeamRow]]:
    """The teams that requests were granted for, by name, of Workspaces that the viewer belongs to."""
    granted: dict[UUID, list[TeamRow]] = {request_id: [] for request_id in request_ids}
    for request_id, team in await call.rows(_TEAMS, ids=request_ids, viewer_id=call.viewer.user_id):
        granted[request_id].append(team)
    return granted


async def accounts(call: Call, asked: Collection[Asked]) -> dict[Asked, SocialAccountRow]:
    """What requests are for, where the Workspace holds it and the viewer sees it."""
    found = await call.rows(_ACCOUNTS, viewer_id=call.viewer.user_id, **_parts(asked))
    return {
        (account.holder_workspace_id, SocialKey(account.platform, account.external_id)): account
        for account in found
        if account.holder_workspace_id is not None
    }


async def pending_of_viewer(call: Call, asked: Collection[Asked]) -> dict[Asked, AccessRequestRow]:
    """The viewer's pending requests for these accounts of these Workspaces."""
    found = await call.rows(_PENDING, viewer_id=call.viewer.user_id, **_parts(asked))
    return {
        (request.workspace_id, SocialKey(request.platform, request.external_id)): request for request in found
    }


async def close_satisfied(
    session: AsyncSession, call: Call, *, workspace_id: UUID, user_ids: Collection[UUID] | None = None
) -> list[NewEvent]:
    """Close the pending requests to a Workspace whose requesters see the social account by now.

    Of these users, or of all of them. Call it under the Workspace's lock, after a change of who sees what;
    the caller records the events that it returns. They are the Workspace's alone: the requester sees them
    there, and is not locked.
    """
    which = [col(AccessRequest.workspace_id) == workspace_id, access.requester_sees_account()]
    if user_ids is not None:
        which.append(col(AccessRequest.requester_id).in_(user_ids))
    status = AccessRequestStatus.CLOSED
    closed = await _end_pending(session, call, which, status=status, decided_at=call.now)
    place = holders.Workspace(workspace_id)
    return [event_of(place, EventKind.ACCESS_REQUEST_CLOSED, request) for request in closed]


async def withdraw_all(
    session: AsyncSession, call: Call, *, workspace_id: UUID, requester_id: UUID
) -> list[NewEvent]:
    """Withdraw the pending requests of a member who leaves the Workspace, which is locked; the events."""
    which = [
        col(AccessRequest.workspace_id) == workspace_id,
        col(AccessRequest.requester_id) == requester_id,
    ]
    withdrawn = await _end_pending(session, call, which, status=AccessRequestStatus.WITHDRAWN)
    place = holders.Workspace(workspace_id)
    return [event_of(place, EventKind.ACCESS_REQUEST_WITHDRAWN, request) for request in withdrawn]


async def end(
    session: AsyncSession, call: Call, request: AccessRequestRow, **values: object
) -> AccessRequestRow:
    """End a pending request, the Workspace of which is locked; returns it as it now is."""
    (ended,) = await _end_pending(session, call, [col(AccessRequest.id) == request.id], **values)
    return ended


def event_of(place: Holder, kind: EventKind, request: AccessRequestRow) -> NewEvent:
    """What happened to a request, in the history of a place."""
    return NewEvent(place, kind, request.id, subject_name=request.display_name, platform=request.platform)


def check_lines(problems: Problems, name: str, value: str | None) -> str | None:
    """A text of several lines; nothing but white space is none."""
    text = inputs.check_text(
        problems, ("input", name), value or "", longest=MAX_MESSAGE, required=False, lines=True
    )
    return text or None


async def _end_pending(
    session: AsyncSession, call: Call, which: Sequence[sa.ColumnElement[bool]], **values: object
) -> list[AccessRequestRow]:
    """End those of the pending requests; returns them as they now are."""
    ended = await session.execute(
        sa.update(AccessRequest)
        .where(col(AccessRequest.status) == AccessRequestStatus.PENDING, *which)
        .values(updated_at=call.now, **values)
        .returning(*columns(AccessRequest, AccessRequestRow))
        .execution_options(synchronize_session=False)
    )
    return [AccessRequestRow(*row) for row in ended]


async def _why_not_ask_for(session: AsyncSession, call: Call, command: AskCommand) -> InvalidInput | None:
    """What keeps the viewer from asking for this account, by what the Workspace holds and they see?"""
    sees = sa.select(access.sees_social_account(call.viewer)).where(
        col(SocialAccount.platform) == command.account.key.platform,
        col(SocialAccount.external_id) == command.account.key.external_id,
        col(SocialAccount.holder_workspace_id) == command.workspace_id,
    )
    found = (await session.execute(sees)).one_or_none()
    return why_not_ask_for(held=found is not None, sees=found is not None and bool(found[0]))


async def _write(
    session: AsyncSession, call: Call, command: AskCommand, message: str | None
) -> AccessRequestRow:
    request = AccessRequest(
        id=uuid4(),
        workspace_id=command.workspace_id,
        requester_id=call.viewer.user_id,
        platform=command.account.key.platform,
        external_id=command.account.key.external_id,
        display_name=command.account.display_name,
        message=message,
        status=AccessRequestStatus.PENDING,
        created_at=call.now,
        updated_at=call.now,
    )
    session.add(request)
    await session.flush()
    return row_of(request, AccessRequestRow)


async def _mail_admins(
    session: AsyncSession, call: Call, request: AccessRequestRow, *, requester: User, workspace: Workspace
) -> None:
    """Mail every member of the Workspace who may answer."""
    details = {
        "workspace": workspace.name,
        "display_name": request.display_name,
        "requester": requester.name,
        "message": request.message or "",
    }
    answering = (
        sa.select(col(User.email), col(User.name))
        .join(Membership, col(Membership.user_id) == col(User.id))
        .where(
            col(Membership.workspace_id) == workspace.id,
            col(Membership.role).in_(ROLES[Action.ANSWER_REQUESTS]),
        )
        .order_by(col(User.id))
    )
    for email, name in (await session.execute(answering)).all():
        await mails.enqueue(session, call, MailKind.ACCESS_REQUESTED, email, {"name": name, **details})


def _parts(asked: Iterable[Asked]) -> dict[str, list[Any]]:
    """The values of `_is_asked`."""
    workspace_ids, keys = zip(*asked, strict=True)
    platforms, external_ids = zip(*keys, strict=True)
    return {
        "workspace_ids": list(workspace_ids),
        "platforms": list(platforms),
        "external_ids": list(external_ids),
    }


def _is_asked(workspace_id: Any, platform: Any, external_id: Any) -> sa.ColumnElement[bool]:
    """May this be asked for? Those who read it look the pairs up by their keys; another pair harms nobody."""
    return sa.and_(
        one_of(workspace_id, "workspace_ids"),
        one_of(platform, "platforms"),
        one_of(external_id, "external_ids"),
    )


def _granted_team(request_id: UUID, *team: Any) -> tuple[UUID, TeamRow]:
    return request_id, TeamRow(*team)


_LISTED = sa.select(*columns(AccessRequest, AccessRequestRow)).where(
    one_of(col(AccessRequest.status), "statuses"), one_of(col(AccessRequest.platform), "platforms")
)
_ORDER = [col(AccessRequest.created_at), col(AccessRequest.id)]
_OWN = PreparedList(
    _LISTED,
    AccessRequestRow,
    within={"requester_id": col(AccessRequest.requester_id)},
    order=_ORDER,
    descending=True,
)
_TO_WORKSPACE = PreparedList(
    _LISTED.where(access.sees_access_request(access.SOMEBODY)),
    AccessRequestRow,
    within={"workspace_id": col(AccessRequest.workspace_id)},
    order=_ORDER,
    descending=True,
)
_TEAMS = Prepared(
    sa.select(col(AccessRequestTeam.access_request_id), *columns(Team, TeamRow))
    .join(Team, col(Team.id) == col(AccessRequestTeam.team_id))
    .where(
        one_of(col(AccessRequestTeam.access_request_id), "ids"),
        access.sees_team(access.SOMEBODY),
    )
    .order_by(col(Team.name), col(Team.id)),
    _granted_team,
)
_ACCOUNTS = Prepared(
    sa.select(*columns(SocialAccount, SocialAccountRow)).where(
        _is_asked(
            col(SocialAccount.holder_workspace_id),
            col(SocialAccount.platform),
            col(SocialAccount.external_id),
        ),
        access.sees_social_account(access.SOMEBODY),
    ),
    SocialAccountRow,
)
_PENDING = Prepared(
    sa.select(*columns(AccessRequest, AccessRequestRow)).where(
        _is_asked(
            col(AccessRequest.workspace_id), col(AccessRequest.platform), col(AccessRequest.external_id)
        ),
        col(AccessRequest.requester_id) == access.SOMEBODY.user_id,
        col(AccessRequest.status) == AccessRequestStatus.PENDING,
    ),
    AccessRequestRow,
)
