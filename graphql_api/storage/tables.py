"""The tables: what is kept, and what the database itself refuses.

    User ──┬─ ApiToken
           ├─ EmailCode
           ├─ IdempotencyKey
           ├─ FacebookAccount
           └─ Membership ── Workspace ─┬─ Invitation
                                       └─ Team ── TeamMember
    SocialAccount  held by one User or one Workspace, or free; vouched for by a FacebookAccount
    Share          a SocialAccount of a Workspace, shown to one of its Teams
    PastShare      until which Event of the Workspace a Team saw a SocialAccount
    AccessRequest  by a User to a Workspace, for a social account that it holds; granted for Teams
    TransferRequest  by a User who controls a SocialAccount at Meta, to the place that holds it
    CheckLease     which process asks Meta about a login just now
    DataDeletion   of what we have of a Facebook login, as Meta asked for it
    Mail           to be sent, once what it tells of is committed
    Event          in the history of one User or one Workspace
    SealingKey     a key of the ring that access tokens are sealed with, by its id
    Attempts       how often somebody or some address tried a password or registered lately

Lock order, everywhere: users by id, workspaces by id, then memberships, then social accounts by key.
"""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from graphql_api.domain.access_requests import AccessRequestStatus
from graphql_api.domain.events import EventKind
from graphql_api.domain.holders import Role
from graphql_api.domain.mails import EmailCodePurpose, MailKind
from graphql_api.domain.platforms import Platform
from graphql_api.domain.proofs import AccessTokenProblem
from graphql_api.domain.secrets import Sealed
from graphql_api.domain.transfers import OPEN, TransferRequestStatus
from graphql_api.storage.columns import SealedText, UtcDateTime, enum_text, sort_text

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = SQLModel.metadata


def _when(**options: Any) -> Any:
    return Field(sa_type=UtcDateTime, **options)


class Table(SQLModel):
    """What every table shares: columns of our own types are taken as they are."""

    model_config = {"arbitrary_types_allowed": True}


class User(Table, table=True):
    """A registered person; also the Personal that holds their own social accounts."""

    __tablename__ = "users"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    email: str = Field(max_length=254)
    email_key: str = Field(max_length=254, unique=True, description="the address as it is compared")
    name: str = Field(max_length=100)
    password_hash: str = Field(max_length=255, repr=False)
    email_verified_at: datetime | None = _when(default=None, nullable=True)
    held_count: int = Field(default=0, description="social accounts held in the Personal")
    event_seq: int = Field(default=0, sa_type=sa.BigInteger, description="the latest event's number")
    health_mailed_at: datetime | None = _when(default=None, nullable=True)
    created_at: datetime = _when()
    updated_at: datetime = _when()


class ApiToken(Table, table=True):
    """The record of a credential that callers have; its bearer token is shown once and kept hashed."""

    __tablename__ = "api_tokens"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    label: str = Field(max_length=100)
    secret_hash: bytes = Field(unique=True, max_length=32, repr=False, description="SHA-256")
    scopes: str = Field(default="", max_length=200, description="separated by spaces")
    created_at: datetime = _when()
    expires_at: datetime = _when()
    revoked_at: datetime | None = _when(default=None, nullable=True)


class Workspace(Table, table=True):
    """A place that members share."""

    __tablename__ = "workspaces"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = Field(max_length=100)
    held_count: int = Field(default=0)
    event_seq: int = Field(default=0, sa_type=sa.BigInteger)
    health_mailed_at: datetime | None = _when(default=None, nullable=True)
    created_at: datetime = _when()
    updated_at: datetime = _when()


class Membership(Table, table=True):
    """A user in a Workspace, and what they may do there."""

    __tablename__ = "memberships"

    workspace_id: UUID = Field(foreign_key="workspaces.id", ondelete="CASCADE", primary_key=True)
    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE", primary_key=True, index=True)
    role: Role = Field(sa_type=enum_text(Role, "role"))
    created_at: datetime = _when()
    id: UUID = Field(default_factory=uuid4, unique=True, description="the public id of the member")


class Invitation(Table, table=True):
    """An invitation to a Workspace; its code is shown once and kept hashed."""

    __tablename__ = "invitations"
    __table_args__ = (
        sa.Index("ix_invitations_workspace_page", "workspace_id", "created_at", "id"),
        sa.Index("ix_invitations_recipient_page", "email_key", "created_at", "id"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspaces.id", ondelete="CASCADE", index=True)
    email: str = Field(max_length=254)
    email_key: str = Field(max_length=254)
    role: Role = Field(sa_type=enum_text(Role, "role"))
    code_hash: bytes = Field(unique=True, max_length=32, repr=False, description="SHA-256")
    invited_by_id: UUID | None = Field(foreign_key="users.id", ondelete="SET NULL", index=True)
    created_at: datetime = _when()
    expires_at: datetime = _when()
    accepted_at: datetime | None = _when(default=None, nullable=True)
    declined_at: datetime | None = _when(default=None, nullable=True)
    revoked_at: datetime | None = _when(default=None, nullable=True)


class EmailCode(Table, table=True):
    """A code that was mailed to a user; kept hashed, and good for one thing, once."""

    __tablename__ = "email_codes"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    purpose: EmailCodePurpose = Field(sa_type=enum_text(EmailCodePurpose, "purpose"))
    email_key: str = Field(max_length=254, description="the address that it was sent to")
    email: str | None = Field(default=None, max_length=254, description="that address, if it is to be theirs")
    code_hash: bytes = Field(unique=True, max_length=32, repr=False, description="SHA-256")
    created_at: datetime = _when()
    expires_at: datetime = _when(index=True)
    used_at: datetime | None = _when(default=None, nullable=True)


class Mail(Table, table=True):
    """A mail that is to be sent, written in the transaction whose outcome it tells."""

    __tablename__ = "mails"
    __table_args__ = (
        # Looked at every few seconds, so what was sent is not in it.
        sa.Index(
            "ix_mails_due",
            "due_at",
            sqlite_where=sa.text("sent_at IS NULL"),
            postgresql_where=sa.text("sent_at IS NULL"),
        ),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    kind: MailKind = Field(sa_type=enum_text(MailKind, "kind"))
    recipient: str = Field(max_length=254)
    details: dict[str, str] = Field(sa_type=sa.JSON)
    secret: Sealed | None = Field(
        default=None, sa_type=SealedText, repr=False, description="the code in it, if there is one"
    )
    attempts: int = Field(default=0)
    due_at: datetime = _when()
    created_at: datetime = _when()
    sent_at: datetime | None = _when(default=None, nullable=True)


class IdempotencyKey(Table, table=True):
    """The outcome of a mutation that succeeded, for its retries."""

    __tablename__ = "idempotency_keys"

    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE", primary_key=True)
    operation: str = Field(max_length=40, primary_key=True)
    key: str = Field(max_length=255, primary_key=True)
    input_hash: bytes = Field(max_length=32, repr=False, description="HMAC-SHA-256 of the input")
    outcome: dict[str, Any] = Field(sa_type=sa.JSON, description="ids and outcomes, never a secret")
    created_at: datetime = _when()
    expires_at: datetime = _when(index=True)


class Watched(Table):
    """What Meta said last of an access token that we keep; `domain.health` reads it."""

    proof_source: str | None = Field(default=None, max_length=40, description="whom we asked")
    checked_at: datetime | None = _when(default=None, nullable=True)
    health_since: datetime | None = _when(default=None, nullable=True)
    health_problem: AccessTokenProblem | None = Field(
        default=None, sa_type=enum_text(AccessTokenProblem, "health_problem")
    )
    health_details: str | None = Field(default=None, max_length=500)
    breaks_at: datetime | None = _when(default=None, nullable=True)


class FacebookAccount(Watched, table=True):
    """The login that vouches for social accounts. It is its user's, and is not held."""

    __tablename__ = "facebook_accounts"
    __table_args__ = (sa.UniqueConstraint("user_id", "facebook_user_id"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE")
    facebook_user_id: str = Field(max_length=20)
    location: str | None = Field(max_length=200)
    access_token: Sealed | None = Field(
        sa_type=SealedText, nullable=True, repr=False, description="empty once the user removed our app"
    )
    created_at: datetime = _when()
    updated_at: datetime = _when()


class SocialAccount(Watched, table=True):
    """The one permanent row of an external account; its holder is two columns, so it has one at most.

    `hold_id` is the public id, minted at every connect from free. Disconnecting clears everything but
    the key, so that the next holder inherits nothing.
    """

    __tablename__ = "social_accounts"
    __table_args__ = (
        sa.UniqueConstraint("platform", "external_id"),
        sa.CheckConstraint("holder_user_id IS NULL OR holder_workspace_id IS NULL", name="one_holder"),
        sa.CheckConstraint(
            "(hold_id IS NULL) = (holder_user_id IS NULL AND holder_workspace_id IS NULL)"
            " AND (hold_id IS NOT NULL OR access_token IS NULL)",
            name="free_is_empty",
        ),
        # Looked at every few seconds.
        sa.Index(
            "ix_social_accounts_due",
            "next_check_at",
            sqlite_where=sa.text("hold_id IS NOT NULL"),
            postgresql_where=sa.text("hold_id IS NOT NULL"),
        ),
        sa.Index("ix_social_accounts_proof_login", "proof_login"),
        # Keyset pages read these in order; the holder leads, so that no planner can prefer another key.
        sa.Index("ix_social_accounts_user_page", "holder_user_id", "created_at", "hold_id"),
        sa.Index("ix_social_accounts_workspace_page", "holder_workspace_id", "created_at", "hold_id"),
        sa.Index("ix_social_accounts_user_names", "holder_user_id", "display_name_key", "hold_id"),
        sa.Index("ix_social_accounts_workspace_names", "holder_workspace_id", "display_name_key", "hold_id"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    platform: Platform = Field(sa_type=enum_text(Platform, "platform"))
    external_id: str = Field(sa_type=sort_text(20))
    hold_id: UUID | None = Field(default=None, unique=True)
    holder_user_id: UUID | None = Field(default=None, foreign_key="users.id")
    holder_workspace_id: UUID | None = Field(default=None, foreign_key="workspaces.id")
    display_name: str | None = Field(default=None, max_length=75)
    display_name_key: str | None = Field(
        default=None, sa_type=sort_text(75), description="the display name in lower case, for lists"
    )
    nickname: str | None = Field(default=None, max_length=100)
    profile_picture_url: str | None = Field(default=None, max_length=2048)
    facebook_page_id: str | None = Field(default=None, max_length=20)
    facebook_account_id: UUID | None = Field(
        default=None, foreign_key="facebook_accounts.id", ondelete="SET NULL", index=True
    )
    connected_by_id: UUID | None = Field(
        default=None, foreign_key="users.id", ondelete="SET NULL", index=True
    )
    access_token: Sealed | None = Field(
        default=None,
        sa_type=SealedText,
        repr=False,
        description="a held account has none once the user of its login removed our app",
    )
    access_version: int = Field(
        default=0,
        sa_column_kwargs={"server_default": "0"},
        description="rises with each new access token, and never falls",
    )
    proof_login: str | None = Field(
        default=None, max_length=20, description="Facebook's id of the login that was proven to control it"
    )
    proven_at: datetime | None = _when(default=None, nullable=True)
    doubted_at: datetime | None = _when(
        default=None, nullable=True, description="the first refusal that is not final; the second breaks it"
    )
    next_check_at: datetime | None = _when(default=None, nullable=True)
    warned_days: int | None = Field(
        default=None,
        description="14, 7 or 1 day before the end, or 0 once it broke: the last that was mailed",
    )
    created_at: datetime | None = _when(default=None, nullable=True)
    updated_at: datetime = _when()


class Team(Table, table=True):
    """Members of a Workspace who see the social accounts that are shared with them."""

    __tablename__ = "teams"
    __table_args__ = (
        sa.UniqueConstraint("workspace_id", "name"),
        sa.Index("ix_teams_page", "workspace_id", "created_at", "id"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspaces.id", ondelete="CASCADE")
    name: str = Field(max_length=100)
    created_at: datetime = _when()
    updated_at: datetime = _when()


class TeamMember(Table, table=True):
    """A member of the Workspace in one of its teams; who leaves the Workspace leaves its teams."""

    __tablename__ = "team_members"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["workspace_id", "user_id"],
            ["memberships.workspace_id", "memberships.user_id"],
            ondelete="CASCADE",
        ),
        sa.Index("ix_team_members_member", "workspace_id", "user_id"),
        sa.Index("ix_team_members_page", "team_id", "created_at", "user_id"),
    )

    team_id: UUID = Field(foreign_key="teams.id", ondelete="CASCADE", primary_key=True)
    user_id: UUID = Field(primary_key=True)
    workspace_id: UUID
    created_at: datetime = _when()


class Share(Table, table=True):
    """A social account of the Workspace, shared with one of its teams."""

    __tablename__ = "shares"
    __table_args__ = (sa.Index("ix_shares_page", "team_id", "created_at", "social_account_id"),)

    team_id: UUID = Field(foreign_key="teams.id", ondelete="CASCADE", primary_key=True)
    social_account_id: UUID = Field(
        foreign_key="social_accounts.id", ondelete="CASCADE", primary_key=True, index=True
    )
    created_at: datetime = _when()


class PastShare(Table, table=True):
    """Until which event a team saw a social account: its members still hear of the end and what led to it."""

    __tablename__ = "past_shares"

    hold_id: UUID = Field(primary_key=True)
    team_id: UUID = Field(foreign_key="teams.id", ondelete="CASCADE", primary_key=True, index=True)
    until_seq: int = Field(sa_type=sa.BigInteger)


class AccessRequest(Table, table=True):
    """A creator's request to see a social account of their Workspace, by the key that they know it by."""

    __tablename__ = "access_requests"
    __table_args__ = (
        # Asking twice returns the pending request.
        sa.Index(
            "uq_access_requests_pending",
            "workspace_id",
            "requester_id",
            "platform",
            "external_id",
            unique=True,
            sqlite_where=sa.text("status = 'PENDING'"),
            postgresql_where=sa.text("status = 'PENDING'"),
        ),
        sa.Index("ix_access_requests_workspace_page", "workspace_id", "created_at", "id"),
        sa.Index("ix_access_requests_requester_page", "requester_id", "created_at", "id"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspaces.id", ondelete="CASCADE")
    requester_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE")
    platform: Platform = Field(sa_type=enum_text(Platform, "platform"))
    external_id: str = Field(sa_type=sort_text(20))
    display_name: str = Field(max_length=75, description="as the requester wrote it")
    message: str | None = Field(default=None, max_length=1000)
    status: AccessRequestStatus = Field(sa_type=enum_text(AccessRequestStatus, "status"))
    decided_by_id: UUID | None = Field(default=None, foreign_key="users.id", ondelete="SET NULL", index=True)
    decided_at: datetime | None = _when(default=None, nullable=True)
    reason: str | None = Field(default=None, max_length=1000)
    created_at: datetime = _when()
    updated_at: datetime = _when()


class AccessRequestTeam(Table, table=True):
    """A team that a granted request shared the social account with."""

    __tablename__ = "access_request_teams"

    access_request_id: UUID = Field(foreign_key="access_requests.id", ondelete="CASCADE", primary_key=True)
    team_id: UUID = Field(foreign_key="teams.id", ondelete="CASCADE", primary_key=True, index=True)


_IS_OPEN = sa.text(f"status IN ({', '.join(repr(str(status)) for status in OPEN)})")


class TransferRequest(Table, table=True):
    """A request to have a social account, by somebody who controls it at Meta, to the place that holds it.

    It is for one hold, and ends with it. `domain.transfers` reads its state.
    """

    __tablename__ = "transfer_requests"
    __table_args__ = (
        sa.Index(
            "uq_transfer_requests_open",
            "platform",
            "external_id",
            "facebook_user_id",
            unique=True,
            sqlite_where=_IS_OPEN,
            postgresql_where=_IS_OPEN,
        ),
        sa.Index("ix_transfer_requests_hold_page", "hold_id", "created_at", "id"),
        sa.Index("ix_transfer_requests_requester_page", "requester_id", "created_at", "id"),
        sa.Index("ix_transfer_requests_due", "decides_at", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    requester_id: UUID | None = Field(
        default=None, foreign_key="users.id", ondelete="SET NULL", description="empty once they are deleted"
    )
    platform: Platform = Field(sa_type=enum_text(Platform, "platform"))
    external_id: str = Field(sa_type=sort_text(20))
    hold_id: UUID
    display_name: str = Field(max_length=75, description="as Meta shows it to the asker")
    facebook_user_id: str = Field(max_length=20, description="the asker's login")
    proof_source: str = Field(max_length=40)
    status: TransferRequestStatus = Field(sa_type=enum_text(TransferRequestStatus, "status"))
    since: datetime = _when()
    decides_at: datetime | None = _when(default=None, nullable=True)
    consented: bool = Field(default=False, description="the holder granted it")
    notice_at: datetime | None = _when(
        default=None, nullable=True, description="since when the notice runs that it ended in"
    )
    created_at: datetime = _when()
    updated_at: datetime = _when()


class CheckLease(Table, table=True):
    """Which login, or account without one, a process asks Meta about now; nobody else does until then."""

    __tablename__ = "check_leases"

    key: UUID = Field(primary_key=True, description="of the Facebook account, or else the hold")
    until: datetime = _when(index=True)


class DataDeletion(Table, table=True):
    """What Meta asked to be deleted: its code leads to a page that says how far it is.

    The login's id is gone with the rest: what is kept is the code's hash.
    """

    __tablename__ = "data_deletions"

    code_hash: bytes = Field(primary_key=True, max_length=32, repr=False, description="SHA-256")
    created_at: datetime = _when(index=True)
    completed_at: datetime | None = _when(default=None, nullable=True)


class Event(Table, table=True):
    """Something that happened, in the history of one User or one Workspace, numbered there by `seq`.

    The number is taken under the holder's lock, so a reader of `seq > after` never skips a late commit.
    """

    __tablename__ = "events"
    __table_args__ = (
        sa.CheckConstraint("(user_id IS NULL) <> (workspace_id IS NULL)", name="one_history"),
        sa.UniqueConstraint("user_id", "seq"),
        sa.UniqueConstraint("workspace_id", "seq"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    user_id: UUID | None = Field(foreign_key="users.id", ondelete="CASCADE")
    workspace_id: UUID | None = Field(foreign_key="workspaces.id", ondelete="CASCADE")
    seq: int = Field(sa_type=sa.BigInteger)
    kind: EventKind = Field(sa_type=enum_text(EventKind, "kind"))
    actor_id: UUID | None = Field(foreign_key="users.id", ondelete="SET NULL", index=True)
    actor_name: str | None = Field(default=None, max_length=100, description="as it was then")
    subject_id: UUID | None = Field(
        index=True, description="an id only: the object may have become invisible"
    )
    subject_name: str | None = Field(default=None, max_length=254, description="as it was then")
    platform: Platform | None = Field(
        default=None, sa_type=enum_text(Platform, "platform"), description="of a social account"
    )
    request_id: str = Field(max_length=64)
    details: dict[str, str] = Field(sa_type=sa.JSON)
    created_at: datetime = _when(index=True)


class SealingKey(Table, table=True):
    """A key that something may be sealed with. The key itself is not here: what it sealed is, to know it by.

    Once retired, nothing is sealed with it, and the server starts without it.
    """

    __tablename__ = "sealing_keys"

    id: str = Field(max_length=20, primary_key=True)
    check_value: Sealed = Field(sa_type=SealedText, repr=False)
    created_at: datetime = _when()
    retired_at: datetime | None = _when(default=None, nullable=True)


class Attempts(Table, table=True):
    """Attempts in one window of time, under a key that tells nobody whose they are."""

    __tablename__ = "attempts"

    key: bytes = Field(max_length=32, primary_key=True, repr=False, description="SHA-256")
    count: int
    window_ends_at: datetime = _when(index=True)
    blocked_until: datetime | None = _when(default=None, nullable=True)
