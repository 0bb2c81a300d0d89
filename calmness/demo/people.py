"""The people of the demo: staff, Camille, and some four hundred students with French names."""

import random
from datetime import datetime, timedelta

from calmness.demo.size import Size
from calmness.extensions import db
from calmness.models.account import AgeBracket, Consent, Gender, Role, User
from calmness.services import accounts, consents, passwords

FIRST_NAMES = [
    "Adèle",
    "Agathe",
    "Alice",
    "Ambre",
    "Anaïs",
    "Anne",
    "Audrey",
    "Aurélie",
    "Awa",
    "Camille",
    "Caroline",
    "Céline",
    "Charlotte",
    "Chloé",
    "Claire",
    "Clara",
    "Constance",
    "Diane",
    "Éléonore",
    "Élise",
    "Emma",
    "Estelle",
    "Eva",
    "Fanny",
    "Florence",
    "Gaëlle",
    "Hélène",
    "Inès",
    "Jade",
    "Jeanne",
    "Julie",
    "Juliette",
    "Laure",
    "Léa",
    "Lina",
    "Louise",
    "Lucie",
    "Manon",
    "Margaux",
    "Marie",
    "Marion",
    "Mathilde",
    "Maud",
    "Mélanie",
    "Nadia",
    "Nina",
    "Noémie",
    "Océane",
    "Pauline",
    "Rose",
    "Salomé",
    "Sarah",
    "Sofia",
    "Sophie",
    "Soline",
    "Valérie",
    "Zoé",
    "Adrien",
    "Alexandre",
    "Alexis",
    "Antoine",
    "Arnaud",
    "Aurélien",
    "Baptiste",
    "Benjamin",
    "Bruno",
    "Cédric",
    "Clément",
    "Cyril",
    "Damien",
    "David",
    "Éric",
    "Étienne",
    "Fabien",
    "Farid",
    "Florian",
    "François",
    "Gabriel",
    "Gaël",
    "Guillaume",
    "Hugo",
    "Ismaël",
    "Jérôme",
    "Jonathan",
    "Julien",
    "Karim",
    "Kévin",
    "Laurent",
    "Léo",
    "Louis",
    "Lucas",
    "Marc",
    "Mathieu",
    "Maxime",
    "Mehdi",
    "Mickaël",
    "Moussa",
    "Nathan",
    "Nicolas",
    "Noah",
    "Olivier",
    "Paul",
    "Pierre",
    "Quentin",
    "Raphaël",
    "Rémi",
    "Romain",
    "Samuel",
    "Sébastien",
    "Simon",
    "Théo",
    "Thibault",
    "Thomas",
    "Valentin",
    "Victor",
    "Vincent",
    "Yann",
    "Youssef",
]
LAST_NAMES = [
    "Martin",
    "Bernard",
    "Thomas",
    "Petit",
    "Robert",
    "Richard",
    "Durand",
    "Dubois",
    "Moreau",
    "Laurent",
    "Simon",
    "Michel",
    "Lefebvre",
    "Leroy",
    "Roux",
    "David",
    "Bertrand",
    "Morel",
    "Fournier",
    "Girard",
    "Bonnet",
    "Dupont",
    "Lambert",
    "Fontaine",
    "Rousseau",
    "Vincent",
    "Muller",
    "Lefèvre",
    "Faure",
    "André",
    "Mercier",
    "Blanc",
    "Guérin",
    "Boyer",
    "Garnier",
    "Chevalier",
    "François",
    "Legrand",
    "Gauthier",
    "Garcia",
    "Perrin",
    "Robin",
    "Clément",
    "Morin",
    "Nicolas",
    "Henry",
    "Roussel",
    "Mathieu",
    "Gautier",
    "Masson",
    "Marchand",
    "Duval",
    "Denis",
    "Dumont",
    "Marie",
    "Lemaire",
    "Noël",
    "Meyer",
    "Dufour",
    "Meunier",
    "Brun",
    "Blanchard",
    "Giraud",
    "Joly",
    "Rivière",
    "Lucas",
    "Brunet",
    "Gaillard",
    "Barbier",
    "Arnaud",
    "Martinez",
    "Gérard",
    "Roche",
    "Renard",
    "Schmitt",
    "Roy",
    "Leroux",
    "Colin",
    "Vidal",
    "Caron",
    "Picard",
    "Roger",
    "Fabre",
    "Aubert",
    "Lemoine",
    "Renaud",
    "Dumas",
    "Lacroix",
    "Olivier",
    "Philippe",
    "Bourgeois",
    "Pierre",
    "Benoît",
    "Rey",
    "Leclerc",
    "Payet",
    "Rolland",
    "Leclercq",
    "Guillaume",
    "Lecomte",
    "Lopez",
    "Jean",
    "Dupuy",
    "Guillot",
    "Hubert",
    "Berger",
    "Carpentier",
    "Sanchez",
    "Dupuis",
    "Moulin",
    "Louis",
    "Deschamps",
    "Huet",
    "Vasseur",
    "Perez",
    "Boucher",
    "Fleury",
    "Royer",
    "Klein",
    "Jacquet",
    "Adam",
    "Paris",
    "Poirier",
    "Marty",
    "Aubry",
    "Diallo",
    "Guyot",
    "Carré",
    "Charles",
    "Renault",
    "Charpentier",
    "Ménard",
    "Maillard",
    "Baron",
    "Bertin",
    "Bailly",
    "Hervé",
    "Schneider",
    "Fernandez",
    "Le",
    "Gall",
]
TOWNS = (
    ("75011", "Paris"),
    ("69003", "Lyon"),
    ("13006", "Marseille"),
    ("31000", "Toulouse"),
    ("44000", "Nantes"),
    ("33000", "Bordeaux"),
    ("59000", "Lille"),
    ("67000", "Strasbourg"),
    ("35000", "Rennes"),
    ("34000", "Montpellier"),
    ("06000", "Nice"),
    ("76000", "Rouen"),
    ("45000", "Orléans"),
    ("21000", "Dijon"),
    ("97400", "Saint-Denis"),
    ("94240", "L’Haÿ-les-Roses"),
)
STREETS = ("rue des Lilas", "avenue Jean-Jaurès", "rue de la République", "boulevard Voltaire", "chemin du Moulin")


def make(rng: random.Random, now: datetime, password: str, size: Size) -> dict[str, User]:
    """Create everybody; gives staff and Camille by their short names. One hash serves all: it is a demo."""
    hashed = passwords.hash_password(password)
    staff = {
        "admin": _person("Inès", "Caron", "admin@calmness.test", Role.ADMIN, now - timedelta(days=430), hashed),
        "agent": _person("Hugo", "Marchand", "agent@calmness.test", Role.AGENT, now - timedelta(days=400), hashed),
        "camille": _person(
            "Camille", "Moreau", "camille@calmness.test", Role.STUDENT, now - timedelta(days=425), hashed
        ),
    }
    everybody = list(staff.values())
    seen = {user.email_key for user in staff.values()}
    for _ in range(size.students):
        first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
        stem = f"{_ascii(first)}.{_ascii(last)}"
        email = next(
            address
            for number in range(1, 1000)
            if (address := f"{stem}{number if number > 1 else ''}@exemple.test") not in seen
        )
        seen.add(email)
        # More people lately: the school grows.
        age_days = 400 * (1 - rng.random() ** 0.7)
        created = now - timedelta(days=age_days, minutes=rng.randrange(1440))
        person = _person(first, last, email, Role.STUDENT, min(created, now - timedelta(hours=2)), hashed)
        if rng.random() > 0.88:
            person.email_verified_at = None
        if rng.random() < 0.55:
            person.gender = rng.choices(list(Gender), weights=(62, 31, 2, 5))[0]
            person.age_bracket = rng.choices(list(AgeBracket), weights=(14, 33, 26, 15, 8, 4))[0]
        person.postcode, person.city = rng.choice(TOWNS)
        person.address = f"{rng.randrange(1, 180)} {rng.choice(STREETS)}"
        everybody.append(person)
    db.session.add_all(everybody)
    db.session.flush()
    db.session.add_all(consent for person in everybody for consent in _consents(person))
    db.session.flush()
    return staff


def _consents(person: User) -> list[Consent]:
    """What the person agreed to when registering and, if it said its age and gender, in the profile."""
    given = [("terms", accounts.TERMS_VERSION, "register")]
    if person.age_bracket:
        given.append((consents.DEMOGRAPHICS, consents.PURPOSES[consents.DEMOGRAPHICS].version, "profile"))
    return [
        Consent(
            user_id=person.id, purpose=purpose, text_version=version, given=True, at=person.created_at, source=source
        )
        for purpose, version, source in given
    ]


def _person(first: str, last: str, email: str, role: Role, created: datetime, hashed: str) -> User:
    return User(
        email=email,
        email_key=email,
        password_hash=hashed,
        first_name=first,
        last_name=last,
        role=role,
        created_at=created,
        email_verified_at=created + timedelta(minutes=7),
        last_seen_at=created + timedelta(days=1),
        address="14 rue des Lilas",
        postcode="69003",
        city="Lyon",
        is_demo=True,
    )


def _ascii(name: str) -> str:
    table = str.maketrans("àâäçéèêëîïôöùûüÿñ", "aaaceeeeiioouuuyn")
    return name.lower().translate(table).replace(" ", "-").replace("’", "")
