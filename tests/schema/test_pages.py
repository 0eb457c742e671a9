"""Lists that are prepared: which columns their pages read."""

import pytest
import sqlalchemy as sa
from sqlmodel import col

from graphql_api.services.calls.pages import PageRequest, PreparedList
from graphql_api.storage.tables import SocialAccount


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        (["display_name"], ["display_name", "created_at", "hold_id"]),
        (["hold_id", "display_name"], ["hold_id", "display_name", "created_at"]),
        (["created_at", "hold_id"], ["created_at", "hold_id"]),
    ],
)
def test_what_a_list_is_sorted_by_is_read_once(asked: list[str], read: list[str]) -> None:
    listed = PreparedList[object](
        sa.select(*(col(getattr(SocialAccount, name)) for name in asked)),
        within={"user_id": col(SocialAccount.holder_user_id)},
        order=[col(SocialAccount.created_at), col(SocialAccount.hold_id)],
    )

    statement = listed.prepared(PageRequest()).statement

    assert [column.name for column in statement.selected_columns] == read
