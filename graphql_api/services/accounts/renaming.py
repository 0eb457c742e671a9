"""Giving a social account the name that its holders call it by."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from graphql_api.domain.events import EventKind
from graphql_api.domain.inputs import MAX_NICKNAME, InvalidInput, Problems, check_text
from graphql_api.domain.permissions import Action
from graphql_api.domain.refusals import Refused
from graphql_api.services.accounts.social_accounts import choose, event_of, lock_accounts
from graphql_api.services.calls import access, quotas
from graphql_api.services.calls.call import Call
from graphql_api.services.history import recording
from graphql_api.storage.rows import SocialAccountRow, row_of

_ID, _NICKNAME = ("input", "socialAccountId"), ("input", "nickname")


async def rename(call: Call, hold_id: UUID, nickname: str | None) -> SocialAccountRow | Refused[InvalidInput]:
    """Set a social account's nickname, or remove it: admins for their Workspace, people for their own.

    Raises:
        RateLimited: the viewer wrote too much.
    """
    await quotas.count_writes(call, 1)

    async def work(session: AsyncSession) -> SocialAccountRow | Refused[InvalidInput]:
        await access.lock_viewer(session, call)
        locked = await lock_accounts(session, call, [hold_id])
        problems = Problems()
        chosen = choose(problems, locked, [(_ID, hold_id)], Action.GIVE_NICKNAME, verb="renames")
        text = check_text(problems, _NICKNAME, nickname or "", longest=MAX_NICKNAME, required=False) or None
        if problems:
            return Refused(problems.found)
        (account,) = chosen.values()
        if account.nickname == text:
            return row_of(account, SocialAccountRow)
        account.nickname, account.updated_at = text, call.now
        await session.flush()
        event = event_of(account, EventKind.SOCIAL_ACCOUNT_RENAMED, {"nickname": text or ""})
        await recording.record(session, call, [event])
        return row_of(account, SocialAccountRow)

    return await call.transact(work)
