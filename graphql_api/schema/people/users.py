"""Registering, and changing the password."""

import strawberry

from graphql_api.domain.inputs import InvalidInput
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.schema.context import Info
from graphql_api.schema.described import arguments, output
from graphql_api.schema.mutation import mutation
from graphql_api.schema.people.api_token import ApiToken
from graphql_api.schema.people.user import User
from graphql_api.services.people import users
from graphql_api.services.people.api_tokens import CredentialsRejected


@arguments
class RegisterUserInput:
    """Who registers."""

    email: str = strawberry.field(
        description="An e-mail address; compared without case, and nobody else's yet."
    )
    password: str = strawberry.field(description="8 to 256 characters.")
    name: str = strawberry.field(description="The name that people see: 1 to 100 characters.")

    def __repr__(self) -> str:
        return "RegisterUserInput(***)"


@output
class RegisterUserSuccess:
    """The user is registered."""

    user: User = strawberry.field(description="The new user.")
    api_token: ApiToken = strawberry.field(description="The record of the credential that they start with.")
    bearer_token: str = strawberry.field(
        description="The credential itself, shown in this answer only. Send it as `Authorization: Bearer …`."
    )


@mutation(
    "Nobody was registered.", errors="What stood in the way. A taken address is `DUPLICATE` at the e-mail."
)
async def register_user(info: Info, input: RegisterUserInput) -> RegisterUserSuccess | Refused[InvalidInput]:
    """Register a user.

    The answer holds their bearer token, once. No bearer token is needed for this call. A mail with a code
    for `verifyEmail` goes to the address; if it is registered already, its user is told by mail.
    """
    outcome = await users.register(
        info.context.call, email=input.email, password=Secret(input.password), name=input.name
    )
    if isinstance(outcome, Refused):
        return outcome
    return RegisterUserSuccess(
        user=User.of(outcome.user),
        api_token=ApiToken.of(outcome.token.record),
        bearer_token=outcome.token.bearer_token.reveal(),
    )


@arguments
class ChangePasswordInput:
    """The old and the new password."""

    current_password: str = strawberry.field(description="The password as it is now.")
    new_password: str = strawberry.field(description="The new one: 8 to 256 characters.")

    def __repr__(self) -> str:
        return "ChangePasswordInput(***)"


@output
class ChangePasswordSuccess:
    """The password is changed, and every other API token of the user is revoked."""

    user: User = strawberry.field(description="The viewer.")


@mutation("The password was not changed.")
async def change_password(
    info: Info, input: ChangePasswordInput
) -> ChangePasswordSuccess | Refused[InvalidInput | CredentialsRejected]:
    """Change the viewer's password.

    Their other API tokens are revoked; the one of this call goes on.
    """
    outcome = await users.change_password(
        info.context.call,
        current=Secret(input.current_password),
        new=Secret(input.new_password),
    )
    if isinstance(outcome, Refused):
        return outcome
    return ChangePasswordSuccess(user=User.of(outcome))
