"""What every resolver is handed: who calls, the services' call, and this request's batch loaders."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import cached_property, partial

import strawberry

from graphql_api.domain.faults import TemporarilyUnavailable, Unauthenticated
from graphql_api.schema.loaders import Loaders
from graphql_api.services import api_tokens
from graphql_api.services.call import Call, Services


@dataclass(frozen=True, slots=True)
class Caller:
    """A request as the edge sees it. `authorization` is the header's raw value."""

    authorization: str | None
    client_address: str | None
    request_id: str


class Context:
    """One request (or one WebSocket connection) on its way through the resolvers."""

    def __init__(self, services: Services, caller: Caller, call: Call) -> None:
        self.call = call
        self._services = services
        self._authorization = caller.authorization

    @cached_property
    def loaders(self) -> Loaders:
        """This request's batch loaders; many requests need none."""
        return Loaders(self.call)

    async def credentials_ended(self) -> None:
        """Return once the bearer token stops being valid; never, for an anonymous caller."""
        while True:
            await asyncio.sleep(0.5)
            try:
                await api_tokens.authenticate(self._services, self._authorization)
            except Unauthenticated:
                return
            except TemporarilyUnavailable:
                continue


Info = strawberry.Info[Context, None]
OpenContext = Callable[[Caller], AbstractAsyncContextManager[Context]]


def context_opener(services: Services) -> OpenContext:
    """How the edge turns a caller into a context; entering it raises `Unauthenticated`."""
    return partial(_Opening, services)


class _Opening:
    """Opens a context; a class, since a generator as context manager took longer than a small operation."""

    def __init__(self, services: Services, caller: Caller) -> None:
        self._services = services
        self._caller = caller

    async def __aenter__(self) -> Context:
        services, caller = self._services, self._caller
        viewer = await api_tokens.authenticate(services, caller.authorization)
        return Context(services, caller, Call(services, viewer, caller.request_id, caller.client_address))

    async def __aexit__(self, *_: object) -> None:
        pass
