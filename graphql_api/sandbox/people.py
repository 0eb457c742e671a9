"""The people of the sandbox, their Pages and their Instagram accounts; they never change."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

FULL_CONTROL = ("ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MESSAGING", "MODERATE", "MANAGE")
CONTENT = ("ADVERTISE", "ANALYZE", "CREATE_CONTENT")
INSIGHTS = ("ANALYZE",)

_PICTURES = "https://pictures.example"  # a reserved name: nothing is there to fetch


@dataclass(frozen=True, slots=True)
class Instagram:
    """A professional Instagram account; username and picture are None if the sandbox does not say them."""

    id: str
    username: str | None = None
    picture: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A Facebook Page, with the tasks that one person has on it.

    `granted` is False if the person left the Page out when they logged in.
    """

    id: str
    tasks: Sequence[str]
    name: str | None = None
    picture: str | None = None
    instagram: Instagram | None = None
    granted: bool = True


@dataclass(frozen=True, slots=True)
class Person:
    """A Facebook user, with their Pages by id in the order in which Meta lists them."""

    facebook_id: str
    name: str | None = None
    pages: Mapping[str, Page] = field(default_factory=dict)

    def is_first(self, page_id: str) -> bool:
        """Return True if this is the person's first Page: some conditions are about it alone."""
        return next(iter(self.pages), None) == page_id

    def grants_every_page(self) -> bool:
        """Return True if no Page was left out at the login. Meta then names no target ids."""
        return all(page.granted for page in self.pages.values())


def made_up_person(facebook_id: str, page_ids: Sequence[str], instagram_ids: Sequence[str]) -> Person:
    """Return a person who manages these Pages; the n-th Instagram account belongs to the n-th Page.

    There are no names and no pictures, so that a caller's own words stay.
    """
    pages = (
        Page(
            id=page_id or page_of(instagram_id),
            tasks=FULL_CONTROL,
            instagram=Instagram(instagram_id) if instagram_id else None,
        )
        for page_id, instagram_id in zip_longest(page_ids, instagram_ids, fillvalue="")
    )
    return Person(facebook_id, pages=_by_id(pages))


def page_of(instagram_id: str) -> str:
    """Return the id of the Page that is made up for an Instagram account: 9, and its id filled to 19 digits.

    Meta's ids are shorter, so no real Page has such an id. Instagram ids of up to 19 digits never share a
    Page.
    """
    return f"9{instagram_id[-19:]:0>19}"


def _page(
    page_id: int,
    name: str,
    instagram: Instagram | None = None,
    tasks: Sequence[str] = FULL_CONTROL,
    *,
    granted: bool = True,
) -> Page:
    picture = f"{_PICTURES}/pages/{page_id}.png"
    return Page(str(page_id), tasks, name, picture, instagram, granted)


def _instagram(number: int, username: str) -> Instagram:
    instagram_id = str(17841400000000000 + number)
    return Instagram(instagram_id, username, f"{_PICTURES}/instagram/{instagram_id}.png")


def _by_id(pages: Iterable[Page]) -> dict[str, Page]:
    return {page.id: page for page in pages}


_STUDIO = _page(2001, "Ann's Studio", _instagram(1, "ann.studio"))

PEOPLE: Mapping[str, Person] = {
    "ann": Person("1001", "Ann Archer", _by_id([_STUDIO, _page(2002, "Ann's Shop")])),
    "ben": Person("1002", "Ben Becker", _by_id([_STUDIO])),
    "cat": Person(
        "1003",
        "Cat Carter",
        _by_id([
            _page(2003, "Cat's Cafe", _instagram(3, "cats.cafe"), CONTENT),
            _page(2004, "Cat's Clips", _instagram(4, "cats.clips"), INSIGHTS),
            _page(2005, "Cat's Corner", _instagram(5, "cats.corner"), granted=False),
        ]),
    ),
    "eve": Person("1004", "Eve Evans"),
    "max": Person(
        "1005",
        "Max Meyer",
        _by_id(_page(n, f"Max's Page {n}", _instagram(n, f"max.{n}")) for n in range(3001, 3601)),
    ),
}  # fmt: skip
