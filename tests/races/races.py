"""The races: each takes the people of a `field` and a number of rounds, and fails where a promise breaks.

one_account        everybody claims the same account: one winner, and the others are told so
overlapping_sets   everybody claims some of the same accounts, in random order
connect_disconnect the holder lets go while everybody claims
limit              one person's parallel calls ask for more than a place may hold
same_call          one call, sent many times at once
same_key           likewise, with an idempotency key: one answer
moves              accounts move and are disconnected while everybody claims them
taken_along        likewise by connects with allowMove, one of them retried with its key

Accounts are of both platforms, and each id is one of both; every other call has an idempotency key of its own.

kills              a server killed while it connects: what was acknowledged is there
"""

import asyncio
import base64
import itertools
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests import operations
from tests.accounts.moving_operations import MOVE
from tests.api import Api, Person, facebook_account, facebook_page, instagram_account
from tests.canaries import Canaries
from tests.serving import running

T = TypeVar("T")
LIMIT = 20  # MAX_ACCOUNTS_PER_HOLDER of the servers that are raced

_accounts = (
    f"{platform}:{number}"
    for number in itertools.count(10**15)
    for platform in ("INSTAGRAM", "FACEBOOK_PAGE")
)
_locations = itertools.count(1)
_keys = itertools.count(1)

_HISTORY = """
{ viewer { socialAccountCount eventsCursor socialAccounts { totalCount } events(first: 1) { totalCount } } }
"""
_HOLDINGS = """
query Holdings($after: String) {
  viewer {
    facebookAccounts { nodes { location } }
    socialAccounts(first: 100, after: $after) {
      totalCount
      nodes { id platform externalId }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""


@dataclass
class Figures:
    """What a race measured: one latency in milliseconds for each call, and how often each answer came."""

    race: str
    progress: Callable[[str, int], None] = lambda _race, _rounds: None
    rounds: int = 0
    latencies: list[float] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    racing: float = 0.0  # seconds, without what checks and cleans up between the rounds

    async def together(self, *calls: Awaitable[T]) -> list[T]:
        """Start all calls at once; their answers in order."""
        started = time.perf_counter()
        answers = await asyncio.gather(*(self._timed(call) for call in calls))
        self.racing += time.perf_counter() - started
        return answers

    async def _timed(self, call: Awaitable[T]) -> T:
        started = time.perf_counter()
        answer = await call
        self.latencies.append((time.perf_counter() - started) * 1000)
        return answer

    def round_ended(self) -> None:
        self.rounds += 1
        self.progress(self.race, self.rounds)


@asynccontextmanager
async def field_of(base_urls: Sequence[str], clients: int, canaries: Canaries) -> AsyncIterator[list[Person]]:
    """People at the start line, who speak to the servers in turn."""
    async with AsyncExitStack() as stack:
        apis = [await stack.enter_async_context(_api(base_url, canaries)) for base_url in base_urls]
        yield [await apis[number % len(apis)].register(f"racer{number}") for number in range(clients)]


@asynccontextmanager
async def _api(base_url: str, canaries: Canaries) -> AsyncIterator[Api]:
    async with httpx.AsyncClient(base_url=base_url, timeout=60, trust_env=False) as http:
        yield Api(http, canaries)


async def one_account(people: Sequence[Person], rounds: int, figures: Figures) -> None:
    """One winner a round, over an account never seen (every other round) and one that was let go."""
    account = fresh()
    for number in range(rounds):
        account = fresh() if number % 2 == 0 else account
        answers = await figures.together(*(connect(person, [account]) for person in people))
        winners = [person for person, answer in zip(people, answers, strict=True) if won(answer)]
        assert len(winners) == 1, Counter(map(kind, answers))
        count(figures, answers)
        assert figures.answers.keys() <= {"connected", "HeldElsewhere"}, figures.answers
        # Reading what everybody holds takes longer than the round itself: not after every one.
        asked = people if number % 10 < 2 else winners
        held = await holdings(asked)
        assert [set(one.ids) for one in held] == [
            {account} if person is winners[0] else set() for person in asked
        ]
        await let_go(asked, held)
        figures.round_ended()


async def overlapping_sets(people: Sequence[Person], rounds: int, figures: Figures) -> None:
    """Sets that overlap, in random order: no deadlock shows, and REJECT_ALL leaves nothing partial."""
    locations = [one.location for one in await holdings(people)]
    for number in range(rounds):
        accounts = [fresh() for _ in range(10)]
        asked = [random.sample(accounts, random.randint(2, 6)) for _ in people]
        marks = [f"mark{next(_locations)}" for _ in people]
        policy = "REJECT_ALL" if number % 2 == 0 else "CONNECT_OTHERS"
        answers = await figures.together(
            *(
                connect(person, some, policy=policy, location=mark)
                for person, some, mark in zip(people, asked, marks, strict=True)
            )
        )
        count(figures, answers)
        assert figures.answers.keys() <= {"connected", "HeldElsewhere"}, figures.answers
        held = await holdings(people)
        locations = [
            mark if won(answer) else before
            for mark, answer, before in zip(marks, answers, locations, strict=True)
        ]
        assert [one.location for one in held] == locations, "a refused call kept a Facebook account"
        taken = [account for one in held for account in one.ids]
        assert len(taken) == len(set(taken)), "an account has two holders"
        for one, some, answer in zip(held, asked, answers, strict=True):
            assert set(one.ids) == set(connected(answer))
            if policy == "REJECT_ALL":
                assert set(one.ids) == (set(some) if won(answer) else set())
        if policy == "CONNECT_OTHERS":
            assert set(taken) == set(itertools.chain.from_iterable(asked))
        assert taken
        await let_go(people, held)
        figures.round_ended()


async def connect_disconnect(people: Sequence[Person], rounds: int, figures: Figures) -> None:
    """The holder disconnects and reconnects at once while all others claim: one holder or none is left."""
    account = fresh()
    for number in range(rounds):
        owner, *others = [*people[number % len(people) :], *people[: number % len(people)]]
        (hold,) = hold_ids(await connect(owner, [account]))
        outcomes = await figures.together(
            connect(owner, [account]),
            owner.mutate(operations.DISCONNECT, socialAccountIds=[hold]),
            *(connect(person, [account]) for person in others),
        )
        disconnected = outcomes.pop(1)
        assert disconnected["__typename"] == "DisconnectSocialAccountsSuccess", disconnected
        count(figures, outcomes)
        assert figures.answers.keys() <= {"connected", "reconnected", "HeldElsewhere"}, figures.answers
        winners = [
            person
            for person, answer in zip([owner, *others], outcomes, strict=True)
            if "CONNECTED" in map(outcome, answer.get("connected", ()))
        ]
        held = await holdings(people)
        holders = [person for person, one in zip(people, held, strict=True) if account in one.ids]
        assert holders == winners, "the answers and the rows disagree"
        assert len(holders) <= 1
        await let_go(people, held)
        figures.round_ended()


async def limit(people: Sequence[Person], rounds: int, figures: Figures) -> None:
    """Parallel calls of one person ask for more than fits: never one more, and CONNECT_OTHERS fills up."""
    for number in range(rounds):
        person = people[number % len(people)]
        policy = "REJECT_ALL" if number % 2 == 0 else "CONNECT_OTHERS"
        answers = await figures.together(
            *(
                connect(one, [fresh() for _ in range(3)], policy=policy)
                for one in everywhere(person, people, max(len(people), LIMIT // 3 + 2))
            )
        )
        count(figures, answers)
        assert figures.answers.keys() <= {"connected", "AccountLimitReached"}, figures.answers
        (held,) = await holdings([person])
        assert len(held.ids) == (LIMIT if policy == "CONNECT_OTHERS" else LIMIT // 3 * 3), len(held.ids)
        assert set(held.ids) == {account for answer in answers for account in connected(answer)}
        await let_go([person], [held])
        figures.round_ended()


async def same_call(people: Sequence[Person], rounds: int, figures: Figures) -> None:
    """The same call ten times at once: ten successes about one row each, connected once."""
    for number in range(rounds):
        person = people[number % len(people)]
        accounts = [fresh() for _ in range(3)]
        answers = await figures.together(*(connect(one, accounts) for one in everywhere(person, people, 10)))
        assert all(map(won, answers)), Counter(map(kind, answers))
        count(figures, answers)
        outcomes = Counter(outcome(item) for answer in answers for item in answer["connected"])
        assert outcomes == {"CONNECTED": 3, "RECONNECTED": 27}, outcomes
        assert len({tuple(hold_ids(answer)) for answer in answers}) == 1, "the public id changed"
        held = await holdings([person])
        assert sorted(held[0].ids) == sorted(accounts)
        await let_go([person], held)
        figures.round_ended()


async def same_key(people: Sequence[Person], rounds: int, figures: Figures) -> None:
    """The same call with the same idempotency key ten times at once: ten times the one answer."""
    for number in range(rounds):
        person = people[number % len(people)]
        accounts, key = [fresh() for _ in range(3)], f"same{next(_locations)}"
        answers = await figures.together(
            *(connect(one, accounts, idempotencyKey=key) for one in everywhere(person, people, 10))
        )
        count(figures, answers)
        assert all(answer == answers[0] for answer in answers), Counter(map(kind, answers))
        assert [outcome(item) for item in answers[0]["connected"]] == 3 * ["CONNECTED"]
        held = await holdings([person])
        assert sorted(held[0].ids) == sorted(accounts)
        await let_go([person], held)
        figures.round_ended()


async def moves(people: Sequence[Person], rounds: int, figures: Figures) -> None:
    """Two admins move an account home while one disconnects it (every other round) and all others claim it."""
    ada, eve, *others = people
    workspace = await ada.create_workspace()
    await ada.bring_in(eve, workspace, "ADMIN")
    for number in range(rounds):
        account = fresh()
        (hold,) = hold_ids(await connect(ada, [account], workspaceId=workspace))
        calls = [one.mutate(MOVE, socialAccountIds=[hold]) for one in everywhere(ada, people, 2)]
        calls += [eve.mutate(MOVE, socialAccountIds=[hold])]
        if number % 2:
            calls += [ada.mutate(operations.DISCONNECT, socialAccountIds=[hold])]
        answers = await figures.together(*calls, *(connect(one, [account]) for one in others))
        moved, claimed = answers[: len(calls)], answers[len(calls) :]
        winners = [one for one, answer in zip((ada, ada, eve), moved, strict=False) if succeeded(answer)]
        assert len(winners) <= 1, "it was moved home twice"
        count(figures, claimed)
        figures.answers["moved"] += len(winners)
        held = await holdings(people)
        holders = [person for person, one in zip(people, held, strict=True) if account in one.ids]
        if not number % 2:
            assert len(winners) == 1
            assert not any(map(won, claimed)), "somebody slipped in"
        if succeeded(moved[-1]) and number % 2:
            # Disconnected, from the Workspace or from Ada's Personal: whoever claimed it then may have it.
            figures.answers["disconnected"] += 1
            assert holders == [one for one, answer in zip(others, claimed, strict=True) if won(answer)]
            assert winners != [eve]
        else:
            assert holders == winners
            assert held[people.index(winners[0])].ids[account] == hold, "the public id changed"
        await let_go(people, held)
        figures.round_ended()


async def taken_along(people: Sequence[Person], rounds: int, figures: Figures) -> None:
    """Two admins connect what their Workspace holds with allowMove, one of them twice with one key; all claim."""
    ada, eve, *others = people
    workspace = await ada.create_workspace()
    await ada.bring_in(eve, workspace, "ADMIN")
    for _ in range(rounds):
        accounts, key = [fresh(), fresh()], f"along{next(_locations)}"
        before = hold_ids(await connect(ada, accounts, workspaceId=workspace))
        answers = await figures.together(
            *(
                connect(one, accounts, allowMove=True, idempotencyKey=key)
                for one in everywhere(ada, people, 2)
            ),
            connect(eve, accounts, allowMove=True),
            *(connect(one, accounts, allowMove=True) for one in others),
        )
        count(figures, answers)
        winners = [one for one, answer in zip((ada, ada, eve), answers, strict=False) if won(answer)]
        assert winners in ([ada, ada], [eve]), Counter(map(kind, answers))
        assert not any(map(won, answers[3:])), "somebody slipped in"
        for answer in answers[:3]:
            if won(answer):
                assert [outcome(item) for item in answer["connected"]] == ["MOVED", "MOVED"]
                assert hold_ids(answer) == before, "the public id changed"
        held = await holdings(people)
        holders = [person for person, one in zip(people, held, strict=True) if set(accounts) & set(one.ids)]
        assert holders == winners[:1]
        await let_go(people, held)
        figures.round_ended()


RACES = (one_account, overlapping_sets, connect_disconnect, limit, same_call, same_key, moves, taken_along)


async def kills(
    directory: Path,
    environment: Mapping[str, str],
    canaries: Canaries,
    *,
    times: int,
    clients: int,
    figures: Figures,
) -> None:
    """Kill the server (SIGKILL) while people connect; after a restart every acknowledged connect is there."""
    unlimited = {**environment, "MAX_ACCOUNTS_PER_HOLDER": "100000"}
    people: list[Person] = []
    acknowledged: dict[str, set[str]] = {}
    for number in range(times + 1):
        async with (
            running(directory / f"life-{number}", unlimited) as server,
            _api(server.base_url, canaries) as api,
        ):
            if not people:
                people = [await api.register(f"survivor{one}") for one in range(clients)]
                acknowledged = {person.id: set() for person in people}
            for person in people:
                person.api = api
            for person, one in zip(people, await holdings(people), strict=True):
                missing = acknowledged[person.id] - set(one.ids)
                assert not missing, f"{len(missing)} acknowledged connects are lost"
                # A connect whose answer was lost may have been kept, and stays.
                acknowledged[person.id] |= set(one.ids)
            if number == times:
                return
            enough = asyncio.Semaphore(0)
            work = [
                asyncio.ensure_future(_connect_on(person, acknowledged, figures, enough)) for person in people
            ]
            # Not before something was acknowledged that could be lost, and in the middle of the rest.
            for _ in people:
                await asyncio.wait_for(enough.acquire(), 60)
            await asyncio.sleep(random.uniform(0.0, 0.3))
            await server.stop(signal.SIGKILL)
            await asyncio.gather(*work)
            figures.round_ended()


async def _connect_on(
    person: Person, acknowledged: Mapping[str, set[str]], figures: Figures, enough: asyncio.Semaphore
) -> None:
    """Connect one account after the other until the server is gone."""
    while True:
        account = fresh()
        try:
            (answer,) = await figures.together(connect(person, [account]))
        except httpx.TransportError:
            return
        assert won(answer), answer
        acknowledged[person.id].add(account)
        figures.answers["acknowledged"] += 1
        enough.release()


def fresh() -> str:
    """An account that nobody ever connected, as its platform and its id there."""
    return next(_accounts)


async def settled(people: Sequence[Person]) -> None:
    """What is counted is what is there, and no event is missing among the numbers of a history."""
    for person in people:
        viewer = (await person.execute(_HISTORY))["viewer"]
        assert viewer["socialAccountCount"] == viewer["socialAccounts"]["totalCount"]
        cursor = viewer["eventsCursor"]
        latest = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().rpartition(":")[2]
        assert viewer["events"]["totalCount"] == int(latest), "a history has gaps"


def everywhere(person: Person, people: Sequence[Person], times: int) -> list[Person]:
    """One person, speaking to all servers in turn."""
    return [
        Person(other.api, person.email, person.id, person.token)
        for other, _ in zip(itertools.cycle(people), range(times), strict=False)
    ]


async def connect(
    person: Person,
    accounts: Sequence[str],
    *,
    policy: str = "REJECT_ALL",
    location: str = "progressMeter",
    **more: Any,
) -> Any:
    """Claim accounts for somebody's Personal; `Api.execute` fails on a top-level error."""
    canaries, keys = person.api.canaries, next(_keys)
    if keys % 2:
        more.setdefault("idempotencyKey", f"key{keys}")
    ids: dict[str, list[str]] = {"INSTAGRAM": [], "FACEBOOK_PAGE": []}
    for account in accounts:
        platform, _, external_id = account.partition(":")
        ids[platform].append(external_id)
    return await person.mutate(
        operations.CONNECT,
        facebookAccount={**facebook_account(canaries), "location": location},
        instagramAccounts=[instagram_account(canaries, one) for one in ids["INSTAGRAM"]],
        facebookPages=[facebook_page(canaries, one) for one in ids["FACEBOOK_PAGE"]],
        onConflict=policy,
        **more,
    )


@dataclass
class Holdings:
    """What somebody holds: public ids by account; the location is their Facebook account's."""

    ids: dict[str, str]
    location: str | None


async def holdings(people: Sequence[Person]) -> list[Holdings]:
    """What each of them holds now."""
    return await asyncio.gather(*(_holdings(person) for person in people))


async def _holdings(person: Person) -> Holdings:
    ids: dict[str, str] = {}
    after: str | None = None
    while True:
        viewer = (await person.execute(_HOLDINGS, {"after": after}))["viewer"]
        page = viewer["socialAccounts"]
        ids.update((_account(node), node["id"]) for node in page["nodes"])
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert page["totalCount"] == len(ids)
    (location,) = [node["location"] for node in viewer["facebookAccounts"]["nodes"]] or [None]
    return Holdings(ids, location)


async def let_go(people: Sequence[Person], held: Sequence[Holdings]) -> None:
    """Disconnect everything, so that the next round starts even."""
    answers = await asyncio.gather(
        *(
            person.mutate(operations.DISCONNECT, socialAccountIds=list(one.ids.values()))
            for person, one in zip(people, held, strict=True)
            if one.ids
        )
    )
    for answer in answers:
        assert answer["__typename"] == "DisconnectSocialAccountsSuccess", answer


def won(answer: Mapping[str, Any]) -> bool:
    return bool(answer["__typename"] == "ConnectSocialAccountsSuccess")


def succeeded(answer: Mapping[str, Any]) -> bool:
    return str(answer["__typename"]).endswith("Success")


def kind(answer: Mapping[str, Any]) -> str:
    """A success, or the kinds of its errors."""
    return str(answer["__typename"] if won(answer) else sorted(e["__typename"] for e in answer["errors"]))


def outcome(item: Mapping[str, Any]) -> str:
    return str(item["outcome"])


def connected(answer: Mapping[str, Any]) -> list[str]:
    """The accounts that a call connected."""
    return [_account(item["socialAccount"]) for item in answer.get("connected", ())]


def _account(node: Mapping[str, Any]) -> str:
    return f"{node['platform']}:{node['externalId']}"


def hold_ids(answer: Mapping[str, Any]) -> list[str]:
    """The public ids that a call connected."""
    return [item["socialAccount"]["id"] for item in answer["connected"]]


def count(figures: Figures, answers: Sequence[Mapping[str, Any]]) -> None:
    """Count what was told of each account."""
    for answer in answers:
        for item in answer.get("connected", ()):
            figures.answers[outcome(item).lower()] += 1
        for error in answer["notConnected"] if won(answer) else answer["errors"]:
            figures.answers[error["__typename"]] += 1
