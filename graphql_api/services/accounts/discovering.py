"""Discovering what a Facebook login could connect, before the person chooses."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from graphql_api.domain.conflicts import CheckStatus, Conflict, judge
from graphql_api.domain.discovery import Hint, Offer, offers
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode, Problems, check_access_token
from graphql_api.domain.platforms import Platform, SocialKey
from graphql_api.domain.proofs import AccessTokenProblem, LoginRejected, Trouble
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.services.accounts import connecting, holdings, proving, transfer_requests
from graphql_api.services.accounts.holdings import Facts
from graphql_api.services.calls.call import Call

MOST = 500  # accounts in one answer
ACCESS_TOKEN = ("input", "accessToken")
_STATUS: Mapping[AccessTokenProblem, CheckStatus] = {
    AccessTokenProblem.ROLE_TOO_WEAK: CheckStatus.ROLE_TOO_WEAK,
    AccessTokenProblem.MISSING_PERMISSION: CheckStatus.NOT_GRANTED,
}


@dataclass(frozen=True, slots=True)
class Discovered:
    """What the login shows, what connecting each account would do, and why where it would not."""

    facebook_user_id: str
    accounts: Sequence[tuple[Offer, CheckStatus, Conflict | None]]
    hints: Sequence[Hint]
    has_more: bool
    facts: Facts


async def discover(
    call: Call, access_token: Secret, workspace_id: UUID | None, platforms: Collection[Platform]
) -> Discovered | Refused[InvalidInput | LoginRejected]:
    """What would `connecting.connect` say to each account that this login shows?

    Raises:
        RateLimited: Meta was asked too often for the viewer or the login.
    """
    problems = Problems()
    check_access_token(problems, ACCESS_TOKEN, access_token)
    standing, _ = await holdings.find(call.rows, call, workspace_id, ())
    if problems or standing.problem:
        return Refused([*problems.found, *filter(None, [standing.problem])])
    meta = call.services.meta
    if meta is None:
        message = "This server does not ask Meta, so it cannot tell what a login controls"
        return Refused([InvalidInput(ACCESS_TOKEN, InvalidInputCode.NOT_ALLOWED, message)])
    found = await proving.ask_login(call, meta, access_token, None, most=MOST)
    if isinstance(found, Trouble):
        return Refused([LoginRejected(ACCESS_TOKEN, found)])
    login, _ = found
    offered, hints = offers(login.facts, login.pages, platforms)
    shown = offered[:MOST]
    candidates = [offer.candidate for offer in shown if offer.trouble is None]
    standing, facts = await holdings.find(
        call.rows, call, workspace_id, [candidate.key for candidate in candidates]
    )
    transfers = await transfer_requests.open_of_viewer(
        call.rows, call, [candidate.key for candidate in candidates]
    )
    facts = replace(facts, transfers=transfers)
    verdict = judge(
        candidates,
        facts.holdings,
        viewer_id=call.viewer.user_id,
        place=standing.place,
        limit=call.services.rules.max_accounts_per_holder,
        used=standing.used,
        reach=connecting.reach_of(call, [offer.control for offer in shown if offer.control], facts),
    )
    conflicts = {conflict.claim.index: conflict for conflict in verdict.conflicts}
    taken = {take.key for take in verdict.takes}
    return Discovered(
        login.facebook_user_id,
        [
            (offer, _status(offer, conflict, facts.holdings.keys() - taken), conflict)
            for offer in shown
            for conflict in [conflicts.get(offer.candidate.index)]
        ],
        hints,
        login.has_more or len(offered) > MOST,
        await connecting.with_pending(call, facts, verdict.conflicts),
    )


def _status(offer: Offer, conflict: Conflict | None, held_here: Collection[SocialKey]) -> CheckStatus:
    if offer.trouble is not None:
        return _STATUS.get(offer.trouble.problem, CheckStatus.OTHER)
    if conflict is not None:
        return CheckStatus.CONFLICT
    return CheckStatus.RECONNECT if offer.candidate.key in held_here else CheckStatus.AVAILABLE
