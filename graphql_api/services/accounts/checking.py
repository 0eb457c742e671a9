"""Looking before leaping: what connecting would answer, with nothing written but the count of look-ups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from graphql_api.domain.claims import Candidate, check_candidates
from graphql_api.domain.conflicts import CheckStatus, Conflict, Holding, find_conflicts
from graphql_api.domain.holders import Holder, Personal
from graphql_api.domain.inputs import InvalidInput, Problems
from graphql_api.domain.refusals import Refused
from graphql_api.services.accounts import connecting, holdings
from graphql_api.services.accounts.connecting import Surroundings
from graphql_api.services.calls import access, quotas
from graphql_api.services.calls.call import Call
from graphql_api.storage.tables import User


@dataclass(frozen=True, slots=True)
class Checked:
    """What each of the accounts would come to, in input order, and why where something stands in the way."""

    checks: Sequence[tuple[Candidate, CheckStatus, Conflict | None]]
    surroundings: Surroundings


async def check(
    call: Call, candidates: Sequence[Candidate], workspace_id: UUID | None
) -> Checked | Refused[InvalidInput]:
    """What `connecting.connect` would say to these accounts, by the same facts and rules.

    Raises:
        RateLimited: the viewer looked too many accounts up.
    """
    problems = Problems()
    check_candidates(problems, candidates)
    if not problems and candidates:
        await quotas.count_look_ups(call, len(candidates))
    return await call.read(lambda session: _check(session, call, candidates, workspace_id, problems.found))


async def _check(
    session: AsyncSession,
    call: Call,
    candidates: Sequence[Candidate],
    workspace_id: UUID | None,
    problems: Sequence[InvalidInput],
) -> Checked | Refused[InvalidInput]:
    place, used, refusal = await _place(session, call, workspace_id)
    if problems or refusal:
        return Refused([*problems, *refusal])
    held = await holdings.of_instagram_accounts(
        session, call.viewer, [candidate.instagram_user_id for candidate in candidates]
    )
    conflicts = find_conflicts(
        candidates,
        held,
        viewer_id=call.viewer.user_id,
        place=place,
        limit=call.services.rules.max_accounts_per_holder,
        used=used,
    )
    by_index = {conflict.claim.index: conflict for conflict in conflicts}
    return Checked(
        [
            (candidate, _status(candidate, by_index, held), by_index.get(candidate.index))
            for candidate in candidates
        ],
        await connecting.surroundings_of(session, call, conflicts),
    )


async def _place(
    session: AsyncSession, call: Call, workspace_id: UUID | None
) -> tuple[Holder, int, Sequence[InvalidInput]]:
    """Where the accounts would go, how many it holds, and why it may not be."""
    if workspace_id is None:
        viewer = await session.get_one(User, call.viewer.user_id)
        return Personal(viewer.id), viewer.held_count, ()
    found = await access.workspaces(session, call.viewer, [workspace_id])
    return connecting.in_workspace(workspace_id, found)


def _status(
    candidate: Candidate, conflicts: Mapping[int, Conflict], held: Mapping[str, Holding]
) -> CheckStatus:
    """What is held and no conflict is held in the place itself."""
    if candidate.index in conflicts:
        return CheckStatus.CONFLICT
    return CheckStatus.RECONNECT if candidate.instagram_user_id in held else CheckStatus.AVAILABLE
