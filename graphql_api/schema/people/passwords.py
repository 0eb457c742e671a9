"""Choosing a new password with a code from an e-mail."""

import strawberry

from graphql_api.domain.inputs import InvalidInput
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.schema.context import Info
from graphql_api.schema.described import arguments, output
from graphql_api.schema.mutation import mutation
from graphql_api.schema.people.user import User
from graphql_api.services.people import email_codes


@arguments
class RequestPasswordResetInput:
    """The user who forgot their password."""

    email: str = strawberry.field(description="The address that the user is registered with.")


@output
class RequestPasswordResetSuccess:
    """If a user has this address, a code is on its way to them.

    The answer is the same if no user has it.
    """

    email: str = strawberry.field(description="The address that was given.")


@mutation("No code was asked for.", errors="What blocks the call: the text is not an e-mail address.")
async def request_password_reset(
    info: Info, input: RequestPasswordResetInput
) -> RequestPasswordResetSuccess | Refused[InvalidInput]:
    """Send a code for `resetPassword` to the user with this e-mail address, if there is one.

    No bearer token is needed. The answer is the same if there is no such user. An address gets only a few of these
    e-mails an hour.
    """
    outcome = await email_codes.request_reset(info.context.call, email=input.email)
    if isinstance(outcome, Refused):
        return outcome
    return RequestPasswordResetSuccess(email=outcome)


@arguments
class ResetPasswordInput:
    """The code from the e-mail, and a new password."""

    code: str = strawberry.field(description="The code from the newest e-mail. It can be used once.")
    new_password: str = strawberry.field(
        description="The new password: 10 to 256 characters. A very common password and the user's e-mail address are `NOT_ALLOWED`."
    )

    def __repr__(self) -> str:
        return "ResetPasswordInput(***)"


@output
class ResetPasswordSuccess:
    """The password was changed, and the user's e-mail address is verified.

    All API tokens of the user are revoked: log in with `createApiToken`. Earlier wrong passwords no longer slow the
    user down.
    """

    user: User = strawberry.field(description="The user with the new password.")


@mutation(
    "The password was not changed.",
    errors="What blocks the call. A code that is unknown, used, replaced by a newer one or expired is `NOT_FOUND`.",
)
async def reset_password(
    info: Info, input: ResetPasswordInput
) -> ResetPasswordSuccess | Refused[InvalidInput]:
    """Choose a new password with the code from `requestPasswordReset`.

    No bearer token is needed. All API tokens of the user are revoked.
    """
    outcome = await email_codes.reset_password(
        info.context.call, code=Secret(input.code), new=Secret(input.new_password)
    )
    if isinstance(outcome, Refused):
        return outcome
    return ResetPasswordSuccess(user=User.of(outcome))
