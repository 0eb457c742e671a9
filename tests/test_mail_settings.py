"""Where mails go: what is refused at the start, and what is taken."""

import pytest

from graphql_api.adapters.sealing import new_key
from graphql_api.settings import Settings, Unusable, read_settings

PRODUCTION = {
    "environment": "production",
    "database_url": "postgresql://db/app",
    "sealing_keys": new_key("k1"),
    "meta_app_id": "1",
    "meta_app_secret": "CANARY",
}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "MAIL_URL or MAIL_OUTBOX: production needs to be told where mails go"),
        ({"mail_url": "smtp://mail.example"}, "MAIL_FROM: mail servers need to be told"),
        ({"mail_url": "smtp://mail.example", "mail_outbox": "out"}, "MAIL_URL, MAIL_OUTBOX: mails go to one"),
        ({"mail_url": "mail.example:CANARY", "mail_from": "a@b.example"}, "MAIL_URL: it is written as"),
        ({"mail_outbox": "out", "mail_from": "nobody"}, "MAIL_FROM: it is written as"),
        ({"mail_outbox": "out", "front_end_url": "app.example"}, "FRONT_END_URL"),
    ],
)
def test_production_refuses_to_start_without_a_place_for_mails(given: dict[str, str], told: str) -> None:
    with pytest.raises(Unusable) as refused:
        read_settings(**PRODUCTION, **given)

    assert told in str(refused.value)
    assert "CANARY" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "outlet"),
    [
        (
            {"mail_url": "smtps://ada:CANARY@mail.example", "mail_from": "A <a@b.example>"},
            "smtps://mail.example:465",
        ),
        ({"mail_outbox": "out"}, "files in out"),
    ],
)
def test_production_says_where_mails_go(given: dict[str, str], outlet: str) -> None:
    settings = read_settings(**PRODUCTION, **given)

    assert str(settings.outlet()) == outlet
    assert "CANARY" not in f"{settings} {settings!r}"


def test_in_development_mails_become_files_below_var() -> None:
    assert str(Settings().outlet()) == "files in var/outbox"
