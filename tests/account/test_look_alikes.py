"""Letters that look like others make no second account of somebody, and no second name."""

import pytest
from flask import Flask
from zxcvbn import zxcvbn

from calmness.services.account import names, passwords


@pytest.mark.parametrize(
    "email",
    [
        "zo\u0435@example.test",
        "zoe@ex\u0430mple.test",
        "\u0440\u0430\u0443\u043e@gmail.com",
        "zoe@\u0430\u0440\u0440\u04cf\u0435.com",
        "zoe@xn--80ak6aa92e.com",
        "\u03bfmega@example.test",
        "z\u0251e@example.test",
        "d\u0131lara@example.test",
        "\u029f\u0435o@example.test",
        "ze\u0585@example.test",
    ],
)
def test_an_address_that_could_pass_for_another_is_refused(email: str) -> None:
    with pytest.raises(names.LookAlikeEmail):
        names.email_key(email)


@pytest.mark.parametrize(
    "email",
    [
        "zoé.müller+trading@bücher.test",
        "łukasz@example.test",
        "søren@example.test",
        "\u0438\u0432\u0430\u043d@\u043f\u043e\u0447\u0442\u0430.\u0440\u0444",
        "o'brien_2@example.co.uk",
        "12345@qq.com",
        "田中@例え.jp",
        "ZOE@EXAMPLE.TEST",
    ],
)
def test_addresses_of_one_script_are_taken(email: str) -> None:
    assert names.email_key(email)


@pytest.mark.parametrize("name", ["\u0410dmin", "S\u0430r\u0430h", "Z\u0336\u0337\u0338\u0335oe", "\u0391nna"])
def test_a_name_that_could_pass_for_another_is_refused(name: str) -> None:
    with pytest.raises(names.LookAlikeName) as refused:
        names.own_name(name, "last_name")

    assert refused.value.field == "last_name"


@pytest.mark.parametrize(
    "name",
    [
        "Anne-Sophie",
        "O’Brien-Ñandú",
        "Nguyễn Thị Hồng",
        "Анна",
        "Anna Иванова",
        "محمد",
        "田中 さくら",
        "김민준",
        "दीपिका",
        "Łukasz",
    ],
)
def test_names_of_any_language_are_taken(name: str) -> None:
    assert names.own_name(name, "first_name") == name


@pytest.mark.parametrize("password", ["basketball1234567", "BasketBall1234567", "qwertyuiop123456789"])
def test_a_password_of_the_stolen_lists_is_refused(site: Flask, password: str) -> None:
    with pytest.raises(passwords.WeakPassword):
        passwords.check_strength(password, ())


def test_a_leaked_password_is_refused_although_it_is_hard_to_guess(site: Flask) -> None:
    leaked = "iqhde7xrm78bl7"
    assert zxcvbn(leaked)["score"] == 4

    with pytest.raises(passwords.LeakedPassword):
        passwords.check_strength(leaked, ())
