"""Who is in the database: made from numbers alone, so that the load and its checks need not ask for it.

People are numbered, and so are social accounts; ids, bearer tokens and times follow from the number. The
measured people come first; fillers hold the rest of the accounts, a dozen each. The last one, the stranger,
holds an account for each measured person, so that each can claim one that is held elsewhere.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from uuid import UUID

from graphql_api.adapters.sealing import Binding, Keyring
from graphql_api.domain import bearer_tokens
from graphql_api.domain.holders import Holder, Personal, Workspace
from graphql_api.domain.secrets import Secret

Rows = tuple[str, Sequence[str], Iterator[tuple[object, ...]]]

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
FACEBOOK_ACCESS_TOKEN = "EAAF" + "f" * 176
ACCESS_TOKEN = "IGQV" + "i" * 156
PER_FILLER = 12
WORKSPACE_ACCOUNTS = 20
WORKSPACE_EVENTS = 200
_WORKSPACE_NUMBERS = 10_000_000  # where the numbers of the accounts that workspaces hold begin
_ELSEWHERE_NUMBERS = 20_000_000  # and of the accounts that the stranger holds, one for each measured person


@dataclass(frozen=True, slots=True)
class Person:
    """A measured person, and which accounts their Personal holds."""

    number: int
    first_account: int
    accounts: int

    @property
    def id(self) -> UUID:
        """The user's id."""
        return made_id("user", self.number)

    @property
    def facebook_account_id(self) -> UUID:
        """The id of their Facebook account."""
        return made_id("facebook account", self.number)

    @property
    def facebook_user_id(self) -> str:
        """Facebook's id of them."""
        return str(100_000_000_000_000 + self.number)

    @property
    def bearer_token(self) -> str:
        """What they authenticate with."""
        random = hashlib.sha256(f"bearer token {self.number}".encode()).digest()
        return bearer_tokens.mint(bearer_tokens.BEARER_TOKEN, random).reveal()

    @property
    def account_numbers(self) -> range:
        """The accounts of their Personal, in the order of connecting."""
        return range(self.first_account, self.first_account + self.accounts)

    @property
    def account_elsewhere(self) -> int:
        """An account that the stranger holds, and that nobody else measured claims."""
        return _ELSEWHERE_NUMBERS + self.number

    @property
    def workspace_id(self) -> UUID:
        """The workspace that they are the admin of."""
        return made_id("workspace", self.number)

    @property
    def workspace_account_numbers(self) -> range:
        """The accounts of that workspace, in the order of connecting."""
        first = _WORKSPACE_NUMBERS + self.number * WORKSPACE_ACCOUNTS
        return range(first, first + WORKSPACE_ACCOUNTS)

    @property
    def team_ids(self) -> tuple[UUID, UUID]:
        """The teams of that workspace, which everything is shared with, by name."""
        return made_id("first team", self.number), made_id("second team", self.number)


TEAM_NAMES = ("Editors", "Planners")


@dataclass(frozen=True)
class Population:
    """The measured people by how many accounts each holds, and how many accounts there are in all."""

    sizes: Sequence[int]
    accounts: int
    workspaces: int

    @cached_property
    def people(self) -> Sequence[Person]:
        """The measured people."""
        people, first = [], 0
        for number, size in enumerate(self.sizes):
            people.append(Person(number, first, size))
            first += size
        return people

    @cached_property
    def fillers(self) -> Sequence[Person]:
        """Everybody else."""
        first, number = sum(self.sizes), len(self.sizes)
        return [
            Person(number + index, start, min(PER_FILLER, self.accounts - start))
            for index, start in enumerate(range(first, self.accounts, PER_FILLER))
        ]

    @property
    def stranger(self) -> Person:
        """The holder of what is held elsewhere."""
        return Person(len(self.people) + len(self.fillers), _ELSEWHERE_NUMBERS, len(self.people))

    @property
    def hosts(self) -> Sequence[Person]:
        """The measured people who have a workspace: the last ones."""
        return self.people[len(self.people) - self.workspaces :]

    def tables(self, keyring: Keyring) -> Iterator[Rows]:
        """All rows, table by table, in an order that foreign keys allow."""
        everybody = [*self.people, *self.fillers, self.stranger]
        stamps = (BEGINNING, BEGINNING)
        yield (
            "users",
            (
                *("id", "email", "email_key", "name", "password_hash", "held_count", "event_seq"),
                *("created_at", "updated_at"),
            ),
            (
                (p.id, email_of(p), email_of(p), name_of(p), "no password", p.accounts, 0, *stamps)
                for p in everybody
            ),
        )
        yield (
            "api_tokens",
            ("id", "user_id", "label", "secret_hash", "scopes", "created_at", "expires_at"),
            (
                (
                    *(made_id("api token", p.number), p.id, "benchmark"),
                    *(bearer_tokens.digest(Secret(p.bearer_token)), ""),
                    *(BEGINNING, BEGINNING + timedelta(days=36_500)),
                )
                for p in everybody
            ),
        )
        yield (
            "facebook_accounts",
            ("id", "user_id", "facebook_user_id", "location", "access_token", "created_at", "updated_at"),
            (
                (
                    *(p.facebook_account_id, p.id, p.facebook_user_id, "progressMeter"),
                    *(_seal(keyring, "facebook_accounts", p.facebook_user_id, Personal(p.id)), *stamps),
                )
                for p in everybody
            ),
        )
        yield from self._workspaces()
        yield (
            "social_accounts",
            (
                *("id", "platform", "external_id", "hold_id", "holder_user_id", "holder_workspace_id"),
                *("display_name", "display_name_key", "profile_picture_url", "facebook_account_id"),
                *("connected_by_id", "access_token", "created_at", "updated_at"),
            ),
            self._social_accounts(keyring),
        )
        yield (
            "shares",
            ("team_id", "social_account_id", "created_at"),
            (
                (team_id, made_id("row", number), BEGINNING)
                for p in self.hosts
                for number in p.workspace_account_numbers
                for team_id in p.team_ids
            ),
        )
        yield (
            "events",
            (
                *("id", "workspace_id", "seq", "kind", "actor_id", "actor_name", "subject_id"),
                *("subject_name", "platform", "request_id", "details", "created_at"),
            ),
            (
                (
                    *(event_id(p, seq), p.workspace_id, seq, "SOCIAL_ACCOUNT_RECONNECTED", p.id),
                    *(name_of(p), made_id("hold", event_subject(p, seq)), username(event_subject(p, seq))),
                    *("INSTAGRAM", "benchmark", "{}", BEGINNING + timedelta(seconds=seq)),
                )
                for p in self.hosts
                for seq in range(1, WORKSPACE_EVENTS + 1)
            ),
        )

    def _workspaces(self) -> Iterator[Rows]:
        yield (
            "workspaces",
            ("id", "name", "held_count", "event_seq", "created_at", "updated_at"),
            (
                (p.workspace_id, "Agency", WORKSPACE_ACCOUNTS, WORKSPACE_EVENTS, BEGINNING, BEGINNING)
                for p in self.hosts
            ),
        )
        yield (
            "memberships",
            ("id", "workspace_id", "user_id", "role", "created_at"),
            ((made_id("membership", p.number), p.workspace_id, p.id, "ADMIN", BEGINNING) for p in self.hosts),
        )
        yield (
            "teams",
            ("id", "workspace_id", "name", "created_at", "updated_at"),
            (
                (team_id, p.workspace_id, name, BEGINNING, BEGINNING)
                for p in self.hosts
                for team_id, name in zip(p.team_ids, TEAM_NAMES, strict=True)
            ),
        )
        yield (
            "team_members",
            ("team_id", "user_id", "workspace_id", "created_at"),
            ((p.team_ids[0], p.id, p.workspace_id, BEGINNING) for p in self.hosts),
        )

    def _social_accounts(self, keyring: Keyring) -> Iterator[tuple[object, ...]]:
        for person in (*self.people, *self.fillers, self.stranger):
            for number in person.account_numbers:
                yield _social_account(keyring, person, number, Personal(person.id))
        for person in self.hosts:
            for number in person.workspace_account_numbers:
                yield _social_account(keyring, person, number, Workspace(person.workspace_id))


def _social_account(keyring: Keyring, person: Person, number: int, holder: Holder) -> tuple[object, ...]:
    external_id, connected = instagram_user_id(number), connected_at(number)
    return (
        *(made_id("row", number), "INSTAGRAM", external_id, made_id("hold", number)),
        *((holder.user_id, None) if isinstance(holder, Personal) else (None, holder.workspace_id)),
        *(username(number), username(number), picture_url(number), person.facebook_account_id, person.id),
        *(_seal(keyring, "social_accounts", external_id, holder), connected, connected),
    )


def _seal(keyring: Keyring, table: str, external_id: str, holder: Holder) -> str:
    """Sealed as the server would, so that `keys reseal` of a measured database would work."""
    facebook = table == "facebook_accounts"
    secret = Secret(FACEBOOK_ACCESS_TOKEN if facebook else ACCESS_TOKEN)
    platform = "FACEBOOK" if facebook else "INSTAGRAM"
    return str(keyring.seal(secret, Binding(table, "access_token", platform, external_id, str(holder))))


def made_id(kind: str, number: int) -> UUID:
    """An id that looks random and follows from a number."""
    return UUID(bytes=hashlib.md5(f"{kind} {number}".encode(), usedforsecurity=False).digest(), version=4)


def email_of(person: Person) -> str:
    """Their e-mail address."""
    return f"person.{person.number}@example.com"


def name_of(person: Person) -> str:
    """Their name."""
    return f"Person {person.number}"


def instagram_user_id(number: int) -> str:
    """Instagram's id of an account."""
    return str(17_841_400_000_000_000 + number)


def username(number: int) -> str:
    """The name of an account on Instagram."""
    return f"creator.{number}"


def picture_url(number: int) -> str:
    """Where the picture of an account is."""
    return f"https://pictures.example/v/t51.2885-19/{number}.jpg?signature=0123456789abcdef"


def connected_at(number: int) -> datetime:
    """When an account was connected: their numbers are in this order."""
    return BEGINNING + timedelta(seconds=number)


def event_id(person: Person, seq: int) -> UUID:
    """The id of an event in the history of a person's workspace."""
    return made_id("event", person.number * WORKSPACE_EVENTS + seq)


def event_subject(person: Person, seq: int) -> int:
    """The account that such an event is about."""
    return person.workspace_account_numbers[seq % WORKSPACE_ACCOUNTS]
