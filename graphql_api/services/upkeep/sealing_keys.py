"""The sealing keys as the database knows them: verified at start, rotated while servers run.

What is kept of a key is a value that it sealed. A ring whose key does not open it has other bytes under
the same id; a key that the database knows and the ring lacks would leave access tokens unreadable.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.adapters.sealing import Binding, CannotOpen, Keyring, envelope_prefix
from graphql_api.domain.secrets import Sealed, Secret
from graphql_api.services.accounts import access_tokens
from graphql_api.services.calls import mails
from graphql_api.services.calls.call import Services
from graphql_api.storage.tables import FacebookAccount, Mail, SealingKey, SocialAccount

BATCH = 500
_CHECK = Secret("this key opens what it sealed")


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed values. `order` is the order in which others lock its rows; a batch keeps to it."""

    table: Any
    name: str
    order: Callable[[Any], Any]
    reseal: Callable[[Keyring, Any], tuple[Sealed, Sealed]]

    @property
    def column(self) -> Any:
        """The column itself."""
        return col(getattr(self.table, self.name))


SEALED: Sequence[SealedColumn] = (
    SealedColumn(
        SocialAccount, "access_token", lambda row: (row.platform, row.external_id), access_tokens.reseal
    ),
    SealedColumn(FacebookAccount, "access_token", lambda row: row.id, access_tokens.reseal),
    SealedColumn(Mail, "secret", lambda row: row.id, mails.reseal),
)


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A key that the ring or the database knows, and how many values are sealed with it."""

    id: str
    sealed: int
    standing: str


@dataclass(frozen=True, slots=True)
class Resealed:
    """What came of re-sealing; `failed` values open with no key of the ring."""

    done: int
    failed: int


async def verify(services: Services) -> Sequence[str]:
    """What is wrong with the ring for this database, in words; a new key is noted."""

    async def work(session: AsyncSession) -> Sequence[str]:
        known = await _known(session)
        problems = _problems(services.keyring, known)
        if not problems:
            await _note(session, services, known)
        return problems

    async def look(session: AsyncSession) -> tuple[Sequence[str], bool]:
        known = await _known(session)
        return _problems(services.keyring, known), _is_noted(services.keyring, known)

    problems, noted = await services.database.read(look)
    if problems or noted:
        return problems
    try:
        return await services.database.transact(work)
    except IntegrityError:  # another server noted it at the same moment, perhaps with other bytes
        return await services.database.transact(work)


def _problems(keyring: Keyring, known: dict[str, SealingKey]) -> Sequence[str]:
    problems = []
    for key_id, key in known.items():
        if key_id not in keyring.ids:
            if key.retired_at is None:
                problems.append(
                    f"SEALING_KEYS: this database needs the sealing key {key_id}, which is not configured. "
                    "Put it back; or, when nothing is sealed with it, run "
                    f"`python -m graphql_api keys retire {key_id}`"
                )
        elif not _opens(keyring, key):
            problems.append(
                f"SEALING_KEYS: the sealing key {key_id} is not the one that this database knows by that id. "
                "Put the right one back, or give the new one an id of its own"
            )
    return problems


def _opens(keyring: Keyring, key: SealingKey) -> bool:
    try:
        keyring.open(key.check_value, _binding(key.id))
    except CannotOpen:
        return False
    return True


def _is_noted(keyring: Keyring, known: dict[str, SealingKey]) -> bool:
    """Does the database know all keys of the ring, and that the first one is in use?"""
    return all(key_id in known for key_id in keyring.ids) and known[keyring.ids[0]].retired_at is None


async def _note(session: AsyncSession, services: Services, known: dict[str, SealingKey]) -> None:
    keyring = services.keyring
    for key_id in keyring.ids:
        if key_id not in known:
            check_value = keyring.seal(_CHECK, _binding(key_id), key_id=key_id)
            session.add(SealingKey(id=key_id, check_value=check_value, created_at=services.clock()))
        elif key_id == keyring.ids[0]:
            known[key_id].retired_at = None
    await session.flush()


async def uses(services: Services) -> Sequence[KeyUse]:
    """The keys, those of the ring first."""
    ring = services.keyring.ids

    async def work(session: AsyncSession) -> Sequence[KeyUse]:
        known = await _known(session)
        ids = [*ring, *(key_id for key_id in known if key_id not in ring)]
        counts = [await _count(session, key_id) for key_id in ids]
        rows = [
            KeyUse(key_id, sealed, _standing(key_id, ring, known.get(key_id)))
            for key_id, sealed in zip(ids, counts, strict=True)
        ]
        unknown = await _count(session, None) - sum(counts)
        return [*rows, KeyUse("(other)", unknown, "unknown to the database")] if unknown else rows

    return await services.database.read(work)


def _standing(key_id: str, ring: Sequence[str], known: SealingKey | None) -> str:
    if key_id == ring[0]:
        return "seals and opens"
    retired = known is not None and known.retired_at is not None
    if key_id in ring:
        return "opens; retired, may be taken out" if retired else "opens"
    return "retired" if retired else "MISSING from SEALING_KEYS"


async def reseal(services: Services, progress: Callable[[int, int], None]) -> Resealed:
    """Seal everything with the first key, a batch a transaction; whoever changes a row meanwhile wins.

    What was sealed with an old key behind our back is found by the next pass.
    """
    done = failed = missed = 0
    for sealed in SEALED:
        while True:
            before, failed_here, missed = done, 0, 0
            after: UUID | None = None
            while rows := await _batch(services, sealed, after):
                after = rows[-1].id
                resealed, unopened = await _reseal_batch(services, sealed, sorted(rows, key=sealed.order))
                done += resealed
                failed_here += unopened
                missed += len(rows) - resealed - unopened
                progress(done, await services.database.read(lambda s: _count_old(s, services.keyring)))
            if not missed or done == before:
                break
        failed += failed_here
    return Resealed(done, failed)


async def _batch(services: Services, sealed: SealedColumn, after: UUID | None) -> Sequence[Any]:
    table = sealed.table
    statement = select(table).where(_is_old(sealed, services.keyring)).order_by(col(table.id)).limit(BATCH)
    if after is not None:
        statement = statement.where(col(table.id) > after)

    async def work(session: AsyncSession) -> Sequence[Any]:
        return (await session.scalars(statement)).all()

    return await services.database.read(work)


async def _reseal_batch(services: Services, sealed: SealedColumn, rows: Sequence[Any]) -> tuple[int, int]:
    changes: list[tuple[UUID, Sealed, Sealed]] = []
    for row in rows:
        try:
            changes.append((row.id, *sealed.reseal(services.keyring, row)))
        except CannotOpen:
            continue

    async def work(session: AsyncSession) -> int:
        written = 0
        for row_id, old, new in changes:
            statement = (
                sa.update(sealed.table)
                .where(col(sealed.table.id) == row_id, sealed.column == old)
                .values({sealed.name: new})
                .execution_options(synchronize_session=False)
            )
            result: Any = await session.execute(statement)
            written += result.rowcount
        return written

    return await services.database.transact(work), len(rows) - len(changes)


async def retire(services: Services, key_id: str) -> str | None:
    """Note that nothing needs this key any more; returns what stands in the way, in words."""
    if key_id == services.keyring.ids[0]:
        return f"The key {key_id} is the first one: new values are sealed with it."

    async def work(session: AsyncSession) -> str | None:
        key = (await _known(session)).get(key_id)
        if key is None:
            return f"The database knows no key {key_id}."
        sealed = await _count(session, key_id)
        if sealed:
            return (
                f"{sealed} values are sealed with the key {key_id}: "
                "run `python -m graphql_api keys reseal` first."
            )
        key.retired_at = key.retired_at or services.clock()
        await session.flush()
        return None

    return await services.database.transact(work)


async def _known(session: AsyncSession) -> dict[str, SealingKey]:
    keys = await session.scalars(select(SealingKey).order_by(col(SealingKey.created_at), col(SealingKey.id)))
    return {key.id: key for key in keys.all()}


async def _count(session: AsyncSession, key_id: str | None) -> int:
    """How many values are sealed with this key, or at all."""
    total = 0
    for sealed in SEALED:
        wanted = sealed.column.is_not(None) if key_id is None else _is_sealed_with(sealed, key_id)
        total += (
            await session.scalars(select(sa.func.count()).select_from(sealed.table).where(wanted))
        ).one()
    return total


async def _count_old(session: AsyncSession, keyring: Keyring) -> int:
    return await _count(session, None) - await _count(session, keyring.ids[0])


def _is_sealed_with(sealed: SealedColumn, key_id: str) -> sa.ColumnElement[bool]:
    prefix = envelope_prefix(key_id)
    return sa.func.substr(sa.cast(sealed.column, sa.Text), 1, len(prefix)) == prefix


def _is_old(sealed: SealedColumn, keyring: Keyring) -> sa.ColumnElement[bool]:
    return sa.and_(sealed.column.is_not(None), sa.not_(_is_sealed_with(sealed, keyring.ids[0])))


def _binding(key_id: str) -> Binding:
    return Binding("sealing_keys", "check_value", "", key_id, "")
