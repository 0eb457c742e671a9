"""What the tables themselves refuse, whoever writes, and what their rows show of secrets."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.ext.asyncio import AsyncSession

from graphql_api.domain.holders import Role
from graphql_api.domain.platforms import Platform
from graphql_api.domain.secrets import Sealed
from graphql_api.storage.database import Database
from graphql_api.storage.tables import (
    ApiToken,
    FacebookAccount,
    Invitation,
    SocialAccount,
    Table,
    User,
    Workspace,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def user(**changed: Any) -> User:
    mark = uuid4().hex
    values = {
        "email": f"{mark}@example.com",
        "email_key": f"{mark}@example.com",
        "name": "Ada",
        "password_hash": "x",
        "created_at": NOW,
        "updated_at": NOW,
        **changed,
    }
    return User(**values)


def social_account(**changed: Any) -> SocialAccount:
    values = {"platform": Platform.INSTAGRAM, "external_id": "1", "updated_at": NOW, **changed}
    return SocialAccount(**values)


async def write(url: str, *rows: Table) -> None:
    """Write rows one after the other, in one transaction."""

    async def work(session: AsyncSession) -> None:
        for row in rows:
            session.add(row)
            await session.flush()

    async with Database(url) as database:
        await database.transact(work)


async def test_two_holders_cannot_be_written(database_url: str) -> None:
    ada, agency = user(), Workspace(name="Agency", created_at=NOW, updated_at=NOW)
    with pytest.raises(IntegrityError, match="one_holder"):
        await write(
            database_url,
            ada,
            agency,
            social_account(
                hold_id=uuid4(),
                holder_user_id=ada.id,
                holder_workspace_id=agency.id,
                access_token=Sealed("v1.k.x"),
            ),
        )


@pytest.mark.parametrize(
    "kept", [{"hold_id": uuid4()}, {"access_token": Sealed("v1.k.x")}], ids=["a hold", "an access token"]
)
async def test_a_free_row_must_be_empty(database_url: str, kept: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError, match="free_is_empty"):
        await write(database_url, social_account(**kept))


async def test_a_held_row_must_have_its_hold(database_url: str) -> None:
    ada = user()
    with pytest.raises(IntegrityError, match="free_is_empty"):
        await write(database_url, ada, social_account(holder_user_id=ada.id))


async def test_a_free_row_has_no_access_token(database_url: str) -> None:
    with pytest.raises(IntegrityError, match="free_is_empty"):
        await write(database_url, social_account(access_token=Sealed("v1.k.x")))


async def test_an_external_account_has_one_row(database_url: str) -> None:
    with pytest.raises(IntegrityError):
        await write(database_url, social_account(), social_account())


async def test_what_refers_to_nothing_cannot_be_written(database_url: str) -> None:
    with pytest.raises(IntegrityError):
        await write(
            database_url,
            social_account(holder_user_id=uuid4(), hold_id=uuid4(), access_token=Sealed("v1.k.x")),
        )


async def test_a_value_outside_an_enum_cannot_be_written(database_url: str) -> None:
    with pytest.raises((IntegrityError, StatementError)):
        await write(database_url, social_account(platform="MYSPACE"))


async def test_a_plain_str_cannot_be_stored_in_a_sealed_column(database_url: str) -> None:
    ada = user()
    with pytest.raises(StatementError, match="sealed values only") as caught:
        await write(
            database_url,
            ada,
            social_account(holder_user_id=ada.id, hold_id=uuid4(), access_token="readable-secret"),
        )
    assert "readable-secret" not in str(caught.value)


async def test_a_naive_time_is_refused(database_url: str) -> None:
    with pytest.raises(StatementError, match="a time needs its zone"):
        await write(database_url, user(created_at=datetime(2026, 1, 2)))  # noqa: DTZ001 - what is refused


async def test_a_time_comes_back_in_utc(database_url: str) -> None:
    ada = user()
    await write(database_url, ada)
    async with Database(database_url) as database:
        found = await database.read(lambda session: session.get(User, ada.id))
    assert found is not None
    assert found.created_at == NOW
    assert found.created_at.utcoffset() == NOW.utcoffset()


def test_the_repr_of_a_row_holds_no_secret() -> None:
    envelope, digest = Sealed("v1.k.readable-secret"), b"readable-secret"
    rows = [
        user(password_hash="readable-secret"),
        ApiToken(
            user_id=uuid4(), label="laptop", secret_hash=digest, created_at=NOW, expires_at=NOW, scopes=""
        ),
        Invitation(
            workspace_id=uuid4(),
            email="ada@example.com",
            email_key="ada@example.com",
            role=Role.CREATOR,
            invited_by_id=None,
            code_hash=digest,
            created_at=NOW,
            expires_at=NOW,
        ),
        FacebookAccount(
            user_id=uuid4(),
            facebook_user_id="1",
            location=None,
            access_token=envelope,
            created_at=NOW,
            updated_at=NOW,
        ),
        social_account(access_token=envelope),
    ]
    for row in rows:
        assert type(row).__name__ in repr(row)
        assert "readable-secret" not in f"{row!r} {row!s} {row}"
