"""Two hundred and fifty conversations of the support, some of them still waiting for an answer."""

import random
import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from calmness.extensions import db
from calmness.models.account import Channel, User
from calmness.models.support import CannedAnswer, ChatMessage, ChatRead, ChatRoom, RoomStatus, SenderKind

EXCHANGES = (
    (
        "Bonjour, la séance de ce soir sera-t-elle enregistrée ?",
        "Bonjour, oui : le replay est dans votre espace le lendemain matin, rubrique Formations.",
        "Parfait, merci beaucoup.",
    ),
    (
        "J’ai fait le virement ce matin, quand aurai-je accès à la formation ?",
        "Bonjour, dès que la banque nous le confirme, en général le jour ouvré suivant. Votre numéro de transaction est bien enregistré.",
        "Très bien, je patiente.",
    ),
    (
        "L’Expert Advisor affiche « clé refusée ».",
        "La clé a peut-être été remplacée. Dans MetaTrader, ouvrez les paramètres de l’EA et collez la nouvelle clé, sans espace.",
        "C’était ça, le compte est repassé au vert.",
    ),
    (
        "Puis-je suivre « Lire le carnet d’ordres » si je débute ?",
        "Je vous conseille de commencer par « Gestion du risque » : sans cette base, le carnet va trop vite.",
        "Merci pour la franchise.",
    ),
    (
        "Où trouver ma facture du mois dernier ?",
        "Dans votre espace, rubrique Paiements. Je vous l’ai aussi renvoyée par e-mail.",
        "Reçue, merci.",
    ),
    (
        "Est-ce que vous proposez un paiement en plusieurs fois ?",
        "Oui, pour les formations à partir de 500 €. Je peux vous envoyer l’échéancier si vous le souhaitez.",
        "Avec plaisir.",
    ),
    (
        "Je n’arrive pas à rejoindre la visio.",
        "Le bouton s’ouvre 15 minutes avant le début. Rechargez la page : il doit être actif maintenant.",
        "Je suis entré, merci !",
    ),
    (
        "Votre EA peut-il passer des ordres à ma place ?",
        "Non, jamais : il lit l’historique et l’envoie. Vous pouvez même utiliser le mot de passe investisseur.",
        "C’est rassurant.",
    ),
)
CANNED = (
    ("bonjour", "Accueil", "Bonjour, merci pour votre message. Je regarde et je reviens vers vous tout de suite."),
    (
        "virement",
        "Délai de virement",
        "Un virement classique arrive en un à deux jours ouvrés. Dès qu’il est confirmé, votre accès s’ouvre et la facture part par e-mail.",
    ),
    (
        "ea",
        "Installer l’EA",
        "Le guide pas à pas se trouve dans votre espace, rubrique MetaTrader. L’EA est en lecture seule : il ne passe aucun ordre.",
    ),
    ("replay", "Replays", "Les replays sont en ligne le lendemain matin, dans la page de la formation."),
)


def make(rng: random.Random, now: datetime, agent: User, camille: User, students: list[User], rooms: int) -> None:
    """Create rooms and messages in bulk, in the order of their time."""
    db.session.execute(insert(CannedAnswer), [{"shortcut": s, "title": t, "body": b} for s, t, b in CANNED])
    owners = [camille, camille, *rng.choices(students, k=rooms - 2)]
    messages: list[dict[str, Any]] = []
    reads: list[dict[str, Any]] = []
    open_owners: set[int] = set()
    for number, owner in enumerate(owners):
        age = timedelta(days=360 * rng.random() ** 1.6, minutes=rng.randrange(1440))
        waiting = number > 1 and rng.random() < 0.04 and owner.id not in open_owners
        if waiting:
            age = timedelta(minutes=rng.randrange(3, 300))
        started = max(now - age, owner.created_at + timedelta(minutes=30))
        exchange = rng.choice(EXCHANGES)[: 1 if waiting else 3]
        room = _room(owner, agent, started, waiting=waiting)
        if waiting:
            open_owners.add(owner.id)
        db.session.add(room)
        db.session.flush()
        at = started
        for seq, body in enumerate(exchange, start=1):
            by_agent = seq == 2
            sender = agent if by_agent else owner
            messages.append(
                {
                    "room_id": room.id,
                    "seq": seq,
                    "client_id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
                    "sender_kind": SenderKind.AGENT if by_agent else SenderKind.USER,
                    "sender_key": f"user:{sender.id}",
                    "sender_id": sender.id,
                    "body": body,
                    "sent_at": at,
                    "delivered_at": at,
                }
            )
            at += timedelta(minutes=rng.randrange(1, 18))
        room.last_seq = len(exchange)
        room.last_message_at = messages[-1]["sent_at"]
        if not waiting:
            room.first_answer_at = messages[-2]["sent_at"]
            room.closed_at = at
            room.rating = rng.choices((None, 3, 4, 5), weights=(50, 4, 14, 32))[0]
        reads.append({"room_id": room.id, "reader": "owner", "read_seq": room.last_seq, "read_at": at})
        reads.append(
            {"room_id": room.id, "reader": "staff", "read_seq": 0 if waiting else room.last_seq, "read_at": at}
        )
    db.session.execute(insert(ChatMessage), messages)
    db.session.execute(insert(ChatRead), reads)


def _room(owner: User, agent: User, started: datetime, *, waiting: bool) -> ChatRoom:
    return ChatRoom(
        public_id=str(uuid.uuid4()),
        user_id=owner.id,
        channel=Channel.SITE,
        status=RoomStatus.OPEN if waiting else RoomStatus.CLOSED,
        assigned_to_id=None if waiting else agent.id,
        created_at=started,
        labels=[],
    )
