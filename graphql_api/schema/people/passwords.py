"""Choosing a new password by a code that is mailed."""

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
    """Who forgot their password."""

    email: str = strawberry.field(description="The address that they are registered with.")


@output
class RequestPasswordResetSuccess:
    """If somebody is registered with this address, a code is on its way to them.

    Whether somebody is, is not told.
    """

    email: str = strawberry.field(description="The address that was asked for.")


@mutation("Nothing was asked for.", errors="What stood in the way: what is no e-mail address.")
async def request_password_reset(
    info: Info, input: RequestPasswordResetInput
) -> RequestPasswordResetSuccess | Refused[InvalidInput]:
    """Have a code for `resetPassword` mailed to the user with this e-mail address, if there is one; the answer is the same if not.

    No bearer token is needed. At most a few an hour for an address.
    """
    outcome = await email_codes.request_reset(info.context.call, email=input.email)
    if isinstance(outcome, Refused):
        return outcome
    return RequestPasswordResetSuccess(email=outcome)


@arguments
class ResetPasswordInput:
    """The code from the mail, and a new password."""

    code: str = strawberry.field(description="The code from the newest mail; good once.")
    new_password: str = strawberry.field(description="The new password: 8 to 256 characters.")

    def __repr__(self) -> str:
        return "ResetPasswordInput(***)"


@output
class ResetPasswordSuccess:
    """The password is the new one, all API tokens of the user are revoked, and their e-mail address is verified.

    Log in with `createApiToken`.
    """

    user: User = strawberry.field(description="The user whose password it is.")


@mutation(
    "The password was not changed.",
    errors="What stood in the way. A code that is unknown, used, replaced by a newer one or expired is one answer.",
)
async def reset_password(
    info: Info, input: ResetPasswordInput
) -> ResetPasswordSuccess | Refused[InvalidInput]:
    """Choose a new password by the code from `requestPasswordReset`.

    Ends every API token of the user. No bearer token is needed.
    """
    outcome = await email_codes.reset_password(
        info.context.call, code=Secret(input.code), new=Secret(input.new_password)
    )
    if isinstance(outcome, Refused):
        return outcome
    return ResetPasswordSuccess(user=User.of(outcome))
