"""Mails about people's own data."""

from datetime import date

from flask_babel import format_date

from calmness.channels import Message
from calmness.extensions import db
from calmness.jobs.handlers import NotWanted, composer
from calmness.jobs.messages.letter import letter
from calmness.models.account import User
from calmness.models.delivery import Delivery
from calmness.models.privacy import DeletionCause
from calmness.services import data_exports, dormancy, erasure, grace


@composer(data_exports.READY_MAIL)
def export_ready(delivery: Delivery) -> Message:
    """The copy can be fetched; the link opens the page, not the file: who reads the mail must also log in."""
    _person(delivery)
    return letter(
        delivery,
        "La copie de vos données est prête",
        [
            "Vous avez demandé une copie de ce que nous gardons sur vous. Elle est prête, sous forme d’archive ZIP.",
            "Elle reste à votre disposition pendant sept jours. Vous devrez vous connecter pour la télécharger.",
        ],
        path="/espace/compte/donnees",
        action="Télécharger mes données",
        after=["Si la demande ne vient pas de vous, changez votre mot de passe et écrivez-nous."],
    )


@composer(erasure.ASKED_MAIL)
def deletion_asked(delivery: Delivery) -> Message:
    """What will happen, when, and how to stop it."""
    _person(delivery)
    due_on = date.fromisoformat(delivery.params["due_on"])
    return letter(
        delivery,
        "Votre compte sera supprimé dans 30 jours",
        [
            f"Vous avez demandé la suppression de votre compte. Elle aura lieu après le {format_date(due_on, 'long')}.",
            "Tous vos appareils sont déconnectés. D’ici là, rien n’est effacé : connectez-vous pour annuler.",
            "Vos factures et les preuves que la loi nous demande seront gardées pendant leur durée légale, le reste "
            "disparaîtra.",
        ],
        path="/connexion",
        action="Annuler en me connectant",
        after=["Si la demande ne vient pas de vous, connectez-vous et changez votre mot de passe."],
    )


@composer(dormancy.UNUSED_MAIL)
def account_unused(delivery: Delivery) -> Message:
    """Nobody has come for three years: what will happen, and how to stop it."""
    user = db.session.get(User, delivery.user_id)
    if user is None or user.deleted_at or grace.of_user(user.id) is None:
        raise NotWanted
    due_on = date.fromisoformat(delivery.params["due_on"])
    return letter(
        delivery,
        "Votre compte sera fermé dans 30 jours",
        [
            "Vous n’avez pas utilisé votre compte Calmness Trading depuis trois ans. Nous ne gardons pas de données "
            f"sans raison : il sera fermé et effacé après le {format_date(due_on, 'long')}.",
            "Pour le garder, il suffit de vous connecter d’ici là.",
            "Vos factures et les preuves que la loi nous demande resteront gardées pendant leur durée légale.",
        ],
        path="/connexion",
        action="Garder mon compte",
        after=["Vous pouvez aussi vous connecter pour télécharger une copie de vos données."],
    )


@composer(grace.CANCELLED_MAIL)
def deletion_cancelled(delivery: Delivery) -> Message:
    """The person came back."""
    _person(delivery)
    return letter(
        delivery,
        "La suppression de votre compte est annulée",
        ["Vous vous êtes reconnecté avant la fin des 30 jours : votre compte reste ouvert, rien n’a été effacé."],
        path="/espace/compte",
        action="Voir mon compte",
        after=["Si cette connexion ne vient pas de vous, changez votre mot de passe sans attendre."],
    )


@composer(erasure.ERASED_MAIL)
def account_erased(delivery: Delivery) -> Message:
    """The last mail: to the address alone, since nobody stands behind it any more."""
    unused = delivery.params.get("cause") == DeletionCause.UNUSED.value
    why = "Comme nous vous l’avions écrit" if unused else "Comme vous l’aviez demandé"
    return letter(
        delivery,
        "Votre compte est supprimé",
        [
            f"{why} il y a 30 jours, votre compte Calmness Trading est supprimé.",
            "Nous ne gardons que vos factures et les preuves exigées par la loi, à l’écart et pour leur durée légale. "
            "Cette adresse pourra servir à ouvrir un nouveau compte.",
        ],
        after=["C’est notre dernier message. Merci d’avoir appris avec nous."],
    )


def _person(delivery: Delivery) -> User:
    user = db.session.get(User, delivery.user_id)
    if user is None or user.deleted_at or user.disabled_at:
        raise NotWanted
    return user
