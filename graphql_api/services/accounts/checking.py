"""Asking what connecting would answer: nothing is written but the count of look-ups.

A check has no access token. So where Meta is asked, it proves nothing, and tells only of the places that the
viewer belongs to.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from graphql_api.domain.claims import Candidate, check_candidates
from graphql_api.domain.conflicts import CheckStatus, Conflict, HeldElsewhere, judge
from graphql_api.domain.holders import Personal
from graphql_api.domain.inputs import InvalidInput, Problems
from graphql_api.domain.refusals import Refused
from graphql_api.services.accounts import connecting, holdings
from graphql_api.services.accounts.holdings import Facts
from graphql_api.services.calls import quotas
from graphql_api.services.calls.call import Call


@dataclass(frozen=True, slots=True)
class Checked:
    """What connecting would do to each of the accounts, in input order, and why where it would not."""

    checks: Sequence[tuple[Candidate, CheckStatus, Conflict | None]]
    facts: Facts


async def check(
    call: Call, candidates: Sequence[Candidate], workspace_id: UUID | None
) -> Checked | Refused[InvalidInput]:
    """What would `connecting.connect` say to these accounts, by the same facts and rules?

    Raises:
        RateLimited: too many accounts were reported to the viewer as held elsewhere.
    """
    problems = Problems()
    check_candidates(problems, candidates)
    keys = [] if problems else [candidate.key for candidate in candidates]
    standing, facts = await holdings.find(call.rows, call, workspace_id, keys)
    if problems or standing.problem:
        return Refused([*problems.found, *filter(None, [standing.problem])])
    if call.services.meta is not None:
        facts = _of_own_places(call, facts)
    verdict = judge(
        candidates,
        facts.holdings,
        viewer_id=call.viewer.user_id,
        place=standing.place,
        limit=call.services.rules.max_accounts_per_holder,
        used=standing.used,
    )
    elsewhere = sum(isinstance(conflict, HeldElsewhere) for conflict in verdict.conflicts)
    if elsewhere:
        await quotas.count_look_ups(call, elsewhere)
    conflicts = {conflict.claim.index: conflict for conflict in verdict.conflicts}
    return Checked(
        [
            (
                candidate,
                _status(candidate, conflicts.get(candidate.index), facts),
                conflicts.get(candidate.index),
            )
            for candidate in candidates
        ],
        await connecting.with_pending(call, facts, verdict.conflicts),
    )


def _of_own_places(call: Call, facts: Facts) -> Facts:
    """The facts without what is held elsewhere, as if it were free."""
    own = Personal(call.viewer.user_id)
    near = {
        key: holding
        for key, holding in facts.holdings.items()
        if holding.holder == own or holding.viewer_role is not None
    }
    return replace(facts, holdings=near)


def _status(candidate: Candidate, conflict: Conflict | None, facts: Facts) -> CheckStatus:
    """An account that is held, and has no conflict, is held in the claimed place already."""
    if conflict is not None:
        return CheckStatus.CONFLICT
    return CheckStatus.RECONNECT if candidate.key in facts.holdings else CheckStatus.AVAILABLE
