"""A client of the API as tests use it: people who send operations over HTTP."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests import operations
from tests.canaries import PASSWORD, Canaries

_numbers = itertools.count(1)


@dataclass
class Api:
    """One server, in process or behind a socket."""

    http: httpx.AsyncClient
    canaries: Canaries

    async def post(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send an operation; the raw answer."""
        sent = {"Authorization": f"Bearer {token}"} if token else {}
        response = await self.http.post(
            "/graphql",
            json={"query": query, "variables": dict(variables or {})},
            headers={**sent, **(headers or {})},
        )
        self.canaries.heard(response.text)
        return response

    async def execute(
        self, query: str, variables: Mapping[str, Any] | None = None, *, token: str | None = None
    ) -> Any:
        """Send an operation that has no top-level errors; its data."""
        answer = (await self.post(query, variables, token=token)).json()
        assert "errors" not in answer, answer
        return answer["data"]

    async def mutate(self, query: str, input: Mapping[str, Any], *, token: str | None = None) -> Any:  # noqa: A002 - as in the schema
        """Send a mutation of one field; what that field returned."""
        (result,) = (await self.execute(query, {"input": input}, token=token)).values()
        return result

    async def register(self, name: str = "ada", *, email: str | None = None) -> "Person":
        """Register somebody, with a fresh e-mail address if none is given."""
        email = email or f"{name}.{next(_numbers)}@example.com"
        result = await self.mutate(
            operations.REGISTER, {"email": email, "password": PASSWORD, "name": name.title()}
        )
        assert result["__typename"] == "RegisterUserSuccess", result
        return Person(self, email, result["user"]["id"], result["bearerToken"])


@dataclass
class Person:
    """A registered user with their first bearer token."""

    api: Api
    email: str
    id: str
    token: str = field(repr=False)

    async def execute(self, query: str, variables: Mapping[str, Any] | None = None) -> Any:
        """Send an operation as this person."""
        return await self.api.execute(query, variables, token=self.token)

    async def mutate(self, query: str, **input: Any) -> Any:  # noqa: A002 - as in the schema
        """Send a mutation of one field as this person; what that field returned."""
        return await self.api.mutate(query, input, token=self.token)

    async def connect(
        self,
        *instagram_user_ids: str,
        pages: Iterable[str] = (),
        workspace: str | None = None,
        policy: str = "REJECT_ALL",
        **others: Any,
    ) -> Any:
        """Connect Instagram accounts and Facebook Pages with usable values for everything else."""
        return await self.mutate(
            operations.CONNECT,
            facebookAccount=facebook_account(self.api.canaries),
            instagramAccounts=[instagram_account(self.api.canaries, one) for one in instagram_user_ids],
            facebookPages=[facebook_page(self.api.canaries, one) for one in pages],
            workspaceId=workspace,
            onConflict=policy,
            **others,
        )

    async def create_workspace(self, name: str = "Agency") -> str:
        """Create a Workspace with this person as its admin; its id."""
        result = await self.mutate(operations.CREATE_WORKSPACE, name=name)
        return str(result["workspace"]["id"])

    async def bring_in(self, other: "Person", workspace: str, role: str = "CREATOR") -> None:
        """Invite somebody into a Workspace, who accepts."""
        invited = await self.mutate(operations.INVITE, workspaceId=workspace, email=other.email, role=role)
        accepted = await other.mutate(operations.ACCEPT, code=invited["code"])
        assert accepted["__typename"] == "AcceptInvitationSuccess", accepted

    async def held(self, workspace: str | None = None) -> list[str]:
        """The external ids of what this person sees in their Personal, or in a Workspace, sorted."""
        if workspace is None:
            nodes = (await self.execute(operations.PERSONAL))["viewer"]["socialAccounts"]["nodes"]
        else:
            nodes = (await self.execute(operations.WORKSPACE, {"id": workspace}))["node"]["socialAccounts"][
                "nodes"
            ]
        return sorted(node["externalId"] for node in nodes)


def facebook_account(canaries: Canaries, facebook_user_id: str = "100000000000001") -> dict[str, Any]:
    """A usable FacebookAccountInput."""
    return {
        "facebookUserId": facebook_user_id,
        "accessToken": canaries.access_token(f"fb{facebook_user_id}"),
        "location": "progressMeter",
    }


def instagram_account(canaries: Canaries, instagram_user_id: str, **changed: Any) -> dict[str, Any]:
    """A usable InstagramAccountInput."""
    return {
        "instagramUserId": instagram_user_id,
        "username": f"user_{instagram_user_id}",
        "profilePictureUrl": f"https://pictures.example/{instagram_user_id}.jpg",
        "accessToken": canaries.access_token(f"ig{instagram_user_id}"),
        **changed,
    }


def facebook_page(canaries: Canaries, facebook_page_id: str, **changed: Any) -> dict[str, Any]:
    """A usable FacebookPageInput."""
    return {
        "facebookPageId": facebook_page_id,
        "name": f"Page {facebook_page_id}",
        "accessToken": canaries.access_token(f"page{facebook_page_id}"),
        **changed,
    }


def paths(errors: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Each error's place (without the leading `input`) and its code."""
    return [(".".join(error["path"][1:]), error.get("code", error["__typename"])) for error in errors]
