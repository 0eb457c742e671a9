"""Asking Meta about social accounts now, when somebody wants to know."""

import time
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from graphql_api.domain.inputs import InvalidInput, InvalidInputCode, Problems, check_item_count
from graphql_api.domain.refusals import Refused
from graphql_api.services.accounts import proving, watching
from graphql_api.services.accounts.social_accounts import IDS, lock_accounts, places_in_list
from graphql_api.services.calls import access, quotas
from graphql_api.services.calls.call import Call
from graphql_api.storage.rows import SocialAccountRow
from graphql_api.storage.tables import SocialAccount


async def recheck(call: Call, hold_ids: Sequence[UUID]) -> Sequence[SocialAccountRow] | Refused[InvalidInput]:
    """Ask Meta whether our access to these accounts works, and keep what it says.

    Returned are the accounts as they are then. Where nobody asks Meta, nothing changes.

    Raises:
        RateLimited: Meta was asked too often for the viewer.
    """
    problems = Problems()
    check_item_count(problems, IDS, hold_ids, least=1)
    seen = {} if problems else await access.held_accounts(call, hold_ids)
    for path, hold_id in [] if problems else places_in_list(hold_ids):
        if hold_id not in seen:
            problems.add(path, InvalidInputCode.NOT_FOUND, "There is no such social account")
        elif hold_id in hold_ids[: int(path[-1])]:
            problems.add(path, InvalidInputCode.DUPLICATE, "This social account is in the list already")
    if problems:
        return Refused(problems.found)
    meta = call.services.meta
    if meta is not None:
        await quotas.count_verification(call)
        which = col(SocialAccount.hold_id).in_(hold_ids)
        kept = await call.read(lambda session: watching.read(session, call, which))
        answers = await watching.ask(meta, kept, give_up_at=time.monotonic() + proving.DEADLINE)

        async def work(session: AsyncSession) -> None:
            await access.lock_viewer(session, call)
            await lock_accounts(session, call, hold_ids)
            await watching.write(session, call, kept, answers)

        await call.transact(work)
        seen = await access.held_accounts(call, hold_ids)
    gone = [path for path, hold_id in places_in_list(hold_ids) if hold_id not in seen]
    if gone:
        message = "There is no such social account"
        return Refused([InvalidInput(path, InvalidInputCode.NOT_FOUND, message) for path in gone])
    return [seen[hold_id] for hold_id in hold_ids]
