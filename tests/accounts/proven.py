"""A server that asks the sandbox, whose weather, clock and calls a test holds in its hand; and its callers."""

import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from graphql_api import app as application
from graphql_api.sandbox import app as sandbox
from graphql_api.sandbox.weather import Weather
from graphql_api.services.calls.call import Services
from graphql_api.settings import Settings
from tests import operations
from tests.api import Person

STUDIO = "17841400000000001"  # of Page 2001, which Ann and Ben manage
IDS = {"ann": "1001", "ben": "1002", "cat": "1003", "eve": "1004", "max": "1005"}


class Meta:
    """The sandbox behind a server: `calls` are the paths that it was asked."""

    def __init__(self) -> None:
        self.weather = Weather(silence=0.2)
        self.now = datetime(2030, 1, 1, tzinfo=UTC)
        self.calls: list[str] = []
        self.before: Callable[[str], Awaitable[None] | None] = lambda _path: None

    def wait(self, **duration: float) -> None:
        """Let time pass, for the server and for Meta."""
        self.now += timedelta(**duration)

    def at(self, **after: float) -> int:
        """A time from now, as test tokens write it."""
        return int((self.now + timedelta(**after)).timestamp())

    def install(self, patch: Any) -> None:
        """Stand behind every server that is started from now on."""
        create, build = sandbox.create_sandbox, application.build_services

        def create_watched(**settings: Any) -> ASGIApp:
            return self._watched(create(**settings, weather=self.weather, clock=self._unix))

        def build_with_clock(settings: Settings) -> Services:
            return dataclasses.replace(build(settings), clock=lambda: self.now)

        patch.setattr(sandbox, "create_sandbox", create_watched)
        patch.setattr(application, "build_services", build_with_clock)

    def _unix(self) -> float:
        return self.now.timestamp()

    def _watched(self, app: ASGIApp) -> ASGIApp:
        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            self.calls.append(scope["path"].rpartition("/")[2])
            meanwhile = self.before(self.calls[-1])
            if meanwhile is not None:
                await meanwhile
            await app(scope, receive, send)

        return watched


def login(token: str, facebook_user_id: str | None = None) -> dict[str, str]:
    """A FacebookAccountInput; a person's own id if none is given."""
    person = token.removeprefix("TEST-").partition("-")[0].partition("@")[0]
    own = token.partition("fb=")[2].partition(";")[0] or IDS.get(person, "1")
    return {"facebookUserId": facebook_user_id or own, "accessToken": token}


def instagram(external_id: str, token: str) -> dict[str, str]:
    """An InstagramAccountInput, with a name that Meta may know better."""
    return {
        "instagramUserId": external_id,
        "username": f"user_{external_id}",
        "profilePictureUrl": "https://pictures.example/mine.jpg",
        "accessToken": token,
    }


def page(external_id: str, token: str) -> dict[str, str]:
    """A FacebookPageInput."""
    return {"facebookPageId": external_id, "name": f"Page {external_id}", "accessToken": token}


async def connect(
    person: Person,
    token: str,
    *external_ids: str,
    pages: Sequence[str] = (),
    tokens: Mapping[str, str] | None = None,
    facebook_user_id: str | None = None,
    **others: Any,
) -> Any:
    """Connect these accounts with a login; some of them with access tokens of their own."""
    of = tokens or {}
    return await person.mutate(
        operations.CONNECT,
        facebookAccount=login(token, facebook_user_id),
        instagramAccounts=[instagram(one, of.get(one, token)) for one in external_ids],
        facebookPages=[page(one, of.get(one, token)) for one in pages],
        **others,
    )


def of_any(*external_ids: str, fb: str = "7001", condition: str = "", pages: Sequence[str] = ()) -> str:
    """A test token of somebody who manages exactly these."""
    shown = f";page={','.join(pages)}" if pages else ""
    shown += f";ig={','.join(external_ids)}" if external_ids else ""
    return f"TEST-any{condition}:fb={fb}{shown}"


def problems(result: Any) -> list[tuple[str, str]]:
    """Each error's place, without the leading `input`, and what it is."""
    errors = result["errors"] if "errors" in result else result["notConnected"]
    return [
        (".".join(one["path"][1:]), one.get("problem") or one.get("code") or one["__typename"])
        for one in errors
    ]
