"""Flows 10.3 and 10.4 in the XML of the tax office, element by element."""

import re
from datetime import UTC, date, datetime

from lxml import etree

from calmness.platforms import flux10

HEAD = flux10.Head(
    identifier="732829320-103-202610",
    made_at=datetime(2026, 11, 2, 9, 30, tzinfo=UTC),
    platform_registration="0042",
    platform_name="Plateforme d’essai & fils",
    siren="732829320",
    seller_name="Calmness Trading SAS " + "x" * 200,
    first_on=date(2026, 10, 1),
    last_on=date(2026, 10, 31),
)
SALES = [
    flux10.Sales(date(2026, 10, 14), "EUR", "TNT1", 1, 0, 120000, 0),
    flux10.Sales(date(2026, 10, 14), "EUR", "TPS1", 2, 2000, 8317, 1663),
    flux10.Sales(date(2026, 10, 14), "EUR", "TPS1", 2, 550, 3159, 174),
    flux10.Sales(date(2026, 10, 15), "EUR", "TPS1", 1, 2000, -4158, -832),
]
RECEIPTS = [
    flux10.Receipts(date(2026, 10, 14), "EUR", 2000, 9980),
    flux10.Receipts(date(2026, 10, 14), "EUR", 550, 3333),
    flux10.Receipts(date(2026, 10, 16), "EUR", 2000, 4990),
]


def shape(element: etree._Element) -> str:
    """Tags, attributes and texts, one element after the other."""
    kept = "".join(f" {name}={element.get(name)}" for name in ("schemeId",) if element.get(name))
    inside = " ".join(shape(child) for child in element) or (element.text or "")
    return f"{element.tag}{kept}[{inside}]"


def test_the_head_says_who_sends_what_for_whom() -> None:
    head = shape(etree.fromstring(flux10.sales_file(HEAD, SALES))[0])

    assert head == (
        "ReportDocument[Id[732829320-103-202610] IssueDateTime[DateTimeString[20261102093000]] TypeCode[IN] "
        "Sender[Id schemeId=0238[0042] Name[Plateforme d’essai & fils] RoleCode[WK]] "
        f"Issuer[Id schemeId=0002[732829320] Name[{HEAD.seller_name[:150]}] RoleCode[SE]]]"
    )
    assert re.fullmatch(r"[a-zA-Z0-9 \-+_/]{1,50}", HEAD.identifier)


def test_sales_are_grouped_by_day_and_category_and_split_by_rate() -> None:
    report = etree.fromstring(flux10.sales_file(HEAD, SALES))

    assert [element.tag for element in report] == ["ReportDocument", "TransactionsReport"]
    assert [shape(element) for element in report[1]] == [
        "ReportPeriod[StartDate[20261001] EndDate[20261031]]",
        "Transactions[Date[20261014] TransactionsCurrency[EUR] CategoryCode[TNT1] TaxExclusiveAmount[1200.00] "
        "TaxTotal[0.00] TransactionsCount[1] TaxSubtotal[TaxPercent[0] TaxableAmount[1200.00] TaxTotal[0.00]]]",
        "Transactions[Date[20261014] TransactionsCurrency[EUR] CategoryCode[TPS1] TaxExclusiveAmount[114.76] "
        "TaxTotal[18.37] TransactionsCount[2] TaxSubtotal[TaxPercent[20] TaxableAmount[83.17] TaxTotal[16.63]] "
        "TaxSubtotal[TaxPercent[5.5] TaxableAmount[31.59] TaxTotal[1.74]]]",
        "Transactions[Date[20261015] TransactionsCurrency[EUR] CategoryCode[TPS1] TaxExclusiveAmount[-41.58] "
        "TaxTotal[-8.32] TransactionsCount[1] TaxSubtotal[TaxPercent[20] TaxableAmount[-41.58] TaxTotal[-8.32]]]",
    ]


def test_receipts_are_grouped_by_day_and_split_by_rate() -> None:
    report = etree.fromstring(flux10.receipts_file(HEAD, RECEIPTS))

    assert [element.tag for element in report] == ["ReportDocument", "PaymentsReport"]
    assert [shape(element) for element in report[1]] == [
        "ReportPeriod[StartDate[20261001] EndDate[20261031]]",
        "Transactions[Payment[Date[20261014] SubTotals[TaxPercent[20] CurrencyCode[EUR] Amount[99.80]] "
        "SubTotals[TaxPercent[5.5] CurrencyCode[EUR] Amount[33.33]]]]",
        "Transactions[Payment[Date[20261016] SubTotals[TaxPercent[20] CurrencyCode[EUR] Amount[49.90]]]]",
    ]


def test_a_month_without_sales_has_a_period_and_nothing_else() -> None:
    assert len(etree.fromstring(flux10.sales_file(HEAD, []))[1]) == 1
    assert len(etree.fromstring(flux10.receipts_file(HEAD, []))[1]) == 1
