"""Logging in (making an API token) and out (revoking it)."""

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
from graphql_api.services.people.api_tokens import CredentialsRejected


@arguments
class CreateApiTokenInput:
    """Who logs in, and what for."""

    email: str = strawberry.field(description="The user's e-mail address.")
    password: str = strawberry.field(description="The user's password.")
    label: str = strawberry.field(
        description="What the API token is for, to know it again: 1 to 100 characters."
    )
    scopes: list[Scope] = strawberry.field(
        default_factory=list, description="What it may do beyond acting as its user."
    )

    def __repr__(self) -> str:
        return "CreateApiTokenInput(***)"


@output
class CreateApiTokenSuccess:
    """The API token is made."""

    api_token: ApiToken = strawberry.field(description="The record of the credential.")
    bearer_token: str = strawberry.field(
        description="The credential itself, shown in this answer only. Send it as `Authorization: Bearer …`."
    )


@mutation(
    "No API token was made.",
    errors="What stood in the way. An unknown address and a wrong password are alike.",
)
async def create_api_token(
    info: Info, input: CreateApiTokenInput
) -> CreateApiTokenSuccess | Refused[InvalidInput | CredentialsRejected]:
    """Log in: make an API token for whoever knows the password.

    No bearer token is needed for this call.
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
    """Which API token to revoke."""

    api_token_id: strawberry.ID = strawberry.field(
        description="One of the viewer's own; the present one too."
    )


@output
class RevokeApiTokenSuccess:
    """The API token is revoked: its next request is refused, by every server process."""

    api_token: ApiToken = strawberry.field(description="The record, with the time of its end.")


@mutation("Nothing was revoked.")
async def revoke_api_token(
    info: Info, input: RevokeApiTokenInput
) -> RevokeApiTokenSuccess | Refused[InvalidInput]:
    """Log out: revoke one of the viewer's API tokens.

    Revoking twice is no error.
    """
    outcome = await api_tokens.revoke(info.context.call, read_id("ApiToken", input.api_token_id))
    if isinstance(outcome, Refused):
        return outcome
    return RevokeApiTokenSuccess(api_token=ApiToken.of(outcome))
