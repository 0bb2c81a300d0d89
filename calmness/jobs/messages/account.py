"""Mails about the account. Links are made when the mail leaves, so that no row holds a secret."""

from datetime import datetime
from typing import Any

from calmness import presentation
from calmness.channels import Message
from calmness.extensions import db
from calmness.jobs.handlers import NotWanted, composer
from calmness.jobs.messages.letter import letter
from calmness.models.account import Channel, TokenPurpose, User
from calmness.models.delivery import Delivery
from calmness.places import place_name
from calmness.services.account import accounts, email_changes, factor_removals, tokens, whatsapp_numbers
from calmness.services.account.security_notices import MESSAGE


@composer("account.verify_email")
def verify_email(delivery: Delivery) -> Message:
    """Link that confirms the address."""
    user = _person(delivery)
    if user.email_verified_at:
        raise NotWanted
    token = tokens.issue(user.id, TokenPurpose.VERIFY_EMAIL)
    db.session.commit()
    return letter(
        delivery,
        "Confirmez votre adresse e-mail",
        ["Bienvenue chez Calmness Trading. Confirmez votre adresse pour ouvrir votre espace."],
        path=f"/verification/{token}",
        action="Confirmer mon adresse",
        after=["Ce lien est valable 24 heures. Si vous n’avez pas créé de compte, ignorez ce message."],
    )


@composer(accounts.CLOSED_MAIL)
def closed(delivery: Delivery) -> Message:
    """The school has closed the account; who reads it cannot log in to see why."""
    user = db.session.get(User, delivery.user_id)
    if user is None or user.deleted_at or not user.disabled_at:
        raise NotWanted
    return letter(
        delivery,
        "Votre compte a été fermé",
        ["L’école vient de fermer votre compte Calmness Trading. Vos appareils et vos jetons n’ouvrent plus rien."],
        path="/contact",
        action="Écrire à l’école",
        after=["Vos factures vous restent dues : l’école vous les envoie sur demande."],
    )


@composer("account.already_registered")
def already_registered(delivery: Delivery) -> Message:
    """What the owner of an address gets when somebody registers it again."""
    _person(delivery)
    return letter(
        delivery,
        "Vous avez déjà un compte",
        [
            "Quelqu’un, sans doute vous, vient de demander la création d’un compte avec cette adresse. "
            "Elle en a déjà un."
        ],
        path="/connexion",
        action="Me connecter",
        after=["Mot de passe oublié ? La page de connexion permet d’en choisir un nouveau."],
    )


@composer("account.reset_password")
def reset_password(delivery: Delivery) -> Message:
    """Link that sets a new password."""
    user = _person(delivery)
    token = tokens.issue(user.id, TokenPurpose.RESET_PASSWORD)
    db.session.commit()
    return letter(
        delivery,
        "Choisissez un nouveau mot de passe",
        ["Vous avez demandé à changer de mot de passe."],
        path=f"/nouveau-mot-de-passe/{token}",
        action="Choisir un mot de passe",
        after=[
            "Ce lien sert une fois et expire dans 30 minutes. Si la demande ne vient pas de vous, ignorez ce message."
        ],
    )


@composer("account.password_changed")
def password_changed(delivery: Delivery) -> Message:
    """Notice that the password was changed."""
    _person(delivery)
    return letter(
        delivery,
        "Votre mot de passe a été changé",
        ["Le mot de passe de votre compte vient d’être changé. Vos autres appareils ont été déconnectés."],
        path="/mot-de-passe-oublie",
        action="Ce n’était pas moi",
    )


@composer(email_changes.TO_OLD)
def release_email(delivery: Delivery) -> Message:
    """Asks the old mailbox whether the account may leave it."""
    user = _person(delivery)
    if email_changes.find(delivery.params["reference"]) is None:
        raise NotWanted
    token = tokens.issue(user.id, TokenPurpose.RELEASE_EMAIL, delivery.params["reference"])
    db.session.commit()
    return letter(
        delivery,
        "Confirmez le changement d’adresse",
        [
            "Quelqu’un, sans doute vous, demande que votre compte utilise une autre adresse. "
            "Il faut un accord depuis cette adresse et un depuis la nouvelle."
        ],
        path=f"/changement-adresse/{token}",
        action="Autoriser le changement",
        after=[
            "Ce lien sert une fois et expire dans deux heures. Si la demande ne vient pas de vous, changez de mot de "
            "passe : cela l’annule."
        ],
    )


@composer(email_changes.TO_NEW)
def confirm_new_email(delivery: Delivery) -> Message:
    """Asks the new mailbox; one that has an account learns so, and nobody else does."""
    change = email_changes.find(delivery.params["reference"])
    if change is None:
        raise NotWanted
    subject = "Confirmez votre nouvelle adresse"
    lines = ["Cette adresse a été donnée comme nouvelle adresse d’un compte Calmness Trading."]
    if accounts.find_by_email(change.new_email) is not None:
        unused = ["Elle sert déjà à un compte : le changement n’aura pas lieu. Vous n’avez rien à faire."]
        return letter(delivery, subject, lines, path="/connexion", action="Me connecter", after=unused)
    token = tokens.issue(change.user_id, TokenPurpose.CHANGE_EMAIL, change.reference)
    db.session.commit()
    return letter(
        delivery,
        subject,
        lines,
        path=f"/changement-adresse/{token}",
        action="Utiliser cette adresse",
        after=["Ce lien sert une fois et expire dans deux heures. Si cela ne vous dit rien, ignorez ce message."],
    )


@composer(email_changes.TOLD_OLD)
def email_changed(delivery: Delivery) -> Message:
    """Tells the old mailbox that the account has left it."""
    _person(delivery)
    return letter(
        delivery,
        "Votre adresse e-mail a été changée",
        ["Votre compte Calmness Trading n’utilise plus cette adresse."],
        path="/contact",
        action="Ce n’était pas moi",
        after=["Le changement a été autorisé depuis cette adresse et depuis la nouvelle."],
    )


@composer(factor_removals.LINK_MESSAGE)
def lost_factor(delivery: Delivery) -> Message:
    """Asks the mailbox of somebody who entered the password whether the second factor is lost."""
    user = _person(delivery)
    token = tokens.issue(user.id, TokenPurpose.LOST_FACTOR)
    db.session.commit()
    return letter(
        delivery,
        "Téléphone et codes de secours perdus ?",
        [
            "Quelqu’un qui connaît votre mot de passe dit avoir perdu l’application et les codes de secours. "
            "Si c’est vous, confirmez : la double authentification sera retirée 24 heures plus tard."
        ],
        path=f"/facteur-perdu/{token}",
        action="Demander le retrait",
        after=[
            "Ce lien sert une fois et expire dans 30 minutes. Si la demande ne vient pas de vous, changez de mot de "
            "passe : quelqu’un le connaît."
        ],
    )


@composer(factor_removals.WARNING_MESSAGE)
def factor_removal(delivery: Delivery) -> Message:
    """Warns a day before a second factor is taken away, with the link that stops it. The day begins here."""
    user = _person(delivery)
    removal = factor_removals.warned_at_once(int(delivery.params["removal_id"]))
    if removal is None:
        raise NotWanted
    token = tokens.issue(user.id, TokenPurpose.KEEP_FACTOR, str(removal.id))
    when = presentation.moment_in(removal.due_at, user.time_zone)
    db.session.commit()
    return letter(
        delivery,
        "Votre double authentification va être retirée",
        [
            "Le retrait a été demandé parce que votre téléphone et vos codes de secours seraient perdus. "
            f"Il aura lieu le {when}. D’ici là, vos codes restent demandés.",
            "Si c’est bien vous, vous n’avez rien à faire.",
        ],
        path=f"/facteur-garde/{token}",
        action="Ce n’était pas moi : arrêter le retrait",
        after=["L’arrêt déconnecte aussi tous vos appareils. Choisissez ensuite un nouveau mot de passe."],
    )


@composer(whatsapp_numbers.MESSAGE)
def whatsapp_code(delivery: Delivery) -> Message:
    """Six digits for a number that somebody says is theirs; made as they leave, kept as a keyed hash."""
    _person(delivery)
    digits = whatsapp_numbers.new_digits(int(delivery.params["code_id"]))
    if digits is None:
        raise NotWanted
    db.session.commit()
    return Message(subject="Votre code", text=f"Votre code Calmness Trading : {digits}", code=digits)


@composer(MESSAGE)
def security(delivery: Delivery) -> Message:
    """Notice of an event of the account's security, with when and from where."""
    user = _person(delivery)
    params = delivery.params
    lines = [params["body"], _circumstances(params, user.time_zone)]
    if delivery.channel is not Channel.EMAIL:
        return Message(subject=params["title"], text="\n\n".join((params["title"], *lines)))
    return letter(
        delivery,
        params["title"],
        lines,
        path=params["url"],
        action="Voir la sécurité de mon compte",
        after=[
            "Si ce n’était pas vous, changez tout de suite de mot de passe et déconnectez vos autres appareils "
            "depuis cette page."
        ],
    )


def _circumstances(params: dict[str, Any], zone: str) -> str:
    at = datetime.fromisoformat(params["at"])
    parts = [presentation.moment_in(at, zone)]
    if params.get("device"):
        parts.append(params["device"])
    if params.get("network"):
        place = place_name(params["network"])
        parts.append(f"{place} (réseau {params['network']})" if place else f"réseau {params['network']}")
    return " · ".join(parts)


def _person(delivery: Delivery) -> User:
    user = db.session.get(User, delivery.user_id)
    if user is None or user.deleted_at or user.disabled_at:
        raise NotWanted
    return user
