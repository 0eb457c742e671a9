"""Naming a social account by its key."""

import strawberry

from graphql_api.domain.platforms import Platform, SocialKey
from graphql_api.schema.described import arguments


@arguments
class SocialAccountKeyInput:
    """A social account by its platform and the platform's id for it.

    Use it for accounts that you have no global id of, for example from a conflict.
    """

    platform: Platform = strawberry.field(description="The platform that the account is on.")
    external_id: str = strawberry.field(
        description="The platform's id of the account: 1 to 20 digits, as text. It does not begin with 0."
    )
    display_name: str = strawberry.field(
        description="What the platform calls the account, for messages to people. An Instagram username has 1 to 30 letters, "
        "digits, dots and underscores, and no dot first, last or doubled. The name of a Facebook Page has 1 to 75 "
        "characters."
    )

    def to_key(self) -> SocialKey:
        """Convert to the key that services take."""
        return SocialKey(self.platform, self.external_id)
