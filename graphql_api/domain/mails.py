"""What people are written by mail, and what a code that they are sent is good for."""

from enum import StrEnum


class MailKind(StrEnum):
    """The kinds of mail, named by what they tell."""

    VERIFY_EMAIL = "VERIFY_EMAIL"
    RESET_PASSWORD = "RESET_PASSWORD"  # noqa: S105 - the name of a mail
    ADDRESS_TAKEN = "ADDRESS_TAKEN"
    INVITATION = "INVITATION"
    ACCESS_REQUESTED = "ACCESS_REQUESTED"
    ACCESS_REQUEST_GRANTED = "ACCESS_REQUEST_GRANTED"
    ACCESS_REQUEST_DECLINED = "ACCESS_REQUEST_DECLINED"


class EmailCodePurpose(StrEnum):
    """What a code proves or allows."""

    VERIFY_EMAIL = "VERIFY_EMAIL"
    RESET_PASSWORD = "RESET_PASSWORD"  # noqa: S105 - the name of a purpose
