"""Test tokens: each one says whose login it is, and what happens to it when.

    Login      TEST-person[-condition][@unix]
               TEST-any[-condition][@unix]:fb=F[;page=P1,P2][;ig=I1,I2]
    PageToken  TEST-page-P-of-LOGIN

Before its time a token is good, and then its condition holds. Without a time, the condition always holds.
A time without a condition changes nothing: it makes another good token of the same person.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from .people import PEOPLE, Page, Person, made_up_person, page_of

ANY = "any"
LONGEST = 4096  # characters


class Condition(StrEnum):
    """What may be wrong with a login; docs/sandbox.md says what each one does."""

    DIES = "dies"
    EXPIRED = "expired"
    REVOKED = "revoked"
    PASSWORD = "password"  # noqa: S105 (the user changed theirs)
    CHECKPOINT = "checkpoint"
    NOSCOPE = "noscope"
    NOROLE = "norole"
    UNLINKED = "unlinked"
    OTHERAPP = "otherapp"
    BLOCKED = "blocked"
    SLOW = "slow"
    DOWN = "down"
    LIMIT = "limit"


_ABOUT_THE_FIRST_PAGE = frozenset({Condition.NOROLE, Condition.UNLINKED})


@dataclass(frozen=True, slots=True)
class Ids:
    """What a token of `any` says that its person has; the n-th Instagram account belongs to the n-th Page."""

    facebook: str
    pages: tuple[str, ...] = ()
    instagram: tuple[str, ...] = ()

    def __str__(self) -> str:
        page = f";page={','.join(self.pages)}" if self.pages else ""
        instagram = f";ig={','.join(self.instagram)}" if self.instagram else ""
        return f":fb={self.facebook}{page}{instagram}"


@dataclass(frozen=True, slots=True)
class Login:
    """A user's token. `name` is a key of PEOPLE, or `any`, which has `ids`; `time` is in Unix seconds."""

    name: str
    condition: Condition | None = None
    time: int | None = None
    ids: Ids | None = None

    @property
    def person(self) -> Person:
        """The Facebook user who logged in."""
        return PEOPLE[self.name] if self.ids is None else _person_of(self.ids)

    @property
    def login(self) -> "Login":
        """The login itself, as of a Page's token."""
        return self

    def condition_at(self, now: float) -> Condition | None:
        """Return the condition that holds now, in Unix seconds; None if the token is good."""
        return None if self.time is not None and now < self.time else self.condition

    def token_of(self, page: Page) -> "PageToken":
        """Return the token that this login hands out for one of its Pages.

        Of the ids of `any` it keeps those of the Page: a login may have hundreds, each with such a token.
        """
        if self.ids is None:
            return PageToken(page.id, self)
        instagram = (page.instagram.id,) if page.instagram else ()
        login = replace(self, ids=Ids(self.ids.facebook, (page.id,), instagram))
        if self.condition in _ABOUT_THE_FIRST_PAGE and not self.person.is_first(page.id):
            login = replace(login, condition=None, time=None)
        return PageToken(page.id, login)

    def __str__(self) -> str:
        condition = f"-{self.condition}" if self.condition else ""
        time = "" if self.time is None else f"@{self.time}"
        return f"TEST-{self.name}{condition}{time}{self.ids or ''}"


@dataclass(frozen=True, slots=True)
class PageToken:
    """A Page's token, which a login handed out. The condition of the login holds for it, too."""

    page_id: str
    login: Login

    @property
    def page(self) -> Page:
        """The Page that the token acts for."""
        return self.login.person.pages[self.page_id]

    def __str__(self) -> str:
        return f"TEST-page-{self.page_id}-of-{self.login}"


Token = Login | PageToken

_ID = r"[1-9][0-9]{0,19}"
_IDS = rf"{_ID}(?:,{_ID})*"
_FORM = re.compile(
    rf"(?:TEST-page-(?P<page_id>{_ID})-of-)?"
    rf"TEST-(?P<name>{'|'.join([*PEOPLE, ANY])})"
    rf"(?:-(?P<condition>{'|'.join(Condition)}))?"
    r"(?:@(?P<time>0|[1-9][0-9]{0,11}))?"
    rf"(?P<ids>:fb=(?P<facebook>{_ID})(?:;page=(?P<pages>{_IDS}))?(?:;ig=(?P<instagram>{_IDS}))?)?"
)


@lru_cache(maxsize=2048)
def parse(text: str) -> Token | None:
    """Return what a test token says; None if the text is none."""
    found = _FORM.fullmatch(text) if len(text) <= LONGEST else None
    if found is None or (found["name"] == ANY) != bool(found["ids"]):
        return None
    condition = Condition(found["condition"]) if found["condition"] else None
    time = int(found["time"]) if found["time"] else None
    if condition is Condition.DIES and time is None:
        return None
    ids = None
    if found["ids"]:
        ids = Ids(found["facebook"], _listed(found["pages"]), _listed(found["instagram"]))
        if _repeat_themselves(ids):
            return None
    login = Login(found["name"], condition, time, ids)
    if found["page_id"] is None:
        return login
    return PageToken(found["page_id"], login) if found["page_id"] in login.person.pages else None


def _listed(ids: str | None) -> tuple[str, ...]:
    return tuple(ids.split(",")) if ids else ()


def _repeat_themselves(ids: Ids) -> bool:
    """Return True if a Page or an Instagram account is there twice, also as a Page that is made up."""
    pages = [*ids.pages, *map(page_of, ids.instagram[len(ids.pages) :])]
    return len(set(pages)) < len(pages) or len(set(ids.instagram)) < len(ids.instagram)


@lru_cache(maxsize=2048)
def _person_of(ids: Ids) -> Person:
    return made_up_person(ids.facebook, ids.pages, ids.instagram)
