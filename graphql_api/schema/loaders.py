"""Batch loaders: what many fields of one request ask for is read in one statement, through `access`."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from typing import TypeVar
from uuid import UUID

from strawberry.dataloader import DataLoader

from graphql_api.domain.holders import Role
from graphql_api.domain.secrets import Secret
from graphql_api.services import access, access_requests, social_accounts
from graphql_api.services.call import Call
from graphql_api.storage.rows import FacebookAccountRow, TeamRow, UserRow
from graphql_api.storage.tables import AccessRequest, SocialAccount, Team, Workspace

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Loaders:
    """One request's loaders. What the viewer may not see is loaded as None, like what is not there."""

    def __init__(self, call: Call) -> None:
        self.users: DataLoader[UUID, UserRow | None] = _by_key(lambda ids: access.users(call, ids))
        self.workspaces: DataLoader[UUID, tuple[Workspace, Role] | None] = _by_key(
            lambda ids: call.read(lambda session: access.workspaces(session, call.viewer, ids))
        )
        self.social_accounts: DataLoader[UUID, SocialAccount | None] = _by_key(
            lambda ids: call.read(lambda session: access.social_accounts(session, call.viewer, ids))
        )
        self.facebook_accounts: DataLoader[UUID, FacebookAccountRow | None] = _by_key(
            lambda ids: access.logins(call, ids)
        )
        self.teams: DataLoader[UUID, Team | None] = _by_key(
            lambda ids: call.read(lambda session: access.teams(session, call.viewer, ids))
        )
        self.teams_of_social_accounts: DataLoader[UUID, list[TeamRow] | None] = _by_key(
            lambda ids: social_accounts.teams(call, ids)
        )
        self.access_requests: DataLoader[UUID, AccessRequest | None] = _by_key(
            lambda ids: call.read(lambda session: access.access_requests(session, call.viewer, ids))
        )
        self.teams_of_access_requests: DataLoader[UUID, list[Team] | None] = _by_key(
            lambda ids: access_requests.teams(call, ids)
        )
        self.accounts_of_access_requests: DataLoader[tuple[UUID, str], SocialAccount | None] = _by_key(
            lambda keys: access_requests.accounts(call, keys)
        )
        self.access_tokens: DataLoader[UUID, Secret | None] = _by_key(
            lambda ids: social_accounts.read_access_tokens(call, ids)
        )


def _by_key(load: Callable[[Collection[K]], Awaitable[Mapping[K, V]]]) -> DataLoader[K, V | None]:
    async def load_batch(keys: list[K]) -> list[V | None]:
        found = await load(keys)
        return [found.get(key) for key in keys]

    return _Loader(load_batch, max_batch_size=1000)


class _Loader(DataLoader[K, V]):
    """Shields what fields share: when one of them is cancelled, because its parent failed, the others go on."""

    def load(self, key: K) -> Awaitable[V]:
        """Load the value of a key."""
        return asyncio.shield(super().load(key))
