"""Reconnecting many social accounts with one Facebook login, wherever the viewer may."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from graphql_api.domain import proofs
from graphql_api.domain.claims import Candidate, FacebookLogin, check_login
from graphql_api.domain.conflicts import AccessTokenRejected
from graphql_api.domain.holders import Holder, Personal, Workspace
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode, Problems, check_item_count
from graphql_api.domain.permissions import ROLES, Action, may
from graphql_api.domain.platforms import SocialKey
from graphql_api.domain.proofs import Control, LoginRejected, Trouble
from graphql_api.domain.refusals import Refused
from graphql_api.services.accounts import access_tokens, proving
from graphql_api.services.accounts.proving import Login
from graphql_api.services.accounts.social_accounts import IDS, lock_accounts, place_of, places_in_list
from graphql_api.services.calls import access, quotas
from graphql_api.services.calls.call import Call
from graphql_api.storage.claiming import ClaimedRows, Claiming, NewClaim, NewKey, NewLogin
from graphql_api.storage.faults import ChangedMeanwhile
from graphql_api.storage.hot import run_within
from graphql_api.storage.rows import FacebookAccountRow, SocialAccountRow
from graphql_api.storage.tables import SocialAccount

OPERATION = "reconnectSocialAccounts"
NotReconnected = InvalidInput | AccessTokenRejected
ReconnectRefused = Refused[InvalidInput | LoginRejected | AccessTokenRejected]


@dataclass(frozen=True, slots=True)
class Reconnected:
    """What the login renewed, in input order, and what it did not."""

    facebook_account: FacebookAccountRow
    accounts: Sequence[SocialAccountRow]
    not_reconnected: Sequence[NotReconnected]


async def reconnect(
    call: Call, login: FacebookLogin, hold_ids: Sequence[UUID]
) -> Reconnected | ReconnectRefused:
    """Give these accounts new access tokens, as far as the login controls them; each stays where it is.

    Raises:
        RateLimited: the viewer wrote too much, or Meta was asked too often for them or the login.
    """
    problems = Problems()
    check_login(problems, login)
    check_item_count(problems, IDS, hold_ids, least=1)
    if not problems and len(set(hold_ids)) < len(hold_ids):
        again = next(index for index, hold_id in enumerate(hold_ids) if hold_id in hold_ids[:index])
        problems.add(
            (*IDS, str(again)), InvalidInputCode.DUPLICATE, "This social account is in the list already"
        )
    meta = call.services.meta
    if not problems and meta is None:
        message = "This server does not ask Meta: use `connectSocialAccounts`, with a token for each account"
        problems.add(("input", "facebookAccount"), InvalidInputCode.NOT_ALLOWED, message)
    if problems or meta is None:
        return Refused(problems.found)
    seen = await access.held_accounts(call, hold_ids)
    if not seen:
        return Refused([_no_such_account(path) for path, _ in places_in_list(hold_ids)])
    found = await proving.ask_login(
        call, meta, login.access_token, login.facebook_user_id, most=proving.MOST_PAGES
    )
    if isinstance(found, Trouble):
        return Refused([LoginRejected(("input", "facebookAccount", "accessToken"), found)])
    confirmed, _ = found
    await quotas.count_writes(call, 1 + len(hold_ids))
    return await call.transact(partial(_write, call=call, asked=login, login=confirmed, hold_ids=hold_ids))


async def _write(
    session: AsyncSession, *, call: Call, asked: FacebookLogin, login: Login, hold_ids: Sequence[UUID]
) -> Reconnected | ReconnectRefused:
    """Renew what is still the viewer's to renew, place by place, with the statement that connects.

    Raises:
        ChangedMeanwhile: somebody was faster with one of the accounts.
    """
    await access.lock_viewer(session, call)
    locked = await lock_accounts(session, call, hold_ids)
    problems: list[NotReconnected] = []
    chosen: dict[Holder, list[tuple[SocialAccount, Control]]] = defaultdict(list)
    for path, hold_id in places_in_list(hold_ids):
        account = locked.accounts.get(hold_id)
        if account is None or not may(locked.role(account), Action.RECONNECT):
            problems.append(_no_such_account(path))
            continue
        key = SocialKey(account.platform, account.external_id)
        control = proofs.control_of(key, login.facts, login.pages)
        if isinstance(control, Control):
            chosen[place_of(account)].append((account, control))
        else:
            candidate = Candidate(0, key, account.display_name or "", path)
            problems.append(AccessTokenRejected(candidate, control, done="reconnected"))
    if not chosen:
        return Refused(problems)
    new_login = _new_login(call, asked, login)
    renewed: dict[UUID, SocialAccountRow] = {}
    for place in sorted(chosen, key=str):
        written = await _renew(session, call, new_login, login, place=place, accounts=chosen[place])
        renewed |= {account.hold_id: account for _, account in written.accounts}
    call.touched |= {Personal(call.viewer.user_id), *chosen}
    accounts = [renewed[hold_id] for hold_id in hold_ids if hold_id in renewed]
    return Reconnected(written.facebook_account, accounts, problems)


async def _renew(
    session: AsyncSession,
    call: Call,
    new_login: NewLogin,
    login: Login,
    *,
    place: Holder,
    accounts: Sequence[tuple[SocialAccount, Control]],
) -> ClaimedRows:
    statement = Claiming(
        user_id=call.viewer.user_id,
        workspace_id=place.workspace_id if isinstance(place, Workspace) else None,
        api_token_id=call.viewer.api_token_id,
        now=call.now,
        login=replace(new_login, new_id=uuid4()),  # it is new to the first place only
        claims=[_claim(call, account, control, place) for account, control in accounts],
        limit=call.services.rules.max_accounts_per_holder,
        roles=ROLES[Action.RECONNECT],
        request_id=call.request_id,
        key=NewKey(OPERATION),
        proof=login.proof,
    )
    written = statement.read(await run_within(session, statement))
    if written is None:
        raise ChangedMeanwhile
    return written


def _new_login(call: Call, asked: FacebookLogin, login: Login) -> NewLogin:
    owner = Personal(call.viewer.user_id)
    sealed = access_tokens.seal_facebook_account(
        call, login.long_lived.access_token, login.facebook_user_id, owner
    )
    return NewLogin(uuid4(), login.facebook_user_id, asked.location, sealed)


def _claim(call: Call, account: SocialAccount, control: Control, place: Holder) -> NewClaim:
    name = control.display_name or account.display_name or ""
    return NewClaim(
        platform=account.platform,
        external_id=account.external_id,
        display_name=name,
        display_name_key=name.lower(),
        profile_picture_url=control.profile_picture_url or account.profile_picture_url,
        facebook_page_id=control.page_id,
        access_token=access_tokens.seal_social_account(call, control.access_token, control.key, place),
    )


def _no_such_account(path: tuple[str, ...]) -> InvalidInput:
    return InvalidInput(path, InvalidInputCode.NOT_FOUND, "There is no such social account")
