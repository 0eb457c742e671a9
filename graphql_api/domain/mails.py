"""What people are written by mail, and what a code that they are sent is good for.

The words are here, as plain text. Names and messages are other people's words: nothing in them may become a
link in a mail program. Invitations and requests for access quote them on lines of their own. A subject is
always one line.
"""

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from graphql_api.domain.secrets import Secret

MAX_SUBJECT = 150
QUOTE_WIDTH = 72
# Fifteen attempts in about a day: what a mail server's bad day costs is time, not the mail.
MAX_ATTEMPTS = 15
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=4)


class MailKind(StrEnum):
    """The kinds of mail, named by what they tell."""

    VERIFY_EMAIL = "VERIFY_EMAIL"
    RESET_PASSWORD = "RESET_PASSWORD"  # noqa: S105 - the name of a mail
    ADDRESS_TAKEN = "ADDRESS_TAKEN"
    CHANGE_EMAIL = "CHANGE_EMAIL"
    EMAIL_CHANGED = "EMAIL_CHANGED"
    INVITATION = "INVITATION"
    ACCESS_REQUESTED = "ACCESS_REQUESTED"
    ACCESS_REQUEST_GRANTED = "ACCESS_REQUEST_GRANTED"
    ACCESS_REQUEST_DECLINED = "ACCESS_REQUEST_DECLINED"
    SOCIAL_ACCOUNTS_MOVED = "SOCIAL_ACCOUNTS_MOVED"
    ACCESS_BREAKS = "ACCESS_BREAKS"
    TRANSFER_REQUESTED = "TRANSFER_REQUESTED"
    TRANSFER_NOTICE = "TRANSFER_NOTICE"
    TRANSFER_WITHDRAWN = "TRANSFER_WITHDRAWN"
    TRANSFER_PENDING = "TRANSFER_PENDING"
    TRANSFER_GRANTED = "TRANSFER_GRANTED"
    TRANSFER_DECLINED = "TRANSFER_DECLINED"
    TRANSFER_LAPSED = "TRANSFER_LAPSED"
    TRANSFER_CLOSED = "TRANSFER_CLOSED"
    SOCIAL_ACCOUNT_TAKEN_OVER = "SOCIAL_ACCOUNT_TAKEN_OVER"
    HOLD_RELEASED = "HOLD_RELEASED"


class EmailCodePurpose(StrEnum):
    """What a code proves or allows."""

    VERIFY_EMAIL = "VERIFY_EMAIL"
    RESET_PASSWORD = "RESET_PASSWORD"  # noqa: S105 - the name of a purpose
    CHANGE_EMAIL = "CHANGE_EMAIL"


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail's words. Its body may hold a code, so it is not shown by accident."""

    subject: str
    body: Secret


def wait_after(attempts: int) -> timedelta:
    """How long after this many failed attempts is a mail tried again? 30 seconds, doubled, up to 4 hours."""
    return min(FIRST_WAIT * (1 << min(attempts - 1, 20)), LONGEST_WAIT)


def compose(
    kind: MailKind, details: Mapping[str, str], code: Secret | None, *, front_end_url: str = ""
) -> Letter:
    """The words of a mail.

    `details` are what `enqueue` was given. With a front end, a code comes as a link to its page as well;
    the code is the link's fragment, which browsers send to no server.
    """
    words = _Words(
        {name: _one_line(value if name in _AS_IS else unlinked(value)) for name, value in details.items()}
    )
    words["greeting"] = f"Hello {words['name']}," if words["name"] else "Hello,"
    words["role"] = "an admin" if words["role"] == "ADMIN" else "a creator"
    words["expiry"] = f"It can be used once, until {words['expires']}." if words["expires"] else ""
    words["code"] = _code(kind, code, front_end_url.rstrip("/"))
    words["page"] = f"Open this page:\n\n    {front_end_url.rstrip('/')}/reconnect" if front_end_url else ""
    for name in ("reason", "accounts"):
        words[name] = _quoted(words[name])
    said = _SAID.get(kind, ())
    words["said"] = "\n".join(_quoted(words[name]) for name in said if words[name])
    words.update({name: _cited(words[name]) for name in said})
    subject, body = _TEXTS[kind]
    # What is not there leaves no gap.
    text = re.sub(r"\n{3,}", "\n\n", body.format_map(words)).strip("\n") + "\n"
    return Letter(_short(_one_line(subject.format_map(words))), Secret(text))


class _Words(dict[str, str]):
    """What a text's gaps are filled with; what nobody gave is empty."""

    def __missing__(self, _name: str) -> str:
        return ""


def _code(kind: MailKind, code: Secret | None, front_end_url: str) -> str:
    if code is None:
        return ""
    shown = f"    {code.reveal()}"
    if front_end_url and kind in _PAGES:
        shown += f"\n\nor open this page:\n\n    {front_end_url}/{_PAGES[kind]}#code={code.reveal()}"
    return shown


def unlinked(text: str) -> str:
    """A text in which no mail program finds a link: `http://evil.example` becomes `http: //evil. example`."""
    return _LINKS.sub(" ", text)


def _cited(text: str) -> str:
    """What somebody wrote, in quotation marks that it cannot end."""
    return '"' + re.sub('["\u201c\u201d]', "'", text) + '"'


def _quoted(text: str) -> str:
    """What somebody wrote, on lines that are marked as theirs."""
    return "\n".join(f"> {line}" for line in textwrap.wrap(_one_line(text), QUOTE_WIDTH))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _short(subject: str) -> str:
    return subject if len(subject) <= MAX_SUBJECT else subject[: MAX_SUBJECT - 1] + "…"


# Behind the signs that join a link: a dot (also those that browsers read as one), a colon, an at sign.
_LINKS = re.compile(r"(?<=[.:@\u3002\uff0e\uff61])(?=[^\s.,;:!?)\]'\"])")
_AS_IS = frozenset({"expires", "email"})  # what no other person wrote
# Other people's words, which are quoted on lines of their own; a subject has them in quotation marks.
_SAID = {
    MailKind.INVITATION: ("inviter", "workspace"),
    MailKind.ACCESS_REQUESTED: ("requester", "display_name", "message"),
    MailKind.TRANSFER_REQUESTED: ("requester", "requester_email", "display_name"),
}
_PAGES = {
    MailKind.VERIFY_EMAIL: "verify-email",
    MailKind.CHANGE_EMAIL: "verify-email",
    MailKind.RESET_PASSWORD: "reset-password",
    MailKind.INVITATION: "invitation",
}

_VERIFY_EMAIL = """
{greeting}

please verify that this e-mail address is yours. Enter this code:

{code}

{expiry}

If you did not register, somebody else did with your address. Ignore this
mail, and the address stays unverified.
"""

_RESET = """
{greeting}

somebody, probably you, asked for a new password. To choose one, enter this
code:

{code}

{expiry}

A new password ends every session that is open now. If you did not ask for
this, ignore this mail: your password is as it was.
"""

_CHANGE_EMAIL = """
{greeting}

please confirm that this e-mail address is yours. Enter this code:

{code}

{expiry}

Until then your account keeps its old address. If you did not ask for this,
ignore this e-mail.
"""

_EMAIL_CHANGED = """
{greeting}

the e-mail address of your account was changed to {email}. This address can
no longer be used to log in.

If you did not do this, reset your password and contact the people who run
this service.
"""

_SOCIAL_ACCOUNTS_MOVED = """
{greeting}

{actor} moved social accounts out of the Workspace {workspace}:

{accounts}

You get this e-mail because you are an admin of the Workspace.
"""

_ADDRESS_TAKEN = """
{greeting}

somebody, probably you, tried to register with this e-mail address, or to
change theirs to it. It is registered already, so nothing was changed.

If it was you, log in, or ask for a new password if you forgot yours. If it
was not you, there is nothing to do.
"""

_INVITATION = """
Hello,

somebody invites you to a Workspace, as {role}. This is their name and the
name of the Workspace, in their own words:

{said}

To accept, register or log in with this e-mail address, and enter this code:

{code}

{expiry}

If you do not know these people, ignore this e-mail.
"""

_ACCESS_REQUESTED = """
{greeting}

a creator of the Workspace {workspace} asks for access to a social account.
This is their name, the name of the account and their message, in their own
words:

{said}

You get this e-mail because you are an admin of the Workspace. You can grant
the request, by sharing the account with a team, or decline it.
"""

_ACCESS_REQUEST_GRANTED = """
{greeting}

your request for access to the social account {display_name} of the Workspace
{workspace} was granted. You can see the account in the Workspace now.
"""

_ACCESS_REQUEST_DECLINED = """
{greeting}

your request for access to the social account {display_name} of the Workspace
{workspace} was declined.

{reason}
"""

_ACCESS_BREAKS = """
{greeting}

our access to these social accounts of {place} has ended or ends soon:

{accounts}

Log in to Facebook again to renew it. Until you do, what uses these accounts
stops working.

{page}
"""

_TRANSFER_REQUESTED = """
{greeting}

somebody asks for a social account that {place} holds. Meta confirms that they
control it. This is their name, their e-mail address and the name of the
account:

{said}

You can accept or decline the request until {expires}.

If you accept, they can connect the account, and {place} no longer holds it.
If you do nothing, the account stays where it is.
"""

_TRANSFER_NOTICE = """
{greeting}

somebody asks for the social account {display_name} that {place} holds. Meta
confirms that they control it, and does not confirm that you do.

To keep the account, log in to Facebook with your own login and reconnect it
before {expires}. After that, they can connect it.

{page}
"""

_TRANSFER_WITHDRAWN = """
{greeting}

the request for the social account {display_name} of {place} was withdrawn.
There is nothing to do: the account stays where it is.
"""

_TRANSFER_PENDING = """
{greeting}

the place that holds the social account {display_name} proved that it controls
the account. So it decides about your request, until {expires}.
"""

_TRANSFER_GRANTED = """
{greeting}

you can connect the social account {display_name} now. Log in to Facebook and
connect it before {expires}; after that you would have to ask again.

{page}
"""

_TRANSFER_DECLINED = """
{greeting}

your request for the social account {display_name} was declined.
"""

_TRANSFER_LAPSED = """
{greeting}

your request for the social account {display_name} has ended, because nobody
answered it, or because you did not connect the account in time. You can ask
again now.
"""

_TRANSFER_CLOSED = """
{greeting}

your request for the social account {display_name} is not needed any more:
connect the account now.

{page}
"""

_SOCIAL_ACCOUNT_TAKEN_OVER = """
{greeting}

the social account {display_name} was connected elsewhere, by somebody who
controls it at Meta. {place} no longer holds it.
"""

_HOLD_RELEASED = """
{greeting}

the people who run this service disconnected the social account
{display_name} from {place}. This is their reason:

{reason}
"""

_TEXTS = {
    MailKind.VERIFY_EMAIL: ("Verify your e-mail address", _VERIFY_EMAIL),
    MailKind.RESET_PASSWORD: ("Choose a new password", _RESET),
    MailKind.CHANGE_EMAIL: ("Confirm your new e-mail address", _CHANGE_EMAIL),
    MailKind.EMAIL_CHANGED: ("Your e-mail address was changed", _EMAIL_CHANGED),
    MailKind.SOCIAL_ACCOUNTS_MOVED: ("Social accounts were moved out of {workspace}", _SOCIAL_ACCOUNTS_MOVED),
    MailKind.ACCESS_BREAKS: ("Log in to Facebook again for {place}", _ACCESS_BREAKS),
    MailKind.TRANSFER_REQUESTED: ("{requester} asks for {display_name}", _TRANSFER_REQUESTED),
    MailKind.TRANSFER_NOTICE: ("Prove that you control {display_name}", _TRANSFER_NOTICE),
    MailKind.TRANSFER_WITHDRAWN: ("The request for {display_name} was withdrawn", _TRANSFER_WITHDRAWN),
    MailKind.TRANSFER_PENDING: ("The holder of {display_name} decides", _TRANSFER_PENDING),
    MailKind.TRANSFER_GRANTED: ("You can connect {display_name} now", _TRANSFER_GRANTED),
    MailKind.TRANSFER_DECLINED: ("Your request for {display_name} was declined", _TRANSFER_DECLINED),
    MailKind.TRANSFER_LAPSED: ("Your request for {display_name} has ended", _TRANSFER_LAPSED),
    MailKind.TRANSFER_CLOSED: ("Connect {display_name} now", _TRANSFER_CLOSED),
    MailKind.SOCIAL_ACCOUNT_TAKEN_OVER: (
        "{display_name} was connected elsewhere",
        _SOCIAL_ACCOUNT_TAKEN_OVER,
    ),
    MailKind.HOLD_RELEASED: ("{display_name} was disconnected", _HOLD_RELEASED),
    MailKind.ADDRESS_TAKEN: ("You are registered already", _ADDRESS_TAKEN),
    MailKind.INVITATION: ("{inviter} invites you to {workspace}", _INVITATION),
    MailKind.ACCESS_REQUESTED: ("{requester} asks for access to {display_name}", _ACCESS_REQUESTED),
    MailKind.ACCESS_REQUEST_GRANTED: ("You have access to {display_name}", _ACCESS_REQUEST_GRANTED),
    MailKind.ACCESS_REQUEST_DECLINED: (
        "Your request for access to {display_name} was declined",
        _ACCESS_REQUEST_DECLINED,
    ),
}
