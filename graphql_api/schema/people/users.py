"""Registering, and changing the password."""

from typing import Annotated

import strawberry

from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.schema.context import Info
from graphql_api.schema.errors import (
    CredentialsRejected,
    InvalidInput,
    credential_errors,
    invalid_inputs,
)
from graphql_api.schema.people.api_token import ApiToken
from graphql_api.schema.people.user import User
from graphql_api.services.people import users


@strawberry.input(description="Who registers.")
class RegisterUserInput:
    """One registration."""

    email: str = strawberry.field(
        description="An e-mail address; compared without case, and nobody else's yet."
    )
    password: str = strawberry.field(description="8 to 256 characters.")
    name: str = strawberry.field(description="The name that people see: 1 to 100 characters.")

    def __repr__(self) -> str:
        return "RegisterUserInput(***)"


@strawberry.type(description="The user is registered.")
class RegisterUserSuccess:
    """A success."""

    user: User = strawberry.field(description="The new user.")
    api_token: ApiToken = strawberry.field(description="The record of the credential that they start with.")
    bearer_token: str = strawberry.field(
        description="The credential itself, shown in this answer only. Send it as `Authorization: Bearer …`."
    )


RegisterUserError = Annotated[
    InvalidInput,
    strawberry.union("RegisterUserError", description="What can stand in the way of registering. Closed."),
]


@strawberry.type(description="Nobody was registered.")
class RegisterUserFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[RegisterUserError] = strawberry.field(
        description="What stood in the way. A taken address is `DUPLICATE` at the e-mail."
    )


RegisterUserResult = Annotated[
    RegisterUserSuccess | RegisterUserFailure,
    strawberry.union("RegisterUserResult", description="What came of registering. Closed."),
]


@strawberry.input(description="The old and the new password.")
class ChangePasswordInput:
    """One change."""

    current_password: str = strawberry.field(description="The password as it is now.")
    new_password: str = strawberry.field(description="The new one: 8 to 256 characters.")

    def __repr__(self) -> str:
        return "ChangePasswordInput(***)"


@strawberry.type(description="The password is changed, and every other API token of the user is revoked.")
class ChangePasswordSuccess:
    """A success."""

    user: User = strawberry.field(description="The viewer.")


ChangePasswordError = Annotated[
    InvalidInput | CredentialsRejected,
    strawberry.union(
        "ChangePasswordError", description="What can stand in the way of a new password. Closed."
    ),
]


@strawberry.type(description="The password is as it was.")
class ChangePasswordFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[ChangePasswordError] = strawberry.field(description="What stood in the way.")


ChangePasswordResult = Annotated[
    ChangePasswordSuccess | ChangePasswordFailure,
    strawberry.union("ChangePasswordResult", description="What came of changing the password. Closed."),
]


@strawberry.type
class UserMutations:
    """The mutations of this noun."""

    @strawberry.mutation(
        description="Register a user. The answer holds their bearer token, once. No bearer token is needed for this call. A mail "
        "with a code for `verifyEmail` goes to the address; if it is registered already, its user is told by mail."
    )
    async def register_user(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            RegisterUserInput, strawberry.argument(description="Who registers.")
        ],
    ) -> RegisterUserResult:
        """The only way to become a user."""
        outcome = await users.register(
            info.context.call, email=input.email, password=Secret(input.password), name=input.name
        )
        if isinstance(outcome, Refused):
            return RegisterUserFailure(
                message="Nobody was registered.", errors=invalid_inputs(outcome.problems)
            )
        return RegisterUserSuccess(
            user=User.of(outcome.user),
            api_token=ApiToken.of(outcome.token.record),
            bearer_token=outcome.token.bearer_token.reveal(),
        )

    @strawberry.mutation(
        description="Change the viewer's password. Their other API tokens are revoked; the one of this call goes on."
    )
    async def change_password(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            ChangePasswordInput, strawberry.argument(description="The old and the new password.")
        ],
    ) -> ChangePasswordResult:
        """Ends whatever a thief of the old one has."""
        outcome = await users.change_password(
            info.context.call,
            current=Secret(input.current_password),
            new=Secret(input.new_password),
        )
        if isinstance(outcome, Refused):
            return ChangePasswordFailure(
                message="The password was not changed.", errors=credential_errors(outcome.problems)
            )
        return ChangePasswordSuccess(user=User.of(outcome))
