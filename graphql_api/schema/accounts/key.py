"""The key of a social account, as inputs name it."""

import strawberry

from graphql_api.domain.platforms import Platform, SocialKey
from graphql_api.schema.described import arguments


@arguments
class SocialAccountKeyInput:
    """A social account, by its platform and the platform's id for it."""

    platform: Platform = strawberry.field(description="Where the account lives.")
    external_id: str = strawberry.field(
        description="The platform's id of the account: 1 to 20 digits, as text. It does not begin with 0."
    )
    display_name: str = strawberry.field(
        description="What the platform calls the account: the Instagram username or the name of the Facebook Page. "
        "Messages name the account by it."
    )

    def to_key(self) -> SocialKey:
        """As the domain takes it."""
        return SocialKey(self.platform, self.external_id)
