"""The platforms whose accounts are held, and the one table of what differs between them.

A social account is known by its key: where it lives, and the platform's id for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from graphql_api.domain import inputs
from graphql_api.domain.inputs import Problems


class Platform(StrEnum):
    """Where a social account lives."""

    INSTAGRAM = "INSTAGRAM"
    FACEBOOK_PAGE = "FACEBOOK_PAGE"


class SocialKey(NamedTuple):
    """The platform and the id there, which tell a social account from every other."""

    platform: Platform
    external_id: str


@dataclass(frozen=True, slots=True)
class PlatformFacts:
    """What the rules must know of a platform."""

    noun: str
    """What people call one of its accounts; messages begin with it."""
    graphql_type: str
    """The type of its accounts in the schema, which their global ids name."""
    check_display_name: Callable[[Problems, tuple[str, ...], str], str]
    """Returns the name as it is kept."""


PLATFORMS: Mapping[Platform, PlatformFacts] = {
    Platform.INSTAGRAM: PlatformFacts("Instagram account", "InstagramAccount", inputs.check_username),
    Platform.FACEBOOK_PAGE: PlatformFacts("Facebook Page", "FacebookPage", inputs.check_page_name),
}
