"""Logging in (making an API token) and out (revoking it)."""

from typing import Annotated

import strawberry

from graphql_api.domain.permissions import Scope
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.schema.context import Info
from graphql_api.schema.errors import (
    CredentialsRejected,
    InvalidInput,
    credential_errors,
    invalid_inputs,
)
from graphql_api.schema.ids import read_id
from graphql_api.schema.people.api_token import ApiToken
from graphql_api.services.people import api_tokens


@strawberry.input(description="Who logs in, and what for.")
class CreateApiTokenInput:
    """One log-in."""

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


@strawberry.type(description="The API token is made.")
class CreateApiTokenSuccess:
    """A success."""

    api_token: ApiToken = strawberry.field(description="The record of the credential.")
    bearer_token: str = strawberry.field(
        description="The credential itself, shown in this answer only. Send it as `Authorization: Bearer …`."
    )


CreateApiTokenError = Annotated[
    InvalidInput | CredentialsRejected,
    strawberry.union("CreateApiTokenError", description="What can stand in the way of logging in. Closed."),
]


@strawberry.type(description="No API token was made.")
class CreateApiTokenFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[CreateApiTokenError] = strawberry.field(
        description="What stood in the way. An unknown address and a wrong password are alike."
    )


CreateApiTokenResult = Annotated[
    CreateApiTokenSuccess | CreateApiTokenFailure,
    strawberry.union("CreateApiTokenResult", description="What came of logging in. Closed."),
]


@strawberry.input(description="Which API token to revoke.")
class RevokeApiTokenInput:
    """One revocation."""

    api_token_id: strawberry.ID = strawberry.field(
        description="One of the viewer's own; the present one too."
    )


@strawberry.type(
    description="The API token is revoked: its next request is refused, by every server process."
)
class RevokeApiTokenSuccess:
    """A success."""

    api_token: ApiToken = strawberry.field(description="The record, with the time of its end.")


RevokeApiTokenError = Annotated[
    InvalidInput,
    strawberry.union("RevokeApiTokenError", description="What can stand in the way of revoking. Closed."),
]


@strawberry.type(description="Nothing was revoked.")
class RevokeApiTokenFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[RevokeApiTokenError] = strawberry.field(description="What stood in the way.")


RevokeApiTokenResult = Annotated[
    RevokeApiTokenSuccess | RevokeApiTokenFailure,
    strawberry.union("RevokeApiTokenResult", description="What came of revoking. Closed."),
]


@strawberry.type
class ApiTokenMutations:
    """The mutations of this noun."""

    @strawberry.mutation(
        description="Log in: make an API token for whoever knows the password. No bearer token is needed for this call."
    )
    async def create_api_token(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            CreateApiTokenInput, strawberry.argument(description="Who logs in, and what for.")
        ],
    ) -> CreateApiTokenResult:
        """Checks credentials."""
        outcome = await api_tokens.log_in(
            info.context.call,
            email=input.email,
            password=Secret(input.password),
            label=input.label,
            scopes=input.scopes,
        )
        if isinstance(outcome, Refused):
            return CreateApiTokenFailure(
                message="No API token was made.", errors=credential_errors(outcome.problems)
            )
        return CreateApiTokenSuccess(
            api_token=ApiToken.of(outcome.record), bearer_token=outcome.bearer_token.reveal()
        )

    @strawberry.mutation(
        description="Log out: revoke one of the viewer's API tokens. Revoking twice is no error."
    )
    async def revoke_api_token(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            RevokeApiTokenInput, strawberry.argument(description="Which one.")
        ],
    ) -> RevokeApiTokenResult:
        """Their own only."""
        outcome = await api_tokens.revoke(info.context.call, read_id("ApiToken", input.api_token_id))
        if isinstance(outcome, Refused):
            return RevokeApiTokenFailure(
                message="Nothing was revoked.", errors=invalid_inputs(outcome.problems)
            )
        return RevokeApiTokenSuccess(api_token=ApiToken.of(outcome))
