"""The eight formations of the demo school, with their units, as a trainer would write them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from calmness.extensions import db
from calmness.models.catalogue import Offer, OfferKind, PublicationStatus, Review, VatRegime
from calmness.models.training import Formation, FormationSession, FormationStatus, Level
from calmness.services.billing import identity


@dataclass(frozen=True)
class Course:
    """A formation of the demo with the titles of its units and its price including VAT."""

    slug: str
    title: str
    summary: str
    level: Level
    trainer: str
    icon: str
    price_cents: int
    capacity: int
    unit_minutes: int
    objectives: tuple[str, ...]
    audience: str
    prerequisites: str
    units: tuple[str, ...]


COURSES = (
    Course(
        "premiers-pas",
        "Premiers pas sur les marchés",
        "Comprendre ce que l’on achète, ce que l’on risque et pourquoi la plupart des débutants perdent.",
        Level.BEGINNER,
        "Inès Caron",
        "sprout",
        19_900,
        40,
        90,
        (
            "Lire un cours, un écart achat-vente et un coût de portage",
            "Calculer la taille d’une position avant de l’ouvrir",
            "Tenir un journal qui sert à décider",
        ),
        "Toute personne majeure qui n’a jamais ouvert de position, ou qui veut repartir sur de bonnes bases.",
        "Aucun. Un ordinateur et une connexion stable suffisent.",
        (
            "Ce qu’est un marché, qui y gagne sa vie",
            "MetaTrader sans se perdre",
            "Ordres, stop et objectif",
            "Le risque d’abord : taille de position",
            "Lire un graphique en bougies",
            "Votre premier plan de trading",
        ),
    ),
    Course(
        "gestion-du-risque",
        "Gestion du risque",
        "Une méthode chiffrée pour ne plus jamais risquer plus que prévu, même un mauvais jour.",
        Level.BEGINNER,
        "Marc Delorme",
        "shield-check",
        34_900,
        50,
        120,
        (
            "Fixer une perte maximale par trade, par jour et par mois",
            "Mesurer son espérance en multiples de R",
            "Réduire la voilure pendant une série de pertes",
        ),
        "Traders débutants et confirmés dont les pertes dépassent parfois ce qui était prévu.",
        "Savoir passer un ordre avec stop.",
        (
            "Combien peut-on perdre sans se mettre en danger ?",
            "Le multiple R, une unité pour tout comparer",
            "Corrélations : quand trois positions n’en font qu’une",
            "Séries de pertes et probabilité de ruine",
            "Stops : où, pourquoi, et quand ne pas y toucher",
            "Règles de coupure quotidiennes",
            "Atelier : relire cent trades",
            "Votre règlement personnel",
        ),
    ),
    Course(
        "lire-le-carnet-d-ordres",
        "Lire le carnet d’ordres",
        "Voir qui achète, qui vend et où se trouve la liquidité avant d’entrer.",
        Level.INTERMEDIATE,
        "Inès Caron",
        "layers",
        59_900,
        40,
        120,
        (
            "Distinguer ordres passifs et agressifs",
            "Repérer les zones où le marché accepte ou refuse un prix",
            "Choisir entre ordre limite et ordre au marché",
        ),
        "Traders intraday qui utilisent déjà un plan et un stop.",
        "Six mois de pratique régulière, journal à l’appui.",
        (
            "Anatomie d’un carnet",
            "Ordres passifs, ordres agressifs",
            "Absorption et épuisement",
            "Profil de volume",
            "Delta et divergences",
            "Ouverture européenne",
            "Ouverture américaine",
            "Annonces et trous de liquidité",
            "Construire une entrée",
            "Atelier en direct",
        ),
    ),
    Course(
        "price-action",
        "Price action, l’essentiel",
        "Des graphiques nus, des niveaux qui comptent et des scénarios écrits à l’avance.",
        Level.BEGINNER,
        "Marc Delorme",
        "chart-candlestick",
        29_900,
        40,
        90,
        (
            "Tracer peu de niveaux, mais les bons",
            "Écrire deux scénarios avant chaque séance",
            "Reconnaître un range et le laisser passer",
        ),
        "Débutants qui savent déjà lire un graphique en bougies.",
        "Avoir suivi « Premiers pas » ou connaître son contenu.",
        (
            "Tendance, range et transition",
            "Supports et résistances utiles",
            "Structures de continuation",
            "Structures de retournement",
            "Multi-unités de temps",
            "Scénarios et exécution",
        ),
    ),
    Course(
        "psychologie",
        "Psychologie du trader",
        "Reconnaître ce qui fait dévier du plan, et mettre des garde-fous qui tiennent.",
        Level.INTERMEDIATE,
        "Léa Fontaine",
        "brain",
        24_900,
        50,
        90,
        (
            "Identifier ses trois erreurs les plus coûteuses",
            "Installer une routine avant et après la séance",
            "Revenir au calme après une perte",
        ),
        "Traders actifs qui s’écartent de leur plan.",
        "Tenir un journal depuis au moins un mois.",
        (
            "Pourquoi nous ne suivons pas notre plan",
            "Peur de manquer, revanche, excès de confiance",
            "Routines et liste de contrôle",
            "Travailler avec son journal",
            "Progresser par semaines",
        ),
    ),
    Course(
        "backtest",
        "Construire et tester une stratégie",
        "De l’idée au test honnête : données, coûts, biais et taille d’échantillon.",
        Level.ADVANCED,
        "Karim Bensaïd",
        "flask-conical",
        74_900,
        40,
        150,
        (
            "Écrire des règles testables",
            "Éviter le surajustement et le biais de survie",
            "Savoir combien de trades il faut pour conclure",
        ),
        "Traders confirmés à l’aise avec un tableur.",
        "Statistiques de base ; la programmation n’est pas nécessaire.",
        (
            "D’une idée à une règle",
            "Données, coûts et glissement",
            "Taille d’échantillon et hasard",
            "Hors échantillon et marche avant",
            "Monte-Carlo sans mystère",
            "Lire un rapport de test",
            "Passer au réel par étapes",
            "Atelier : votre stratégie",
        ),
    ),
    Course(
        "or-et-indices",
        "Or et indices en intraday",
        "Deux marchés nerveux, leurs horaires, leurs pièges et des tailles de position adaptées.",
        Level.ADVANCED,
        "Marc Delorme",
        "coins",
        49_900,
        40,
        120,
        (
            "Adapter stop et taille à la volatilité du jour",
            "Travailler les ouvertures de Londres et de New York",
            "Gérer une position pendant une annonce",
        ),
        "Traders intraday rentables ou proches de l’équilibre.",
        "Avoir suivi « Gestion du risque ».",
        (
            "Ce qui fait bouger l’or",
            "Indices : contrats, horaires, coûts",
            "Volatilité et taille",
            "Ouverture de Londres",
            "Ouverture de New York",
            "Annonces macroéconomiques",
            "Atelier en direct",
        ),
    ),
    Course(
        "accompagnement",
        "Accompagnement de trois mois",
        "Une séance par semaine en petit groupe, votre historique sous les yeux, un cap à la fois.",
        Level.INTERMEDIATE,
        "Inès Caron",
        "users",
        119_000,
        10,
        90,
        (
            "Choisir un seul axe de progrès par quinzaine",
            "Relire ses trades avec un formateur",
            "Mesurer ce qui a changé, avec des chiffres",
        ),
        "Traders qui ont déjà suivi une formation et veulent tenir dans la durée.",
        "MetaTrader relié à l’espace, trente trades d’historique.",
        tuple(f"Séance {number} : relecture et cap de la semaine" for number in range(1, 13)),
    ),
)

REVIEWS = (
    ("Sophie L.", "gestion-du-risque", 5, "J’ai cessé de déplacer mes stops. C’est tout, et c’est énorme."),
    ("Thomas R.", "gestion-du-risque", 4, "Très concret. J’aurais aimé un atelier de plus sur les corrélations."),
    ("Awa D.", "premiers-pas", 5, "Enfin quelqu’un qui commence par ce que l’on peut perdre. Rythme parfait."),
    ("Julien M.", "lire-le-carnet-d-ordres", 5, "Dense, honnête, avec de vraies séances en direct."),
    ("Claire B.", "psychologie", 4, "Ma liste de contrôle m’a évité trois journées catastrophiques."),
    ("Mehdi K.", "backtest", 5, "Ma stratégie ne valait rien : je l’ai su avant d’y mettre de l’argent."),
    ("Nathalie P.", "price-action", 4, "Peu de niveaux, mais les bons. Les replays sont précieux."),
    ("Antoine G.", "accompagnement", 5, "Douze semaines, un seul défaut corrigé à la fois. Mes chiffres le montrent."),
)

SIGNAL_OFFERS = (
    ("signaux-7-jours", "Signaux, 7 jours", "Pour découvrir la méthode, sans reconduction.", 7, 2_900),
    ("signaux-15-jours", "Signaux, 15 jours", "Deux semaines de signaux commentés.", 15, 4_900),
    ("signaux-30-jours", "Signaux, 30 jours", "Le mois complet, le choix le plus courant.", 30, 8_900),
    ("signaux-90-jours", "Signaux, 90 jours", "Un trimestre, pour juger sur la durée.", 90, 22_900),
)

SERVICE_OFFERS = (
    (
        "bilan-de-compte",
        "Bilan de compte",
        "Un formateur relit vos 100 derniers trades et vous rend un compte rendu écrit.",
        14_900,
    ),
    (
        "suivi-mensuel",
        "Suivi mensuel de compte",
        "Quatre relectures, un point en visio, un plan pour le mois suivant.",
        24_900,
    ),
)


def make(now: datetime) -> None:
    """Create the catalogue: formations with their units, offers, reviews, legal identity."""
    identity.save(COMPANY, by=None)
    for position, course in enumerate(COURSES):
        formation = Formation(
            slug=course.slug,
            title=course.title,
            summary=course.summary,
            objectives="\n".join(course.objectives),
            programme="\n".join(course.units),
            level=course.level,
            audience=course.audience,
            prerequisites=course.prerequisites,
            access_delay="Accès dès la validation du paiement ; la première séance a lieu dans les quinze jours.",
            accessibility="Séances sous-titrées à la demande. Écrivez au référent handicap avant de vous inscrire.",
            trainer_name=course.trainer,
            duration_minutes=course.unit_minutes * len(course.units),
            capacity=course.capacity,
            icon=course.icon,
            status=FormationStatus.PUBLISHED,
            position=position,
            created_at=now - timedelta(days=420),
            updated_at=now - timedelta(days=30),
            units=[
                FormationSession(position=number, title=title, duration_minutes=course.unit_minutes)
                for number, title in enumerate(course.units, start=1)
            ],
        )
        db.session.add(formation)
        db.session.flush()
        _offer(now, course.slug, course.title, course.summary, course.price_cents, position, formation_id=formation.id)
        for author, slug, rating, body in REVIEWS:
            if slug == course.slug:
                at = now - timedelta(days=20 + 11 * rating)
                db.session.add(
                    Review(
                        formation_id=formation.id,
                        author_name=author,
                        rating=rating,
                        body=body,
                        created_at=at,
                        published_at=at,
                    )
                )
    for position, (slug, name, summary, days, cents) in enumerate(SIGNAL_OFFERS):
        _offer(now, slug, name, summary, cents, position, kind=OfferKind.SIGNALS, days=days)
    for position, (slug, name, summary, cents) in enumerate(SERVICE_OFFERS):
        _offer(now, slug, name, summary, cents, position, kind=OfferKind.SERVICE, days=30)
    db.session.flush()


def _offer(
    now: datetime,
    slug: str,
    name: str,
    summary: str,
    cents: int,
    position: int,
    *,
    kind: OfferKind = OfferKind.FORMATION,
    formation_id: int | None = None,
    days: int | None = None,
) -> None:
    db.session.add(
        Offer(
            slug=slug,
            kind=kind,
            name=name,
            summary=summary,
            formation_id=formation_id,
            duration_days=days,
            price_cents=cents,
            # A course of some size may be paid in three parts.
            instalments=3 if kind is OfferKind.FORMATION and cents >= 30_000 else 1,
            vat_regime=VatRegime.STANDARD,
            vat_rate_bp=2000,
            status=PublicationStatus.PUBLISHED,
            position=position,
            created_at=now - timedelta(days=420),
        )
    )


COMPANY = {
    "company_name": "Calmness Formation",
    "legal_form": "SAS",
    "capital": "10\u202f000\u00a0€",
    "address": "12 rue de la République",
    "postcode": "69002",
    "city": "Lyon",
    "siret": "73282932000074",
    "rcs": "RCS Lyon 732 829 320",
    "vat_number": "FR44732829320",
    "email": "bonjour@calmness.test",
    "iban": "FR7630006000011234567890189",
    "bic": "AGRIFRPP",
    "footer": "Organisme de formation",
}
