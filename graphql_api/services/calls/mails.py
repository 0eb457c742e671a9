"""Mails as rows: written in the transaction whose outcome they tell, sent once that is committed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from graphql_api.adapters.sealing import Binding, Keyring
from graphql_api.domain.holders import Holder, Personal, Role
from graphql_api.domain.mails import MailKind
from graphql_api.domain.permissions import ROLES, Action
from graphql_api.domain.secrets import Sealed, Secret
from graphql_api.services.calls.call import Call
from graphql_api.storage.tables import Mail, Membership, User, Workspace


async def enqueue(
    session: AsyncSession,
    call: Call,
    kind: MailKind,
    recipient: str,
    details: Mapping[str, str],
    *,
    secret: Secret | None = None,
) -> None:
    """Have a mail sent once this transaction is committed, and never if it is not.

    `details` fill the words of `domain.mails`, and are kept as they are; a code goes into `secret`, which
    is sealed, and erased once the mail is sent. Details by kind: `name` (of the recipient, for the
    greeting) and `expires` anywhere; `workspace`, `inviter`, `role` for INVITATION; `workspace`,
    `display_name`, and `requester`, `message`, `reason` where they apply, for ACCESS_REQUEST…; `workspace`,
    `actor`, `accounts` for SOCIAL_ACCOUNTS_MOVED.
    """
    mail_id = uuid4()
    session.add(
        Mail(
            id=mail_id,
            kind=kind,
            recipient=recipient,
            details=dict(details),
            secret=None if secret is None else seal(call.services.keyring, secret, mail_id),
            due_at=call.now,
            created_at=call.now,
        )
    )
    await session.flush()
    # Also after a savepoint, which is too early and does no harm: the mailer looks, and polls besides.
    waiting = call.services.mail_waiting
    sa.event.listen(session.sync_session, "after_commit", lambda _: waiting.set())


async def tell_admins_of_move(
    session: AsyncSession, call: Call, *, workspace_id: UUID, accounts: Sequence[str]
) -> None:
    """Mail the other admins of a Workspace that the viewer moved social accounts out of it.

    `accounts` are their display names. The caller has locked the Workspace and the viewer.
    """
    workspace = await session.get_one(Workspace, workspace_id)
    viewer = await session.get_one(User, call.viewer.user_id)
    admins = (
        select(User)
        .join(Membership, col(Membership.user_id) == col(User.id))
        .where(Membership.workspace_id == workspace_id, Membership.role == Role.ADMIN, User.id != viewer.id)
        .order_by(col(User.id))
    )
    told = {
        "workspace": workspace.name,
        "actor": viewer.name,
        "accounts": ", ".join('"' + name.replace('"', "'") + '"' for name in accounts),
    }
    for admin in (await session.scalars(admins)).all():
        await enqueue(
            session, call, MailKind.SOCIAL_ACCOUNTS_MOVED, admin.email, {"name": admin.name, **told}
        )


async def tell_place(
    session: AsyncSession, call: Call, kind: MailKind, place: Holder, details: Mapping[str, str]
) -> None:
    """Mail the user of a Personal, or everybody who decides for a Workspace."""
    if isinstance(place, Personal):
        who = select(User).where(User.id == place.user_id)
        named = "your Personal"
    else:
        who = (
            select(User)
            .join(Membership, col(Membership.user_id) == col(User.id))
            .where(
                Membership.workspace_id == place.workspace_id,
                col(Membership.role).in_(ROLES[Action.DECIDE_TRANSFERS]),
            )
            .order_by(col(User.id))
        )
        named = f"the Workspace {(await session.get_one(Workspace, place.workspace_id)).name}"
    for user in (await session.scalars(who)).all():
        await enqueue(session, call, kind, user.email, {"name": user.name, "place": named, **details})


def moment(when: datetime) -> str:
    """A time as mails tell it."""
    return f"{when:%Y-%m-%d %H:%M} UTC"


def seal(keyring: Keyring, secret: Secret, mail_id: UUID) -> Sealed:
    """Seal a mail's code for its row."""
    return keyring.seal(secret, _binding(mail_id))


def open_code(keyring: Keyring, mail: Mail) -> Secret | None:
    """The code in a mail, if there is one.

    Raises:
        CannotOpen: the row was edited by hand, or its key is not configured.
    """
    return None if mail.secret is None else keyring.open(mail.secret, _binding(mail.id))


def reseal(keyring: Keyring, mail: Mail) -> tuple[Sealed, Sealed]:
    """The row's envelope as it is, and the same code sealed for the same row with the first key.

    Raises:
        CannotOpen: the row was edited by hand, or its key is not configured.
    """
    if mail.secret is None:
        raise ValueError("a mail without a code has no envelope")
    code = keyring.open(mail.secret, _binding(mail.id))
    return mail.secret, seal(keyring, code, mail.id)


def _binding(mail_id: UUID) -> Binding:
    return Binding("mails", "secret", "", str(mail_id), "")
