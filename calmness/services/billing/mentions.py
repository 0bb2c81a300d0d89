"""Mentions that the law asks for, in wordings that hold from a day on; an invoice keeps those it was issued with.

VAT moves from the CGI to the CIBS (ordonnance 2025-1247). References to the CGI are taken on invoices until the end of
2027 (ordonnance 2026-671 is said to grant six months more), so the house's own wordings change on 1 January 2028.
The number of an article of the CIBS stands only where the official table of concordance is known to give it (293 B);
elsewhere the directive is named, which annexe II, art. 242 nonies A, I-12° of the CGI takes as well.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from calmness import clock
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.catalogue import VatRegime
from calmness.models.mention import MentionKind, MentionWording
from calmness.presentation import day as day_of
from calmness.services import audit, notifications
from calmness.services.account.preferences import NoticeKind

OF_REGIME: dict[VatRegime, MentionKind] = {
    VatRegime.FRANCHISE: MentionKind.FRANCHISE,
    VatRegime.TRAINING_EXEMPT: MentionKind.TRAINING_EXEMPT,
    VatRegime.REVERSE_CHARGE: MentionKind.REVERSE_CHARGE,
    VatRegime.OUTSIDE_EU: MentionKind.OUTSIDE_EU,
}
OF_BUSINESS = (MentionKind.EARLY_PAYMENT, MentionKind.LATE_PAYMENT, MentionKind.RECOVERY)
"""For business customers only (C. com. L441-9, L441-10, D441-5)."""
OPTIONAL = {MentionKind.DEBITS}
LONGEST = 300
ALWAYS = date.min
LAST_DAY_OF_CGI = date(2027, 12, 31)
FIRST_DAY_OF_CIBS = date(2028, 1, 1)
NOTICE = timedelta(days=183)
"""How long before the end of a wording the admins are told: from mid-2027 for the CGI."""


class WordingRefused(DomainError):
    """A wording that could not stand on an invoice, or that would change the past."""

    slug = "wording-refused"


@dataclass(frozen=True)
class Wording:
    """A text and its days. ``version`` is 0 for the house's own, else the row's id."""

    kind: MentionKind
    text: str
    valid_from: date
    accepted_until: date | None = None
    version: int = 0
    at: datetime | None = None
    by: str = ""


@dataclass(frozen=True)
class Ending:
    """A wording that the law soon takes no more, with what would follow it: nothing, or what nobody has read yet."""

    wording: Wording
    until: date
    over: bool
    following: Wording | None


HOUSE = (
    Wording(MentionKind.FRANCHISE, "TVA non applicable, art. 293 B du CGI", ALWAYS, LAST_DAY_OF_CGI),
    Wording(MentionKind.FRANCHISE, "TVA non applicable, art. L. 223-3 du CIBS", FIRST_DAY_OF_CIBS),
    Wording(MentionKind.TRAINING_EXEMPT, "Exonération de TVA, art. 261-4-4° a du CGI", ALWAYS, LAST_DAY_OF_CGI),
    Wording(
        MentionKind.TRAINING_EXEMPT,
        "Exonération de TVA, art. 132, paragraphe 1, i) de la directive 2006/112/CE",
        FIRST_DAY_OF_CIBS,
    ),
    Wording(
        MentionKind.REVERSE_CHARGE,
        "Autoliquidation (art. 283-2 du CGI, art. 196 de la directive 2006/112/CE)",
        ALWAYS,
        LAST_DAY_OF_CGI,
    ),
    Wording(MentionKind.REVERSE_CHARGE, "Autoliquidation (art. 196 de la directive 2006/112/CE)", FIRST_DAY_OF_CIBS),
    Wording(MentionKind.OUTSIDE_EU, "TVA non applicable, art. 259-1 du CGI", ALWAYS, LAST_DAY_OF_CGI),
    Wording(MentionKind.OUTSIDE_EU, "TVA non applicable, art. 44 de la directive 2006/112/CE", FIRST_DAY_OF_CIBS),
    Wording(MentionKind.DEBITS, "", ALWAYS),
    Wording(MentionKind.EARLY_PAYMENT, "Pas d’escompte en cas de paiement anticipé.", ALWAYS),
    Wording(
        MentionKind.LATE_PAYMENT,
        "Pénalités de retard\u00a0: taux de refinancement de la BCE majoré de 10 points.",
        ALWAYS,
    ),
    Wording(
        MentionKind.RECOVERY,
        "Indemnité forfaitaire pour frais de recouvrement en cas de retard\u00a0: 40\u00a0€.",
        ALWAYS,
    ),
)


def of_kind(kind: MentionKind) -> list[Wording]:
    """All wordings of a mention, the one that holds last at the end."""
    return _read([kind])[kind]


def in_force(kind: MentionKind, day: date) -> Wording:
    """What a document of a day says."""
    return _on(_read([kind])[kind], day)


def texts(mentions: Iterable[str | MentionKind], day: date) -> list[dict[str, str]]:
    """What a document of a day keeps: each text, with the kind of those that are dated. An empty one is left out."""
    wanted = list(mentions)
    known = _read([each for each in wanted if isinstance(each, MentionKind)])
    kept = [
        {"kind": each.value, "text": _on(known[each], day).text} if isinstance(each, MentionKind) else {"text": each}
        for each in wanted
    ]
    return [each for each in kept if each["text"]]


def add(
    kind: MentionKind, text: str, *, valid_from: date, accepted_until: date | None = None, by: User | None
) -> Wording:
    """Let a wording hold from a day on, today or later; the ones before stay. The same one twice is kept once.

    Raises ``WordingRefused`` at the field that is wrong.
    """
    clean = tidy(text)
    if not clean and kind not in OPTIONAL:
        raise WordingRefused(_l("Rédigez la mention\u00a0: la loi l’exige."), field="wording")
    if len(clean) > LONGEST:
        raise WordingRefused(_l("300 caractères au plus."), field="wording")
    if valid_from < clock.paris_today():
        message = _l("Choisissez aujourd’hui ou un jour à venir\u00a0: les factures émises gardent leur texte.")
        raise WordingRefused(message, field="valid_from")
    if accepted_until is not None and accepted_until < valid_from:
        raise WordingRefused(_l("La fin vient avant le début."), field="accepted_until")
    same = [each for each in of_kind(kind) if each.version and each.valid_from == valid_from][-1:]
    if same and (same[0].text, same[0].accepted_until) == (clean, accepted_until):
        return same[0]
    row = MentionWording(
        kind=kind,
        wording=clean,
        valid_from=valid_from,
        accepted_until=accepted_until,
        at=clock.now(),
        by_id=by.id if by else None,
    )
    db.session.add(row)
    db.session.flush()
    audit.record("mention.worded", "mention_wording", row.id, actor=by, changes=("wording", "valid_from"))
    return _wording(row)


def tidy(text: str) -> str:
    """A wording on one line, with single blanks."""
    return " ".join(text.split())


def ending(day: date) -> list[Ending]:
    """Wordings that end soon, or have, and that nobody of the school has prepared the next one of."""
    return [found for known in _read(list(MentionKind)).values() if (found := _ending(known, day))]


def following(kind: MentionKind, day: date) -> Wording | None:
    """The wording that comes after that of a day."""
    known = of_kind(kind)
    later = [each.valid_from for each in known if each.valid_from > day]
    return _on(known, min(later)) if later else None


def tell(at: datetime | None = None) -> int:
    """Tell the admins of what ends, once a month. Gives how many were told."""
    today = (at or clock.now()).astimezone(clock.PARIS).date()
    found = ending(today)
    if not found:
        return 0
    return notifications.tell_admins(
        NoticeKind.PAYMENT, f"mentions-ending:{today:%Y-%m}", lambda: _words(found), url="/admin/identite/mentions"
    )


def _read(kinds: list[MentionKind]) -> dict[MentionKind, list[Wording]]:
    """Wordings by kind, in the order in which one takes the place of the other."""
    if not kinds:
        return {}
    rows = db.session.scalars(select(MentionWording).where(MentionWording.kind.in_(kinds)))
    every = [*(each for each in HOUSE if each.kind in kinds), *map(_wording, rows)]
    every.sort(key=lambda each: (each.valid_from, each.version))
    return {kind: [each for each in every if each.kind is kind] for kind in kinds}


def _wording(row: MentionWording) -> Wording:
    by = row.by.full_name if row.by else ""
    return Wording(row.kind, row.wording, row.valid_from, row.accepted_until, row.id, row.at, by)


def _on(known: list[Wording], day: date) -> Wording:
    return [each for each in known if each.valid_from <= day][-1]


def _ending(known: list[Wording], day: date) -> Ending | None:
    wording = _on(known, day)
    until = wording.accepted_until
    if until is None or until > day + NOTICE:
        return None
    after = _on(known, max(until + timedelta(days=1), day))
    if after.version and after is not wording:
        return None
    return Ending(wording, until, over=until < day, following=after if after is not wording else None)


def _words(found: list[Ending]) -> tuple[str, str]:
    first = min(found, key=lambda each: each.until)
    return (
        _("Des mentions de vos factures arrivent à leur fin"),
        _(
            "À partir du %(day)s, «\u00a0%(text)s\u00a0» n’est plus admis. "
            "Faites relire la rédaction suivante par votre comptable, puis enregistrez-la.",
            day=day_of(first.until + timedelta(days=1)),
            text=first.wording.text,
        ),
    )
