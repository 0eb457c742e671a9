"""Sealing keys: refused at start when they are not the database's, and rotated while servers run."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from graphql_api.adapters.sealing import Keyring, envelope_prefix, new_key, parse_keys
from graphql_api.app import build_services, create_app
from graphql_api.domain.secrets import Sealed
from graphql_api.services.calls.call import Services
from graphql_api.services.upkeep import sealing_keys
from graphql_api.settings import Settings, Unusable
from graphql_api.storage.columns import SealedText
from graphql_api.storage.tables import metadata
from tests import operations
from tests.api import Api
from tests.serving import in_process
from tests.upkeep.test_demo import command

K2 = new_key("k2")


def with_keys(settings: Settings, keys: str) -> Settings:
    return settings.model_copy(update={"sealing_keys": keys})


async def start(settings: Settings) -> None:
    async with in_process(create_app(settings)):
        pass


async def envelopes(services: Services) -> list[str]:
    """Every envelope there is, and nothing of its value but the key's id."""

    async def work(session: AsyncSession) -> list[str]:
        found = await session.execute(
            sa.text(
                "SELECT access_token FROM social_accounts WHERE access_token IS NOT NULL "
                "UNION ALL SELECT access_token FROM facebook_accounts"
            )
        )
        return sorted(str(envelope).split(".")[1] for (envelope,) in found)

    return await services.database.read(work)


async def mails_are_sent(settings: Settings) -> None:
    """Wait until the running server has erased the codes that it mailed: they are sealed as well."""
    services = build_services(settings)
    async with services.database:
        for _ in range(400):
            if await services.database.read(_codes) == 0:
                return
            await asyncio.sleep(0.02)
    raise AssertionError("there are codes that nobody mailed")


async def _codes(session: AsyncSession) -> int:
    found = await session.execute(sa.text("SELECT count(*) FROM mails WHERE secret IS NOT NULL"))
    return int(found.scalar_one())


async def reseal(settings: Settings) -> tuple[sealing_keys.Resealed, list[tuple[int, int]]]:
    seen: list[tuple[int, int]] = []
    services = build_services(settings)
    async with services.database:
        return await sealing_keys.reseal(services, lambda done, rest: seen.append((done, rest))), seen


async def opened(api: Api, email: str) -> list[str]:
    """The access tokens that somebody reads, as the server opens them."""
    reader = await api.mutate(
        operations.LOG_IN,
        {
            "email": email,
            "password": "CANARY-password-Zq81x",
            "label": "reads",
            "scopes": ["READ_ACCESS_TOKENS"],
        },
    )
    data = await api.execute(operations.ACCESS_TOKENS, token=reader["bearerToken"])
    return sorted(node["accessToken"] for node in data["viewer"]["socialAccounts"]["nodes"])


async def test_a_key_with_the_right_id_and_other_bytes_is_refused(api: Api, settings: Settings) -> None:
    other = with_keys(settings, new_key("k1"))

    with pytest.raises(Unusable) as refused:
        await start(other)

    assert "sealing key k1 is not the one" in str(refused.value)
    assert other.sealing_keys.partition(":")[2] not in str(refused.value)
    await start(settings)


async def test_a_key_that_the_database_knows_must_be_on_the_ring(api: Api, settings: Settings) -> None:
    with pytest.raises(Unusable, match=r"needs the sealing key k1, which is not configured"):
        await start(with_keys(settings, K2))


async def test_a_ring_that_is_refused_notes_none_of_its_keys(api: Api, settings: Settings) -> None:
    with pytest.raises(Unusable):
        await start(with_keys(settings, K2))

    await start(settings)


async def test_servers_that_start_at_once_agree_on_a_new_key(settings: Settings) -> None:
    services = [build_services(settings) for _ in range(4)]

    problems = await asyncio.gather(*(sealing_keys.verify(one) for one in services))

    assert not any(problems)
    for one in services:
        await one.database.__aexit__(None, None, None)


async def test_servers_that_start_at_once_with_other_bytes_do_not_both_start(settings: Settings) -> None:
    services = [build_services(with_keys(settings, new_key("k1"))) for _ in range(4)]

    problems = await asyncio.gather(*(sealing_keys.verify(one) for one in services))

    assert sum(not one for one in problems) == 1
    for one in services:
        await one.database.__aexit__(None, None, None)


async def test_everything_is_sealed_with_the_new_key_and_the_old_one_is_retired(
    api: Api, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing_keys, "BATCH", 2)
    ada = await api.register()
    await ada.connect("101", "102", "103", "104", "105")
    await mails_are_sent(settings)
    workspace = await ada.create_workspace()
    await ada.connect("106", workspace=workspace)
    before = await opened(api, ada.email)
    rotated = with_keys(settings, f"{K2} {settings.sealing_keys}")
    services = build_services(rotated)
    async with services.database:
        assert await sealing_keys.verify(services) == []
        refusal = await sealing_keys.retire(services, "k1")
        assert refusal is not None
        assert refusal.startswith("7 values are sealed with the key k1")
        assert await sealing_keys.retire(services, "k2") == (
            "The key k2 is the first one: new values are sealed with it."
        )

        resealed, progress = await reseal(rotated)

        assert resealed == sealing_keys.Resealed(done=7, failed=0)
        assert progress == [(2, 5), (4, 3), (6, 1), (7, 0)]
        assert await envelopes(services) == ["k2"] * 7
        assert [(use.id, use.sealed) for use in await sealing_keys.uses(services)] == [("k2", 7), ("k1", 0)]
        assert await sealing_keys.retire(services, "k1") is None
    await start(rotated)  # a retired key may stay for a while
    async with (
        in_process(create_app(with_keys(settings, K2))) as transport,
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as http,
    ):
        assert await opened(Api(http, api.canaries), ada.email) == before


async def test_a_value_that_changes_meanwhile_is_not_overwritten(
    api: Api, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await api.register()
    await ada.connect("201", "202")
    await mails_are_sent(settings)
    rotated = with_keys(settings, f"{K2} {settings.sealing_keys}")
    services = build_services(rotated)
    transact = services.database.transact
    raced: list[Any] = []

    async def after_somebody_else(work: Any) -> Any:
        if not raced:
            raced.append(await ada.connect("201"))  # the running server still seals with k1
        return await transact(work)

    monkeypatch.setattr(services.database, "transact", after_somebody_else)
    async with services.database:
        resealed = await sealing_keys.reseal(services, lambda *_: None)

        # 201 was resealed by a second pass, after its change; so was the Facebook account's token.
        assert await envelopes(services) == ["k2"] * 3
    assert resealed.failed == 0


async def test_what_does_not_open_is_told_and_left_as_it_is(api: Api, settings: Settings) -> None:
    ada = await api.register()
    await ada.connect("301", "302")
    await mails_are_sent(settings)
    rotated = with_keys(settings, f"{K2} {settings.sealing_keys}")
    services = build_services(rotated)

    async def damage(session: AsyncSession) -> None:
        await session.execute(
            sa.text("UPDATE social_accounts SET access_token = 'v1.k1.AAAA' WHERE external_id = '301'")
        )

    async with services.database:
        await services.database.transact(damage)

        resealed, _ = await reseal(rotated)

        assert resealed == sealing_keys.Resealed(done=2, failed=1)
        assert await envelopes(services) == ["k1", "k2", "k2"]
        assert await sealing_keys.retire(services, "k1") is not None


def test_every_table_with_a_sealed_column_is_resealed() -> None:
    sealed = {
        table.name
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, SealedText)
    }

    assert sealed - {"sealing_keys"} == {column.table.__tablename__ for column in sealing_keys.SEALED}


def test_an_envelope_of_one_key_is_not_counted_for_another() -> None:
    ring = Keyring(parse_keys(f"{new_key('k')} {new_key('k_')}"))
    ids: Sequence[str] = ring.ids

    assert ids == ("k", "k_")
    assert not Sealed("v1.k_.x").startswith(envelope_prefix("k"))


def test_the_commands_rotate_a_key(tmp_path: Path) -> None:
    keys = tmp_path / "var/sealing.keys"
    command(tmp_path, "migrate")
    command(tmp_path, "demo")
    old, new = keys.read_text().strip(), command(tmp_path, "keys", "new", "k2").stdout.strip()

    keys.write_text(new)
    refused = command(tmp_path, "serve", PORT="0")
    assert "needs the sealing key k1, which is not configured" in refused.stdout + refused.stderr
    assert refused.returncode != 0
    assert old.partition(":")[2] not in refused.stdout + refused.stderr

    keys.write_text(f"{new}\n{old}\n")
    assert "k1" in command(tmp_path, "keys", "list").stdout
    early = command(tmp_path, "keys", "retire", "k1")
    assert early.returncode == 1
    assert "values are sealed with the key k1" in early.stderr
    resealed = command(tmp_path, "keys", "reseal")
    assert "8 values are sealed with the first key now." in resealed.stdout, resealed.stderr
    assert command(tmp_path, "keys", "retire", "k1").returncode == 0
    keys.write_text(new)
    listed = command(tmp_path, "keys", "list")
    assert [line.split()[:2] for line in listed.stdout.splitlines()] == [["k2", "8"], ["k1", "0"]]
