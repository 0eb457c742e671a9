"""Asking Meta who controls social accounts: before any transaction, and without a connection to the database.

Two round trips, whatever is claimed: what the access tokens are, with the login's made long-lived beside it,
and then the Pages of the login. Each further hundred Pages take one more.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from graphql_api.adapters.graph.client import GraphClient
from graphql_api.domain import proofs
from graphql_api.domain.claims import Claim, FacebookLogin
from graphql_api.domain.conflicts import AccessTokenRejected
from graphql_api.domain.health import earliest
from graphql_api.domain.proofs import Control, LongLived, PageFacts, TokenFacts, Trouble
from graphql_api.domain.secrets import Secret
from graphql_api.services.calls import quotas
from graphql_api.services.calls.call import Call
from graphql_api.storage.claiming import NewProof

DEADLINE = 15.0  # seconds that one call of ours waits for Meta
MOST_PAGES = 2000  # of one login
_SHORT = timedelta(days=1)  # an access token that lasts longer than this need not be exchanged


@dataclass(frozen=True, slots=True)
class Login:
    """A login as Meta confirmed it, with an access token that lasts, and the Pages that it has a role on."""

    facebook_user_id: str
    facts: TokenFacts
    long_lived: LongLived
    proof: NewProof
    pages: Sequence[PageFacts] = ()
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class Proven:
    """What Meta said of a call: the login, what it controls by the claims' indices, and what it does not."""

    login: Login
    controls: Mapping[int, Control] = field(default_factory=dict)
    rejected: Sequence[AccessTokenRejected] = ()


async def prove(
    call: Call, meta: GraphClient, login: FacebookLogin, claims: Sequence[Claim]
) -> Proven | Trouble:
    """Does this login control these accounts? A trouble is the login's own, and then nothing else counts.

    Raises:
        RateLimited: the viewer or the login was verified too often.
    """
    tokens = {claim.access_token for claim in claims} - {login.access_token}
    found = await ask_login(
        call,
        meta,
        login.access_token,
        login.facebook_user_id,
        most=MOST_PAGES if claims else 0,
        others=tokens,
    )
    if isinstance(found, Trouble):
        return found
    login_found, facts = found
    controls: dict[int, Control] = {}
    rejected: list[AccessTokenRejected] = []
    for claim in claims:
        control = proofs.control_of(claim.key, login_found.facts, login_found.pages)
        if isinstance(control, Control) and claim.access_token in facts:
            control = _why_no_token(meta, facts[claim.access_token], login, control) or control
        if isinstance(control, Control):
            controls[claim.index] = control
        else:
            rejected.append(AccessTokenRejected(claim, control))
    return Proven(login_found, controls, rejected)


async def ask_login(
    call: Call,
    meta: GraphClient,
    access_token: Secret,
    facebook_user_id: str | None,
    *,
    most: int,
    others: set[Secret] | None = None,
) -> tuple[Login, Mapping[Secret, TokenFacts | Trouble]] | Trouble:
    """Ask about a login and up to so many of its Pages; and what the other access tokens are.

    `facebook_user_id` is None where the login is not claimed but asked for.

    Raises:
        RateLimited: the viewer or the login was verified too often.
    """
    await quotas.count_verification(call)
    give_up_at = time.monotonic() + DEADLINE
    tokens = list(others or ())
    facts, exchanged, more = await asyncio.gather(
        meta.debug(access_token, give_up_at=give_up_at),
        meta.exchange(access_token, give_up_at=give_up_at),
        asyncio.gather(*(meta.debug(token, give_up_at=give_up_at) for token in tokens)),
    )
    asked_at = call.now
    if isinstance(facts, Trouble):
        return facts
    trouble = proofs.why_no_login(facts, app_id=meta.app_id, facebook_user_id=facebook_user_id)
    if trouble is not None or facts.user_id is None:
        return trouble or Trouble(proofs.AccessTokenProblem.UNVERIFIABLE)
    await quotas.count_login_verification(call, facts.user_id)
    if isinstance(exchanged, Trouble):
        if facts.ends_at is not None and facts.ends_at < asked_at + _SHORT:
            return exchanged
        exchanged = LongLived(access_token, facts.ends_at)  # it lasts as it is
    data_ends_at = facts.data_access_ends_at
    proof = NewProof(meta.source, asked_at, earliest(exchanged.ends_at, data_ends_at), data_ends_at)
    pages = await meta.pages(exchanged.access_token, most=most, give_up_at=give_up_at) if most else None
    if isinstance(pages, Trouble):
        return pages
    known: Sequence[PageFacts] = pages.pages if pages else ()
    login = Login(facts.user_id, facts, exchanged, proof, known, pages is not None and pages.has_more)
    return login, dict(zip(tokens, more, strict=True))


def _why_no_token(
    meta: GraphClient, facts: TokenFacts | Trouble, login: FacebookLogin, control: Control
) -> Trouble | None:
    """Is what was handed over for an account no access token of this login?"""
    if isinstance(facts, Trouble):
        return facts
    return proofs.why_no_token(
        facts, app_id=meta.app_id, facebook_user_id=login.facebook_user_id, page_id=control.page_id
    )
