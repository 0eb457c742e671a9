"""What every resolver is handed: who calls, the services' call, and this request's batch loaders."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import NamedTuple

import strawberry

from graphql_api.schema.loaders import Loaders
from graphql_api.services.calls.call import Call, Services
from graphql_api.services.people import api_tokens


class Caller(NamedTuple):
    """A request as the edge sees it. `authorization` is the header's raw value."""

    authorization: str | None
    client_address: str | None
    request_id: str


class Context:
    """One request (or one WebSocket connection) on its way through the resolvers."""

    def __init__(self, call: Call) -> None:
        self.call = call

    def renew_loaders(self) -> None:
        """Forget what was loaded: a stream goes on for long, and what it tells of changes."""
        self.__dict__.pop("loaders", None)

    @property
    def viewer_id(self) -> str | None:
        """The user who calls; None for an anonymous caller."""
        return None if self.call.caller is None else str(self.call.caller.user_id)

    @cached_property
    def loaders(self) -> Loaders:
        """This request's batch loaders; many requests need none."""
        return Loaders(self.call)

    async def credentials_ended(self) -> None:
        """Return once the bearer token stops being valid; never, for an anonymous caller."""
        viewer = self.call.caller
        if viewer is None:
            await asyncio.Event().wait()
        else:
            await self.call.services.live.api_token_ended(viewer.user_id, viewer.api_token_id)


Info = strawberry.Info[Context, None]
OpenContext = Callable[[Caller], Awaitable[Context]]


def context_opener(services: Services) -> OpenContext:
    """How the edge turns a caller into a context; awaiting it raises `Unauthenticated`."""

    async def open_context(caller: Caller) -> Context:
        viewer, user = await api_tokens.authenticate(services, caller.authorization)
        context = Context(Call(services, viewer, caller.request_id, caller.client_address))
        if user is not None:
            context.loaders.users.keep(user.id, user)
        return context

    return open_context
