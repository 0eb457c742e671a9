"""Showing that an e-mail address is one's own."""

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
class SendVerificationEmailInput:
    """Which address to verify."""

    email: str = strawberry.field(description="The address to verify: the viewer's own.")


@output
class SendVerificationEmailSuccess:
    """The mail is on its way."""

    email: str = strawberry.field(description="Where it goes to.")


@mutation(
    "No mail is sent.",
    errors="What stood in the way. An address that is not the viewer's is `NOT_FOUND`, one that is verified already is `DUPLICATE`.",
)
async def send_verification_email(
    info: Info, input: SendVerificationEmailInput
) -> SendVerificationEmailSuccess | Refused[InvalidInput]:
    """Mail the viewer another code that verifies their e-mail address; the older ones end.

    The first is mailed when they register. At most a few an hour.
    """
    outcome = await email_codes.send_verification(info.context.call, email=input.email)
    if isinstance(outcome, Refused):
        return outcome
    return SendVerificationEmailSuccess(email=outcome.email)


@arguments
class VerifyEmailInput:
    """The code from the mail."""

    code: str = strawberry.field(
        description="The code from the newest mail that asked to verify the address; good once."
    )

    def __repr__(self) -> str:
        return "VerifyEmailInput(***)"


@output
class VerifyEmailSuccess:
    """The address is verified."""

    user: User = strawberry.field(description="The user whose address it is.")


@mutation(
    "Nothing was verified.",
    errors="What stood in the way. A code that is unknown, used, replaced by a newer one or expired is one answer.",
)
async def verify_email(info: Info, input: VerifyEmailInput) -> VerifyEmailSuccess | Refused[InvalidInput]:
    """Verify an e-mail address by the code that was mailed there.

    The code says whose address it is: no bearer token is needed, so that the mail may be opened on another
    device.
    """
    outcome = await email_codes.verify(info.context.call, code=Secret(input.code))
    if isinstance(outcome, Refused):
        return outcome
    return VerifyEmailSuccess(user=User.of(outcome))
