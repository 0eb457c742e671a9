"""Who controls a social account: what Meta says, and what follows from it.

    TokenFacts      what Meta says of one access token (debug_token)
    PageFacts       a Page that a login has a role on, with the Instagram account that belongs to it
    Trouble         why an access token is no proof, as an AccessTokenProblem

A login controls a Page on which it has the task MANAGE or CREATE_CONTENT, and the Instagram account that
belongs to such a Page. A Page token may have been copied and has no end: it is for acting, never a proof.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from graphql_api.domain.platforms import Platform, SocialKey
from graphql_api.domain.secrets import Secret


class AccessTokenProblem(StrEnum):
    """Why an access token is not accepted."""

    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"
    CHECKPOINT = "CHECKPOINT"
    MISSING_PERMISSION = "MISSING_PERMISSION"
    ROLE_TOO_WEAK = "ROLE_TOO_WEAK"
    WRONG_ACCOUNT = "WRONG_ACCOUNT"
    WRONG_LOGIN = "WRONG_LOGIN"
    WRONG_APP = "WRONG_APP"
    MALFORMED = "MALFORMED"
    UNVERIFIABLE = "UNVERIFIABLE"
    OTHER = "OTHER"


_SENTENCES: Mapping[AccessTokenProblem, str] = {
    AccessTokenProblem.EXPIRED: "The Facebook login has expired. Log in to Facebook again",
    AccessTokenProblem.REVOKED: (
        "The Facebook login was revoked, for example by a new password. Log in to Facebook again"
    ),
    AccessTokenProblem.CHECKPOINT: (
        "Facebook asks you to confirm something first. Follow the steps on facebook.com, then log in again"
    ),
    AccessTokenProblem.MISSING_PERMISSION: (
        "The Facebook login did not grant everything that is needed. "
        "Log in to Facebook again and allow each permission for this account"
    ),
    AccessTokenProblem.ROLE_TOO_WEAK: (
        "Your role on the Facebook Page is too weak. "
        "Ask somebody with full control of the Page for a stronger one"
    ),
    AccessTokenProblem.WRONG_ACCOUNT: "This Facebook login does not control this account",
    AccessTokenProblem.WRONG_LOGIN: "The access token is of another Facebook login",
    AccessTokenProblem.WRONG_APP: "The access token was made for another app",
    AccessTokenProblem.MALFORMED: "Facebook does not know this access token",
    AccessTokenProblem.UNVERIFIABLE: "Facebook could not be asked. Try again later",
    AccessTokenProblem.OTHER: "Facebook does not accept this access token",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no proof now.

    `final`: Meta's word is definite, so one such answer is enough to call an account broken. `words` are
    Meta's own for the person, `missing` the permissions that were not granted, `retry_after` is in seconds.
    """

    problem: AccessTokenProblem
    final: bool = False
    words: str | None = None
    missing: tuple[str, ...] = ()
    retry_after: int | None = None

    @property
    def retryable(self) -> bool:
        """May the same call succeed later?"""
        return self.problem is AccessTokenProblem.UNVERIFIABLE

    @property
    def sentence(self) -> str:
        """What a person is told: Meta's own words where we have no better ones."""
        if self.problem is AccessTokenProblem.OTHER and self.words:
            return self.words
        return _SENTENCES[self.problem]


@dataclass(frozen=True, slots=True)
class LoginRejected:
    """Meta does not accept the access token of a Facebook login, which stands at `path`."""

    path: tuple[str, ...]
    trouble: Trouble

    @property
    def message(self) -> str:
        """The sentence for people."""
        return self.trouble.sentence


class TokenKind(StrEnum):
    """Whose access token it is; everything else is no use to us."""

    USER = "USER"
    PAGE = "PAGE"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What Meta says of an access token.

    `page_id` is that of a Page token. `ends_at` is None for a token without an end. `targets` names the
    scopes that were granted for some accounts only, by their ids; a scope that is absent there holds for all.
    """

    app_id: str
    kind: TokenKind
    user_id: str | None = None
    page_id: str | None = None
    ends_at: datetime | None = None
    data_access_ends_at: datetime | None = None
    scopes: frozenset[str] = frozenset()
    targets: Mapping[str, frozenset[str]] = field(default_factory=dict)
    trouble: Trouble | None = None  # Meta does not accept it any more


@dataclass(frozen=True, slots=True)
class LongLived:
    """A login's access token that lasts some 60 days; `ends_at` is None where Meta names no end."""

    access_token: Secret
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class InstagramFacts:
    """The Instagram professional account that belongs to a Page."""

    instagram_user_id: str
    username: str | None
    profile_picture_url: str | None


@dataclass(frozen=True, slots=True)
class PageFacts:
    """A Page, as Meta shows it to one login. `access_token` is the Page's own, to act with."""

    page_id: str
    name: str | None
    profile_picture_url: str | None
    tasks: frozenset[str]
    access_token: Secret
    instagram: InstagramFacts | None


@dataclass(frozen=True, slots=True)
class Pages:
    """The Pages of a login; `has_more` if there are more than were asked for."""

    pages: Sequence[PageFacts]
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class Control:
    """What is proven of one social account: through which Page, and what Meta calls it and shows of it.

    `manages`: the login has the task MANAGE, which a request for a transfer needs.
    """

    key: SocialKey
    page_id: str
    display_name: str | None
    profile_picture_url: str | None
    access_token: Secret
    manages: bool


MANAGE = "MANAGE"
_CONTROL = frozenset({MANAGE, "CREATE_CONTENT"})
LISTS_PAGES = "pages_show_list"
READS_PAGES = "pages_read_engagement"
READS_INSTAGRAM = "instagram_basic"
LOGIN_SCOPES = (LISTS_PAGES, READS_PAGES)


def as_granted(app_id: str, facebook_user_id: str) -> TokenFacts:
    """What is taken for granted of a login that was proven before: Meta refuses its Pages if it is not so."""
    scopes = frozenset({*LOGIN_SCOPES, READS_INSTAGRAM})
    return TokenFacts(app_id, TokenKind.USER, facebook_user_id, scopes=scopes)


def why_no_login(facts: TokenFacts, *, app_id: str, facebook_user_id: str | None) -> Trouble | None:
    """Is this no access token of the login itself, or one that does not let us see what the login controls?

    `facebook_user_id` is None where the login is not claimed but asked for.
    """
    if facts.app_id != app_id:
        return Trouble(AccessTokenProblem.WRONG_APP, final=True)
    if facts.trouble is not None:
        return facts.trouble
    if facts.kind is not TokenKind.USER or facebook_user_id not in (None, facts.user_id):
        return Trouble(AccessTokenProblem.WRONG_LOGIN, final=True)
    missing = tuple(scope for scope in LOGIN_SCOPES if scope not in facts.scopes)
    return Trouble(AccessTokenProblem.MISSING_PERMISSION, final=True, missing=missing) if missing else None


def why_no_token(facts: TokenFacts, *, app_id: str, facebook_user_id: str, page_id: str) -> Trouble | None:
    """Is this neither an access token of the login nor the Page's own, which that login was given?"""
    if facts.app_id != app_id:
        return Trouble(AccessTokenProblem.WRONG_APP, final=True)
    if facts.trouble is not None:
        return facts.trouble
    of_page = facts.kind is TokenKind.PAGE and facts.page_id == page_id
    if facts.user_id != facebook_user_id or not (of_page or facts.kind is TokenKind.USER):
        return Trouble(AccessTokenProblem.WRONG_LOGIN, final=True)
    return None


def control_of(key: SocialKey, login: TokenFacts, pages: Collection[PageFacts]) -> Control | Trouble:
    """Does the login control this account?"""
    page = next((one for one in pages if key in keys_of(one)), None)
    if page is None:
        return _absent(key, login)
    missing = tuple(scope for scope, target in _needed(key, page) if not _granted(login, scope, target))
    if missing:
        return Trouble(AccessTokenProblem.MISSING_PERMISSION, final=True, missing=missing)
    if not page.tasks & _CONTROL:
        return Trouble(AccessTokenProblem.ROLE_TOO_WEAK)
    name, picture = page.name, page.profile_picture_url
    if key.platform is Platform.INSTAGRAM and page.instagram is not None:
        name, picture = page.instagram.username, page.instagram.profile_picture_url
    return Control(key, page.page_id, name, picture, page.access_token, MANAGE in page.tasks)


def keys_of(page: PageFacts) -> list[SocialKey]:
    """The social accounts that whoever controls a Page controls."""
    keys = [SocialKey(Platform.FACEBOOK_PAGE, page.page_id)]
    if page.instagram is not None:
        keys.append(SocialKey(Platform.INSTAGRAM, page.instagram.instagram_user_id))
    return keys


def _absent(key: SocialKey, login: TokenFacts) -> Trouble:
    """An account that Meta does not show: the login may have left it out when it granted access."""
    scope = READS_INSTAGRAM if key.platform is Platform.INSTAGRAM else LISTS_PAGES
    if not _granted(login, scope, key.external_id):
        return Trouble(AccessTokenProblem.MISSING_PERMISSION, missing=(scope,))
    return Trouble(AccessTokenProblem.WRONG_ACCOUNT)


def _needed(key: SocialKey, page: PageFacts) -> list[tuple[str, str]]:
    """The scopes that an account needs, each with the id that it must be granted for."""
    needed = [(LISTS_PAGES, page.page_id), (READS_PAGES, page.page_id)]
    if key.platform is Platform.INSTAGRAM:
        needed.append((READS_INSTAGRAM, key.external_id))
    return needed


def _granted(login: TokenFacts, scope: str, target: str) -> bool:
    return scope in login.scopes and target in login.targets.get(scope, {target})
