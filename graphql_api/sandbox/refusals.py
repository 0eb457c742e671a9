"""The errors of the Graph API that the sandbox answers with, in Meta's words."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error of the Graph API; `status` is that of HTTP."""

    code: int
    message: str
    subcode: int | None = None
    type: str = "OAuthException"
    status: int = 400
    user_title: str | None = None
    user_message: str | None = None
    is_transient: bool | None = None

    def envelope(self) -> dict[str, Any]:
        """Return the body of the answer, with a trace id that is new each time."""
        error: dict[str, Any] = {"message": self.message, "type": self.type, "code": self.code}
        others: Mapping[str, Any] = {
            "error_subcode": self.subcode,
            "is_transient": self.is_transient,
            "error_user_title": self.user_title,
            "error_user_msg": self.user_message,
        }
        error |= {name: value for name, value in others.items() if value is not None}
        return {"error": {**error, "fbtrace_id": f"A{secrets.token_urlsafe(16)}"}}


MALFORMED = Refusal(190, "Invalid OAuth access token - Cannot parse access token")
WRONG_SIGNATURE = Refusal(190, "Invalid OAuth access token signature.")
OF_ANOTHER_APP = Refusal(190, "Invalid OAuth access token.")
NO_TOKEN = Refusal(104, "An access token is required to request this resource.")
NOT_FOR_THE_APP = Refusal(
    100,
    "(#100) You must provide an app access token, or a user access token that is an owner or developer of"
    " the app",
)
UNKNOWN_APP = Refusal(101, "Error validating application. Cannot get application info due to a system error.")
WRONG_CLIENT_SECRET = Refusal(1, "Error validating client secret.")

NO_PROOF = Refusal(
    100, "API calls from the server require an appsecret_proof argument", type="GraphMethodException"
)
WRONG_PROOF = Refusal(
    100, "Invalid appsecret_proof provided in the API argument", type="GraphMethodException"
)

REVOKED = Refusal(
    190, "Error validating access token: The user has not authorized this application.", subcode=458
)
CHECKPOINT = Refusal(
    190,
    "Error validating access token: You cannot access the app till you log in to www.facebook.com and follow"
    " the instructions given.",
    subcode=459,
)
PASSWORD_CHANGED = Refusal(
    190,
    "Error validating access token: The session has been invalidated because the user changed their password"
    " or Facebook has changed the session for security reasons.",
    subcode=460,
)
NO_ROLE = Refusal(
    190,
    "Error validating access token: The user must be an administrator, editor, or moderator of the page in"
    " order to impersonate it.",
    subcode=492,
)

BLOCKED = Refusal(
    368,
    "The action attempted has been deemed abusive or is otherwise disallowed",
    user_title="You're Temporarily Blocked",
    user_message="We limit how often you can do certain things on Facebook, to protect the community from"
    " spam. You can try again later.",
    is_transient=False,
)
LIMITED = Refusal(17, "(#17) User request limit reached", is_transient=True)
BROKEN = Refusal(
    2,
    "Service temporarily unavailable",
    status=500,
    is_transient=True,
)
NOT_PERMITTED = Refusal(
    10,
    "(#10) This endpoint requires the 'pages_read_engagement' permission or the 'Page Public Content Access'"
    " feature.",
)

BATCH_NO_LIST = Refusal(100, "(#100) param batch must be an array.")
BATCH_TOO_LONG = Refusal(100, "Too many requests in batch message. Maximum batch size is 50")


def expired(end: float, now: float) -> Refusal:
    """Return the refusal of a token that ended, both in Unix seconds."""
    return Refusal(
        190,
        f"Error validating access token: Session has expired on {_spelled(end)}. The current time is"
        f" {_spelled(now)}.",
        subcode=463,
    )


def _spelled(moment: float) -> str:
    return time.strftime("%A, %d-%b-%y %H:%M:%S UTC", time.gmtime(moment))


def invalid_parameter(what: str) -> Refusal:
    """Return the refusal of a parameter."""
    return Refusal(100, f"(#100) {what}")


def unsupported(method: str, node: str) -> Refusal:
    """Return the refusal of a node that is not there, or that the token may not see."""
    return Refusal(
        100,
        f"Unsupported {method.lower()} request. Object with ID '{node}' does not exist, cannot be loaded due"
        " to missing permissions, or does not support this operation.",
        subcode=33,
        type="GraphMethodException",
    )


def unknown_path(path: str) -> Refusal:
    """Return the refusal of a path without a version, or with more parts than any call has."""
    return Refusal(2500, f"Unknown path components: {path}")
