"""Whether the access tokens that we keep still work: asking Meta about them, and writing what it said.

Asked by login, not by account: one look at its Pages answers for all accounts that it connected. An account
is asked about by its Page's own access token where the login does not answer for that one: the login ended,
no longer shows the Page, or was renewed later than the account.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.adapters.graph.client import GraphClient
from graphql_api.adapters.sealing import CannotOpen
from graphql_api.domain import proofs
from graphql_api.domain.events import EventKind, NewEvent
from graphql_api.domain.health import after_check, details_of, earliest
from graphql_api.domain.platforms import Platform, SocialKey
from graphql_api.domain.proofs import AccessTokenProblem, Control, TokenFacts, Trouble
from graphql_api.domain.secrets import Secret
from graphql_api.services.accounts import access_tokens, proving
from graphql_api.services.accounts.social_accounts import event_of
from graphql_api.services.calls.call import Call
from graphql_api.services.history import recording
from graphql_api.storage.tables import FacebookAccount, SocialAccount

_ONE_CALL = timedelta(minutes=1)  # what one call stores is stored within this time


@dataclass(frozen=True, slots=True)
class KeptLogin:
    """A Facebook account, with its access token and when that was stored."""

    id: UUID
    facebook_user_id: str
    access_token: Secret
    stored_at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """A held account as it was read: an answer counts only while `hold_id` and `version` are the same."""

    hold_id: UUID
    version: int
    key: SocialKey
    page_id: str | None
    access_token: Secret
    was_broken: bool
    is_proven: bool
    proven_at: datetime | None
    login: KeptLogin | None

    @property
    def asks_its_login(self) -> bool:
        """Does what its login shows answer for the account's own access token?"""
        if self.login is None or self.was_broken:
            return False
        return self.proven_at is None or self.login.stored_at <= self.proven_at + _ONE_CALL


@dataclass(frozen=True, slots=True)
class Answer:
    """What Meta said of one account or login.

    `breaks_at` counts only with `knows_end`; `control` is there if the account was proven.
    """

    trouble: Trouble | None = None
    breaks_at: datetime | None = None
    knows_end: bool = False
    control: Control | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """What Meta said of accounts, by hold, and of logins, by the id of the Facebook account."""

    accounts: Mapping[UUID, Answer]
    logins: Mapping[UUID, tuple[KeptLogin, Answer]]


async def read(session: AsyncSession, call: Call, which: sa.ColumnElement[bool]) -> list[Kept]:
    """The held accounts of a condition, with their access tokens; those that do not open are left out."""
    statement = (
        select(SocialAccount, FacebookAccount)
        .outerjoin(FacebookAccount, col(FacebookAccount.id) == col(SocialAccount.facebook_account_id))
        .where(col(SocialAccount.hold_id).is_not(None), which)
    )
    logins: dict[UUID, KeptLogin | None] = {}
    kept = []
    # Typed as it is: the outer join may find no login.
    rows: Any = (await session.execute(statement)).all()
    for account, login in rows:
        if login is not None and login.id not in logins:
            logins[login.id] = _kept_login(call, login)
        one = _kept(call, account, None if login is None else logins[login.id])
        kept += [] if one is None else [one]
    return kept


def _kept_login(call: Call, login: FacebookAccount) -> KeptLogin | None:
    try:
        token = access_tokens.open_facebook_account(call, login)
    except CannotOpen:
        return None
    return KeptLogin(login.id, login.facebook_user_id, token, login.updated_at)


def _kept(call: Call, account: SocialAccount, login: KeptLogin | None) -> Kept | None:
    try:
        token = access_tokens.open_social_account(call, account)
    except CannotOpen:
        return None
    assert account.hold_id is not None  # noqa: S101 - `read` asks for held ones
    is_page = account.platform is Platform.FACEBOOK_PAGE
    return Kept(
        account.hold_id,
        account.access_version,
        SocialKey(account.platform, account.external_id),
        account.external_id if is_page else account.facebook_page_id,
        token,
        account.health_problem is not None,
        call.services.meta is not None and account.proof_source == call.services.meta.source,
        account.proven_at,
        login,
    )


async def ask(
    meta: GraphClient, accounts: Collection[Kept], *, give_up_at: float, thorough: bool = True
) -> Answers:
    """Ask Meta about these accounts, login by login.

    Thorough is to ask as well what the login's access token is: when it ends, and what it was granted. Else
    only its Pages are looked at, unless one of its accounts was never proven.
    """
    by_login: dict[UUID | None, list[Kept]] = defaultdict(list)
    for account in accounts:
        by_login[account.login.id if account.login else None].append(account)
    groups = await asyncio.gather(
        *(
            _ask_group(meta, group[0].login, group, give_up_at=give_up_at, thorough=thorough)
            for group in by_login.values()
        )
    )
    answers: dict[UUID, Answer] = {}
    logins: dict[UUID, tuple[KeptLogin, Answer]] = {}
    for login, of_login, of_accounts in groups:
        answers |= of_accounts
        if login is not None:
            logins[login.id] = login, of_login
    return Answers(answers, logins)


async def _ask_group(
    meta: GraphClient,
    login: KeptLogin | None,
    accounts: Sequence[Kept],
    *,
    give_up_at: float,
    thorough: bool,
) -> tuple[KeptLogin | None, Answer, dict[UUID, Answer]]:
    """Ask about one login, and about all accounts that it connected."""
    of_login = Answer()
    found: dict[UUID, Answer] = {}
    if login is not None:
        thorough = thorough or not all(one.is_proven for one in accounts)
        of_login, found = await _ask_login(meta, login, accounts, give_up_at=give_up_at, thorough=thorough)
        if of_login.trouble is not None and of_login.trouble.retryable:
            return login, of_login, {one.hold_id: of_login for one in accounts}
    rest = [one for one in accounts if one.hold_id not in found]
    found |= await _ask_pages(meta, rest, of_login, give_up_at=give_up_at)
    return login, of_login, found


async def _ask_login(
    meta: GraphClient, login: KeptLogin, accounts: Sequence[Kept], *, give_up_at: float, thorough: bool
) -> tuple[Answer, dict[UUID, Answer]]:
    """Ask about a login and its Pages: what it says of itself, and of the accounts that it answers for."""
    pages_of = meta.pages(login.access_token, most=proving.MOST_PAGES, give_up_at=give_up_at)
    facts: TokenFacts | Trouble = proofs.as_granted(meta.app_id, login.facebook_user_id)
    if thorough:
        debug = meta.debug(login.access_token, give_up_at=give_up_at)
        facts, pages = await asyncio.gather(debug, pages_of)
    else:
        pages = await pages_of
    trouble = (
        facts
        if isinstance(facts, Trouble)
        else proofs.why_no_login(facts, app_id=meta.app_id, facebook_user_id=login.facebook_user_id)
    )
    if trouble is None and isinstance(pages, Trouble):
        trouble = pages
    if trouble is not None or isinstance(facts, Trouble) or isinstance(pages, Trouble):
        return Answer(trouble), {}
    found: dict[UUID, Answer] = {}
    for account in accounts:
        control = proofs.control_of(account.key, facts, pages.pages)
        if account.asks_its_login and not _is_absent(control):
            found[account.hold_id] = _answer(control, facts, knows_end=thorough)
    end = earliest(facts.ends_at, facts.data_access_ends_at)
    return Answer(breaks_at=end, knows_end=thorough), found


def _answer(control: Control | Trouble, facts: TokenFacts, *, knows_end: bool) -> Answer:
    if isinstance(control, Trouble):
        return Answer(control)
    return Answer(breaks_at=facts.data_access_ends_at, knows_end=knows_end, control=control)


def _is_absent(control: Control | Trouble) -> bool:
    """Does the login not show the account at all? Then its Page's own access token is asked."""
    return isinstance(control, Trouble) and control.problem is AccessTokenProblem.WRONG_ACCOUNT


async def _ask_pages(
    meta: GraphClient, accounts: Sequence[Kept], of_login: Answer, *, give_up_at: float
) -> dict[UUID, Answer]:
    """Ask about accounts by the access tokens of their Pages."""
    tokens = {one.page_id: one.access_token for one in accounts if one.page_id is not None}
    pages = await meta.pages_by_own_tokens(tokens, give_up_at=give_up_at) if tokens else {}
    found: dict[UUID, Answer] = {}
    for account in accounts:
        page = pages.get(account.page_id) if account.page_id is not None else None
        if page is None:  # it was never proven, so its Page is not known: only its login could answer
            trouble = of_login.trouble or Trouble(AccessTokenProblem.WRONG_ACCOUNT)
        elif isinstance(page, Trouble):
            trouble = page
        elif account.key in proofs.keys_of(page):
            found[account.hold_id] = Answer()
            continue
        else:
            trouble = Trouble(AccessTokenProblem.WRONG_ACCOUNT)
        found[account.hold_id] = Answer(trouble)
    return found


async def write(session: AsyncSession, call: Call, kept: Collection[Kept], answers: Answers) -> None:
    """Write what Meta said, for what is still as it was read; the caller has locked the holders."""
    meta = call.services.meta
    if meta is None:
        return
    for login, answer in sorted(answers.logins.values(), key=lambda one: str(one[0].id)):
        await _write_login(session, call, meta.source, login, answer)
    as_read = {one.hold_id: one for one in kept}
    locked = (
        select(SocialAccount)
        .where(col(SocialAccount.hold_id).in_(answers.accounts))
        .order_by(col(SocialAccount.platform), col(SocialAccount.external_id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    events: list[NewEvent] = []
    for account in (await session.scalars(locked)).all():
        one = None if account.hold_id is None else as_read[account.hold_id]
        if one is not None and account.access_version == one.version:
            events += _change(account, one, answers.accounts[one.hold_id], source=meta.source, now=call.now)
    await session.flush()
    await recording.record(session, call, events)


def _change(
    account: SocialAccount, one: Kept, answer: Answer, *, source: str, now: datetime
) -> list[NewEvent]:
    """Keep what Meta said of an account; the event of what that did to it, if people are told."""
    was_unverified = account.checked_at is None or account.proof_source != source
    was_broken = account.health_problem is not None and not was_unverified
    change = after_check(was_broken, account.doubted_at, answer.trouble, now=now)
    if change is None:
        return []
    control = answer.control
    if control is None and was_unverified and answer.trouble is None:
        return []  # its own access token works, and nobody has shown who controls the account
    if control is not None and was_unverified and one.login is not None:
        account.facebook_page_id = control.page_id
        account.proof_login, account.proven_at = one.login.facebook_user_id, now
    account.proof_source, account.checked_at, account.doubted_at = source, now, change.doubted_at
    account.health_problem = change.trouble.problem if change.trouble else None
    account.health_details = details_of(change.trouble) if change.trouble else None
    if answer.knows_end:
        account.breaks_at = answer.breaks_at
    if was_unverified or change.broke or change.recovered:
        account.health_since = now
    if change.recovered:
        account.warned_days = None
    if change.broke:
        assert change.trouble is not None  # noqa: S101 - only a trouble breaks it
        return [event_of(account, EventKind.SOCIAL_ACCOUNT_BROKE, {"problem": change.trouble.problem})]
    return [event_of(account, EventKind.SOCIAL_ACCOUNT_RECOVERED)] if change.recovered else []


async def _write_login(
    session: AsyncSession, call: Call, source: str, login: KeptLogin, answer: Answer
) -> None:
    """Keep what Meta said of a login, if its access token is still the one that was asked about."""
    locked = (
        select(FacebookAccount)
        .where(
            FacebookAccount.id == login.id,
            FacebookAccount.updated_at == login.stored_at,
            col(FacebookAccount.access_token).is_not(None),  # or the user removed our app meanwhile
        )
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    account = (await session.scalars(locked)).one_or_none()
    change = after_check(False, None, answer.trouble, now=call.now)
    if account is None or change is None or (answer.trouble and not answer.trouble.final):
        return
    was = account.health_problem, account.proof_source
    account.proof_source, account.checked_at = source, call.now
    account.health_problem = answer.trouble.problem if answer.trouble else None
    account.health_details = details_of(answer.trouble) if answer.trouble else None
    if answer.knows_end:
        account.breaks_at = answer.breaks_at
    if was != (account.health_problem, source):
        account.health_since = call.now
