"""The main job: connecting social accounts, or a typed answer that says what stands in the way."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from graphql_api.domain.claims import (
    Claim,
    ConflictPolicy,
    ConnectOutcome,
    FacebookLogin,
    check_claims,
    check_login,
)
from graphql_api.domain.conflicts import (
    AccountLimitReached,
    Conflict,
    HeldByPersonal,
    HeldByWorkspace,
    find_conflicts,
)
from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.holders import Holder, Personal, Role, Workspace
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode, Problems
from graphql_api.domain.permissions import may_connect
from graphql_api.domain.refusals import Refused
from graphql_api.services import access, access_tokens, history, holdings
from graphql_api.services.call import Call
from graphql_api.storage import direct, tables
from graphql_api.storage.direct import AnyFacebookAccount, AnySocialAccount, NewLogin
from graphql_api.storage.statements import ClaimedRow, claim_social_accounts, upsert_facebook_account
from graphql_api.storage.tables import FacebookAccount, SocialAccount


@dataclass(frozen=True, slots=True)
class ConnectCommand:
    """One call of `connectSocialAccounts`; without a workspace, for the viewer's Personal."""

    login: FacebookLogin
    claims: Sequence[Claim]
    workspace_id: UUID | None
    policy: ConflictPolicy


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is told beside conflicts, as the viewer may see it: read in the transaction that found them."""

    workspaces: Mapping[UUID, tuple[tables.Workspace, Role]] = field(default_factory=dict)
    accounts: Mapping[str, SocialAccount] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConnectRefused(Refused[InvalidInput | Conflict]):
    """Nothing was connected."""

    surroundings: Surroundings = field(default_factory=Surroundings)


@dataclass(frozen=True, slots=True)
class Connected:
    """What one call connected, in input order, and (CONNECT_OTHERS) what it did not."""

    facebook_account: AnyFacebookAccount
    accounts: Sequence[tuple[ConnectOutcome, AnySocialAccount]]
    not_connected: Sequence[Conflict]
    surroundings: Surroundings


async def connect(call: Call, command: ConnectCommand) -> Connected | ConnectRefused:
    """Connect a Facebook account and any number of Instagram accounts to the viewer's place.

    First all input errors together, in input order; only if there are none, all conflicts together.
    """
    problems = Problems()
    check_login(problems, command.login)
    check_claims(problems, command.claims)
    if call.services.database.has_hot_statements and not problems and command.workspace_id is None:
        connected = await _connect_at_once(call, command)
        if connected is not None:
            return connected
    return await call.transact(lambda session: _connect(session, call, command, problems.found))


async def _connect_at_once(call: Call, command: ConnectCommand) -> Connected | None:
    """Connect to the viewer's Personal in one statement; None when nothing was written.

    Then something stands in the way, and the long way finds out what.
    """
    place = Personal(call.viewer.user_id)
    login = NewLogin(
        new_id=uuid4(),
        facebook_user_id=command.login.facebook_user_id,
        location=command.login.location,
        access_token=access_tokens.seal_facebook_account(
            call, command.login.access_token, command.login.facebook_user_id, place
        ),
    )
    rows = await call.write_at_once(
        direct.CONNECT_TO_PERSONAL,
        *direct.connect_arguments(
            user_id=place.user_id,
            api_token_id=call.viewer.api_token_id,
            now=call.now,
            login=login,
            claims=_rows(call, command.claims, place),
            limit=call.services.rules.max_accounts_per_holder,
            request_id=call.request_id,
        ),
        place=place,
    )
    connected = direct.read_connected(rows or ())
    if connected is None:
        return None
    return Connected(
        connected.facebook_account,
        [
            (ConnectOutcome.CONNECTED if is_new else ConnectOutcome.RECONNECTED, account)
            for is_new, account in connected.accounts
        ],
        not_connected=(),
        surroundings=Surroundings(),
    )


async def _connect(
    session: AsyncSession, call: Call, command: ConnectCommand, problems: Sequence[InvalidInput]
) -> Connected | ConnectRefused:
    viewer = await access.lock_viewer(session, call)
    place, used, refusal = await _place(session, call, command, viewer)
    if problems or refusal:
        return ConnectRefused([*problems, *refusal])
    conflicts = await _conflicts(session, call, command, place, used)
    if conflicts and _stops(command, conflicts):
        return ConnectRefused(conflicts, await _surroundings(session, call, conflicts))

    refused = {conflict.claim.index for conflict in conflicts}
    claims = [claim for claim in command.claims if claim.index not in refused]
    facebook_account, facebook_event = await _keep_login(session, call, command.login)
    taken, minted = await _claim(session, call, claims, place, facebook_account)
    lost = [claim for claim in claims if claim.instagram_user_id not in taken]
    if lost:
        # Somebody was faster between the check and the claim, whose row locks make this answer the last.
        conflicts = sorted(
            [*conflicts, *await _conflicts(session, call, command, place, used, only=lost)],
            key=lambda conflict: conflict.claim.index,
        )
        if _stops(command, conflicts):
            return ConnectRefused(conflicts, await _surroundings(session, call, conflicts))

    accounts = [
        (_outcome(taken[claim.instagram_user_id], minted), taken[claim.instagram_user_id])
        for claim in claims
        if claim.instagram_user_id in taken
    ]
    connected = sum(outcome is ConnectOutcome.CONNECTED for outcome, _ in accounts)
    await history.record(
        session,
        call,
        [facebook_event, *(_event(place, outcome, account) for outcome, account in accounts)],
        held={place: connected},
    )
    return Connected(
        facebook_account,
        accounts,
        [_as_of(conflict, used + connected) for conflict in conflicts],
        await _surroundings(session, call, conflicts),
    )


async def _place(
    session: AsyncSession, call: Call, command: ConnectCommand, viewer: tables.User
) -> tuple[Holder, int, Sequence[InvalidInput]]:
    """Where the accounts go, how many it holds, and why it may not be; its row is locked."""
    if command.workspace_id is None:
        return Personal(viewer.id), viewer.held_count, ()
    place = Workspace(command.workspace_id)
    found = await access.lock_workspaces(session, call.viewer, [command.workspace_id])
    if command.workspace_id not in found:
        return place, 0, (_at_workspace(InvalidInputCode.NOT_FOUND, "There is no such Workspace"),)
    workspace, role = found[command.workspace_id]
    if not may_connect(role):
        return (
            place,
            0,
            (_at_workspace(InvalidInputCode.NOT_ALLOWED, "Only an admin of the Workspace connects into it"),),
        )
    return place, workspace.held_count, ()


def _at_workspace(code: InvalidInputCode, message: str) -> InvalidInput:
    return InvalidInput(("input", "workspaceId"), code, message)


async def _conflicts(
    session: AsyncSession,
    call: Call,
    command: ConnectCommand,
    place: Holder,
    used: int,
    *,
    only: Sequence[Claim] | None = None,
) -> list[Conflict]:
    """What the rules say to the claims, over the holdings as they are now."""
    claims = command.claims if only is None else only
    if not claims:
        return []
    return find_conflicts(
        claims,
        await holdings.of_instagram_accounts(
            session, call.viewer, [claim.instagram_user_id for claim in claims]
        ),
        viewer_id=call.viewer.user_id,
        place=place,
        limit=call.services.rules.max_accounts_per_holder,
        used=used,
    )


def _stops(command: ConnectCommand, conflicts: Sequence[Conflict]) -> bool:
    """Do these conflicts end the whole call? CONNECT_OTHERS goes on while anything is left to connect."""
    if command.policy is ConflictPolicy.REJECT_ALL:
        return bool(conflicts)
    return len(conflicts) == len(command.claims) > 0


async def _keep_login(
    session: AsyncSession, call: Call, login: FacebookLogin
) -> tuple[FacebookAccount, NewEvent]:
    new_id, owner = uuid4(), Personal(call.viewer.user_id)
    account = await upsert_facebook_account(
        session,
        new_id=new_id,
        user_id=owner.user_id,
        facebook_user_id=login.facebook_user_id,
        location=login.location,
        access_token=access_tokens.seal_facebook_account(
            call, login.access_token, login.facebook_user_id, owner
        ),
        now=call.now,
    )
    kind = (
        EventKind.FACEBOOK_ACCOUNT_CONNECTED
        if account.id == new_id
        else EventKind.FACEBOOK_ACCOUNT_RECONNECTED
    )
    return account, NewEvent(owner, kind, account.id)


async def _claim(
    session: AsyncSession,
    call: Call,
    claims: Sequence[Claim],
    place: Holder,
    facebook_account: FacebookAccount,
) -> tuple[dict[str, SocialAccount], Collection[UUID]]:
    """Take what is free or ours; also returns the hold ids that were minted for it."""
    if not claims:
        return {}, ()
    rows = _rows(call, claims, place)
    taken = await claim_social_accounts(
        session,
        rows,
        holder=place,
        facebook_account_id=facebook_account.id,
        connected_by_id=call.viewer.user_id,
        now=call.now,
    )
    return taken, {row.new_hold_id for row in rows}


def _rows(call: Call, claims: Sequence[Claim], place: Holder) -> list[ClaimedRow]:
    return [
        ClaimedRow(
            external_id=claim.instagram_user_id,
            new_hold_id=uuid4(),
            username=claim.username,
            profile_picture_url=claim.profile_picture_url,
            access_token=access_tokens.seal_social_account(
                call, claim.access_token, claim.instagram_user_id, place
            ),
        )
        for claim in claims
    ]


def _outcome(account: SocialAccount, minted: Collection[UUID]) -> ConnectOutcome:
    return ConnectOutcome.CONNECTED if account.hold_id in minted else ConnectOutcome.RECONNECTED


def _event(place: Holder, outcome: ConnectOutcome, account: SocialAccount) -> NewEvent:
    kind = (
        EventKind.SOCIAL_ACCOUNT_CONNECTED
        if outcome is ConnectOutcome.CONNECTED
        else EventKind.SOCIAL_ACCOUNT_RECONNECTED
    )
    return NewEvent(place, kind, account.hold_id, {"username": account.username or ""})


def _as_of(conflict: Conflict, used: int) -> Conflict:
    """A limit is told with what the place holds as the answer is given."""
    return replace(conflict, used=used) if isinstance(conflict, AccountLimitReached) else conflict


async def _surroundings(session: AsyncSession, call: Call, conflicts: Sequence[Conflict]) -> Surroundings:
    """The workspaces and accounts that the conflicts are about, where the viewer may see them."""
    workspace_ids = {c.workspace_id for c in conflicts if isinstance(c, HeldByWorkspace)}
    keys = {
        c.claim.instagram_user_id
        for c in conflicts
        if isinstance(c, HeldByPersonal) or (isinstance(c, HeldByWorkspace) and c.viewer_sees)
    }
    return Surroundings(
        await access.workspaces(session, call.viewer, workspace_ids) if workspace_ids else {},
        await holdings.held_accounts(session, call.viewer, keys) if keys else {},
    )
