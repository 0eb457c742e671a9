"""Batch loaders: what many fields of one request ask for is read in one statement, through `access`."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from functools import cached_property
from typing import Generic, TypeVar, cast
from uuid import UUID

from strawberry.dataloader import DataLoader

from graphql_api.domain.holders import Role
from graphql_api.domain.secrets import Secret
from graphql_api.services.accounts import access_requests, social_accounts, transfer_requests
from graphql_api.services.accounts.access_requests import Asked
from graphql_api.services.accounts.transfer_requests import Shown
from graphql_api.services.calls import access
from graphql_api.services.calls.call import Call
from graphql_api.services.workspaces import members
from graphql_api.storage.rows import (
    AccessRequestRow,
    FacebookAccountRow,
    SocialAccountRow,
    TeamRow,
    UserRow,
    WorkspaceRow,
)

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
T = TypeVar("T")


class Loaders:
    """One request's loaders, each made when it is first asked for: most requests need one or two.

    What the viewer may not see is loaded as None, like what is not there.
    """

    def __init__(self, call: Call) -> None:
        self._call = call

    @cached_property
    def users(self) -> "Loader[UUID, UserRow]":
        """Users."""
        return Loader(lambda ids: access.users(self._call, ids))

    @cached_property
    def workspaces(self) -> "Loader[UUID, tuple[WorkspaceRow, Role]]":
        """Workspaces with the viewer's role there."""
        return Loader(lambda ids: access.places(self._call, ids))

    @cached_property
    def social_accounts(self) -> "Loader[UUID, SocialAccountRow]":
        """Held social accounts."""
        return Loader(lambda ids: access.held_accounts(self._call, ids))

    @cached_property
    def facebook_accounts(self) -> "Loader[UUID, FacebookAccountRow]":
        """The viewer's own Facebook accounts."""
        return Loader(lambda ids: access.logins(self._call, ids))

    @cached_property
    def teams(self) -> "Loader[UUID, TeamRow]":
        """Teams."""
        return Loader(lambda ids: access.shown_teams(self._call, ids))

    @cached_property
    def teams_of_members(self) -> "Loader[UUID, list[TeamRow]]":
        """The teams that a member is in."""
        return Loader(lambda ids: members.teams(self._call, ids))

    @cached_property
    def teams_of_social_accounts(self) -> "Loader[UUID, list[TeamRow]]":
        """The teams that a social account is shared with."""
        return Loader(lambda ids: social_accounts.teams(self._call, ids))

    @cached_property
    def access_requests(self) -> "Loader[UUID, AccessRequestRow]":
        """Requests for access."""
        return Loader(lambda ids: access.access_requests(self._call, ids))

    @cached_property
    def teams_of_access_requests(self) -> "Loader[UUID, list[TeamRow]]":
        """The teams that a request for access was granted for."""
        return Loader(lambda ids: access_requests.teams(self._call, ids))

    @cached_property
    def accounts_of_access_requests(self) -> "Loader[Asked, SocialAccountRow]":
        """The accounts that requests for access are for, by Workspace and key."""
        return Loader(lambda asked: access_requests.accounts(self._call, asked))

    @cached_property
    def transfer_requests(self) -> "Loader[UUID, Shown]":
        """Requests for transfers, as the viewer sees them."""
        return Loader(lambda ids: transfer_requests.seen(self._call, ids))

    @cached_property
    def access_tokens(self) -> "Loader[UUID, tuple[Secret | None]]":
        """Meta's access tokens of held social accounts, each in a tuple: one may have been destroyed."""

        async def load(ids: Collection[UUID]) -> Mapping[UUID, tuple[Secret | None]]:
            opened = await social_accounts.read_access_tokens(self._call, ids)
            return {hold_id: (secret,) for hold_id, secret in opened.items()}

        return Loader(load)


class Loader(Generic[K, V]):
    """Loads values by their keys; what was fetched before it is asked for is there at once.

    A page fetches what is asked of all its items in one go, since twenty fields that wait together cost
    more than the statement that they wait for.
    """

    def __init__(self, load: Callable[[Collection[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._load = load
        self._fetched: dict[K, V | None] = {}
        self._shaped: dict[tuple[K, object], object] = {}  # twenty accounts have one and the same login

    @cached_property
    def _waiting(self) -> DataLoader[K, V | None]:
        return DataLoader(self._load_batch, max_batch_size=1000)

    def keep(self, key: K, value: V | None) -> None:
        """Know a value that was read in passing."""
        self._fetched[key] = value

    async def fetch(self, keys: Collection[K]) -> None:
        """Load what `get` will be asked for."""
        missing = [key for key in dict.fromkeys(keys) if key not in self._fetched]
        if missing:
            found = await self._load(missing)
            self._fetched.update((key, found.get(key)) for key in missing)

    def load(self, key: K) -> Awaitable[V | None]:
        """Load the value of a key, together with those that others ask for meanwhile.

        What fields share is shielded: when one is cancelled, because its parent failed, the others go on.
        """
        if key in self._fetched:
            return _there(self._fetched[key])
        return asyncio.shield(self._waiting.load(key))

    def get(self, key: K, shape: Callable[[V | None], T]) -> T:
        """The value of a key, shaped, for a field to return: at once if it was fetched, else an awaitable."""
        shaped = self._shaped.get((key, shape), _NOT_YET)
        if shaped is not _NOT_YET:
            return cast("T", shaped)
        if key in self._fetched:
            self._shaped[key, shape] = value = shape(self._fetched[key])
            return value
        return cast("T", self._shape_later(key, shape))

    async def _shape_later(self, key: K, shape: Callable[[V | None], T]) -> T:
        return shape(await self.load(key))

    async def _load_batch(self, keys: list[K]) -> list[V | None]:
        found = await self._load(keys)
        return [found.get(key) for key in keys]


_NOT_YET = object()


async def _there(value: T) -> T:
    return value
