"""A caller of the sandbox that signs its calls as the server does, and gives back the answers as HTTP has them."""

import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from graphql_api.sandbox.app import create_sandbox
from graphql_api.sandbox.weather import Weather

APP_ID = "1000000000000001"
APP_SECRET = "a-made-up-app-secret"
APP_TOKEN = f"{APP_ID}|{APP_SECRET}"
NOW = 1_800_000_000  # what the sandbox's clock shows
PAGE_FIELDS = "id,name,picture{url},instagram_business_account{id,username,profile_picture_url}"
ACCOUNTS_FIELDS = f"tasks,access_token,{PAGE_FIELDS}"


def proof_of(token: str) -> str:
    return hmac.digest(APP_SECRET.encode(), token.encode(), "sha256").hex()


class Caller:
    """Calls a sandbox of its own, or another application."""

    def __init__(self, weather: Weather | None = None) -> None:
        self.app = create_sandbox(app_id=APP_ID, app_secret=APP_SECRET, weather=weather, clock=lambda: NOW)
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app, raise_app_exceptions=True),
            base_url="http://graph.test",
        )

    async def get(self, path: str, token: str, **parameters: str) -> httpx.Response:
        """Make a signed GET call with the token in the header."""
        return await self.http.get(
            f"/v27.0/{path}",
            params={"appsecret_proof": proof_of(token), **parameters},
            headers={"authorization": f"Bearer {token}"},
        )

    async def debug_token(self, token: str) -> httpx.Response:
        return await self.get("debug_token", APP_TOKEN, input_token=token)

    async def described(self, token: str) -> dict[str, Any]:
        """What debug_token says of a token."""
        answer = await self.debug_token(token)
        assert answer.status_code == 200
        data = answer.json()["data"]
        assert isinstance(data, dict)
        return data

    async def exchange(self, token: str, **parameters: str) -> httpx.Response:
        query = {
            "grant_type": "fb_exchange_token",
            "client_id": APP_ID,
            "client_secret": APP_SECRET,
            "fb_exchange_token": token,
        }
        return await self.http.get("/v27.0/oauth/access_token", params=query | parameters)

    async def accounts(self, token: str, **parameters: str) -> httpx.Response:
        return await self.get(
            "me/accounts", token, **{"fields": ACCOUNTS_FIELDS, "limit": "100"} | parameters
        )

    async def pages(self, token: str) -> dict[str, dict[str, Any]]:
        """The Pages of the first answer of me/accounts, by id."""
        answer = await self.accounts(token)
        assert answer.status_code == 200
        return {page["id"]: page for page in answer.json()["data"]}

    async def page(self, page_id: str, token: str) -> httpx.Response:
        return await self.get(page_id, token, fields=PAGE_FIELDS)

    async def batch(self, items: Sequence[Mapping[str, str]], token: str = APP_TOKEN) -> httpx.Response:
        return await self.http.post(
            "/v27.0/",
            params={"appsecret_proof": proof_of(token)},
            headers={"authorization": f"Bearer {token}"},
            data={"batch": json.dumps(items), "include_headers": "false"},
        )


def item(page_id: str, token: str) -> dict[str, str]:
    """A call for a batch."""
    query = httpx.QueryParams(fields=PAGE_FIELDS, access_token=token, appsecret_proof=proof_of(token))
    return {"method": "GET", "relative_url": f"{page_id}?{query}"}


def problem(answer: httpx.Response) -> tuple[int, int, int | None]:
    """The status, code and subcode of an error; the envelope is as Meta's always is."""
    error = answer.json()["error"]
    assert {"message", "type", "code", "fbtrace_id"} <= set(error)
    return answer.status_code, error["code"], error.get("error_subcode")
