"""The abuse list on the real schema: the right answer, and the next request is fine.

What concerns the door alone is in tests/web/test_abuse.py. A27 to A42 are the list's own numbers.
"""

import asyncio
import json
import os
import socket
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from graphql_api.app import create_app
from graphql_api.settings import Settings
from tests import operations
from tests.abuse import BAD_TOKENS, CASES, answer_of
from tests.api import Api, instagram_account
from tests.database import Database
from tests.statements import statements
from tests.web.sample import served

MAX_GROWTH = 20_000_000


@pytest.fixture
def database(database_url: str) -> Database:
    return Database(database_url)


@pytest.mark.parametrize("case", CASES)
async def test_a_hostile_request_gets_the_right_answer_and_changes_nothing(
    api: Api, database: Database, case: str
) -> None:
    query, variables, expected = CASES[case]
    eve = await api.register("eve")
    before = await database.everything()
    response = await api.post(query, variables, token=eve.token)
    assert answer_of(response.json()) == expected
    assert len(response.content) < 20_000
    assert await database.everything() == before
    assert await eve.execute("{viewer{user{name}}}") == {"viewer": {"user": {"name": "Eve"}}}


@pytest.mark.parametrize("case", BAD_TOKENS)
async def test_a_hostile_bearer_token_is_unauthenticated(api: Api, case: str) -> None:
    authorization = f"Bearer {BAD_TOKENS[case]}".encode("latin-1")
    response = await api.http.post(
        "/graphql", json={"query": "{__typename}"}, headers={b"authorization": authorization}
    )
    assert (response.status_code, answer_of(response.json())) == (401, "UNAUTHENTICATED")
    assert response.headers["www-authenticate"] == "Bearer"
    assert len(response.content) < 500


async def test_memory_stays_flat_through_all_of_it(api: Api) -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    async def send_all(rounds: int) -> None:
        for _ in range(rounds):
            for query, variables, _expected in CASES.values():
                await api.post(query, variables, token=eve.token)

    eve = await api.register("eve")
    await send_all(2)
    before = resident()
    await send_all(5)
    assert resident() - before < MAX_GROWTH


async def test_a27_a_socket_closes_when_its_bearer_token_is_revoked(api: Api, settings: Settings) -> None:
    eve = await api.register("eve")
    with served(create_app(settings)) as host:
        protocol = Subprotocol("graphql-transport-ws")
        async with connect(f"ws://{host}/graphql", subprotocols=[protocol]) as opened:
            payload = {"Authorization": f"Bearer {eve.token}"}
            await opened.send(json.dumps({"type": "connection_init", "payload": payload}))
            assert json.loads(await opened.recv()) == {"type": "connection_ack"}
            tokens = await eve.execute("{viewer{apiTokens{nodes{id}}}}")
            for token in tokens["viewer"]["apiTokens"]["nodes"]:
                await eve.mutate(operations.REVOKE, apiTokenId=token["id"])
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(opened.recv(), 20)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "user:password@127.0.0.1:{port}", "[::1]:{port}"])
async def test_a33_nobody_is_asked_for_a_picture(api: Api, host: str) -> None:
    eve = await api.register("eve")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        url = f"https://{host.format(port=listener.getsockname()[1])}/picture.jpg"
        account = instagram_account(api.canaries, "1", profilePictureUrl=url)
        login = {"facebookUserId": "1", "accessToken": api.canaries.access_token("fb")}
        await eve.mutate(operations.CONNECT, facebookAccount=login, instagramAccounts=[account])
        await eve.held()
        await asyncio.sleep(0.1)
        with pytest.raises(BlockingIOError):
            listener.accept()


async def test_a42_whoever_holds_it_elsewhere_the_same_statements_are_sent(api: Api) -> None:
    # given
    ada, eve = await api.register("ada"), await api.register("eve")
    strange, own = await ada.create_workspace("Secret"), await eve.create_workspace()
    await ada.connect("1")
    await ada.connect("2", workspace=strange)

    for place in (None, own):
        # when
        seen = []
        for held_by_a_personal_or_a_workspace in ("1", "2"):
            with statements() as sent:
                answer = await eve.connect(held_by_a_personal_or_a_workspace, workspace=place)
            assert answer["errors"][0]["__typename"] == "HeldElsewhere"
            seen.append(sent)

        # then
        assert seen[0]
        assert seen[0] == seen[1]
