"""Asking for the transfer of a social account that another place holds, and answering.

The asker proves that they control the account. Then Meta is asked about the holder's side, which says who
decides. Both answers come before the transaction. They count only if the hold is the one that was read.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.adapters.graph.client import GraphClient
from graphql_api.domain.claims import Claim, FacebookLogin, check_login, check_one_claim
from graphql_api.domain.conflicts import (
    AccessTokenRejected,
    HeldByPersonal,
    HeldByWorkspace,
    HeldElsewhere,
    conflict_with,
)
from graphql_api.domain.holders import Holder, Personal
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode, Problems
from graphql_api.domain.permissions import Action, may
from graphql_api.domain.proofs import AccessTokenProblem, Control, LoginRejected, Trouble
from graphql_api.domain.refusals import Refused
from graphql_api.domain.transfers import (
    OPEN,
    HolderSide,
    State,
    TransferRequestAction,
    TransferRequestStatus,
    accepted,
    ended,
    no_such_request,
    opened,
    why_not,
    why_not_again,
)
from graphql_api.services.accounts import holder_side, holdings, proving, transfer_requests
from graphql_api.services.accounts.holder_side import Held
from graphql_api.services.accounts.holdings import Facts
from graphql_api.services.accounts.social_accounts import place_of
from graphql_api.services.accounts.transfer_requests import Shown
from graphql_api.services.calls import access
from graphql_api.services.calls.call import Call
from graphql_api.storage.faults import ChangedMeanwhile
from graphql_api.storage.tables import SocialAccount, TransferRequest

_INPUT = ("input",)
Problem = InvalidInput | HeldByPersonal | HeldByWorkspace | LoginRejected | AccessTokenRejected


@dataclass(frozen=True, slots=True)
class TransferRefused(Refused[Problem]):
    """Nothing was asked for."""

    facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True, slots=True)
class _Ask:
    """What is asked for: the account, the login that proves control of it, and the hold that was read."""

    claim: Claim
    control: Control
    login: str
    held: Held
    side: HolderSide


async def ask(call: Call, login: FacebookLogin, claims: Sequence[Claim]) -> Shown | TransferRefused:
    """Ask for the transfer of an account. Asking again returns the open request, unchanged.

    Raises:
        RateLimited: Meta was asked too often for the viewer or the login.
    """
    problems = Problems()
    check_login(problems, login)
    check_one_claim(problems, claims)
    meta = call.services.meta
    not_now = await _why_not_now(call)
    if problems or not_now or meta is None:
        return TransferRefused([*filter(None, [not_now]), *problems.found])
    (claim,) = claims
    proven = await proving.prove(call, meta, login, claims)
    if isinstance(proven, Trouble):
        return TransferRefused([LoginRejected(("input", "facebookAccount", "accessToken"), proven)])
    control = proven.controls.get(claim.index)
    if control is None:
        return TransferRefused(proven.rejected)
    claim.display_name = control.display_name or claim.display_name
    if not control.manages:
        trouble = Trouble(AccessTokenProblem.ROLE_TOO_WEAK)
        return TransferRefused([AccessTokenRejected(claim, trouble, done="asked for")])
    refused = await _why_not_this(call, claim)
    if refused is not None:
        return refused
    held = await call.read(lambda session: holder_side.read(session, call, [claim.key]))
    if not held:
        return TransferRefused([_free(claim)])
    give_up_at = time.monotonic() + proving.DEADLINE
    side = await holder_side.ask(meta, held[0], asker=proven.login.facebook_user_id, give_up_at=give_up_at)
    asked = _Ask(claim, control, proven.login.facebook_user_id, held[0], side)
    return await call.transact(partial(_write, call=call, meta=meta, asked=asked))


async def _why_not_now(call: Call) -> InvalidInput | None:
    """What keeps the viewer from asking for anything at all?"""
    message = None
    if call.services.meta is None:
        message = "This server does not ask Meta who controls an account, so there are no transfers"
    elif call.services.rules.transfers_paused:
        message = "Transfers are paused on this server"
    else:
        user = (await access.users(call, [call.viewer.user_id])).get(call.viewer.user_id)
        if user is None or user.email_verified_at is None:
            message = "Verify your e-mail address first: the holder is told whom to answer"
    return None if message is None else InvalidInput(_INPUT, InvalidInputCode.NOT_ALLOWED, message)


async def _why_not_this(call: Call, claim: Claim) -> TransferRefused | None:
    """What else could the viewer do: connect it, reconnect it, or move it?"""
    _, facts = await holdings.find(call.rows, call, None, [claim.key])
    holding = facts.holdings.get(claim.key)
    if holding is None:
        return TransferRefused([_free(claim)])
    viewer_id = call.viewer.user_id
    if holding.holder == Personal(viewer_id):
        return TransferRefused([HeldByPersonal(claim)], facts)
    conflict = conflict_with(claim, holding, viewer_id=viewer_id, place=Personal(viewer_id))
    if isinstance(conflict, HeldByWorkspace) and may(conflict.viewer_role, Action.MOVE):
        return TransferRefused([conflict], facts)
    if isinstance(conflict, HeldByWorkspace) and conflict.viewer_sees:
        message = "You can see this social account: reconnect it where it is"
        return TransferRefused([InvalidInput(claim.path, InvalidInputCode.DUPLICATE, message)])
    assert isinstance(conflict, HeldByWorkspace | HeldElsewhere)  # noqa: S101 - what is left
    return None


def _free(claim: Claim) -> InvalidInput:
    return InvalidInput(
        claim.path, InvalidInputCode.NOT_FOUND, "Nobody holds this social account: connect it"
    )


async def _write(
    session: AsyncSession, *, call: Call, meta: GraphClient, asked: _Ask
) -> Shown | TransferRefused:
    """Keep the request, if the hold is the one that Meta was asked about.

    Raises:
        ChangedMeanwhile: somebody connected, moved or disconnected the account.
    """
    claim = asked.claim
    holder = await _holder(session, asked)
    await access.lock_places(session, call, [Personal(call.viewer.user_id), holder])
    if await _holder(session, asked) != holder:
        raise ChangedMeanwhile
    open_ones = [
        await transfer_requests.known(session, one.id) for one in await _of_login(session, asked, *OPEN)
    ]
    for one in open_ones:
        if one.state(call).is_open and one.row.requester_id == call.viewer.user_id:
            return transfer_requests.shown(call, one)
        if one.state(call).is_open:
            message = "Somebody with this Facebook login has asked for the account already"
            return TransferRefused([InvalidInput(claim.path, InvalidInputCode.DUPLICATE, message)])
        await transfer_requests.write(session, call, one, one.state(call))
    earlier = await _of_login(session, asked, TransferRequestStatus.DECLINED, TransferRequestStatus.CLOSED)
    now, times = call.now, call.services.rules.transfer_times
    declined_at = next((one.since for one in earlier if one.status is TransferRequestStatus.DECLINED), None)
    again = why_not_again(declined_at, asked.side, claim.path, now=now, times=times)
    if again is not None:
        return TransferRefused([again])
    is_recent = bool(earlier) and earlier[0].since > now - times.notice
    notice_at = earlier[0].notice_at if is_recent else None
    state = opened(asked.side, now=now, times=times, notice_at=notice_at)
    request = TransferRequest(
        id=uuid4(),
        requester_id=call.viewer.user_id,
        platform=claim.key.platform,
        external_id=claim.key.external_id,
        hold_id=asked.held.hold_id,
        display_name=claim.display_name,
        facebook_user_id=asked.login,
        proof_source=meta.source,
        status=state.status,
        since=state.since,
        decides_at=state.decides_at,
        created_at=now,
        updated_at=now,
    )
    return transfer_requests.shown(call, await transfer_requests.begin(session, call, request))


async def _holder(session: AsyncSession, asked: _Ask) -> Holder:
    """Who holds the account now, as it was when Meta was asked.

    Raises:
        ChangedMeanwhile: the hold is another one, or has another access token.
    """
    statement = select(SocialAccount).where(
        SocialAccount.hold_id == asked.held.hold_id, SocialAccount.access_version == asked.held.version
    )
    account = (await session.scalars(statement.execution_options(populate_existing=True))).one_or_none()
    if account is None:
        raise ChangedMeanwhile
    return place_of(account)


async def _of_login(
    session: AsyncSession, asked: _Ask, *statuses: TransferRequestStatus
) -> list[TransferRequest]:
    """The requests for this account with this login, the newest first."""
    statement = (
        select(TransferRequest)
        .where(
            TransferRequest.platform == asked.claim.key.platform,
            TransferRequest.external_id == asked.claim.key.external_id,
            TransferRequest.facebook_user_id == asked.login,
            col(TransferRequest.status).in_(statuses),
        )
        .order_by(col(TransferRequest.updated_at).desc())
    )
    return list((await session.scalars(statement)).all())


async def accept(call: Call, request_id: UUID) -> Shown | Refused[InvalidInput]:
    """Let the asker connect the account; until they do, it stays where it is."""
    if call.services.rules.transfers_paused:
        message = "Transfers are paused on this server"
        return Refused([InvalidInput(_INPUT, InvalidInputCode.NOT_ALLOWED, message)])
    state = accepted(now=call.now, times=call.services.rules.transfer_times)
    return await _answer(call, request_id, TransferRequestAction.ACCEPT, state)


async def decline(call: Call, request_id: UUID) -> Shown | Refused[InvalidInput]:
    """Keep the account."""
    state = ended(TransferRequestStatus.DECLINED, now=call.now)
    return await _answer(call, request_id, TransferRequestAction.DECLINE, state)


async def withdraw(call: Call, request_id: UUID) -> Shown | Refused[InvalidInput]:
    """Take a request of the viewer's own back."""
    state = ended(TransferRequestStatus.WITHDRAWN, now=call.now)
    return await _answer(call, request_id, TransferRequestAction.WITHDRAW, state)


async def _answer(
    call: Call, request_id: UUID, action: TransferRequestAction, state: State
) -> Shown | Refused[InvalidInput]:
    async def work(session: AsyncSession) -> Shown | Refused[InvalidInput]:
        known = await transfer_requests.lock(session, call, request_id)
        if known is None:
            return Refused([no_such_request()])
        is_asker = known.row.requester_id == call.viewer.user_id
        problem = why_not(action, known.state(call), is_asker=is_asker)
        if problem is not None:
            return Refused([problem])
        after = await transfer_requests.write(session, call, known, state)
        return transfer_requests.shown(call, after)

    return await call.transact(work)
