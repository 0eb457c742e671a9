"""The rows of the conflict table that offer a way out: who holds X, who claims it, and for which place."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.accounts import access_request_operations as asking
from tests.api import Api, Person, facebook_account, instagram_account

X = "17841405902213202"


@dataclass
class Row:
    """A claim that is refused. `admin` may answer for the Workspace that holds X, if one does."""

    viewer: Person
    admin: Person
    claimed: str | None
    holding: str | None

    async def claim(self) -> Any:
        """Claim X again, as a client does it."""
        canaries = self.viewer.api.canaries
        return await self.viewer.mutate(
            asking.CONFLICTS,
            facebookAccount=facebook_account(canaries),
            instagramAccounts=[instagram_account(canaries, X)],
            workspaceId=self.claimed,
        )

    async def conflict(self) -> Any:
        """The one conflict that the claim is refused with."""
        result = await self.claim()
        assert result["__typename"] == "ConnectSocialAccountsFailure", result
        (conflict,) = result["errors"]
        return conflict


async def _holding_workspace(api: Api, role: str) -> tuple[Person, Person, str]:
    """Somebody with this role in a Workspace that holds X, its admin, and the Workspace."""
    viewer, admin = await api.register("viewer"), await api.register("admin")
    workspace = await admin.create_workspace("Holding")
    await admin.bring_in(viewer, workspace, role)
    await admin.connect(X, workspace=workspace)
    return viewer, admin, workspace


async def workspace_to_personal(api: Api) -> Row:
    """A Workspace holds X; an admin of it wants it for their Personal."""
    viewer, admin, holding = await _holding_workspace(api, "ADMIN")
    return Row(viewer, admin, claimed=None, holding=holding)


async def workspace_to_workspace(api: Api) -> Row:
    """A Workspace holds X; an admin of it wants it for another Workspace."""
    viewer, admin, holding = await _holding_workspace(api, "ADMIN")
    return Row(viewer, admin, claimed=await viewer.create_workspace("Claimed"), holding=holding)


async def personal_to_workspace(api: Api) -> Row:
    """The viewer's Personal holds X, and they want it for a Workspace."""
    viewer = await api.register("viewer")
    await viewer.connect(X)
    return Row(viewer, viewer, claimed=await viewer.create_workspace("Claimed"), holding=None)


async def creator_to_personal(api: Api) -> Row:
    """A Workspace holds X; a creator of it wants it for their Personal."""
    viewer, admin, holding = await _holding_workspace(api, "CREATOR")
    return Row(viewer, admin, claimed=None, holding=holding)


async def creator_to_workspace(api: Api) -> Row:
    """A Workspace holds X; a creator of it wants it for a Workspace of their own."""
    viewer, admin, holding = await _holding_workspace(api, "CREATOR")
    return Row(viewer, admin, claimed=await viewer.create_workspace("Claimed"), holding=holding)


SetUp = Callable[[Api], Awaitable[Row]]
TO_TAKE: tuple[SetUp, ...] = (workspace_to_personal, workspace_to_workspace, personal_to_workspace)
TO_ASK: tuple[SetUp, ...] = (creator_to_personal, creator_to_workspace)
