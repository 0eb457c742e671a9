"""Logging in (creating an API token) and out (revoking it)."""

import strawberry

from graphql_api.domain.inputs import InvalidInput
from graphql_api.domain.permissions import Scope
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.schema.context import Info
from graphql_api.schema.described import arguments, output
from graphql_api.schema.ids import read_id
from graphql_api.schema.mutation import mutation
from graphql_api.schema.people.api_token import ApiToken
from graphql_api.services.people import api_tokens
from graphql_api.services.people.passwords import CredentialsRejected


@arguments
class CreateApiTokenInput:
    """The user's credentials, and what the API token is for."""

    email: str = strawberry.field(description="The user's e-mail address.")
    password: str = strawberry.field(description="The user's password.")
    label: str = strawberry.field(
        description="A name by which the user recognises the API token: 1 to 100 characters."
    )
    scopes: list[Scope] = strawberry.field(
        default_factory=list,
        description="What the API token may do beyond acting as its user. Nothing if left out.",
    )

    def __repr__(self) -> str:
        return "CreateApiTokenInput(***)"


@output
class CreateApiTokenSuccess:
    """The API token was created."""

    api_token: ApiToken = strawberry.field(description="The record of the credential.")
    bearer_token: str = strawberry.field(
        description="The credential itself, shown in this answer only. Send it as `Authorization: Bearer …`."
    )


@mutation(
    "No API token was created.",
    errors="What blocks the call. An unknown address and a wrong password are the same error.",
)
async def create_api_token(
    info: Info, input: CreateApiTokenInput
) -> CreateApiTokenSuccess | Refused[InvalidInput | CredentialsRejected]:
    """Log in: create an API token for the user with this e-mail address and password.

    No bearer token is needed. After a few wrong passwords from one network, its next attempts have to wait.
    """
    outcome = await api_tokens.log_in(
        info.context.call,
        email=input.email,
        password=Secret(input.password),
        label=input.label,
        scopes=input.scopes,
    )
    if isinstance(outcome, Refused):
        return outcome
    return CreateApiTokenSuccess(
        api_token=ApiToken.of(outcome.record), bearer_token=outcome.bearer_token.reveal()
    )


@arguments
class RevokeApiTokenInput:
    """The API token to revoke."""

    api_token_id: strawberry.ID = strawberry.field(
        description="One of the viewer's API tokens. May be the one that sends this request."
    )


@output
class RevokeApiTokenSuccess:
    """The API token was revoked. Every server process refuses its next request."""

    api_token: ApiToken = strawberry.field(description="The record, with `revokedAt`.")


@mutation("Nothing was revoked.")
async def revoke_api_token(
    info: Info, input: RevokeApiTokenInput
) -> RevokeApiTokenSuccess | Refused[InvalidInput]:
    """Log out: revoke one of the viewer's API tokens.

    Revoking an API token that is revoked already succeeds and changes nothing.
    """
    outcome = await api_tokens.revoke(info.context.call, read_id("ApiToken", input.api_token_id))
    if isinstance(outcome, Refused):
        return outcome
    return RevokeApiTokenSuccess(api_token=ApiToken.of(outcome))
