"""Passwords: which ones a user may choose, and whether one is theirs."""

from dataclasses import dataclass

from graphql_api.domain import inputs
from graphql_api.domain.faults import Unauthenticated
from graphql_api.domain.inputs import Problems
from graphql_api.domain.refusals import Refused
from graphql_api.domain.secrets import Secret
from graphql_api.services.calls import attempts
from graphql_api.services.calls.call import Call
from graphql_api.storage.tables import User


@dataclass(frozen=True, slots=True)
class CredentialsRejected:
    """The e-mail address and the password do not belong together; it is not told which is wrong."""

    path: tuple[str, ...]
    message: str = "The e-mail address or the password is wrong"


def check_new(call: Call, problems: Problems, name: str, password: Secret, *, email: str) -> Secret:
    """Check a password that the user with this address chooses; returns it in its normal form."""
    is_common = call.services.passwords.is_common
    return inputs.check_password(problems, ("input", name), password, is_common=is_common, email=email)


async def matches(call: Call, password: Secret, password_hash: str | None) -> bool:
    """Is this the password? What cannot be anybody's is not hashed as it is, but as much work is done."""
    if not inputs.could_be_password(password):
        return await call.services.passwords.matches(Secret("no password"), None)
    return await call.services.passwords.matches(inputs.normal_password(password), password_hash)


async def read_viewer(call: Call) -> User:
    """The viewer as they are.

    Raises:
        Unauthenticated: they were deleted since the request came in.
    """
    known = await call.read(lambda session: session.get(User, call.viewer.user_id))
    if known is None:
        raise Unauthenticated
    return known


async def confirm(call: Call, known: User, current: Secret) -> Refused[CredentialsRejected] | None:
    """Refuse what is not the viewer's password. Their attempts are counted apart from those of strangers.

    Raises:
        RateLimited: there were too many.
    """
    await attempts.count_confirmation(call, known.password_hash)
    if not await matches(call, current, known.password_hash):
        return rejected()
    await attempts.forgive_confirmation(call, known.password_hash)
    return None


def rejected() -> Refused[CredentialsRejected]:
    """The current password is another one."""
    return Refused([CredentialsRejected(("input", "currentPassword"))])
