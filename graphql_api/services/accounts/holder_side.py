"""Asking Meta about the holder's side of a transfer: do they control it, through a login of their own?

Asked is the login that connected the account, with its own access token; and else the Page, with the access
token that this login was given. Either counts. What the asker's own login proves counts for nothing.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.adapters.graph.client import GraphClient
from graphql_api.adapters.sealing import CannotOpen
from graphql_api.domain import proofs
from graphql_api.domain.platforms import Platform, SocialKey
from graphql_api.domain.proofs import Control, PageFacts, TokenKind, Trouble
from graphql_api.domain.secrets import Secret
from graphql_api.domain.transfers import HolderSide
from graphql_api.services.accounts import access_tokens, proving
from graphql_api.services.calls.call import Call
from graphql_api.storage.tables import FacebookAccount, SocialAccount


@dataclass(frozen=True, slots=True)
class Held:
    """A held account as it was read: Meta's answer counts only while `hold_id` and `version` are the same.

    `login` is the Facebook user and access token of the login that connected it, where we still have them.
    """

    hold_id: UUID
    version: int
    key: SocialKey
    page_id: str | None
    proof_source: str | None
    proof_login: str | None
    access_token: Secret | None
    login: tuple[str, Secret] | None
    is_unreadable: bool = False


async def read(session: AsyncSession, call: Call, keys: Sequence[SocialKey]) -> list[Held]:
    """The held ones of these accounts, with their access tokens."""
    pairs = [(key.platform, key.external_id) for key in keys]
    statement = (
        select(SocialAccount, FacebookAccount)
        .outerjoin(FacebookAccount, col(FacebookAccount.id) == col(SocialAccount.facebook_account_id))
        .where(
            col(SocialAccount.hold_id).is_not(None),
            sa.tuple_(col(SocialAccount.platform), col(SocialAccount.external_id)).in_(pairs),
        )
    )
    return [_held(call, *row) for row in (await session.execute(statement)).all()]


def _held(call: Call, account: SocialAccount, login: FacebookAccount | None) -> Held:
    assert account.hold_id is not None  # noqa: S101 - `read` asks for held ones
    is_unreadable = False
    opened: Secret | None = None
    opened_login: Secret | None = None
    try:
        if account.access_token is not None:
            opened = access_tokens.open_social_account(call, account)
        if login is not None and login.access_token is not None:
            opened_login = access_tokens.open_facebook_account(call, login)
    except CannotOpen:  # our own fault, so it says nothing of the holder
        is_unreadable = True
    is_page = account.platform is Platform.FACEBOOK_PAGE
    return Held(
        account.hold_id,
        account.access_version,
        SocialKey(account.platform, account.external_id),
        account.external_id if is_page else account.facebook_page_id,
        account.proof_source,
        account.proof_login,
        opened,
        None if login is None or opened_login is None else (login.facebook_user_id, opened_login),
        is_unreadable,
    )


async def ask(meta: GraphClient, held: Held, *, asker: str, give_up_at: float) -> HolderSide:
    """What does Meta say of the holder's control? `asker` is the Facebook user of the asker's login."""
    if held.is_unreadable:
        return HolderSide.UNCLEAR
    source = held.proof_source or ""
    was_proven = source == meta.source or source.startswith("live:")
    answer: HolderSide | None = None
    if held.login is not None:
        answer = await _by_login(meta, held, *held.login, asker=asker, give_up_at=give_up_at)
    if answer is None and source == meta.source:
        answer = await _by_own_token(meta, held, asker=asker, give_up_at=give_up_at)
    if answer is None and not was_proven:
        answer = await _by_believed_token(meta, held, asker=asker, give_up_at=give_up_at)
    return answer or HolderSide.GONE


async def _by_login(
    meta: GraphClient, held: Held, login: str, token: Secret, *, asker: str, give_up_at: float
) -> HolderSide | None:
    """What the login shows with its own access token; None if that is no proof of control."""
    facts, pages = await asyncio.gather(
        meta.debug(token, give_up_at=give_up_at),
        meta.pages(token, most=proving.MOST_PAGES, give_up_at=give_up_at),
    )
    if isinstance(facts, Trouble):
        return HolderSide.UNCLEAR if facts.retryable else None
    trouble = proofs.why_no_login(facts, app_id=meta.app_id, facebook_user_id=login)
    if trouble is not None:
        return HolderSide.UNCLEAR if trouble.retryable else None
    if isinstance(pages, Trouble):
        return HolderSide.UNCLEAR if pages.retryable else None
    control = proofs.control_of(held.key, facts, pages.pages)
    return HolderSide.CONTROLS if isinstance(control, Control) and login != asker else None


async def _by_own_token(meta: GraphClient, held: Held, *, asker: str, give_up_at: float) -> HolderSide | None:
    """What the Page says to the access token that we took from the login ourselves."""
    if held.page_id is None or held.access_token is None or held.proof_login == asker:
        return None
    pages = await meta.pages_by_own_tokens({held.page_id: held.access_token}, give_up_at=give_up_at)
    return _shown(held, pages[held.page_id])


async def _by_believed_token(
    meta: GraphClient, held: Held, *, asker: str, give_up_at: float
) -> HolderSide | None:
    """What Meta says of an access token that was believed: is it our app's at all, and whose?"""
    if held.access_token is None:
        return HolderSide.NEVER
    facts = await meta.debug(held.access_token, give_up_at=give_up_at)
    if isinstance(facts, Trouble):
        return HolderSide.UNCLEAR if facts.retryable else HolderSide.NEVER
    if facts.app_id != meta.app_id:
        return HolderSide.NEVER
    if facts.trouble is not None or facts.user_id in (None, asker):
        return None
    if facts.kind is TokenKind.USER and facts.user_id is not None:
        return await _by_login(
            meta, held, facts.user_id, held.access_token, asker=asker, give_up_at=give_up_at
        )
    if facts.kind is TokenKind.PAGE and facts.page_id is not None:
        pages = await meta.pages_by_own_tokens({facts.page_id: held.access_token}, give_up_at=give_up_at)
        return _shown(held, pages[facts.page_id])
    return None


def _shown(held: Held, page: PageFacts | Trouble) -> HolderSide | None:
    """Does a Page show the account to its own access token?"""
    if isinstance(page, Trouble):
        return HolderSide.UNCLEAR if page.retryable else None
    return HolderSide.CONTROLS if held.key in proofs.keys_of(page) else None
