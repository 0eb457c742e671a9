"""Taking over accounts that were granted: asking Meta about the holder once more, and freeing what they hold.

The asker's own proof is that of the call which connects the account.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.adapters.graph.client import GraphClient
from graphql_api.domain.claims import Candidate
from graphql_api.domain.conflicts import AccessTokenRejected
from graphql_api.domain.events import EventKind
from graphql_api.domain.platforms import SocialKey
from graphql_api.domain.proofs import AccessTokenProblem, Trouble
from graphql_api.domain.transfers import (
    HolderSide,
    TransferRequestStatus,
    ended,
    holder_decides,
)
from graphql_api.services.accounts import holder_side, proving, social_accounts, transfer_requests
from graphql_api.services.accounts.holder_side import Held
from graphql_api.services.accounts.transfer_requests import Shown
from graphql_api.services.calls.call import Call
from graphql_api.storage.faults import ChangedMeanwhile
from graphql_api.storage.rows import SocialAccountRow, row_of
from graphql_api.storage.tables import SocialAccount


@dataclass(frozen=True, slots=True)
class Asked:
    """What Meta said of holders before the transaction: the holds it was about, and where it said nothing."""

    holds: Mapping[SocialKey, tuple[UUID, int]] = field(default_factory=dict)
    unclear: Sequence[AccessTokenRejected] = ()


async def ask_holders(
    call: Call, meta: GraphClient, takes: Sequence[Candidate], requests: Mapping[SocialKey, Shown]
) -> Asked:
    """Does the holder control the account after all? What they granted themselves is not asked about.

    A request whose holder does is theirs to decide again.
    """
    unsure = {take.key: take for take in takes if not requests[take.key].state.consented}
    keys = list(unsure)
    if not keys:
        return Asked()
    found = await call.read(lambda session: holder_side.read(session, call, keys))
    give_up_at = time.monotonic() + proving.DEADLINE
    sides = await asyncio.gather(
        *(
            holder_side.ask(
                meta, held, asker=requests[held.key].known.row.facebook_user_id, give_up_at=give_up_at
            )
            for held in found
        )
    )
    for held, side in zip(found, sides, strict=True):
        if side is HolderSide.CONTROLS:
            await _give_back(call, requests[held.key].known.row.id, held)
    trouble = Trouble(AccessTokenProblem.UNVERIFIABLE)
    return Asked(
        {held.key: (held.hold_id, held.version) for held in found},
        [
            AccessTokenRejected(unsure[held.key], trouble)
            for held, side in zip(found, sides, strict=True)
            if side is HolderSide.UNCLEAR
        ],
    )


async def _give_back(call: Call, request_id: UUID, held: Held) -> None:
    """Let the holder decide, who controls the account."""

    async def work(session: AsyncSession) -> None:
        known = await transfer_requests.lock(session, call, request_id)
        if known is None or known.row.hold_id != held.hold_id or not known.state(call).is_open:
            return
        state = holder_decides(call.now, call.services.rules.transfer_times)
        await transfer_requests.write(session, call, known, state)

    await call.transact(work)


async def take(
    session: AsyncSession,
    call: Call,
    takes: Sequence[Candidate],
    requests: Mapping[SocialKey, Shown],
    asked: Asked,
) -> None:
    """Free these accounts for the statement that connects them; the places that hold them are locked.

    Raises:
        ChangedMeanwhile: an account is not the one any more that Meta was asked about.
    """
    keys = [(take.key.platform, take.key.external_id) for take in takes]
    locked = (
        select(SocialAccount)
        .where(sa.tuple_(col(SocialAccount.platform), col(SocialAccount.external_id)).in_(keys))
        .order_by(col(SocialAccount.platform), col(SocialAccount.external_id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    accounts: list[SocialAccountRow] = []
    for account in (await session.scalars(locked)).all():
        key = SocialKey(account.platform, account.external_id)
        request = requests[key]
        known_as = asked.holds.get(key)
        is_sure = request.state.consented or known_as == (account.hold_id, account.access_version)
        if account.hold_id != request.known.row.hold_id or not is_sure:
            raise ChangedMeanwhile
        accounts.append(row_of(account, SocialAccountRow))
    for take_ in takes:
        completed = ended(TransferRequestStatus.COMPLETED, now=call.now)
        await transfer_requests.write(session, call, requests[take_.key].known, completed)
    await social_accounts.free(session, call, accounts, EventKind.SOCIAL_ACCOUNT_TAKEN_OVER, hides_actor=True)
