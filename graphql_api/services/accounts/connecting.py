"""The main job: connecting social accounts, or a typed answer that says what stands in the way.

One way, whatever is asked: check the input, ask Meta who controls the accounts, write everything at once, and
only if nothing was written find out why. Then the call is a retry, or it is refused, or the rest of it is
written by the same statement.
"""

import asyncio
import random
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from graphql_api.domain import holders
from graphql_api.domain.claims import (
    Candidate,
    Claim,
    ConflictPolicy,
    ConnectOutcome,
    FacebookLogin,
    check_claims,
    check_login,
)
from graphql_api.domain.conflicts import (
    NO_REACH,
    AccessTokenRejected,
    AccountLimitReached,
    Block,
    HeldByWorkspace,
    HeldElsewhere,
    Reach,
    Resolution,
    conflict_with,
    judge,
    strays,
)
from graphql_api.domain.faults import TemporarilyUnavailable
from graphql_api.domain.holders import Holder, Personal, Role
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode, Problems
from graphql_api.domain.permissions import ROLES, Action
from graphql_api.domain.platforms import SocialKey
from graphql_api.domain.proofs import AccessTokenProblem, Control, LoginRejected, Trouble
from graphql_api.domain.refusals import Refused
from graphql_api.services.accounts import (
    access_requests,
    access_tokens,
    holdings,
    moving,
    proving,
    taking_over,
    transfer_requests,
)
from graphql_api.services.accounts.holdings import Facts, Standing
from graphql_api.services.accounts.proving import Proven
from graphql_api.services.calls import access, quotas, retries
from graphql_api.services.calls.call import Call
from graphql_api.services.calls.retries import ReadRows, Recalled, Retry
from graphql_api.storage.claiming import ClaimedRows, Claiming, NewClaim, NewKey, NewLogin, NewProof
from graphql_api.storage.database import rows_within
from graphql_api.storage.faults import ChangedMeanwhile
from graphql_api.storage.hot import run_within
from graphql_api.storage.rows import FacebookAccountRow, SocialAccountRow

OPERATION = "connectSocialAccounts"
PATIENCE = 5.0  # seconds in which a call that lost a race is written again


@dataclass(frozen=True, slots=True)
class ConnectCommand:
    """One call of `connectSocialAccounts`; without a workspace, for the viewer's Personal."""

    login: FacebookLogin
    claims: Sequence[Claim]
    workspace_id: UUID | None
    policy: ConflictPolicy
    allow_move: bool = False
    idempotency_key: str | None = None

    def retry(self) -> Retry | None:
        """What tells a retry of this call; None when it came without a key."""
        if self.idempotency_key is None:
            return None
        login = self.login
        asked = [
            [login.facebook_user_id, login.access_token, login.location],
            [[*one.key, one.display_name, one.profile_picture_url, one.access_token] for one in self.claims],
            str(self.workspace_id or ""),
            self.policy,
            self.allow_move,
        ]
        return Retry(OPERATION, self.idempotency_key, asked)


@dataclass(frozen=True, slots=True)
class ConnectRefused(Refused[InvalidInput | LoginRejected | Block]):
    """Nothing was connected."""

    facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True, slots=True)
class Connected:
    """What one call connected, in input order, and (CONNECT_OTHERS) what it did not."""

    facebook_account: FacebookAccountRow
    accounts: Sequence[tuple[ConnectOutcome, SocialAccountRow]]
    not_connected: Sequence[Block]
    facts: Facts


async def connect(call: Call, command: ConnectCommand) -> Connected | ConnectRefused:
    """Connect a Facebook account and any number of social accounts to the viewer's place.

    First all input errors together, in input order; only if there are none, what Meta refuses and all
    conflicts together.

    Raises:
        RateLimited: the viewer wrote too much, too many accounts were reported to them as held elsewhere, or
            Meta was asked too often for them.
        TemporarilyUnavailable: others kept claiming the same accounts.
    """
    retry = command.retry()
    problems = Problems()
    check_login(problems, command.login)
    check_claims(problems, command.claims)
    if problems or (retry and retries.check_key(retry)):
        return await _refuse_input(call, command, retry, problems.found)
    proven: Proven | None = None
    if call.services.meta is not None:
        outcome = await _prove(call, command, retry)
        if not isinstance(outcome, Proven):
            return outcome
        proven = outcome
    await quotas.count_writes(call, 1 + len(command.claims))
    asked = _Asked(call, command, retry, proven)
    give_up_at = time.monotonic() + PATIENCE
    while time.monotonic() < give_up_at:
        written = None if _stops(command, asked.blocks) else await asked.write()
        if written is not None:
            facts = await with_pending(call, asked.facts, asked.blocks)
            return _connected(written, asked.blocks, facts)
        answer = await _find_out_why(asked)
        if answer is not None:
            return answer
    raise TemporarilyUnavailable


async def _prove(
    call: Call, command: ConnectCommand, retry: Retry | None
) -> Proven | Connected | ConnectRefused:
    """What Meta says; or the answer, if there is one without asking it."""
    assert call.services.meta is not None  # noqa: S101 - the caller has looked
    standing, _ = await holdings.find(call.rows, call, command.workspace_id, ())
    recalled = await retries.recall(call.rows, call, retry)
    if recalled.outcome is not None:
        standing, facts = await holdings.find(
            call.rows, call, command.workspace_id, [claim.key for claim in command.claims]
        )
        return await _replay(call, command, standing, facts, recalled.outcome)
    refusals = _refusals(call, command, standing, recalled)
    if refusals:
        return ConnectRefused(refusals)
    proven = await proving.prove(call, call.services.meta, command.login, command.claims)
    if isinstance(proven, Trouble):
        return ConnectRefused([LoginRejected(("input", "facebookAccount", "accessToken"), proven)])
    for claim in command.claims:
        control = proven.controls.get(claim.index)
        if control is not None:  # what it is called is Meta's to say
            claim.display_name = control.display_name or claim.display_name
            claim.profile_picture_url = control.profile_picture_url or claim.profile_picture_url
    return proven


async def _find_out_why(asked: "_Asked") -> Connected | ConnectRefused | None:
    """Answer a call that wrote nothing; None if it is to be written again, without its conflicts."""
    call, command, retry = asked.call, asked.command, asked.retry
    standing, facts = await asked.find(call.rows)
    recalled = await retries.recall(call.rows, call, retry)
    if recalled.outcome is not None:
        return await _replay(call, command, standing, facts, recalled.outcome)
    refusals = _refusals(call, command, standing, recalled)
    if refusals:
        return ConnectRefused(refusals)
    if recalled.expired and retry is not None:
        await call.transact(partial(retries.forget, call=call, retry=retry), repeatable=True)
    not_allowed = asked.judge(standing, facts)
    if not_allowed:
        return ConnectRefused(not_allowed)
    await asked.count_look_ups()
    if _stops(command, asked.blocks):
        return ConnectRefused(asked.blocks, await with_pending(call, asked.facts, asked.blocks))
    if asked.takes:
        await asked.ask_holders()
        if _stops(command, asked.blocks):
            return ConnectRefused(asked.blocks, await with_pending(call, asked.facts, asked.blocks))
    if asked.moves or asked.takes or standing.reconnects_only:
        return await call.transact(partial(_connect_under_locks, asked=asked), repeatable=retry is not None)
    if not asked.blocks:
        await asyncio.sleep(random.uniform(0.005, 0.02))  # noqa: S311 - jitter, after a lost race
    return None


async def _refuse_input(
    call: Call, command: ConnectCommand, retry: Retry | None, problems: Sequence[InvalidInput]
) -> ConnectRefused:
    """Refuse wrong input, together with what is wrong with the place and the key."""
    standing, _ = await holdings.find(call.rows, call, command.workspace_id, ())
    recalled = await retries.recall(call.rows, call, retry)
    return ConnectRefused([*problems, *_refusals(call, command, standing, recalled)])


def _refusals(
    call: Call, command: ConnectCommand, standing: Standing, recalled: Recalled
) -> list[InvalidInput]:
    """What is wrong with the place and the key. A creator may reconnect what Meta says that they control."""
    may_reconnect = standing.reconnects_only and command.claims and call.services.meta is not None
    place = None if may_reconnect else standing.problem
    return [problem for problem in (place, recalled.problem) if problem]


@dataclass(slots=True)
class _Asked:
    """A call that is to be written, and what is known of it so far; its access tokens are sealed once."""

    call: Call
    command: ConnectCommand
    retry: Retry | None
    proven: Proven | None
    facts: Facts = field(default_factory=Facts)
    blocks: Sequence[Block] = field(init=False)
    moves: Sequence[Candidate] = ()
    takes: Sequence[Candidate] = ()
    holders_asked: taking_over.Asked = field(default_factory=taking_over.Asked)
    reported: int = 0
    login: NewLogin = field(init=False)
    claims: dict[int, NewClaim] = field(init=False)

    def __post_init__(self) -> None:
        call, command, owner = self.call, self.command, Personal(self.call.viewer.user_id)
        proven, login = self.proven, command.login
        controls = proven.controls if proven else {}
        self.blocks = proven.rejected if proven else ()
        self.login = NewLogin(
            new_id=uuid4(),
            facebook_user_id=login.facebook_user_id,
            location=login.location,
            access_token=access_tokens.seal_facebook_account(
                call,
                proven.login.long_lived.access_token if proven else login.access_token,
                login.facebook_user_id,
                owner,
            ),
        )
        place = self.place
        self.claims = {
            claim.index: NewClaim(
                platform=claim.key.platform,
                external_id=claim.key.external_id,
                display_name=claim.display_name,
                display_name_key=claim.display_name.lower(),
                profile_picture_url=claim.profile_picture_url,
                facebook_page_id=control.page_id if control else None,
                access_token=access_tokens.seal_social_account(
                    call, control.access_token if control else claim.access_token, claim.key, place
                ),
            )
            for claim in command.claims
            if (control := controls.get(claim.index)) or proven is None
        }

    @property
    def place(self) -> Holder:
        """Where the accounts go."""
        workspace_id = self.command.workspace_id
        return Personal(self.call.viewer.user_id) if workspace_id is None else holders.Workspace(workspace_id)

    async def write(self) -> ClaimedRows | None:
        """Write everything that has no conflict in one statement; None when nothing was written."""
        statement = self.statement(self.retry, ROLES[Action.CONNECT])
        places = {Personal(self.call.viewer.user_id), self.place}
        return statement.read(await self.call.write_at_once(statement, places=places))

    async def find(self, rows: ReadRows) -> tuple[Standing, Facts]:
        """How the viewer stands in the place, and who holds the accounts now.

        What Meta refused is not looked up: the answer is the same, whether it is held or free.
        """
        command = self.command
        keys = [claim.key for claim in command.claims if claim.index in self.claims]
        standing, facts = await holdings.find(rows, self.call, command.workspace_id, keys)
        transfers = await transfer_requests.open_of_viewer(rows, self.call, keys)
        return standing, replace(facts, transfers=transfers)

    def judge(self, standing: Standing, facts: Facts) -> Sequence[InvalidInput | AccessTokenRejected]:
        """What the rules say to the claims that Meta did not refuse: kept as `blocks` and `moves`.

        Returned is what a creator may not do, with what Meta refused, where that ends the call.
        """
        call, command = self.call, self.command
        controls = self.proven.controls.values() if self.proven else ()
        rejected = [*(self.proven.rejected if self.proven else ()), *self.holders_asked.unclear]
        unclear = {one.claim.index for one in self.holders_asked.unclear}
        claims = [
            claim for claim in command.claims if claim.index in self.claims and claim.index not in unclear
        ]
        self.facts = facts
        if standing.reconnects_only:
            self.blocks, self.moves, self.takes = rejected, (), ()
            return _not_allowed(rejected, strays(claims, facts.holdings, place=standing.place))
        verdict = judge(
            claims,
            facts.holdings,
            viewer_id=call.viewer.user_id,
            place=standing.place,
            limit=call.services.rules.max_accounts_per_holder,
            used=standing.used,
            allow_move=command.allow_move,
            reach=reach_of(call, controls, facts),
        )
        self.blocks = sorted([*rejected, *verdict.conflicts], key=lambda block: block.claim.index)
        self.moves, self.takes = verdict.moves, verdict.takes
        return ()

    async def ask_holders(self) -> None:
        """Ask Meta about the holders of what is to be taken over, and judge again by what it says."""
        meta = self.call.services.meta
        assert meta is not None  # noqa: S101 - without Meta nothing is granted
        self.holders_asked = await taking_over.ask_holders(self.call, meta, self.takes, self.facts.transfers)
        self.judge(*await self.find(self.call.rows))

    async def count_look_ups(self) -> None:
        """Count each account that is reported as held elsewhere, once.

        Raises:
            RateLimited: these would be more than an hour has.
        """
        elsewhere = sum(isinstance(block, HeldElsewhere) for block in self.blocks)
        if elsewhere > self.reported:
            await quotas.count_look_ups(self.call, elsewhere - self.reported)
            self.reported = elsewhere

    def statement(self, retry: Retry | None, roles: Collection[Role]) -> Claiming:
        """The statement that connects what has no conflict, and keeps the key with it."""
        call, command = self.call, self.command
        refused = {block.claim.index for block in self.blocks}
        key, now = NewKey(OPERATION), call.now
        if retry is not None:
            key = retries.new_key(call, retry, now=now, not_connected=_kept_blocks(self.blocks))
        return Claiming(
            user_id=call.viewer.user_id,
            workspace_id=command.workspace_id,
            api_token_id=call.viewer.api_token_id,
            now=now,
            login=self.login,
            claims=[claim for index, claim in self.claims.items() if index not in refused],
            limit=call.services.rules.max_accounts_per_holder,
            roles=roles,
            request_id=call.request_id,
            key=key,
            proof=self.proven.login.proof if self.proven else NewProof(),
        )


def _not_allowed(
    rejected: Sequence[AccessTokenRejected], stray: Sequence[Candidate]
) -> Sequence[InvalidInput | AccessTokenRejected]:
    """What ends a creator's call, in input order; nothing if they may renew all that Meta did not refuse."""
    if not stray:
        return ()
    message = "Only an admin of the Workspace connects into it; you may reconnect what you see there"
    found: dict[int, InvalidInput | AccessTokenRejected] = {one.claim.index: one for one in rejected}
    found |= {one.index: InvalidInput(one.path, InvalidInputCode.NOT_ALLOWED, message) for one in stray}
    return [found[index] for index in sorted(found)]


def _stops(command: ConnectCommand, blocks: Sequence[Block]) -> bool:
    """Do these end the whole call? CONNECT_OTHERS goes on while anything is left to connect."""
    if command.policy is ConflictPolicy.REJECT_ALL:
        return bool(blocks)
    return len(blocks) == len(command.claims) > 0


def reach_of(call: Call, controls: Collection[Control], facts: Facts) -> Reach:
    """What the viewer may do about accounts that others hold, by what Meta and earlier requests say."""
    if call.services.rules.transfers_paused:
        return NO_REACH
    controlled = {control.key for control in controls}
    return Reach(
        managed={control.key for control in controls if control.manages},
        granted={key for key, one in facts.transfers.items() if one.is_granted and key in controlled},
    )


def _connected(
    written: ClaimedRows,
    blocks: Sequence[Block],
    facts: Facts,
    brought: Mapping[SocialKey, ConnectOutcome] = MappingProxyType({}),
) -> Connected:
    accounts = [(_outcome(is_new, account, brought), account) for is_new, account in written.accounts]
    added = sum(outcome is not ConnectOutcome.RECONNECTED for outcome, _ in accounts)
    return Connected(
        written.facebook_account,
        accounts,
        [
            # A limit is told with what the place holds as the answer is given.
            replace(one, used=one.used + added) if isinstance(one, AccountLimitReached) else one
            for one in blocks
        ],
        facts,
    )


def _outcome(
    is_new: bool, account: SocialAccountRow, brought: Mapping[SocialKey, ConnectOutcome]
) -> ConnectOutcome:
    otherwise = ConnectOutcome.CONNECTED if is_new else ConnectOutcome.RECONNECTED
    return brought.get(SocialKey(account.platform, account.external_id), otherwise)


async def _connect_under_locks(session: AsyncSession, *, asked: _Asked) -> Connected | None:
    """Connect what asks for more than the statement looks at: moves, take-overs, a creator who reconnects.

    What the viewer may move or take over leaves where it is and is connected with the rest, all in one
    transaction. None, with nothing written, where the call is not to be written any more: it is judged again.

    Raises:
        ChangedMeanwhile: somebody was faster with one of the accounts.
    """
    call, command, retry, rows = asked.call, asked.command, asked.retry, partial(rows_within, session)
    standing, known = await asked.find(rows)
    locked = {Personal(call.viewer.user_id), standing.place, *_left(asked, known)}
    await access.lock_places(session, call, locked)
    standing, facts = await asked.find(rows)
    recalled = await retries.recall(rows, call, retry)
    not_allowed = asked.judge(standing, facts)
    if not locked.issuperset(_left(asked, facts)):
        raise ChangedMeanwhile
    if _refusals(call, command, standing, recalled) or recalled != Recalled() or not_allowed:
        return None
    if _stops(command, asked.blocks):
        return None
    moves = [(facts.accounts[claim.key], asked.claims[claim.index]["access_token"]) for claim in asked.moves]
    if moves:
        await moving.write_moves(session, call, moves, standing.place)
    if asked.takes:
        await taking_over.take(session, call, asked.takes, facts.transfers, asked.holders_asked)
    action = Action.RECONNECT if standing.reconnects_only else Action.CONNECT
    statement = asked.statement(None, ROLES[action])
    written = statement.read(await run_within(session, statement))
    if written is None:
        raise ChangedMeanwhile
    call.touched.update({Personal(call.viewer.user_id), standing.place})
    brought = dict.fromkeys([claim.key for claim in asked.moves], ConnectOutcome.MOVED)
    brought |= dict.fromkeys([claim.key for claim in asked.takes], ConnectOutcome.TAKEN_OVER)
    done = _connected(written, asked.blocks, facts, brought)
    if retry is not None:
        await retries.remember(session, call, retry, _kept(done, asked.blocks))
    return done


def _left(asked: _Asked, facts: Facts) -> set[Holder]:
    """The places that accounts of a call may leave: the viewer's own, and those of what is granted."""
    own = {holders.Workspace(workspace_id) for workspace_id in facts.workspaces}
    takes = {claim.key for claim in asked.takes}
    return {*own, *(holding.holder for key, holding in facts.holdings.items() if key in takes)}


def _kept(done: Connected, blocks: Sequence[Block]) -> dict[str, Any]:
    """What of a success is kept for its retries, as the statement that connects keeps it."""
    return {
        "facebookAccount": str(done.facebook_account.id),
        "accounts": [[outcome, str(account.hold_id)] for outcome, account in done.accounts],
        "notConnected": _kept_blocks(blocks),
    }


def _kept_blocks(blocks: Sequence[Block]) -> list[list[object]]:
    """Which accounts were not connected, whether for want of room, and what Meta said of the others."""
    return [
        [block.claim.index, isinstance(block, AccountLimitReached), *_kept_trouble(block)] for block in blocks
    ]


def _kept_trouble(block: Block) -> tuple[str | None, ...]:
    if isinstance(block, AccessTokenRejected):
        return block.trouble.problem, block.trouble.words
    return ()


async def _replay(
    call: Call,
    command: ConnectCommand,
    standing: Standing,
    facts: Facts,
    outcome: Mapping[str, Any],
) -> Connected | ConnectRefused:
    """What an earlier call with the same key connected, its objects as they are now."""
    facebook_account_id = UUID(outcome["facebookAccount"])
    hows = {UUID(hold_id): ConnectOutcome(how) for how, hold_id in outcome["accounts"]}
    logins = await access.logins(call, [facebook_account_id])
    seen = await access.held_accounts(call, hows)
    if not logins or len(seen) < len(hows):
        return ConnectRefused([retries.gone()])
    conflicts = [
        _conflict_again(call, command.claims[index], kept, facts, standing)
        for index, *kept in outcome["notConnected"]
    ]
    return Connected(
        logins[facebook_account_id],
        [(how, seen[hold_id]) for hold_id, how in hows.items()],
        conflicts,
        await with_pending(call, facts, conflicts),
    )


def _conflict_again(call: Call, claim: Claim, kept: Sequence[Any], facts: Facts, standing: Standing) -> Block:
    """Why an account was not connected, as far as the viewer may know it now.

    Who holds it is asked again, so that nothing is told of a place that the viewer has left meanwhile, and
    each resolution works.
    """
    was_full, *refused = kept
    if refused:
        problem, words = refused
        return AccessTokenRejected(claim, Trouble(AccessTokenProblem(problem), words=words))
    if was_full:
        return AccountLimitReached(
            claim, limit=call.services.rules.max_accounts_per_holder, used=standing.used
        )
    holding = facts.holdings.get(claim.key)
    conflict = holding and conflict_with(claim, holding, viewer_id=call.viewer.user_id, place=standing.place)
    return conflict or HeldElsewhere(claim)


async def with_pending(call: Call, facts: Facts, blocks: Sequence[Block]) -> Facts:
    """The facts with the viewer's pending requests for the accounts that they may ask for."""
    askable = {
        (block.workspace_id, block.claim.key)
        for block in blocks
        if isinstance(block, HeldByWorkspace) and Resolution.REQUEST_ACCESS in block.resolutions
    }
    if not askable:
        return facts
    return replace(facts, pending=await access_requests.pending_of_viewer(call, askable))
