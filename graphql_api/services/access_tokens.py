"""The one module that seals and opens access tokens."""

from graphql_api.adapters.sealing import Binding
from graphql_api.domain.claims import Platform
from graphql_api.domain.holders import Holder, Personal, holder_of
from graphql_api.domain.secrets import Sealed, Secret
from graphql_api.services.call import Call
from graphql_api.storage.tables import SocialAccount


def seal_social_account(call: Call, secret: Secret, external_id: str, holder: Holder) -> Sealed:
    """Seal an Instagram account's access token for the row it will stand in, under this holder.

    Sealing ahead is fine: the envelope is written only where the holder is ours.
    """
    return call.services.keyring.seal(secret, _social_account_binding(external_id, holder))


def seal_facebook_account(call: Call, secret: Secret, facebook_user_id: str, holder: Personal) -> Sealed:
    """Seal a Facebook account's access token for its user's row."""
    binding = Binding(
        table="facebook_accounts",
        column="access_token",
        platform="FACEBOOK",
        external_id=facebook_user_id,
        holder=str(holder),
    )
    return call.services.keyring.seal(secret, binding)


def open_social_account(call: Call, account: SocialAccount) -> Secret:
    """Open the access token of a social account that is held.

    Raises:
        CannotOpen: the row was edited by hand, or its key is not configured.
    """
    holder = holder_of(account.holder_user_id, account.holder_workspace_id)
    if account.access_token is None or holder is None:
        raise ValueError("a social account that is free has no access token")
    return call.services.keyring.open(
        account.access_token, _social_account_binding(account.external_id, holder)
    )


def _social_account_binding(external_id: str, holder: Holder) -> Binding:
    return Binding(
        table="social_accounts",
        column="access_token",
        platform=Platform.INSTAGRAM,
        external_id=external_id,
        holder=str(holder),
    )
