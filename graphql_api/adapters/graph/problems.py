"""What follows from a refusal of Meta's: a trouble, or a question that has to be asked first.

The order of the rules matters: Meta marks refusals by a rate limit as transient, too, and an error with
status 500 says nothing about the access token, whatever its code.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from graphql_api.domain import inputs
from graphql_api.domain.inputs import Problems
from graphql_api.domain.proofs import AccessTokenProblem, TokenFacts, Trouble

UNVERIFIABLE = Trouble(AccessTokenProblem.UNVERIFIABLE)
UNKNOWN_TOKEN = Trouble(AccessTokenProblem.MALFORMED, final=True)
OTHER_APP = Trouble(AccessTokenProblem.WRONG_APP, final=True)

LIMIT_LASTS = 300  # seconds: how long to wait where Meta names no time
_SERVER_FAULTS = 500
_MOST_WORDS = 500  # characters of Meta's own words

_APP_LIMIT = 4
_LIMITS = frozenset({_APP_LIMIT, 17, 32, 341, 613, *range(80000, 80015)})
_TRANSIENT = frozenset({1, 2})
_INVALID_TOKEN = frozenset({102, 190})
_INVALID_APP = 101
_INVALID_PARAMETER, _NOT_REACHABLE = 100, 33
_FORBIDDEN = frozenset({10, *range(200, 300)})
_CHECKPOINT, _BLOCKED = 415, 368

_BY_SUBCODE = {
    458: Trouble(AccessTokenProblem.REVOKED, final=True),  # the person removed the app
    460: Trouble(AccessTokenProblem.REVOKED, final=True),  # a new password
    467: Trouble(AccessTokenProblem.REVOKED, final=True),  # logged out
    463: Trouble(AccessTokenProblem.EXPIRED, final=True),
    459: Trouble(AccessTokenProblem.CHECKPOINT, final=True),
    464: Trouble(AccessTokenProblem.CHECKPOINT, final=True),  # an unconfirmed user
    492: Trouble(AccessTokenProblem.ROLE_TOO_WEAK, final=True),
}


class Question(Enum):
    """What a refusal leaves open."""

    STILL_GOOD = "is the access token still good?"
    GRANTED = "did the login grant the permission?"
    OUR_FAULT = "what is wrong with our app?"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error of Meta's. `message` is for developers, may hold anything, and is never shown or logged."""

    status: int
    code: int | None
    subcode: int | None = None
    transient: bool = False
    trace: str | None = None
    words: str | None = None
    message: str = field(default="", repr=False)

    @property
    def limits(self) -> bool:
        """Is it for the number of calls? Trying again makes it worse."""
        return self.code in _LIMITS

    @property
    def limits_app(self) -> bool:
        """Is it for the number of calls of the whole app?"""
        return self.code == _APP_LIMIT

    @property
    def passes(self) -> bool:
        """May the same call succeed in a moment?"""
        if self.limits or self.blames_app:
            return False
        return self.transient or self.status >= _SERVER_FAULTS or self.code in _TRANSIENT

    @property
    def blames_app(self) -> bool:
        """Is it about our own app or its secret, whatever the access token?"""
        return self.code == _INVALID_APP or any(
            one in self.message for one in ("appsecret_proof", "client secret")
        )

    @property
    def invalid_token(self) -> bool:
        """Is it about the access token itself?"""
        return self.code in _INVALID_TOKEN

    @property
    def of_other_app(self) -> bool:
        """Does debug_token refuse to say anything of another app's access token?"""
        return self.code == _INVALID_PARAMETER and "did not match the View" in self.message


def refusal_of(status: int, error: Any) -> Refusal:
    """Read an error of Meta's; what has another type than it should have counts as absent."""
    if not isinstance(error, dict):
        return Refusal(status, None)
    subcode = error.get("error_subcode", error.get("subcode"))  # debug_token calls it `subcode`
    trace, message = error.get("fbtrace_id"), error.get("message")
    return Refusal(
        status,
        _integer(error.get("code")),
        _integer(subcode),
        transient=error.get("is_transient") is True,
        trace=trace if _is_trace(trace) else None,
        words=_words(error.get("error_user_msg")),
        message=message if isinstance(message, str) else "",
    )


def app_verdict(refusal: Refusal) -> Trouble | Question:
    """Say what it means that Meta refuses a call with our app's own token. It is never a user's fault."""
    if refusal.limits or refusal.passes:
        return verdict(refusal, of_page=False)
    return Question.OUR_FAULT


def verdict(refusal: Refusal, *, of_page: bool) -> Trouble | Question:
    """Say what a refusal means for the access token that the call was made with.

    `of_page`: the call names a Page, so that what cannot be reached is that Page.
    """
    if refusal.limits:
        return Trouble(AccessTokenProblem.UNVERIFIABLE, retry_after=LIMIT_LASTS)
    if refusal.blames_app:
        return Question.OUR_FAULT
    if refusal.passes:
        return UNVERIFIABLE
    if refusal.invalid_token:
        return _BY_SUBCODE.get(refusal.subcode or 0, Question.STILL_GOOD)
    if refusal.code in _FORBIDDEN:
        return Question.GRANTED
    if refusal.code == _CHECKPOINT:
        return Trouble(AccessTokenProblem.CHECKPOINT)
    if refusal.code == _BLOCKED:
        return Trouble(AccessTokenProblem.OTHER, words=refusal.words)
    if refusal.code == _INVALID_PARAMETER and refusal.subcode == _NOT_REACHABLE:
        return Trouble(AccessTokenProblem.WRONG_ACCOUNT) if of_page else Question.STILL_GOOD
    return Question.OUR_FAULT  # a call that Meta does not understand


def invalid_token(refusal: Refusal, *, ends: tuple[datetime | None, ...], now: datetime) -> Trouble:
    """Say why a token of which debug_token knows the app is invalid.

    Without a subcode that we know, an end that has passed tells. Otherwise somebody invalidated it.
    """
    known = _BY_SUBCODE.get(refusal.subcode or 0)
    if known is not None and not refusal.passes:
        return known
    if refusal.code is None or refusal.invalid_token:
        ended = any(end is not None and end <= now for end in ends)
        return Trouble(AccessTokenProblem.EXPIRED if ended else AccessTokenProblem.REVOKED, final=True)
    if refusal.of_other_app:
        return OTHER_APP
    found = verdict(refusal, of_page=False)
    return found if isinstance(found, Trouble) else UNVERIFIABLE


def missing_scopes(facts: TokenFacts, scopes: tuple[str, ...], target: str | None) -> tuple[str, ...]:
    """List the permissions that a login did not grant: not at all, or not for the account `target`."""
    return tuple(
        scope
        for scope in scopes
        if scope not in facts.scopes
        or (target is not None and target not in facts.targets.get(scope, {target}))
    )


def _integer(value: Any) -> int | None:
    return value if type(value) is int else None


def _is_trace(value: Any) -> bool:
    """Does this look like the id that Meta's support asks for? Access tokens are longer."""
    return isinstance(value, str) and 0 < len(value) <= 32 and value.isascii() and value.isprintable()  # noqa: PLR2004 - they have some 23


def _words(value: Any) -> str | None:
    """Meta's words for the person, if they can be shown."""
    if not isinstance(value, str):
        return None
    problems = Problems()
    text = inputs.check_text(problems, (), value, longest=_MOST_WORDS)
    return None if problems else text
