"""Transfers and watching: requests for a transfer, re-checks and their mails, and what Meta asks to be deleted."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from graphql_api.storage.columns import sort_text

revision = "0005"
down_revision = "0004"

PROBLEMS = (
    "EXPIRED",
    "REVOKED",
    "CHECKPOINT",
    "MISSING_PERMISSION",
    "ROLE_TOO_WEAK",
    "WRONG_ACCOUNT",
    "WRONG_LOGIN",
    "WRONG_APP",
    "MALFORMED",
    "UNVERIFIABLE",
    "OTHER",
)
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
    "SOCIAL_ACCOUNT_BROKE",
    "SOCIAL_ACCOUNT_RECOVERED",
    "SOCIAL_ACCOUNT_TAKEN_OVER",
    "TRANSFER_REQUESTED",
    "TRANSFER_NOTICE_GIVEN",
    "TRANSFER_CONTROL_PROVEN",
    "TRANSFER_GRANTED",
    "TRANSFER_DECLINED",
    "TRANSFER_WITHDRAWN",
    "TRANSFER_LAPSED",
    "TRANSFER_COMPLETED",
    "TRANSFER_CLOSED",
    "HOLD_SHOWN",
    "HOLD_RELEASED",
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
    "ACCESS_BREAKS",
    "TRANSFER_REQUESTED",
    "TRANSFER_NOTICE",
    "TRANSFER_WITHDRAWN",
    "TRANSFER_PENDING",
    "TRANSFER_GRANTED",
    "TRANSFER_DECLINED",
    "TRANSFER_LAPSED",
    "TRANSFER_CLOSED",
    "SOCIAL_ACCOUNT_TAKEN_OVER",
    "HOLD_RELEASED",
)
PLATFORMS = ("INSTAGRAM", "FACEBOOK_PAGE")
STATUSES = (
    "HOLDER_DECIDES",
    "NOTICE",
    "GRANTED",
    "DECLINED",
    "WITHDRAWN",
    "LAPSED",
    "COMPLETED",
    "CLOSED",
    "OTHER",
)
IS_OPEN = sa.text("status IN ('HOLDER_DECIDES', 'NOTICE', 'GRANTED')")
IS_HELD = sa.text("hold_id IS NOT NULL")


def upgrade() -> None:
    is_sqlite = op.get_context().dialect.name == "sqlite"
    _relax(is_sqlite)
    # What is held is due at once; from then on each check says when the next one is.
    op.execute("UPDATE social_accounts SET next_check_at = updated_at WHERE hold_id IS NOT NULL")
    _name_kinds(is_sqlite)
    _create()


def _relax(is_sqlite: bool) -> None:
    """A held account, and a Facebook account, may have lost its access token."""
    for table in ("users", "workspaces"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(_time("health_mailed_at"))
    with op.batch_alter_table("facebook_accounts", schema=None) as batch_op:
        batch_op.alter_column("access_token", existing_type=sa.Text(), nullable=True)
        if is_sqlite:  # the copied table keeps no CHECK of its own
            _check(batch_op, "facebook_accounts", "health_problem", PROBLEMS)
    with op.batch_alter_table("social_accounts", schema=None) as batch_op:
        batch_op.add_column(_time("next_check_at"))
        batch_op.add_column(sa.Column("warned_days", sa.Integer(), nullable=True))
        if is_sqlite:
            batch_op.create_check_constraint(
                op.f("ck_social_accounts_one_holder"), "holder_user_id IS NULL OR holder_workspace_id IS NULL"
            )
            _check(batch_op, "social_accounts", "platform", PLATFORMS)
            _check(batch_op, "social_accounts", "health_problem", PROBLEMS)
        else:
            batch_op.drop_constraint(op.f("ck_social_accounts_free_is_empty"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_social_accounts_free_is_empty"),
            "(hold_id IS NULL) = (holder_user_id IS NULL AND holder_workspace_id IS NULL)"
            " AND (hold_id IS NOT NULL OR access_token IS NULL)",
        )
        batch_op.create_index(
            "ix_social_accounts_due", ["next_check_at"], sqlite_where=IS_HELD, postgresql_where=IS_HELD
        )
        batch_op.create_index("ix_social_accounts_proof_login", ["proof_login"])


def _name_kinds(is_sqlite: bool) -> None:
    with op.batch_alter_table("events", schema=None) as batch_op:
        if is_sqlite:
            batch_op.create_check_constraint(
                op.f("ck_events_one_history"), "(user_id IS NULL) <> (workspace_id IS NULL)"
            )
            _check(batch_op, "events", "platform", PLATFORMS)
        else:
            batch_op.drop_constraint(op.f("ck_events_kind"), type_="check")
        _check(batch_op, "events", "kind", EVENT_KINDS)
    with op.batch_alter_table("mails", schema=None) as batch_op:
        if not is_sqlite:
            batch_op.drop_constraint(op.f("ck_mails_kind"), type_="check")
        _check(batch_op, "mails", "kind", MAIL_KINDS)


def _create() -> None:
    op.create_table(
        "transfer_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("requester_id", sa.Uuid(), nullable=True),
        sa.Column("platform", sa.String(length=40), nullable=False),
        sa.Column("external_id", sort_text(20), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.Column("display_name", sa.String(length=75), nullable=False),
        sa.Column("facebook_user_id", sa.String(length=20), nullable=False),
        sa.Column("proof_source", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        _time("since", nullable=False),
        _time("decides_at"),
        sa.Column("consented", sa.Boolean(), nullable=False),
        _time("notice_at"),
        _time("created_at", nullable=False),
        _time("updated_at", nullable=False),
        sa.CheckConstraint(sa.column("platform").in_(PLATFORMS), name=op.f("ck_transfer_requests_platform")),
        sa.CheckConstraint(sa.column("status").in_(STATUSES), name=op.f("ck_transfer_requests_status")),
        sa.ForeignKeyConstraint(
            ["requester_id"],
            ["users.id"],
            name=op.f("fk_transfer_requests_requester_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_requests")),
    )
    with op.batch_alter_table("transfer_requests", schema=None) as batch_op:
        batch_op.create_index(
            "uq_transfer_requests_open",
            ["platform", "external_id", "facebook_user_id"],
            unique=True,
            sqlite_where=IS_OPEN,
            postgresql_where=IS_OPEN,
        )
        batch_op.create_index("ix_transfer_requests_hold_page", ["hold_id", "created_at", "id"])
        batch_op.create_index("ix_transfer_requests_requester_page", ["requester_id", "created_at", "id"])
        batch_op.create_index(
            "ix_transfer_requests_due", ["decides_at"], sqlite_where=IS_OPEN, postgresql_where=IS_OPEN
        )
    op.create_table(
        "check_leases",
        sa.Column("key", sa.Uuid(), nullable=False),
        _time("until", nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_check_leases")),
    )
    with op.batch_alter_table("check_leases", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_check_leases_until"), ["until"])
    op.create_table(
        "data_deletions",
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        _time("created_at", nullable=False),
        _time("completed_at"),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_data_deletions")),
    )
    with op.batch_alter_table("data_deletions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_data_deletions_created_at"), ["created_at"])


def _check(batch_op: Any, table: str, column: str, values: tuple[str, ...]) -> None:
    batch_op.create_check_constraint(op.f(f"ck_{table}_{column}"), sa.column(column).in_(values))


def _time(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
