"""Connecting social accounts, over HTTP, on both databases: every row of the conflict table."""

from tests.api import Api

X = "17841405902213202"


async def test_an_account_that_nobody_holds_is_connected(api: Api) -> None:
    # given
    ada = await api.register("ada")

    # when
    result = await ada.connect(X)

    # then
    assert result["__typename"] == "ConnectSocialAccountsSuccess"
    (connected,) = result["instagramAccounts"]
    assert connected["outcome"] == "CONNECTED"
    account = connected["instagramAccount"]
    assert account["instagramUserId"] == X
    assert account["username"] == f"user_{X}"
    assert account["holder"] == {"__typename": "User", "id": ada.id}
    assert account["connectedBy"] == {"id": ada.id}
    assert account["facebookAccount"] == {
        "id": result["facebookAccount"]["id"],
        "facebookUserId": "100000000000001",
    }
    assert (account["nickname"], account["facebookPageId"], account["connectedTeams"]) == (None, None, [])
    assert result["notConnected"] == []
    assert await ada.held() == [X]
