"""What is going on now: one watch over the tables for all the streams of a process.

A stream waits here without a connection, until there may be something for it to read. Twice a second, and
as soon as the channel says so, one short read asks for all of them: how far their histories have come,
whether they still belong there, and which of their API tokens still hold.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlmodel import col

from graphql_api.adapters.channel import Channel
from graphql_api.domain import holders
from graphql_api.domain.faults import TemporarilyUnavailable
from graphql_api.domain.holders import Holder, Personal, Role
from graphql_api.storage.columns import UtcDateTime
from graphql_api.storage.database import Database
from graphql_api.storage.prepared import Prepared, one_of
from graphql_api.storage.tables import ApiToken, Membership, User, Workspace

T = TypeVar("T")
log = structlog.get_logger(__name__)

INTERVAL = 0.5  # seconds between two looks, if nothing is announced
SPACING = 0.02  # seconds between two looks at least

Standing = tuple[int, Role | None]
"""The number of a place's latest event, and somebody's role there."""


@dataclass(eq=False, slots=True)
class Follower:
    """One stream that follows a history: where it stands, as it last read that itself."""

    user_id: UUID
    holder: Holder
    standing: Standing | None = None
    role_changed: bool = False
    stirred: asyncio.Event = field(default_factory=asyncio.Event)

    def know(self, seq: int, role: Role | None) -> None:
        """Say what was read: up to which event, and in which role."""
        self.standing = (seq, role)
        self.role_changed = False

    def compare(self, found: Standing | None) -> None:
        """Stir, if what is there now is something else than what is known."""
        if found != self.standing:
            self.role_changed = found is None or self.standing is None or found[1] != self.standing[1]
            self.stirred.set()


@dataclass(eq=False, slots=True)
class _Bearer:
    user_id: UUID
    api_token_id: UUID
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Live:
    """The watch of one process."""

    def __init__(
        self, database: Database, channel: Channel, clock: Callable[[], datetime], *, readers: int
    ) -> None:
        self._database = database
        self._channel = channel
        self._clock = clock
        # Streams never take all connections: requests would wait for those who woke up together.
        self.reading = asyncio.Semaphore(readers)
        self._followers: set[Follower] = set()
        self._bearers: set[_Bearer] = set()
        self._topics = Counter[str]()
        self._stir = asyncio.Event()
        self._watched = asyncio.Event()

    def announce(self, holders: Collection[Holder]) -> None:
        """Wake those who follow these places, in every process; to be called after the commit."""
        self._channel.announce([str(holder) for holder in holders])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep watch until the block ends."""
        tasks = [asyncio.create_task(self._channel.run(self._hear)), asyncio.create_task(self._watch())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    @contextmanager
    def following(self, user_id: UUID, holder: Holder) -> Iterator[Follower]:
        """Follow a place on behalf of somebody."""
        follower = Follower(user_id, holder)
        with self._watching(self._followers, follower, str(holder)):
            yield follower

    async def api_token_ended(self, user_id: UUID, api_token_id: UUID) -> None:
        """Return once the API token is revoked, has expired or is gone."""
        bearer = _Bearer(user_id, api_token_id)
        with self._watching(self._bearers, bearer, str(Personal(user_id))):
            await bearer.ended.wait()

    @contextmanager
    def _watching(self, among: set[T], one: T, topic: str) -> Iterator[None]:
        among.add(one)
        self._topics[topic] += 1
        self._watched.set()
        try:
            yield
        finally:
            among.discard(one)
            self._topics[topic] -= 1
            if not self._topics[topic]:
                del self._topics[topic]
            if not self._topics:
                self._watched.clear()

    def _hear(self, topics: Collection[str] | None) -> None:
        if topics is None or any(topic in self._topics for topic in topics):
            self._stir.set()

    async def _watch(self) -> None:
        while True:
            await self._watched.wait()
            with suppress(TimeoutError):
                # Not all processes at the same moments.
                async with asyncio.timeout(INTERVAL * random.uniform(0.8, 1)):  # noqa: S311 - jitter
                    await self._stir.wait()
            self._stir.clear()
            try:
                await self._look()
            except TemporarilyUnavailable:
                log.info("live.waiting_for_the_database")
            except Exception:
                # Without the watch no stream would hear anything any more.
                log.exception("live.look_failed")
            await asyncio.sleep(SPACING)

    async def _look(self) -> None:
        """Compare what everybody knows with what is there."""
        followers, bearers = list(self._followers), list(self._bearers)
        user_ids = {one.holder.user_id for one in followers if isinstance(one.holder, Personal)}
        member_ids = {one.user_id for one in followers if not isinstance(one.holder, Personal)}
        workspace_ids = {one.holder.workspace_id for one in followers if not isinstance(one.holder, Personal)}
        token_ids = {one.api_token_id for one in bearers}

        standings: dict[tuple[UUID, Holder], Standing] = {}
        valid: Collection[UUID] = ()
        if user_ids:
            standings |= dict(await self._database.rows(_PERSONALS, ids=user_ids))
        if workspace_ids:
            asked = {"workspace_ids": workspace_ids, "user_ids": member_ids}
            standings |= dict(await self._database.rows(_WORKSPACES, **asked))
        if token_ids:
            valid = set(await self._database.rows(_VALID_TOKENS, ids=token_ids, now=self._clock()))
        for follower in followers:
            follower.compare(standings.get((follower.user_id, follower.holder)))
        for bearer in bearers:
            if bearer.api_token_id not in valid:
                bearer.ended.set()


_PERSONALS = Prepared[tuple[tuple[UUID, Holder], Standing]](
    sa.select(col(User.id), col(User.event_seq)).where(one_of(col(User.id), "ids")),
    lambda user_id, seq: ((user_id, Personal(user_id)), (seq, None)),
)
_WORKSPACES = Prepared[tuple[tuple[UUID, Holder], Standing]](
    sa.select(col(Workspace.id), col(Membership.user_id), col(Workspace.event_seq), col(Membership.role))
    .join(Membership, col(Membership.workspace_id) == col(Workspace.id))
    .where(
        one_of(col(Membership.workspace_id), "workspace_ids"), one_of(col(Membership.user_id), "user_ids")
    ),
    lambda workspace_id, user_id, seq, role: ((user_id, holders.Workspace(workspace_id)), (seq, role)),
)
_VALID_TOKENS = Prepared[UUID](
    sa.select(col(ApiToken.id)).where(
        one_of(col(ApiToken.id), "ids"),
        col(ApiToken.revoked_at).is_(None),
        col(ApiToken.expires_at) > sa.bindparam("now", type_=UtcDateTime()),
    ),
    lambda api_token_id: api_token_id,
)
