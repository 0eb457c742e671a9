"""The query fields."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

import strawberry

from graphql_api.domain.faults import BadUserInput
from graphql_api.domain.secrets import Secret
from graphql_api.schema.accounts.access_request import AccessRequest
from graphql_api.schema.accounts.checking import CheckSocialAccountsInput, SocialAccountChecks, checks_of
from graphql_api.schema.accounts.facebook_account import FacebookAccount
from graphql_api.schema.accounts.social_account import TYPES, shape_social_account
from graphql_api.schema.accounts.transfer_request import TransferRequest
from graphql_api.schema.context import Info
from graphql_api.schema.described import output, resolved
from graphql_api.schema.ids import split_id
from graphql_api.schema.loaders import Loaders
from graphql_api.schema.nodes import Node
from graphql_api.schema.people.user import User
from graphql_api.schema.people.viewer import Viewer
from graphql_api.schema.workspaces.team import Team
from graphql_api.schema.workspaces.workspace import InvitationPreview, Workspace
from graphql_api.services.accounts import checking
from graphql_api.services.workspaces import invitations

MAX_NODES = 100


async def _user(loaders: Loaders, key: UUID) -> Node | None:
    row = await loaders.users.load(key)
    return None if row is None else User.of(row)


async def _workspace(loaders: Loaders, key: UUID) -> Node | None:
    row = await loaders.workspaces.load(key)
    return None if row is None else Workspace.of(*row)


async def _team(loaders: Loaders, key: UUID) -> Node | None:
    row = await loaders.teams.load(key)
    return None if row is None else Team.of(row)


async def _social_account(loaders: Loaders, key: UUID) -> Node | None:
    row = await loaders.social_accounts.load(key)
    return None if row is None else shape_social_account(row)


async def _facebook_account(loaders: Loaders, key: UUID) -> Node | None:
    row = await loaders.facebook_accounts.load(key)
    return None if row is None else FacebookAccount.of(row)


async def _transfer_request(loaders: Loaders, key: UUID) -> Node | None:
    shown = await loaders.transfer_requests.load(key)
    return None if shown is None else TransferRequest.of(shown)


async def _access_request(loaders: Loaders, key: UUID) -> Node | None:
    row = await loaders.access_requests.load(key)
    return None if row is None else AccessRequest.of(row)


_NODES: dict[str, Callable[[Loaders, UUID], Awaitable[Node | None]]] = {
    "User": _user,
    "Workspace": _workspace,
    "Team": _team,
    **{kind.__name__: _social_account for kind in TYPES.values()},
    "FacebookAccount": _facebook_account,
    "AccessRequest": _access_request,
    "TransferRequest": _transfer_request,
}


async def _load_node(info: Info, text: str) -> Node | None:
    type_name, key = split_id(text)
    if type_name not in _NODES or info.context.call.caller is None:
        return None
    return await _NODES[type_name](info.context.loaders, key)


@output
class Query:
    """Everything that can be read."""

    @resolved
    def viewer(self, info: Info) -> Viewer | None:
        """The authenticated caller; null for a request without a bearer token."""
        return None if info.context.call.caller is None else Viewer()

    @resolved
    async def node(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="A global id.")],
    ) -> Node | None:
        """Fetch an object again by its id.

        Null when there is no such object, or the viewer cannot see it.
        """
        return await _load_node(info, id)

    @resolved
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="Global ids, at most 100.")],
    ) -> list[Node | None]:
        """Fetch several objects again by their ids, at most 100, in the same order, with null for each that does not exist or that the viewer cannot see."""
        if len(ids) > MAX_NODES:
            raise BadUserInput(f"`ids` has at most {MAX_NODES} items")
        return list(await asyncio.gather(*(_load_node(info, text) for text in ids)))

    @resolved
    async def invitation_preview(
        self,
        info: Info,
        code: Annotated[str, strawberry.argument(description="The code from the e-mail.")],
    ) -> InvitationPreview | None:
        """Read a pending invitation with its code. Null if the code is unknown, used, revoked or expired.

        No bearer token is needed. Send the code as a variable, and not with GET.
        """
        preview = await invitations.preview(info.context.call, code=Secret(code))
        return None if preview is None else InvitationPreview.of(preview)

    @resolved
    async def check_social_accounts(
        self,
        info: Info,
        input: Annotated[
            CheckSocialAccountsInput, strawberry.argument(description="What would be connected, and where.")
        ],
    ) -> SocialAccountChecks | None:
        """Preview what `connectSocialAccounts` would do with these social accounts. Nothing is written.

        A check has no access token. So on a server that asks Meta, an account that is held in a place that the viewer
        does not belong to is `AVAILABLE`; use `discoverSocialAccounts` to learn more. On a server that believes claims, it
        is `HeldElsewhere`, and each such account counts as one look-up. Null with an error beyond the limit
        (`RATE_LIMITED`), and without a bearer token.
        """
        candidates, workspace_id = input.to_candidates()
        return checks_of(await checking.check(info.context.call, candidates, workspace_id))
