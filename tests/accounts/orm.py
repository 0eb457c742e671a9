"""Connecting as one would write it with the ORM, row by row: the oracle of the statements that are fast.

It asks the same rules over the same facts, under locks that it takes first, and writes by itself.
"""

from collections import Counter
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, delete, select

from graphql_api.domain.claims import ConnectOutcome, check_claims, check_login
from graphql_api.domain.conflicts import AccountLimitReached, HeldElsewhere, judge
from graphql_api.domain.events import QUIET_AFTER_RECONNECT, EventKind, NewEvent
from graphql_api.domain.health import FIRST_CHECK_AFTER
from graphql_api.domain.holders import Holder, Personal, columns_of, holder_of
from graphql_api.domain.inputs import Problems
from graphql_api.services.accounts import access_tokens, connecting, holdings
from graphql_api.services.accounts.connecting import ConnectCommand, Connected, ConnectRefused
from graphql_api.services.calls import access, quotas
from graphql_api.services.calls.call import Call
from graphql_api.services.history import recording
from graphql_api.storage.database import rows_within
from graphql_api.storage.rows import FacebookAccountRow, SocialAccountRow, row_of
from graphql_api.storage.tables import Event, FacebookAccount, Share, SocialAccount


async def connect(call: Call, command: ConnectCommand) -> Connected | ConnectRefused:
    """What `connecting.connect` does, in one transaction of small steps."""
    problems = Problems()
    check_login(problems, command.login)
    check_claims(problems, command.claims)
    retry = command.retry()
    if problems or retry:
        raise NotImplementedError("the oracle takes usable input, and no keys")
    done = await call.transact(partial(_connect, call=call, command=command))
    told = done.problems if isinstance(done, ConnectRefused) else done.not_connected
    elsewhere = sum(isinstance(conflict, HeldElsewhere) for conflict in told)
    if elsewhere:
        await quotas.count_look_ups(call, elsewhere)
    return done


async def _connect(
    session: AsyncSession, *, call: Call, command: ConnectCommand
) -> Connected | ConnectRefused:
    rows, now = partial(rows_within, session), call.now
    await access.lock_viewer(session, call)
    keys = [claim.key for claim in command.claims]
    _, facts = await holdings.find(rows, call, command.workspace_id, keys)
    claimed_for = set() if command.workspace_id is None else {command.workspace_id}
    await access.lock_workspaces(session, call.viewer, claimed_for | set(facts.workspaces))
    standing, facts = await holdings.find(rows, call, command.workspace_id, keys)
    if standing.problem:
        return ConnectRefused([standing.problem])
    verdict = judge(
        command.claims,
        facts.holdings,
        viewer_id=call.viewer.user_id,
        place=standing.place,
        limit=call.services.rules.max_accounts_per_holder,
        used=standing.used,
        allow_move=command.allow_move,
    )
    if connecting._stops(command, verdict.conflicts):  # noqa: SLF001 - the same policy
        return ConnectRefused(verdict.conflicts, facts)
    place = standing.place
    events: list[NewEvent] = []
    held = Counter[Holder]()
    moved: set[UUID] = set()
    for claim in verdict.moves:
        account = await _held(session, claim)
        source = holder_of(account.holder_user_id, account.holder_workspace_id)
        assert source is not None
        await session.execute(delete(Share).where(col(Share.social_account_id) == account.id))
        about: dict[str, Any] = {"subject_name": account.display_name, "platform": account.platform}
        details = {"from": str(source), "to": str(place)}
        events += [
            NewEvent(there, EventKind.SOCIAL_ACCOUNT_MOVED, account.hold_id, details, **about)
            for there in (source, place)
        ]
        held[source] -= 1
        held[place] += 1
        moved.add(account.id)
    login, event = await _keep_login(session, call, command)
    if await _is_told(session, call, event.kind, login.id):
        events.append(event)
    refused = {conflict.claim.index for conflict in verdict.conflicts}
    accounts: list[tuple[ConnectOutcome, SocialAccount]] = []
    for claim in command.claims:
        if claim.index in refused:
            continue
        account = await _held(session, claim)
        is_new = account.hold_id is None
        user_id, workspace_id = columns_of(place)
        values = {
            "hold_id": account.hold_id or uuid4(),
            "holder_user_id": user_id,
            "holder_workspace_id": workspace_id,
            "display_name": claim.display_name,
            "display_name_key": claim.display_name.lower(),
            "profile_picture_url": claim.profile_picture_url,
            "facebook_account_id": login.id,
            "connected_by_id": call.viewer.user_id,
            "access_token": access_tokens.seal_social_account(call, claim.access_token, claim.key, place),
            "access_version": (account.access_version or 0) + 1,
            "health_since": now,
            "next_check_at": now + FIRST_CHECK_AFTER,
            "created_at": account.created_at or now,
            "updated_at": now,
        }
        for name, value in values.items():
            setattr(account, name, value)
        session.add(account)
        await session.flush()
        held[place] += is_new
        kind = EventKind.SOCIAL_ACCOUNT_CONNECTED if is_new else EventKind.SOCIAL_ACCOUNT_RECONNECTED
        if await _is_told(session, call, kind, account.hold_id):
            named: dict[str, Any] = {"subject_name": claim.display_name, "platform": claim.key.platform}
            events.append(NewEvent(place, kind, account.hold_id, **named))
        outcome = ConnectOutcome.CONNECTED if is_new else ConnectOutcome.RECONNECTED
        accounts.append((ConnectOutcome.MOVED if account.id in moved else outcome, account))
    await recording.record(session, call, events, held=held)
    added = sum(outcome is not ConnectOutcome.RECONNECTED for outcome, _ in accounts)
    return Connected(
        row_of(login, FacebookAccountRow),
        [(outcome, row_of(account, SocialAccountRow)) for outcome, account in accounts],
        [
            AccountLimitReached(one.claim, one.limit, one.used + added)
            if isinstance(one, AccountLimitReached)
            else one
            for one in verdict.conflicts
        ],
        facts,
    )


async def _is_told(session: AsyncSession, call: Call, kind: EventKind, subject_id: UUID | None) -> bool:
    """Not if the same user had the same told within the hour, when it is a reconnect."""
    if not kind.endswith("_RECONNECTED"):
        return True
    same = select(Event.id).where(
        Event.kind == kind,
        Event.subject_id == subject_id,
        Event.actor_id == call.viewer.user_id,
        Event.created_at > call.now - QUIET_AFTER_RECONNECT,
    )
    return (await session.scalars(same)).first() is None


async def _held(session: AsyncSession, claim: Any) -> SocialAccount:
    """The account's one row, locked; a new one where nobody ever connected it."""
    found = select(SocialAccount).where(
        SocialAccount.platform == claim.key.platform, SocialAccount.external_id == claim.key.external_id
    )
    account = (await session.scalars(found.with_for_update())).one_or_none()
    return account or SocialAccount(
        platform=claim.key.platform, external_id=claim.key.external_id, updated_at=claim.index
    )


async def _keep_login(
    session: AsyncSession, call: Call, command: ConnectCommand
) -> tuple[FacebookAccount, NewEvent]:
    owner, login, now = Personal(call.viewer.user_id), command.login, call.now
    found = select(FacebookAccount).where(
        FacebookAccount.user_id == owner.user_id, FacebookAccount.facebook_user_id == login.facebook_user_id
    )
    account = (await session.scalars(found)).one_or_none()
    kind = EventKind.FACEBOOK_ACCOUNT_RECONNECTED if account else EventKind.FACEBOOK_ACCOUNT_CONNECTED
    sealed = access_tokens.seal_facebook_account(call, login.access_token, login.facebook_user_id, owner)
    account = account or FacebookAccount(
        user_id=owner.user_id,
        facebook_user_id=login.facebook_user_id,
        location=None,
        access_token=sealed,
        created_at=now,
        updated_at=now,
    )
    account.location, account.access_token, account.updated_at = login.location, sealed, now
    account.health_since = now
    session.add(account)
    await session.flush()
    return account, NewEvent(owner, kind, account.id, subject_name=login.facebook_user_id)
