"""Settle the contract: any platform, names kept in events, invitations declined, members with ids."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

PLATFORMS = ("INSTAGRAM", "FACEBOOK_PAGE")
EVENT_KINDS = (
    "USER_REGISTERED",
    "PROFILE_UPDATED",
    "PASSWORD_CHANGED",
    "API_TOKEN_CREATED",
    "API_TOKEN_REVOKED",
    "EMAIL_VERIFIED",
    "EMAIL_ADDRESS_CHANGED",
    "PASSWORD_RESET",
    "WORKSPACE_CREATED",
    "WORKSPACE_RENAMED",
    "WORKSPACE_DELETED",
    "MEMBER_INVITED",
    "INVITATION_REVOKED",
    "INVITATION_DECLINED",
    "MEMBER_JOINED",
    "MEMBER_ROLE_CHANGED",
    "MEMBER_REMOVED",
    "MEMBER_LEFT",
    "TEAM_CREATED",
    "TEAM_RENAMED",
    "TEAM_DELETED",
    "TEAM_MEMBER_ADDED",
    "TEAM_MEMBER_REMOVED",
    "FACEBOOK_ACCOUNT_CONNECTED",
    "FACEBOOK_ACCOUNT_RECONNECTED",
    "FACEBOOK_ACCOUNT_DISCONNECTED",
    "SOCIAL_ACCOUNT_CONNECTED",
    "SOCIAL_ACCOUNT_RECONNECTED",
    "SOCIAL_ACCOUNT_DISCONNECTED",
    "SOCIAL_ACCOUNT_MOVED",
    "SOCIAL_ACCOUNT_RENAMED",
    "SOCIAL_ACCOUNT_SHARED",
    "SOCIAL_ACCOUNT_UNSHARED",
    "ACCESS_REQUESTED",
    "ACCESS_REQUEST_WITHDRAWN",
    "ACCESS_REQUEST_GRANTED",
    "ACCESS_REQUEST_DECLINED",
    "ACCESS_REQUEST_CLOSED",
    "ACCESS_TOKEN_READ",
    "OTHER",
)
MAIL_KINDS = (
    "VERIFY_EMAIL",
    "RESET_PASSWORD",
    "ADDRESS_TAKEN",
    "CHANGE_EMAIL",
    "EMAIL_CHANGED",
    "INVITATION",
    "ACCESS_REQUESTED",
    "ACCESS_REQUEST_GRANTED",
    "ACCESS_REQUEST_DECLINED",
    "SOCIAL_ACCOUNTS_MOVED",
)
REQUEST_STATUSES = ("PENDING", "GRANTED", "DECLINED", "WITHDRAWN", "CLOSED", "OTHER")

# What an event is about is named after what is known of it today; who is gone has no name any more.
NAMES_IN_DETAILS = (
    ("SOCIAL_ACCOUNT_%", "username"),
    ("ACCESS_REQUEST%", "username"),
    ("TEAM_%", "name"),
    ("TEAM_RENAMED", "to"),
    ("WORKSPACE_%", "name"),
    ("WORKSPACE_RENAMED", "to"),
)
ABOUT_USERS = "kind LIKE 'MEMBER_%' OR kind LIKE 'TEAM_MEMBER_%' OR kind LIKE 'USER_%'"


def upgrade() -> None:
    is_sqlite = op.get_context().dialect.name == "sqlite"

    with op.batch_alter_table("social_accounts", schema=None) as batch_op:
        batch_op.drop_index("ix_social_accounts_user_names")
        batch_op.drop_index("ix_social_accounts_workspace_names")
        batch_op.alter_column(
            "username", new_column_name="display_name", existing_type=sa.String(30), type_=sa.String(75)
        )
        batch_op.alter_column(
            "username_key", new_column_name="display_name_key", existing_type=_sorted(30), type_=_sorted(75)
        )
        if is_sqlite:  # the copied table keeps no CHECK of its own
            batch_op.create_check_constraint(
                op.f("ck_social_accounts_one_holder"), "holder_user_id IS NULL OR holder_workspace_id IS NULL"
            )
            batch_op.create_check_constraint(
                op.f("ck_social_accounts_free_is_empty"),
                "(hold_id IS NULL) = (holder_user_id IS NULL AND holder_workspace_id IS NULL)"
                " AND (hold_id IS NULL) = (access_token IS NULL)",
            )
        _allow(batch_op, "social_accounts", "platform", PLATFORMS)
    for holder in ("user", "workspace"):
        op.create_index(
            f"ix_social_accounts_{holder}_names",
            "social_accounts",
            [f"holder_{holder}_id", "display_name_key", "hold_id"],
        )

    with op.batch_alter_table("access_requests", schema=None) as batch_op:
        batch_op.drop_index("uq_access_requests_pending")
        batch_op.alter_column(
            "username", new_column_name="display_name", existing_type=sa.String(30), type_=sa.String(75)
        )
        _allow(batch_op, "access_requests", "platform", PLATFORMS)
        _allow(batch_op, "access_requests", "status", REQUEST_STATUSES)
    op.create_index(
        "uq_access_requests_pending",
        "access_requests",
        ["workspace_id", "requester_id", "platform", "external_id"],
        unique=True,
        sqlite_where=sa.text("status = 'PENDING'"),
        postgresql_where=sa.text("status = 'PENDING'"),
    )

    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.add_column(sa.Column("actor_name", sa.String(length=100), nullable=True))
        batch_op.add_column(sa.Column("subject_name", sa.String(length=254), nullable=True))
        batch_op.add_column(sa.Column("platform", sa.String(length=40), nullable=True))
        if is_sqlite:
            batch_op.create_check_constraint(
                op.f("ck_events_one_history"), "(user_id IS NULL) <> (workspace_id IS NULL)"
            )
        _allow(batch_op, "events", "kind", EVENT_KINDS)
        batch_op.create_check_constraint(op.f("ck_events_platform"), sa.column("platform").in_(PLATFORMS))
        batch_op.create_index(batch_op.f("ix_events_subject_id"), ["subject_id"], unique=False)
    _name_events(is_sqlite=is_sqlite)

    with op.batch_alter_table("memberships", schema=None) as batch_op:
        batch_op.add_column(sa.Column("id", sa.Uuid(), nullable=True))
    minted = "lower(hex(randomblob(16)))" if is_sqlite else "gen_random_uuid()"
    op.execute(f"UPDATE memberships SET id = {minted}")  # noqa: S608 - no input
    with op.batch_alter_table("memberships", schema=None) as batch_op:
        batch_op.alter_column("id", existing_type=sa.Uuid(), nullable=False)
        batch_op.create_unique_constraint(op.f("uq_memberships_id"), ["id"])
        if is_sqlite:
            batch_op.create_check_constraint(
                op.f("ck_memberships_role"), sa.column("role").in_(("ADMIN", "CREATOR"))
            )

    op.add_column("invitations", sa.Column("declined_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_invitations_recipient_page", "invitations", ["email_key", "created_at", "id"])

    with op.batch_alter_table("email_codes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("email", sa.String(length=254), nullable=True))
        _allow(batch_op, "email_codes", "purpose", ("VERIFY_EMAIL", "RESET_PASSWORD", "CHANGE_EMAIL"))

    with op.batch_alter_table("mails", schema=None) as batch_op:
        _allow(batch_op, "mails", "kind", MAIL_KINDS)


def _sorted(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.VARCHAR(length, collation="C"), "postgresql")


def _allow(batch_op: Any, table: str, column: str, values: Sequence[str]) -> None:
    """Give an enum's CHECK these values; on SQLite the copied table has none left."""
    name = op.f(f"ck_{table}_{column}")
    if op.get_context().dialect.name != "sqlite":
        batch_op.drop_constraint(name, type_="check")
    batch_op.create_check_constraint(name, sa.column(column).in_(values))


def _name_events(*, is_sqlite: bool) -> None:
    run = op.execute
    run("UPDATE events SET actor_name = (SELECT name FROM users WHERE users.id = actor_id)")
    for kind, name in NAMES_IN_DETAILS:
        told = f"json_extract(details, '$.{name}')" if is_sqlite else f"details ->> '{name}'"
        run(f"UPDATE events SET subject_name = {told} WHERE kind LIKE '{kind}' AND {told} IS NOT NULL")  # noqa: S608
    run(
        "UPDATE events SET subject_name = (SELECT name FROM users WHERE users.id = subject_id) "  # noqa: S608
        f"WHERE {ABOUT_USERS}"
    )
    run(
        "UPDATE events SET subject_name = (SELECT email FROM invitations WHERE invitations.id = subject_id) "
        "WHERE kind IN ('MEMBER_INVITED', 'INVITATION_REVOKED')"
    )
    run(
        "UPDATE events SET platform = 'INSTAGRAM' WHERE kind LIKE 'SOCIAL_ACCOUNT_%' "
        "OR kind LIKE 'ACCESS_REQUEST%' OR kind = 'ACCESS_TOKEN_READ'"
    )
