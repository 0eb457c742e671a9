"""A short run of `python -m tests.conformance`, which see: all fields would take minutes."""

import asyncio

import httpx

from graphql_api.adapters.sealing import new_key
from tests.api import Api
from tests.canaries import Canaries
from tests.conformance import run
from tests.serving import running

FIELDS = r"Query\.viewer|Mutation\.connectSocialAccounts"


async def test_schemathesis_gets_the_answers_that_are_promised(canaries: Canaries, sqlite_url: str) -> None:
    settings = {"DATABASE_URL": sqlite_url, "SEALING_KEYS": new_key("k1")}
    async with (
        running(canaries.directory / "conformance", settings) as server,
        httpx.AsyncClient(base_url=server.base_url) as http,
    ):
        ada = await Api(http, canaries).register()
        host = server.base_url.removeprefix("http://")
        figures = await asyncio.to_thread(run, host, ada.token, examples=5, number=1, fields=FIELDS)
    assert (figures["fields"], figures["documents"]) == (2, 10)
