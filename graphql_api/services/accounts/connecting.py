"""The main job: connecting social accounts, or a typed answer that says what stands in the way.

One way, whatever is asked: check the input, write everything at once, and only if nothing was written find
out why. Then the call is a retry, or it is refused, or the rest of it is written by the same statement.
"""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from graphql_api.domain import holders
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
    HeldByWorkspace,
    HeldElsewhere,
    Resolution,
    Verdict,
    conflict_with,
    judge,
)
from graphql_api.domain.faults import TemporarilyUnavailable
from graphql_api.domain.holders import Holder, Personal
from graphql_api.domain.inputs import InvalidInput, Problems
from graphql_api.domain.permissions import ROLES, Action
from graphql_api.domain.platforms import SocialKey
from graphql_api.domain.refusals import Refused
from graphql_api.services.accounts import access_requests, access_tokens, holdings, moving
from graphql_api.services.accounts.holdings import Facts, Standing
from graphql_api.services.calls import access, quotas, retries
from graphql_api.services.calls.call import Call
from graphql_api.services.calls.retries import ReadRows, Recalled, Retry
from graphql_api.storage.claiming import ClaimedRows, Claiming, NewClaim, NewKey, NewLogin
from graphql_api.storage.database import ChangedMeanwhile, rows_within
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
class ConnectRefused(Refused[InvalidInput | Conflict]):
    """Nothing was connected."""

    facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True, slots=True)
class Connected:
    """What one call connected, in input order, and (CONNECT_OTHERS) what it did not."""

    facebook_account: FacebookAccountRow
    accounts: Sequence[tuple[ConnectOutcome, SocialAccountRow]]
    not_connected: Sequence[Conflict]
    facts: Facts


async def connect(call: Call, command: ConnectCommand) -> Connected | ConnectRefused:
    """Connect a Facebook account and any number of social accounts to the viewer's place.

    First all input errors together, in input order; only if there are none, all conflicts together.

    Raises:
        RateLimited: too many accounts were reported to the viewer as held elsewhere.
        TemporarilyUnavailable: others kept claiming the same accounts.
    """
    retry = command.retry()
    problems = Problems()
    check_login(problems, command.login)
    check_claims(problems, command.claims)
    if problems or (retry and retries.check_key(retry)):
        return await _refuse_input(call, command, retry, problems.found)
    asked = _Asked(call, command, retry)
    give_up_at = time.monotonic() + PATIENCE
    while time.monotonic() < give_up_at:
        written = await asked.write()
        if written is not None:
            facts = await with_pending(call, asked.facts, asked.verdict.conflicts)
            return _connected(written, asked.verdict, facts)
        answer = await _find_out_why(asked)
        if answer is not None:
            return answer
    raise TemporarilyUnavailable


async def _find_out_why(asked: "_Asked") -> Connected | ConnectRefused | None:
    """Answer a call that wrote nothing; None if it is to be written again, without its conflicts."""
    call, command, retry = asked.call, asked.command, asked.retry
    standing, facts = await asked.find(call.rows)
    recalled = await retries.recall(call.rows, call, retry)
    if recalled.outcome is not None:
        return await _replay(call, command, standing, facts, recalled.outcome)
    refusals = _refusals(standing, recalled)
    if refusals:
        return ConnectRefused(refusals)
    if recalled.expired and retry is not None:
        await call.transact(partial(retries.forget, call=call, retry=retry))
    asked.facts, asked.verdict = facts, _judge(call, command, standing, facts)
    await asked.count_look_ups()
    conflicts = asked.verdict.conflicts
    if _stops(command, asked.verdict):
        return ConnectRefused(conflicts, await with_pending(call, asked.facts, conflicts))
    if asked.verdict.moves:
        return await call.transact(partial(_connect_and_move, asked=asked))
    if not conflicts:
        await asyncio.sleep(random.uniform(0.005, 0.02))  # noqa: S311 - jitter, after a lost race
    return None


async def _refuse_input(
    call: Call, command: ConnectCommand, retry: Retry | None, problems: Sequence[InvalidInput]
) -> ConnectRefused:
    """Refuse wrong input, together with what is wrong with the place and the key."""
    standing, _ = await holdings.find(call.rows, call, command.workspace_id, ())
    recalled = await retries.recall(call.rows, call, retry)
    return ConnectRefused([*problems, *_refusals(standing, recalled)])


def _refusals(standing: Standing, recalled: Recalled) -> list[InvalidInput]:
    return [problem for problem in (standing.problem, recalled.problem) if problem]


@dataclass(slots=True)
class _Asked:
    """A call that is to be written, and what is known of it so far; its access tokens are sealed once."""

    call: Call
    command: ConnectCommand
    retry: Retry | None
    facts: Facts = field(default_factory=Facts)
    verdict: Verdict = field(default_factory=Verdict)
    reported: int = 0
    login: NewLogin = field(init=False)
    claims: dict[int, NewClaim] = field(init=False)

    def __post_init__(self) -> None:
        call, command, owner = self.call, self.command, Personal(self.call.viewer.user_id)
        login = command.login
        self.login = NewLogin(
            new_id=uuid4(),
            facebook_user_id=login.facebook_user_id,
            location=login.location,
            access_token=access_tokens.seal_facebook_account(
                call, login.access_token, login.facebook_user_id, owner
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
                access_token=access_tokens.seal_social_account(call, claim.access_token, claim.key, place),
            )
            for claim in command.claims
        }

    @property
    def place(self) -> Holder:
        """Where the accounts go."""
        workspace_id = self.command.workspace_id
        return Personal(self.call.viewer.user_id) if workspace_id is None else holders.Workspace(workspace_id)

    async def write(self) -> ClaimedRows | None:
        """Write everything that has no conflict in one statement; None when nothing was written."""
        statement = self.statement(self.verdict, self.retry)
        places = {Personal(self.call.viewer.user_id), self.place}
        return statement.read(await self.call.write_at_once(statement, places=places))

    async def find(self, rows: ReadRows) -> tuple[Standing, Facts]:
        """How the viewer stands in the place, and who holds the accounts now."""
        command = self.command
        keys = [claim.key for claim in command.claims]
        return await holdings.find(rows, self.call, command.workspace_id, keys)

    async def count_look_ups(self) -> None:
        """Count each account that is reported as held elsewhere, once.

        Raises:
            RateLimited: these would be more than an hour has.
        """
        elsewhere = sum(isinstance(conflict, HeldElsewhere) for conflict in self.verdict.conflicts)
        if elsewhere > self.reported:
            await quotas.count_look_ups(self.call, elsewhere - self.reported)
            self.reported = elsewhere

    def statement(self, verdict: Verdict, retry: Retry | None) -> Claiming:
        """The statement that connects what has no conflict, and keeps the key with it."""
        call, command = self.call, self.command
        refused = {conflict.claim.index for conflict in verdict.conflicts}
        key, now = NewKey(OPERATION), call.now
        if retry is not None:
            key = retries.new_key(call, retry, now=now, not_connected=_kept_conflicts(verdict))
        return Claiming(
            user_id=call.viewer.user_id,
            workspace_id=command.workspace_id,
            api_token_id=call.viewer.api_token_id,
            now=now,
            login=self.login,
            claims=[claim for index, claim in self.claims.items() if index not in refused],
            limit=call.services.rules.max_accounts_per_holder,
            roles=ROLES[Action.CONNECT],
            request_id=call.request_id,
            key=key,
        )


def _judge(call: Call, command: ConnectCommand, standing: Standing, facts: Facts) -> Verdict:
    """What the rules say to the claims."""
    return judge(
        command.claims,
        facts.holdings,
        viewer_id=call.viewer.user_id,
        place=standing.place,
        limit=call.services.rules.max_accounts_per_holder,
        used=standing.used,
        allow_move=command.allow_move,
    )


def _stops(command: ConnectCommand, verdict: Verdict) -> bool:
    """Do these conflicts end the whole call? CONNECT_OTHERS goes on while anything is left to connect."""
    if command.policy is ConflictPolicy.REJECT_ALL:
        return bool(verdict.conflicts)
    return len(verdict.conflicts) == len(command.claims) > 0


def _connected(
    written: ClaimedRows, verdict: Verdict, facts: Facts, moved: Sequence[SocialKey] = ()
) -> Connected:
    accounts = [(_outcome(is_new, account, moved), account) for is_new, account in written.accounts]
    added = sum(outcome is not ConnectOutcome.RECONNECTED for outcome, _ in accounts)
    return Connected(
        written.facebook_account,
        accounts,
        [
            # A limit is told with what the place holds as the answer is given.
            replace(one, used=one.used + added) if isinstance(one, AccountLimitReached) else one
            for one in verdict.conflicts
        ],
        facts,
    )


def _outcome(is_new: bool, account: SocialAccountRow, moved: Sequence[SocialKey]) -> ConnectOutcome:
    if SocialKey(account.platform, account.external_id) in moved:
        return ConnectOutcome.MOVED
    return ConnectOutcome.CONNECTED if is_new else ConnectOutcome.RECONNECTED


async def _connect_and_move(session: AsyncSession, *, asked: _Asked) -> Connected | None:
    """Take what the viewer may move from where it is, and connect it with the rest, in one transaction.

    None, with nothing written, where the call is not to be written any more: then it is judged again.

    Raises:
        ChangedMeanwhile: somebody was faster with one of the accounts.
    """
    call, command, retry, rows = asked.call, asked.command, asked.retry, partial(rows_within, session)
    await access.lock_viewer(session, call)
    _, known = await asked.find(rows)
    claimed_for = set() if command.workspace_id is None else {command.workspace_id}
    await access.lock_workspaces(session, call.viewer, claimed_for | set(known.workspaces))
    standing, facts = await asked.find(rows)
    recalled = await retries.recall(rows, call, retry)
    verdict = _judge(call, command, standing, facts)
    if not known.workspaces.keys() >= facts.workspaces.keys():
        raise ChangedMeanwhile
    if standing.problem or recalled != Recalled() or _stops(command, verdict):
        return None
    moves = [
        (facts.accounts[claim.key], asked.claims[claim.index]["access_token"]) for claim in verdict.moves
    ]
    await moving.write_moves(session, call, moves, standing.place)
    statement = asked.statement(verdict, None)
    written = statement.read(await run_within(session, statement))
    if written is None:
        raise ChangedMeanwhile
    call.touched.update({Personal(call.viewer.user_id), standing.place})
    done = _connected(written, verdict, facts, [claim.key for claim in verdict.moves])
    if retry is not None:
        await retries.remember(session, call, retry, _kept(done, verdict))
    return done


def _kept(done: Connected, verdict: Verdict) -> dict[str, Any]:
    """What of a success is kept for its retries, as the statement that connects keeps it."""
    return {
        "facebookAccount": str(done.facebook_account.id),
        "accounts": [[outcome, str(account.hold_id)] for outcome, account in done.accounts],
        "notConnected": _kept_conflicts(verdict),
    }


def _kept_conflicts(verdict: Verdict) -> list[list[object]]:
    """Which accounts were not connected, and whether it was for want of room."""
    return [
        [conflict.claim.index, isinstance(conflict, AccountLimitReached)] for conflict in verdict.conflicts
    ]


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
    claims = [command.claims[index] for index, *_ in outcome["notConnected"]]
    conflicts: list[Conflict] = [
        AccountLimitReached(claim, limit=call.services.rules.max_accounts_per_holder, used=standing.used)
        if was_full
        else _conflict_again(call, claim, facts, standing.place)
        for claim, (_, was_full) in zip(claims, outcome["notConnected"], strict=True)
    ]
    return Connected(
        logins[facebook_account_id],
        [(how, seen[hold_id]) for hold_id, how in hows.items()],
        conflicts,
        await with_pending(call, facts, conflicts),
    )


def _conflict_again(call: Call, claim: Claim, facts: Facts, place: Holder) -> Conflict:
    """Why an account was not connected, as far as the viewer may know it now.

    Who holds it is asked again, so that nothing is told of a place that the viewer has left meanwhile, and
    each resolution works.
    """
    holding = facts.holdings.get(claim.key)
    conflict = holding and conflict_with(claim, holding, viewer_id=call.viewer.user_id, place=place)
    return conflict or HeldElsewhere(claim)


async def with_pending(call: Call, facts: Facts, conflicts: Sequence[Conflict]) -> Facts:
    """The facts with the viewer's pending requests for the accounts that they may ask for."""
    askable = {
        (conflict.workspace_id, conflict.claim.key)
        for conflict in conflicts
        if isinstance(conflict, HeldByWorkspace) and Resolution.REQUEST_ACCESS in conflict.resolutions
    }
    if not askable:
        return facts
    return replace(facts, pending=await access_requests.pending_of_viewer(call, askable))
