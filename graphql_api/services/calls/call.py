"""What every service is called with."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from graphql_api.adapters.graph.client import GraphClient
from graphql_api.adapters.passwords import Passwords
from graphql_api.adapters.sealing import Keyring
from graphql_api.domain.faults import Unauthenticated
from graphql_api.domain.holders import Holder
from graphql_api.domain.transfers import USUAL_TIMES, TransferTimes
from graphql_api.domain.viewers import Viewer
from graphql_api.services.calls.live import Live
from graphql_api.storage.database import Database
from graphql_api.storage.hot import HotStatement
from graphql_api.storage.prepared import Prepared, Row

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rules:
    """The figures that an operator may set."""

    max_accounts_per_holder: int = 500
    api_token_lifetime: timedelta = timedelta(days=90)
    invitation_lifetime: timedelta = timedelta(days=7)
    verification_code_lifetime: timedelta = timedelta(hours=24)
    reset_code_lifetime: timedelta = timedelta(hours=1)
    idempotency_key_lifetime: timedelta = timedelta(hours=24)
    free_log_ins_per_account: int = 5
    free_log_ins_from_new_networks: int = 100
    free_log_ins_per_address: int = 50
    free_registrations_per_address: int = 100
    mails_per_recipient: int = 5
    invitations_per_user: int = 100
    invitations_per_workspace: int = 300
    retention: timedelta = timedelta(days=30)
    event_retention: timedelta | None = None
    look_ups_per_user: int = 1000
    access_requests_per_user: int = 30
    verifications_per_user: int = 600
    writes_per_user: int = 20_000
    transfers_paused: bool = False
    transfer_times: TransferTimes = USUAL_TIMES


@dataclass(frozen=True, slots=True)
class Services:
    """What one process has one of."""

    database: Database
    live: Live
    keyring: Keyring
    passwords: Passwords
    rules: Rules
    clock: Callable[[], datetime]
    meta: GraphClient | None = None  # None: nobody is asked, and claims are believed
    mail_waiting: asyncio.Event = field(default_factory=asyncio.Event)
    writes_untold: OrderedDict[UUID, int] = field(default_factory=OrderedDict)
    """Of a user's quota for writes, what this process has counted and not told the database yet."""


@dataclass(slots=True)
class Call:
    """One request as the services see it: who calls, and the way to the database.

    A request holds one connection at a time, whatever its resolvers do side by side: two would be a
    deadlock as soon as the pool is smaller than the number of requests.
    """

    services: Services
    caller: Viewer | None
    request_id: str
    client_address: str | None = None
    touched: set[Holder] = field(default_factory=set)  # places whose histories were written to
    _one_connection: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def viewer(self) -> Viewer:
        """The authenticated caller.

        Raises:
            Unauthenticated: the call came without a bearer token.
        """
        if self.caller is None:
            raise Unauthenticated
        return self.caller

    @property
    def now(self) -> datetime:
        """The present time, in UTC."""
        return self.services.clock()

    async def read(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Run statements that only read."""
        async with self._one_connection:
            return await self.services.database.read(work)

    async def rows(self, prepared: Prepared[Row], **values: object) -> list[Row]:
        """Run a prepared read."""
        async with self._one_connection:
            return await self.services.database.rows(prepared, **values)

    async def transact(self, work: Callable[[AsyncSession], Awaitable[T]], *, repeatable: bool = False) -> T:
        """Run one unit of work in a transaction; it may be run again, and a `Refused` is rolled back.

        `repeatable` work looks for its idempotency key first: it may be run again after it was committed.
        """
        async with self._one_connection:
            result = await self.services.database.transact(work, repeatable=repeatable)
        self._announce()
        return result

    async def write_at_once(self, statement: HotStatement, *, places: Collection[Holder]) -> list[Any]:
        """Run one hot statement that writes all or nothing, also into the histories of the places.

        No rows when something was in the way, and nothing was written.
        """
        async with self._one_connection:
            rows = await self.services.database.write_at_once(statement)
        if not rows:
            return []
        self.touched.update(places)
        self._announce()
        return rows

    def _announce(self) -> None:
        """After the commit, wake who follows what was written."""
        if self.touched:
            self.services.live.announce(self.touched)
            self.touched = set()
