"""Showing that an e-mail address is one's own."""

from typing import Annotated

import strawberry

from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.schema.context import Info
from graphql_api.schema.errors import InvalidInput, invalid_inputs
from graphql_api.schema.people.user import User
from graphql_api.services.people import email_codes


@strawberry.input(description="Which address to verify.")
class SendVerificationEmailInput:
    """One mail."""

    email: str = strawberry.field(description="The address to verify: the viewer's own.")


@strawberry.type(description="The mail is on its way.")
class SendVerificationEmailSuccess:
    """A success."""

    email: str = strawberry.field(description="Where it goes to.")


SendVerificationEmailError = Annotated[
    InvalidInput,
    strawberry.union(
        "SendVerificationEmailError", description="What can stand in the way of another mail. Closed."
    ),
]


@strawberry.type(description="No mail is sent.")
class SendVerificationEmailFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[SendVerificationEmailError] = strawberry.field(
        description="What stood in the way. An address that is not the viewer's is `NOT_FOUND`, one that is verified already is `DUPLICATE`."
    )


SendVerificationEmailResult = Annotated[
    SendVerificationEmailSuccess | SendVerificationEmailFailure,
    strawberry.union(
        "SendVerificationEmailResult", description="What came of asking for another mail. Closed."
    ),
]


@strawberry.input(description="The code from the mail.")
class VerifyEmailInput:
    """One code."""

    code: str = strawberry.field(
        description="The code from the newest mail that asked to verify the address; good once."
    )

    def __repr__(self) -> str:
        return "VerifyEmailInput(***)"


@strawberry.type(description="The address is verified.")
class VerifyEmailSuccess:
    """A success."""

    user: User = strawberry.field(description="The user whose address it is.")


VerifyEmailError = Annotated[
    InvalidInput,
    strawberry.union("VerifyEmailError", description="What can stand in the way of verifying. Closed."),
]


@strawberry.type(description="Nothing was verified.")
class VerifyEmailFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[VerifyEmailError] = strawberry.field(
        description="What stood in the way. A code that is unknown, used, replaced by a newer one or expired is one answer."
    )


VerifyEmailResult = Annotated[
    VerifyEmailSuccess | VerifyEmailFailure,
    strawberry.union("VerifyEmailResult", description="What came of verifying. Closed."),
]


@strawberry.type
class EmailAddressMutations:
    """The mutations of this noun."""

    @strawberry.mutation(
        description="Mail the viewer another code that verifies their e-mail address; the older ones end. The first is mailed when they register. At most a few an hour."
    )
    async def send_verification_email(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            SendVerificationEmailInput, strawberry.argument(description="Which address.")
        ],
    ) -> SendVerificationEmailResult:
        """To the viewer's own address."""
        outcome = await email_codes.send_verification(info.context.call, email=input.email)
        if isinstance(outcome, Refused):
            return SendVerificationEmailFailure(
                message="No mail is sent.", errors=invalid_inputs(outcome.problems)
            )
        return SendVerificationEmailSuccess(email=outcome.email)

    @strawberry.mutation(
        description="Verify an e-mail address by the code that was mailed there. The code says whose address it is: no bearer token is needed, so that the mail may be opened on another device."
    )
    async def verify_email(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            VerifyEmailInput, strawberry.argument(description="The code.")
        ],
    ) -> VerifyEmailResult:
        """By whoever reads the mail."""
        outcome = await email_codes.verify(info.context.call, code=Secret(input.code))
        if isinstance(outcome, Refused):
            return VerifyEmailFailure(
                message="Nothing was verified.", errors=invalid_inputs(outcome.problems)
            )
        return VerifyEmailSuccess(user=User.of(outcome))
