"""Verifying an e-mail address, and changing it."""

import strawberry

from graphql_api.domain.inputs import InvalidInput
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.schema.context import Info
from graphql_api.schema.described import arguments, output
from graphql_api.schema.mutation import mutation
from graphql_api.schema.people.user import User
from graphql_api.services.people import email_codes, users
from graphql_api.services.people.passwords import CredentialsRejected


@arguments
class SendVerificationEmailInput:
    """The address to verify."""

    email: str = strawberry.field(description="The viewer's current e-mail address.")


@output
class SendVerificationEmailSuccess:
    """The e-mail is on its way."""

    email: str = strawberry.field(description="The address that it goes to.")


@mutation(
    "No mail is sent.",
    errors="What blocks the call. An address that is not the viewer's is `NOT_FOUND`. A verified one is `DUPLICATE`.",
)
async def send_verification_email(
    info: Info, input: SendVerificationEmailInput
) -> SendVerificationEmailSuccess | Refused[InvalidInput]:
    """Send the viewer a new code that verifies their e-mail address.

    Older codes for this end. The first code is sent when the user registers. An address gets only a few of these
    e-mails an hour.
    """
    outcome = await email_codes.send_verification(info.context.call, email=input.email)
    if isinstance(outcome, Refused):
        return outcome
    return SendVerificationEmailSuccess(email=outcome.email)


@arguments
class VerifyEmailInput:
    """The code from the e-mail."""

    code: str = strawberry.field(
        description="The code from the newest e-mail that asked to verify an address. It can be used once."
    )

    def __repr__(self) -> str:
        return "VerifyEmailInput(***)"


@output
class VerifyEmailSuccess:
    """The address is verified."""

    user: User = strawberry.field(description="The user with the verified address.")


@mutation(
    "Nothing was verified.",
    errors="What blocks the call. A code that is unknown, used, replaced by a newer one or expired is `NOT_FOUND`. If somebody "
    "has registered with the new address in the meantime, the error is `DUPLICATE`.",
)
async def verify_email(info: Info, input: VerifyEmailInput) -> VerifyEmailSuccess | Refused[InvalidInput]:
    """Verify an e-mail address with the code that was sent there.

    With a code from `registerUser` or `sendVerificationEmail`, no bearer token is needed: the e-mail may be opened on
    another device. A code from `changeEmailAddress` needs the bearer token of the user who asked for it, and makes the
    new address theirs.
    """
    outcome = await email_codes.verify(info.context.call, code=Secret(input.code))
    if isinstance(outcome, Refused):
        return outcome
    return VerifyEmailSuccess(user=User.of(outcome))


@arguments
class ChangeEmailAddressInput:
    """The viewer's password, and their new address."""

    current_password: str = strawberry.field(description="The viewer's password.")
    new_email: str = strawberry.field(
        description="The new e-mail address. It is compared without case, and has at most 64 characters before the `@`."
    )

    def __repr__(self) -> str:
        return "ChangeEmailAddressInput(***)"


@output
class ChangeEmailAddressSuccess:
    """An e-mail is on its way to the new address.

    The viewer keeps the old address until `verifyEmail` gets the code from that e-mail.
    """

    email: str = strawberry.field(description="The new address, where the code goes to.")


@mutation(
    "The e-mail address was not changed.",
    errors="What blocks the call. The viewer's current address is `DUPLICATE`.",
)
async def change_email_address(
    info: Info, input: ChangeEmailAddressInput
) -> ChangeEmailAddressSuccess | Refused[InvalidInput | CredentialsRejected]:
    """Ask for another e-mail address: a code for `verifyEmail` is sent to it.

    If somebody else is registered with the new address, the answer is the same, and that user gets an e-mail without a
    code. After the change, the old address gets an e-mail about it. An address gets only a few of these e-mails an hour.
    """
    outcome = await users.change_email_address(
        info.context.call, current=Secret(input.current_password), email=input.new_email
    )
    if isinstance(outcome, Refused):
        return outcome
    return ChangeEmailAddressSuccess(email=outcome)
