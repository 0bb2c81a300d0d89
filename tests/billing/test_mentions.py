"""Mentions of the law: worded by the day of issue, edited by the admin, warned of before they end, never rewritten."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from lxml import etree
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from calmness import clock
from calmness.extensions import db
from calmness.jobs.billing import tell_of_ending_mentions
from calmness.models.account import User, UserNotification
from calmness.models.billing import Invoice
from calmness.models.catalogue import VatRegime
from calmness.models.mention import MentionKind, MentionWording
from calmness.pdf.facturx import FRENCH_RULES, broken_rules
from calmness.services.billing import credit_notes, invoice_ledger, mentions, purchases
from tests import factories
from tests.billing import shop
from tests.billing.test_api import ApiFor, api_for
from tests.billing.test_facturx import FRENCH, issued, line, pdf_of, said, xml_in

__all__ = ["api_for"]

ClientFor = Callable[[User], FlaskClient]
PAGE = "/admin/identite/mentions"
CGI = "TVA non applicable, art. 293 B du CGI"
CIBS = "TVA non applicable, art. L. 223-3 du CIBS"
LAST_EVENING = datetime(2027, 12, 31, 22, 59, 59, tzinfo=UTC)
"""One second before midnight in Paris."""


def sold(at: datetime, number: str, **offer: object) -> Invoice:
    """A sale without VAT, validated at an instant."""
    if not db.session.scalar(select(Invoice)):
        shop.identity()
    values = {"slug": f"offre-{number}", "vat_regime": VatRegime.FRANCHISE, "vat_rate_bp": 0, **offer}
    payment = shop.submitted(factories.student(), shop.signals_offer(**values), number)
    invoice = purchases.validate_payment(payment.id, number, by=factories.agent(), at=at)
    db.session.commit()
    return invoice


def test_the_reference_to_the_cgi_ends_at_midnight_in_paris(site: Flask) -> None:
    evening = sold(LAST_EVENING, "AB1234")
    morning = sold(LAST_EVENING + timedelta(seconds=1), "CD5678")

    assert CGI in evening.mention_texts
    assert CIBS in morning.mention_texts
    assert not any("CGI" in text for text in morning.mention_texts)
    assert invoice_ledger.first_broken() is None


@pytest.mark.parametrize("kind", mentions.OF_REGIME.values())
def test_from_2028_on_no_wording_of_the_house_names_the_cgi(site: Flask, kind: MentionKind) -> None:
    assert "CGI" in mentions.in_force(kind, date(2027, 12, 31)).text
    assert "CGI" not in mentions.in_force(kind, date(2028, 1, 1)).text


def test_an_invoice_keeps_its_text_and_its_credit_note_says_what_holds_then(site: Flask) -> None:
    invoice = sold(LAST_EVENING, "AB1234")
    before = pdf_of(invoice)

    with time_machine.travel(datetime(2028, 2, 1, tzinfo=UTC), tick=False):
        credit = credit_notes.credit_whole(invoice.number, "Rétractation", by=factories.agent())
        db.session.commit()
        credited = xml_in(pdf_of(credit))

    assert said(xml_in(before), "ram:ExemptionReason") == [CGI]
    assert said(credited, "ram:ExemptionReason") == [CIBS]
    assert broken_rules(etree.tostring(credited))[0] == []
    assert CIBS in credit.mention_texts
    assert CGI in db.session.get_one(Invoice, invoice.id).mention_texts


def test_the_admin_words_a_mention_and_the_page_and_the_xml_say_the_same(site: Flask, client_for: ClientFor) -> None:
    owner = client_for(factories.admin())
    today = clock.paris_today()

    answer = owner.post(
        f"{PAGE}/recovery",
        data={"wording": " Indemnité   forfaitaire : 40 € ", "valid_from": today.isoformat(), "accepted_until": ""},
    )
    invoice = issued(line(14999), buyer=FRENCH)
    xml = xml_in(pdf_of(invoice))

    assert answer.status_code == 302
    assert "Indemnité forfaitaire : 40 €" in invoice.mention_texts
    assert "Indemnité forfaitaire : 40 €" in said(xml, "ram:IncludedNote/ram:Content")
    assert said(xml, "ram:IncludedNote/ram:SubjectCode") == ["AAB", "PMD", "PMT"]
    assert broken_rules(etree.tostring(xml), FRENCH_RULES)[0] == []
    assert "Indemnité forfaitaire" in owner.get(f"{PAGE}/recovery").get_data(as_text=True)


def test_a_wording_of_a_later_day_waits_for_it(site: Flask) -> None:
    day = clock.paris_today() + timedelta(days=10)

    admin = factories.admin()
    mentions.add(MentionKind.FRANCHISE, "Franchise de TVA", valid_from=day, by=admin)

    assert mentions.in_force(MentionKind.FRANCHISE, day - timedelta(days=1)).text == CGI
    assert mentions.in_force(MentionKind.FRANCHISE, day).text == "Franchise de TVA"
    coming = mentions.following(MentionKind.FRANCHISE, day - timedelta(days=1))
    assert coming is not None
    assert (coming.text, coming.by) == ("Franchise de TVA", admin.full_name)


def test_the_last_wording_of_a_day_counts_and_the_same_twice_is_one_row(site: Flask) -> None:
    day, admin = clock.paris_today(), factories.admin()

    first = mentions.add(MentionKind.FRANCHISE, "Première", valid_from=day, by=admin)
    second = mentions.add(MentionKind.FRANCHISE, "Seconde", valid_from=day, by=admin)
    again = mentions.add(MentionKind.FRANCHISE, "Seconde", valid_from=day, by=admin)

    assert (mentions.in_force(MentionKind.FRANCHISE, day).text, again.version) == ("Seconde", second.version)
    assert [each.version for each in mentions.of_kind(MentionKind.FRANCHISE)][1:3] == [first.version, second.version]


def test_a_wording_never_changes_and_never_goes(site: Flask) -> None:
    mentions.add(MentionKind.FRANCHISE, "Franchise", valid_from=clock.paris_today(), by=factories.admin())
    db.session.commit()

    for statement in (
        update(MentionWording).values(wording="Autre"),
        MentionWording.__table__.delete(),  # type: ignore[attr-defined]
    ):
        with pytest.raises(IntegrityError):
            db.session.execute(statement)
        db.session.rollback()

    assert db.session.scalar(select(MentionWording.wording)) == "Franchise"


@pytest.mark.parametrize(
    ("typed", "at"),
    [
        ({"wording": "  "}, "wording"),
        ({"wording": "x" * 301}, "wording"),
        ({"valid_from": "2020-01-01"}, "valid_from"),
        ({"valid_from": "demain"}, "valid_from"),
        ({"valid_from": ""}, "valid_from"),
        ({"accepted_until": "2020-01-01"}, "accepted_until"),
    ],
)
def test_what_cannot_be_printed_is_refused_beside_its_field_and_nothing_typed_is_lost(
    site: Flask, client_for: ClientFor, typed: dict[str, str], at: str
) -> None:
    given = {"wording": "Ma mention", "valid_from": "2030-05-01", "accepted_until": "", **typed}

    answer = client_for(factories.admin()).post(f"{PAGE}/franchise", data=given)

    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert f'id="{at}-erreur"' in page
    assert given["wording"].strip() in page
    assert db.session.scalar(select(MentionWording)) is None


def test_the_option_for_debits_is_printed_on_taxed_sales_only_once_it_is_written(site: Flask) -> None:
    option = "Option pour le paiement de la taxe d’après les débits"
    now = clock.now()
    without = sold(now, "AB1234", vat_regime=VatRegime.STANDARD, vat_rate_bp=2000)
    mentions.add(MentionKind.DEBITS, option, valid_from=clock.paris_today(), by=factories.admin())
    taxed = sold(now, "CD5678", vat_regime=VatRegime.STANDARD, vat_rate_bp=2000)
    exempt = sold(now, "EF9012")

    assert [option in each.mention_texts for each in (without, taxed, exempt)] == [False, True, False]
    assert "" not in without.mention_texts


def told() -> list[str]:
    """Notices about mentions that end."""
    keys = select(UserNotification.key).where(UserNotification.key.startswith("mentions-ending"))
    return list(db.session.scalars(keys.order_by(UserNotification.id)))


@pytest.mark.parametrize(("day", "warned"), [("2027-06-30", False), ("2027-07-01", True), ("2027-12-31", True)])
def test_the_admins_are_warned_from_the_middle_of_2027(
    site: Flask, client_for: ClientFor, day: str, warned: bool
) -> None:
    with time_machine.travel(datetime.fromisoformat(f"{day}T10:00:00+00:00"), tick=False):
        owner = client_for(factories.admin())
        tell_of_ending_mentions()
        tell_of_ending_mentions()
        home = owner.get("/admin").get_data(as_text=True)
        page = owner.get(PAGE).get_data(as_text=True)

    assert told() == ([f"mentions-ending:{day[:7]}"] if warned else [])
    for shown in (home, page):
        assert ("4 mentions à renouveler" in shown) is warned
    assert ("admis jusqu’au 31 décembre 2027" in page.replace("\u00a0", " ")) is warned


def test_who_has_written_the_next_wording_is_not_warned_any_more(site: Flask) -> None:
    admin = factories.admin()
    for kind in mentions.OF_REGIME.values():
        mentions.add(kind, "Relu par le comptable", valid_from=date(2028, 1, 1), by=admin)

    assert mentions.ending(date(2027, 12, 1)) == []


def test_a_gap_after_the_end_is_told_and_the_old_text_goes_on(site: Flask) -> None:
    today = clock.paris_today()
    mentions.add(
        MentionKind.RECOVERY, "Frais", valid_from=today, accepted_until=today + timedelta(days=5), by=factories.admin()
    )

    (soon,) = mentions.ending(today)
    (late,) = mentions.ending(today + timedelta(days=9))

    assert (soon.over, soon.following, late.over) == (False, None, True)
    assert mentions.in_force(MentionKind.RECOVERY, today + timedelta(days=9)).text == "Frais"


def test_the_picture_shows_the_wording_typed_and_nothing_is_saved(site: Flask, client_for: ClientFor) -> None:
    shop.identity()
    db.session.commit()
    owner = client_for(factories.admin())
    typed = {"wording": "Une rédaction à voir", "valid_from": "2030-01-01"}

    pictures = {
        owner.post(f"{PAGE}/{kind}/apercu", data={**typed, "wording": text}, headers={"Accept": "image/png"}).data
        for kind in MentionKind
        for text in ("Une rédaction à voir", "Une tout autre rédaction")
    }
    plain = owner.post(f"{PAGE}/franchise/apercu", data=typed).get_data(as_text=True)

    assert len(pictures) >= 10
    assert all(each.startswith(b"\x89PNG") for each in pictures)
    assert 'src="data:image/png;base64,' in plain
    assert "Une rédaction à voir" in plain
    assert db.session.scalar(select(MentionWording)) is None


def test_without_an_identity_the_page_says_so_instead_of_a_picture(site: Flask, client_for: ClientFor) -> None:
    owner = client_for(factories.admin())

    page = owner.get(f"{PAGE}/franchise")
    picture = owner.post(f"{PAGE}/franchise/apercu", data={}, headers={"Accept": "image/png"})

    assert "identité légale" in page.get_data(as_text=True)
    assert (picture.status_code, owner.get(f"{PAGE}/autre").status_code) == (422, 404)


def test_nobody_but_an_admin_words_mentions(site: Flask, client_for: ClientFor) -> None:
    agent = client_for(factories.agent())

    assert {agent.get(PAGE).status_code, agent.get(f"{PAGE}/franchise").status_code} <= {403, 404}
    assert agent.post(f"{PAGE}/franchise", data={}).status_code in {403, 404}


def test_mentions_by_program(site: Flask, api_for: ApiFor) -> None:
    owner, place = api_for(factories.admin()), "/admin/identity/mentions"

    known = {each["kind"]: each for each in owner("GET", place).get_json()["items"]}
    made = owner("POST", f"{place}/franchise", json={"text": "Franchise de TVA", "valid_from": "2030-01-01"})
    refused = owner("POST", f"{place}/franchise", json={"text": "", "valid_from": "2030-01-01"})

    assert [each["text"] for each in known["franchise"]["wordings"]] == [CGI, CIBS]
    assert [each["in_force"] for each in known["franchise"]["wordings"]] == [True, False]
    assert known["franchise"]["wordings"][0]["valid_from"] is None
    assert made.status_code == 201
    assert made.get_json()["wordings"][-1]["house"] is False
    assert (refused.status_code, refused.get_json()["type"]) == (422, "/problems/wording-refused")
    assert owner("POST", f"{place}/autre", json={"text": "x", "valid_from": "2030-01-01"}).status_code == 404
    assert api_for(factories.agent())("GET", place).status_code == 403
