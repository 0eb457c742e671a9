"""Choosing a new password by a code that is mailed."""

from typing import Annotated

import strawberry

from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.schema.context import Info
from graphql_api.schema.errors import InvalidInput, invalid_inputs
from graphql_api.schema.people.user import User
from graphql_api.services.people import email_codes


@strawberry.input(description="Who forgot their password.")
class RequestPasswordResetInput:
    """One request."""

    email: str = strawberry.field(description="The address that they are registered with.")


@strawberry.type(
    description="If somebody is registered with this address, a code is on its way to them. Whether somebody is, is not told."
)
class RequestPasswordResetSuccess:
    """A success."""

    email: str = strawberry.field(description="The address that was asked for.")


RequestPasswordResetError = Annotated[
    InvalidInput,
    strawberry.union(
        "RequestPasswordResetError", description="What can stand in the way of asking for a code. Closed."
    ),
]


@strawberry.type(description="Nothing was asked for.")
class RequestPasswordResetFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[RequestPasswordResetError] = strawberry.field(
        description="What stood in the way: what is no e-mail address."
    )


RequestPasswordResetResult = Annotated[
    RequestPasswordResetSuccess | RequestPasswordResetFailure,
    strawberry.union("RequestPasswordResetResult", description="What came of asking for a code. Closed."),
]


@strawberry.input(description="The code from the mail, and a new password.")
class ResetPasswordInput:
    """One new password."""

    code: str = strawberry.field(description="The code from the newest mail; good once.")
    new_password: str = strawberry.field(description="The new password: 8 to 256 characters.")

    def __repr__(self) -> str:
        return "ResetPasswordInput(***)"


@strawberry.type(
    description="The password is the new one, all API tokens of the user are revoked, and their e-mail address is verified. Log in with `createApiToken`."
)
class ResetPasswordSuccess:
    """A success."""

    user: User = strawberry.field(description="The user whose password it is.")


ResetPasswordError = Annotated[
    InvalidInput,
    strawberry.union(
        "ResetPasswordError", description="What can stand in the way of a new password. Closed."
    ),
]


@strawberry.type(description="The password is as it was.")
class ResetPasswordFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[ResetPasswordError] = strawberry.field(
        description="What stood in the way. A code that is unknown, used, replaced by a newer one or expired is one answer."
    )


ResetPasswordResult = Annotated[
    ResetPasswordSuccess | ResetPasswordFailure,
    strawberry.union("ResetPasswordResult", description="What came of choosing a new password. Closed."),
]


@strawberry.type
class PasswordMutations:
    """The mutations of this noun."""

    @strawberry.mutation(
        description="Have a code for `resetPassword` mailed to the user with this e-mail address, if there is one; the answer is the same if not. No bearer token is needed. At most a few an hour for an address."
    )
    async def request_password_reset(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            RequestPasswordResetInput, strawberry.argument(description="Whose password.")
        ],
    ) -> RequestPasswordResetResult:
        """The same whether or not somebody has the address."""
        outcome = await email_codes.request_reset(info.context.call, email=input.email)
        if isinstance(outcome, Refused):
            return RequestPasswordResetFailure(
                message="Nothing was asked for.", errors=invalid_inputs(outcome.problems)
            )
        return RequestPasswordResetSuccess(email=outcome)

    @strawberry.mutation(
        description="Choose a new password by the code from `requestPasswordReset`. Ends every API token of the user. No bearer token is needed."
    )
    async def reset_password(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            ResetPasswordInput, strawberry.argument(description="The code and the password.")
        ],
    ) -> ResetPasswordResult:
        """By whoever reads the mail."""
        outcome = await email_codes.reset_password(
            info.context.call, code=Secret(input.code), new=Secret(input.new_password)
        )
        if isinstance(outcome, Refused):
            return ResetPasswordFailure(
                message="The password was not changed.", errors=invalid_inputs(outcome.problems)
            )
        return ResetPasswordSuccess(user=User.of(outcome))
