"""The one module that seals and opens access tokens."""

from graphql_api.adapters.sealing import Binding, CannotOpen, Keyring
from graphql_api.domain.holders import Holder, Personal, holder_of
from graphql_api.domain.platforms import SocialKey
from graphql_api.domain.secrets import Sealed, Secret
from graphql_api.services.calls.call import Call
from graphql_api.storage.tables import FacebookAccount, SocialAccount


def seal_social_account(call: Call, secret: Secret, key: SocialKey, holder: Holder) -> Sealed:
    """Seal a social account's access token for the row it will stand in, under this holder.

    Sealing ahead is fine: the envelope is written only where the holder is ours.
    """
    return call.services.keyring.seal(secret, _social_account_binding(key, holder))


def seal_facebook_account(call: Call, secret: Secret, facebook_user_id: str, holder: Personal) -> Sealed:
    """Seal a Facebook account's access token for its user's row."""
    return call.services.keyring.seal(secret, _facebook_account_binding(facebook_user_id, holder))


def open_social_account(call: Call, account: SocialAccount) -> Secret:
    """Open the access token of a social account that is held.

    Raises:
        CannotOpen: it has none, the row was edited by hand, or its key is not configured.
    """
    sealed, binding = _of_social_account(account)
    return call.services.keyring.open(sealed, binding)


def open_facebook_account(call: Call, account: FacebookAccount) -> Secret:
    """Open the access token of a Facebook account.

    Raises:
        CannotOpen: it has none, the row was edited by hand, or its key is not configured.
    """
    sealed, binding = _of_facebook_account(account)
    return call.services.keyring.open(sealed, binding)


def reseal_for(call: Call, account: SocialAccount, holder: Holder) -> Sealed:
    """The account's access token, sealed for the same row under its next holder.

    Raises:
        CannotOpen: it has none, the row was edited by hand, or its key is not configured.
    """
    return seal_social_account(call, open_social_account(call, account), _key_of(account), holder)


def reseal(keyring: Keyring, row: SocialAccount | FacebookAccount) -> tuple[Sealed, Sealed]:
    """The row's envelope as it is, and the same secret sealed for the same row with the first key.

    Raises:
        CannotOpen: it has none, the row was edited by hand, or its key is not configured.
    """
    old, binding = _of_social_account(row) if isinstance(row, SocialAccount) else _of_facebook_account(row)
    return old, keyring.seal(keyring.open(old, binding), binding)


def _of_social_account(account: SocialAccount) -> tuple[Sealed, Binding]:
    holder = holder_of(account.holder_user_id, account.holder_workspace_id)
    if account.access_token is None or holder is None:
        raise CannotOpen("it has no access token")
    return account.access_token, _social_account_binding(_key_of(account), holder)


def _of_facebook_account(account: FacebookAccount) -> tuple[Sealed, Binding]:
    if account.access_token is None:
        raise CannotOpen("it has no access token")
    return account.access_token, _facebook_account_binding(
        account.facebook_user_id, Personal(account.user_id)
    )


def _facebook_account_binding(facebook_user_id: str, holder: Personal) -> Binding:
    return Binding("facebook_accounts", "access_token", "FACEBOOK", facebook_user_id, str(holder))


def _social_account_binding(key: SocialKey, holder: Holder) -> Binding:
    return Binding("social_accounts", "access_token", key.platform.value, key.external_id, str(holder))


def _key_of(account: SocialAccount) -> SocialKey:
    return SocialKey(account.platform, account.external_id)
