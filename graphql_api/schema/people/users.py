"""Registering, and changing one's name and password."""

import strawberry

from graphql_api.domain.inputs import InvalidInput
from graphql_api.domain.permissions import Scope
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.schema.context import Info
from graphql_api.schema.described import arguments, output
from graphql_api.schema.mutation import mutation
from graphql_api.schema.people.api_token import ApiToken
from graphql_api.schema.people.user import User
from graphql_api.services.people import users
from graphql_api.services.people.passwords import CredentialsRejected


@arguments
class RegisterUserInput:
    """The new user."""

    email: str = strawberry.field(
        description="The user's e-mail address. It is compared without case, and no other user has it. It has at most 64 "
        "characters before the `@`."
    )
    password: str = strawberry.field(
        description="10 to 256 characters. A very common password and the user's e-mail address are `NOT_ALLOWED`."
    )
    name: str = strawberry.field(description="The name that other people see: 1 to 100 characters.")
    scopes: list[Scope] = strawberry.field(
        default_factory=list,
        description="What the user's first API token may do beyond acting as the user. Nothing if left out.",
    )

    def __repr__(self) -> str:
        return "RegisterUserInput(***)"


@output
class RegisterUserSuccess:
    """The user was registered."""

    user: User = strawberry.field(description="The new user.")
    api_token: ApiToken = strawberry.field(description="The record of the user's first credential.")
    bearer_token: str = strawberry.field(
        description="The credential itself, shown in this answer only. Send it as `Authorization: Bearer …`."
    )


@mutation("Nobody was registered.", errors="What blocks the call. A taken address is `DUPLICATE` at `email`.")
async def register_user(info: Info, input: RegisterUserInput) -> RegisterUserSuccess | Refused[InvalidInput]:
    """Register a user.

    No bearer token is needed, and the answer has the user's first one. A code for `verifyEmail` is sent to the address. If
    the address is taken, its user gets an e-mail about the attempt.
    """
    outcome = await users.register(
        info.context.call,
        email=input.email,
        password=Secret(input.password),
        name=input.name,
        scopes=input.scopes,
    )
    if isinstance(outcome, Refused):
        return outcome
    return RegisterUserSuccess(
        user=User.of(outcome.user),
        api_token=ApiToken.of(outcome.token.record),
        bearer_token=outcome.token.bearer_token.reveal(),
    )


@arguments
class UpdateProfileInput:
    """What other people see of the viewer."""

    name: str = strawberry.field(description="The viewer's new name: 1 to 100 characters.")


@output
class UpdateProfileSuccess:
    """The viewer has this name."""

    user: User = strawberry.field(description="The viewer, with the new name.")


@mutation("The profile was not changed.")
async def update_profile(
    info: Info, input: UpdateProfileInput
) -> UpdateProfileSuccess | Refused[InvalidInput]:
    """Change the viewer's name.

    Past events keep the old name. The name that the viewer has already succeeds and changes nothing.
    """
    outcome = await users.update_profile(info.context.call, name=input.name)
    if isinstance(outcome, Refused):
        return outcome
    return UpdateProfileSuccess(user=User.of(outcome))


@arguments
class ChangePasswordInput:
    """The current and the new password."""

    current_password: str = strawberry.field(
        description="The viewer's current password. Wrong ones are limited for each user."
    )
    new_password: str = strawberry.field(
        description="The new password: 10 to 256 characters. A very common password and the user's e-mail address are `NOT_ALLOWED`."
    )

    def __repr__(self) -> str:
        return "ChangePasswordInput(***)"


@output
class ChangePasswordSuccess:
    """The password was changed, and every other API token of the viewer was revoked."""

    user: User = strawberry.field(description="The viewer.")


@mutation("The password was not changed.")
async def change_password(
    info: Info, input: ChangePasswordInput
) -> ChangePasswordSuccess | Refused[InvalidInput | CredentialsRejected]:
    """Change the viewer's password.

    Their other API tokens are revoked. The one that sends this request still works. Codes for a new password or a new
    e-mail address end.
    """
    outcome = await users.change_password(
        info.context.call,
        current=Secret(input.current_password),
        new=Secret(input.new_password),
    )
    if isinstance(outcome, Refused):
        return outcome
    return ChangePasswordSuccess(user=User.of(outcome))
