"""The main job: connecting social accounts, or a typed answer that says what stands in the way."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
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
    HeldElsewhere,
    Resolution,
    conflict_with,
    find_conflicts,
)
from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.holders import Holder, Personal, Role, Workspace
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode, Problems
from graphql_api.domain.permissions import Action, may
from graphql_api.domain.platforms import Platform, SocialKey
from graphql_api.domain.refusals import Refused
from graphql_api.services.accounts import access_requests, access_tokens, holdings
from graphql_api.services.calls import access, retries
from graphql_api.services.calls.call import Call
from graphql_api.services.calls.retries import Retry
from graphql_api.services.history import recording
from graphql_api.storage import direct, tables
from graphql_api.storage.direct import NewClaim, NewLogin
from graphql_api.storage.rows import FacebookAccountRow, SocialAccountRow
from graphql_api.storage.statements import ClaimedRow, claim_social_accounts, upsert_facebook_account
from graphql_api.storage.tables import AccessRequest, FacebookAccount, SocialAccount


@dataclass(frozen=True, slots=True)
class ConnectCommand:
    """One call of `connectSocialAccounts`; without a workspace, for the viewer's Personal."""

    login: FacebookLogin
    claims: Sequence[Claim]
    workspace_id: UUID | None
    policy: ConflictPolicy
    idempotency_key: str | None = None

    def retry(self) -> Retry | None:
        """What tells a retry of this call; None when it came without a key."""
        if self.idempotency_key is None:
            return None
        login = self.login
        asked = [
            [login.facebook_user_id, login.access_token, login.location],
            [
                [one.instagram_user_id, one.display_name, one.profile_picture_url, one.access_token]
                for one in self.claims
            ],
            str(self.workspace_id or ""),
            self.policy,
        ]
        return Retry("connectSocialAccounts", self.idempotency_key, asked)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is told beside conflicts, as the viewer may see it: read in the transaction that found them."""

    workspaces: Mapping[UUID, tuple[tables.Workspace, Role]] = field(default_factory=dict)
    accounts: Mapping[str, SocialAccount] = field(default_factory=dict)
    pending: Mapping[tuple[UUID, str], AccessRequest] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConnectRefused(Refused[InvalidInput | Conflict]):
    """Nothing was connected."""

    surroundings: Surroundings = field(default_factory=Surroundings)


@dataclass(frozen=True, slots=True)
class Connected:
    """What one call connected, in input order, and (CONNECT_OTHERS) what it did not."""

    facebook_account: FacebookAccount | FacebookAccountRow
    accounts: Sequence[tuple[ConnectOutcome, SocialAccount | SocialAccountRow]]
    not_connected: Sequence[Conflict]
    surroundings: Surroundings


async def connect(call: Call, command: ConnectCommand) -> Connected | ConnectRefused:
    """Connect a Facebook account and any number of Instagram accounts to the viewer's place.

    First all input errors together, in input order; only if there are none, all conflicts together.
    """
    problems = Problems()
    check_login(problems, command.login)
    check_claims(problems, command.claims)
    # With a key there may be an earlier outcome to look for.
    is_usual = not problems and command.idempotency_key is None
    if is_usual and call.services.database.has_hot_statements:
        connected = await _connect_at_once(call, command)
        if connected is not None:
            return connected
    return await call.transact(lambda session: _connect(session, call, command, problems.found))


async def _connect_at_once(call: Call, command: ConnectCommand) -> Connected | None:
    """Connect to the viewer's place in one statement; None when nothing was written.

    Then something stands in the way, and the long way finds out what.
    """
    owner = Personal(call.viewer.user_id)
    place = owner if command.workspace_id is None else Workspace(command.workspace_id)
    connecting = direct.Connecting(
        user_id=owner.user_id,
        workspace_id=command.workspace_id,
        api_token_id=call.viewer.api_token_id,
        now=call.now,
        login=_new_login(call, command.login, owner),
        claims=[
            NewClaim(
                external_id=claim.instagram_user_id,
                display_name=claim.display_name,
                profile_picture_url=claim.profile_picture_url,
                access_token=access_tokens.seal_social_account(
                    call, claim.access_token, SocialKey(Platform.INSTAGRAM, claim.instagram_user_id), place
                ),
            )
            for claim in command.claims
        ],
        limit=call.services.rules.max_accounts_per_holder,
        request_id=call.request_id,
    )
    rows = await call.write_at_once(connecting, places={owner, place})
    connected = connecting.read(rows)
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


def _new_login(call: Call, login: FacebookLogin, owner: Personal) -> NewLogin:
    return NewLogin(
        new_id=uuid4(),
        facebook_user_id=login.facebook_user_id,
        location=login.location,
        access_token=access_tokens.seal_facebook_account(
            call, login.access_token, login.facebook_user_id, owner
        ),
    )


async def _connect(
    session: AsyncSession, call: Call, command: ConnectCommand, problems: Sequence[InvalidInput]
) -> Connected | ConnectRefused:
    viewer = await access.lock_viewer(session, call)
    retry = command.retry()
    recalled = await retries.recall(session, call, retry)
    if recalled.outcome is not None:
        return await _replay(session, call, command, recalled.outcome)
    place, used, refusal = await _place(session, call, command, viewer)
    problems = [*problems, *refusal, *filter(None, [recalled.problem])]
    if problems:
        return ConnectRefused(problems)
    conflicts = await _conflicts(session, call, command, place, used)
    if conflicts and _stops(command, conflicts):
        return ConnectRefused(conflicts, await surroundings_of(session, call, conflicts))

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
            return ConnectRefused(conflicts, await surroundings_of(session, call, conflicts))

    accounts = [
        (_outcome(taken[claim.instagram_user_id], minted), taken[claim.instagram_user_id])
        for claim in claims
        if claim.instagram_user_id in taken
    ]
    connected = sum(outcome is ConnectOutcome.CONNECTED for outcome, _ in accounts)
    await recording.record(
        session,
        call,
        [facebook_event, *(_event(place, outcome, account) for outcome, account in accounts)],
        held={place: connected},
    )
    done = Connected(
        facebook_account,
        accounts,
        [_as_of(conflict, used + connected) for conflict in conflicts],
        await surroundings_of(session, call, conflicts),
    )
    if retry is not None:
        await retries.remember(session, call, retry, _kept(done))
    return done


def _kept(done: Connected) -> dict[str, Any]:
    """What of a success is kept for its retries: outcomes and ids; of a conflict, where it stood."""
    return {
        "facebookAccount": str(done.facebook_account.id),
        "accounts": [[outcome, str(account.hold_id)] for outcome, account in done.accounts],
        "notConnected": [
            [conflict.claim.index, conflict.limit, conflict.used]
            if isinstance(conflict, AccountLimitReached)
            else [conflict.claim.index]
            for conflict in done.not_connected
        ],
    }


async def _replay(
    session: AsyncSession, call: Call, command: ConnectCommand, outcome: Mapping[str, Any]
) -> Connected | ConnectRefused:
    """What an earlier call with the same key connected, its objects as they are now."""
    facebook_account_id = UUID(outcome["facebookAccount"])
    hows = {UUID(hold_id): ConnectOutcome(how) for how, hold_id in outcome["accounts"]}
    logins = await access.facebook_accounts(session, call.viewer, [facebook_account_id])
    seen = await access.social_accounts(session, call.viewer, hows)
    if not logins or len(seen) < len(hows):
        return ConnectRefused([retries.gone()])
    conflicts = await _conflicts_again(session, call, command, outcome["notConnected"])
    return Connected(
        logins[facebook_account_id],
        [(how, seen[hold_id]) for hold_id, how in hows.items()],
        conflicts,
        await surroundings_of(session, call, conflicts),
    )


async def _conflicts_again(
    session: AsyncSession, call: Call, command: ConnectCommand, kept: Sequence[Sequence[int]]
) -> list[Conflict]:
    """Why the others were not connected, as far as the viewer may know it now.

    Who holds them is told anew, so that nothing is told of a place that the viewer has left meanwhile,
    and each resolution still is one.
    """
    viewer_id, claims = call.viewer.user_id, command.claims
    place = Personal(viewer_id) if command.workspace_id is None else Workspace(command.workspace_id)
    holdings_now = await holdings.of_instagram_accounts(
        session, call.viewer, [claims[index].instagram_user_id for index, *_ in kept]
    )
    conflicts: list[Conflict] = []
    for index, *limit_and_used in kept:
        claim = claims[index]
        holding = holdings_now.get(claim.instagram_user_id)
        if limit_and_used:
            conflicts.append(AccountLimitReached(claim, *limit_and_used))
            continue
        conflict = holding and conflict_with(claim, holding, viewer_id=viewer_id, place=place)
        conflicts.append(conflict or HeldElsewhere(claim))
    return conflicts


async def _place(
    session: AsyncSession, call: Call, command: ConnectCommand, viewer: tables.User
) -> tuple[Holder, int, Sequence[InvalidInput]]:
    """Where the accounts go, how many it holds, and why it may not be; its row is locked."""
    if command.workspace_id is None:
        return Personal(viewer.id), viewer.held_count, ()
    found = await access.lock_workspaces(session, call.viewer, [command.workspace_id])
    return in_workspace(command.workspace_id, found)


def in_workspace(
    workspace_id: UUID, found: Mapping[UUID, tuple[tables.Workspace, Role]]
) -> tuple[Holder, int, Sequence[InvalidInput]]:
    """A Workspace as the place of a claim, by what was found of it for the viewer."""
    place = Workspace(workspace_id)
    if workspace_id not in found:
        return place, 0, (_at_workspace(InvalidInputCode.NOT_FOUND, "There is no such Workspace"),)
    workspace, role = found[workspace_id]
    if not may(role, Action.CONNECT):
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
            display_name=claim.display_name,
            profile_picture_url=claim.profile_picture_url,
            access_token=access_tokens.seal_social_account(
                call, claim.access_token, SocialKey(Platform.INSTAGRAM, claim.instagram_user_id), place
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
    return NewEvent(place, kind, account.hold_id, {"display_name": account.display_name or ""})


def _as_of(conflict: Conflict, used: int) -> Conflict:
    """A limit is told with what the place holds as the answer is given."""
    return replace(conflict, used=used) if isinstance(conflict, AccountLimitReached) else conflict


async def surroundings_of(session: AsyncSession, call: Call, conflicts: Sequence[Conflict]) -> Surroundings:
    """The workspaces and accounts that the conflicts are about, where the viewer may see them."""
    workspace_ids = {c.workspace_id for c in conflicts if isinstance(c, HeldByWorkspace)}
    keys = {
        c.claim.instagram_user_id
        for c in conflicts
        if isinstance(c, HeldByPersonal) or (isinstance(c, HeldByWorkspace) and c.viewer_sees)
    }
    askable = {
        (c.workspace_id, c.claim.instagram_user_id)
        for c in conflicts
        if isinstance(c, HeldByWorkspace) and Resolution.REQUEST_ACCESS in c.resolutions
    }
    return Surroundings(
        await access.workspaces(session, call.viewer, workspace_ids) if workspace_ids else {},
        await holdings.held_accounts(session, call.viewer, keys) if keys else {},
        await access_requests.pending_of_viewer(session, call, askable) if askable else {},
    )
