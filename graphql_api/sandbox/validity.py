"""What is true of a test token at a moment: its ends, what debug_token says of it, what refuses a call."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import refusals
from .people import Person
from .refusals import Refusal
from .tokens import Condition, Login, PageToken, Token

HOUR = 3600
DAY = 24 * HOUR
TOKEN_DAYS = 60
DATA_ACCESS_DAYS = 90

APPLICATION = "Sandbox"
OTHER_APP = "9000000000000009"
READ_ENGAGEMENT = "pages_read_engagement"
SCOPES = ("pages_show_list", READ_ENGAGEMENT, "instagram_basic", "business_management", "public_profile")

_DEAD: Mapping[Condition, Refusal] = {
    Condition.REVOKED: refusals.REVOKED,
    Condition.PASSWORD: refusals.PASSWORD_CHANGED,
    Condition.CHECKPOINT: refusals.CHECKPOINT,
}


@dataclass(frozen=True, slots=True)
class Ends:
    """Unix seconds; `expires_at` is 0 if a token has no end of its own."""

    issued_at: int
    expires_at: int
    data_access_expires_at: int


def ends_of(token: Token, now: float) -> Ends:
    """Return when a token ends. It was issued an hour ago, whenever you ask: the sandbox has no memory."""
    login, moment = token.login, int(now)
    expires, access = moment + TOKEN_DAYS * DAY, moment + DATA_ACCESS_DAYS * DAY
    if login.condition is Condition.EXPIRED:
        expires = moment - HOUR if login.time is None else login.time
    elif login.condition is Condition.DIES and login.time is not None:
        expires = access = login.time
    issued = max(0, min(moment, expires) - HOUR)
    return Ends(issued, 0 if isinstance(token, PageToken) else expires, access)


def why_invalid(token: Token, now: float) -> Refusal | None:
    """Return why a token is not valid; None if it is."""
    condition = token.login.condition_at(now)
    if condition is None:
        return None
    if condition in {Condition.EXPIRED, Condition.DIES}:
        return refusals.expired(ends_of(token.login, now).expires_at, now)
    if condition is Condition.NOROLE and isinstance(token, PageToken):
        return refusals.NO_ROLE if token.login.person.is_first(token.page_id) else None
    return _DEAD.get(condition)


def why_refused(token: Token, now: float) -> Refusal | None:
    """Return why a call with this token is refused, whatever it asks for; None if it is not."""
    match token.login.condition_at(now):
        case Condition.OTHERAPP:
            return refusals.OF_ANOTHER_APP
        case Condition.BLOCKED:
            return refusals.BLOCKED
        case _:
            return why_invalid(token, now)


def scopes_of(login: Login, now: float) -> list[str]:
    """Return the permissions that the user granted."""
    missing = READ_ENGAGEMENT if login.condition_at(now) is Condition.NOSCOPE else ""
    return [scope for scope in SCOPES if scope != missing]


def may_read(login: Login, page_id: str, now: float) -> bool:
    """May this login read the Page itself?"""
    return READ_ENGAGEMENT in scopes_of(login, now) and login.person.pages[page_id].granted


def description_of(token: Token, app_id: str, now: float) -> dict[str, Any]:
    """Return what `debug_token` says of a token: the value of `data`."""
    login, ends, invalid = token.login, ends_of(token, now), why_invalid(token, now)
    scopes = scopes_of(login, now)
    other = login.condition_at(now) is Condition.OTHERAPP
    data: dict[str, Any] = {
        "app_id": OTHER_APP if other else app_id,
        "type": "PAGE" if isinstance(token, PageToken) else "USER",
        "application": "Another app" if other else APPLICATION,
        "data_access_expires_at": ends.data_access_expires_at,
        "expires_at": ends.expires_at,
        "is_valid": invalid is None,
        "issued_at": ends.issued_at,
        "scopes": scopes,
        "granular_scopes": [_granular(scope, login.person) for scope in scopes],
        "user_id": login.person.facebook_id,
    }
    if isinstance(token, PageToken):
        data["profile_id"] = token.page_id
    if invalid is not None:
        data["error"] = {"code": invalid.code, "message": invalid.message, "subcode": invalid.subcode}
    return data


def _granular(scope: str, person: Person) -> dict[str, Any]:
    """Return a scope with the ids that it was granted for; an absent `target_ids` means all."""
    if person.grants_every_page():
        return {"scope": scope}
    granted = [page for page in person.pages.values() if page.granted]
    if scope == READ_ENGAGEMENT:
        return {"scope": scope, "target_ids": [page.id for page in granted]}
    if scope == "instagram_basic":
        return {"scope": scope, "target_ids": [page.instagram.id for page in granted if page.instagram]}
    return {"scope": scope}
