"""What a person is told of the security of the own account: on the site, by mail, in the journal of acts."""

import secrets
from enum import StrEnum

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from calmness import clock
from calmness.extensions import db
from calmness.models.account import AuthSession, User
from calmness.services import audit, notifications
from calmness.services.account.preferences import NoticeKind

MESSAGE = "account.security"
SECURITY_PAGE = "/espace/compte"


class SecurityEvent(StrEnum):
    """What happened; the value is the act's name in the journal."""

    NEW_DEVICE = "session.new_device"
    REFRESH_REUSE = "session.refresh_reuse"
    TOKEN_CREATED = "api_token.created"  # noqa: S105 - the name of an act
    EMAIL_CHANGED = "account.email_changed"
    SECOND_FACTOR_ON = "second_factor.turned_on"
    SECOND_FACTOR_OFF = "second_factor.turned_off"
    SECOND_FACTOR_RESET = "second_factor.reset"
    PASSKEY_ADDED = "passkey.added"
    PASSKEY_REMOVED = "passkey.removed"
    RECOVERY_CODE_USED = "second_factor.recovery_code_used"
    RECOVERY_CODES_RENEWED = "second_factor.recovery_codes_renewed"
    CODES_GUESSED = "second_factor.codes_guessed"
    PASSWORD_GUESSED = "account.password_guessed"  # noqa: S105 - the name of an act
    SESSIONS_ENDED = "user.sessions_ended"
    REOPENED = "user.enabled"


WORDS: dict[SecurityEvent, tuple[LazyString, LazyString]] = {
    SecurityEvent.NEW_DEVICE: (
        _l("Connexion depuis un nouvel appareil"),
        _l("Votre compte vient d’être ouvert sur un appareil que nous ne connaissions pas."),
    ),
    SecurityEvent.REFRESH_REUSE: (
        _l("Une session a été fermée par sécurité"),
        _l(
            "Un jeton déjà utilisé a été présenté une seconde fois\u202f: peut-être une copie. "
            "Dans le doute, changez de mot de passe."
        ),
    ),
    SecurityEvent.TOKEN_CREATED: (
        _l("Un jeton d’API a été créé"),
        _l("Le jeton «\u00a0%(name)s\u00a0» ouvre une partie de votre compte à un programme."),
    ),
    SecurityEvent.EMAIL_CHANGED: (
        _l("Votre adresse e-mail a été changée"),
        _l("Votre compte s’ouvre maintenant avec cette adresse. Vos autres appareils ont été déconnectés."),
    ),
    SecurityEvent.SECOND_FACTOR_ON: (
        _l("La double authentification est active"),
        _l("Chaque connexion demande maintenant un code de votre application."),
    ),
    SecurityEvent.SECOND_FACTOR_OFF: (
        _l("La double authentification par application est désactivée"),
        _l("Les codes de votre application n’ouvrent plus votre compte."),
    ),
    SecurityEvent.SECOND_FACTOR_RESET: (
        _l("Votre double authentification a été retirée par l’école"),
        _l("Votre mot de passe suffit de nouveau. Reconnectez-vous et activez-la avec votre nouvel appareil."),
    ),
    SecurityEvent.PASSKEY_ADDED: (
        _l("Une clé d’accès a été ajoutée"),
        _l("La clé «\u00a0%(name)s\u00a0» ouvre maintenant votre compte sans mot de passe."),
    ),
    SecurityEvent.PASSKEY_REMOVED: (
        _l("Une clé d’accès a été retirée"),
        _l("La clé «\u00a0%(name)s\u00a0» n’ouvre plus votre compte."),
    ),
    SecurityEvent.RECOVERY_CODE_USED: (
        _l("Un code de secours a servi"),
        _l("Il ne pourra plus servir. Codes restants\u00a0: %(left)s."),
    ),
    SecurityEvent.RECOVERY_CODES_RENEWED: (
        _l("Vos codes de secours ont été remplacés"),
        _l("Les anciens n’ouvrent plus rien."),
    ),
    SecurityEvent.CODES_GUESSED: (
        _l("Quelqu’un essaie des codes sur votre compte"),
        _l(
            "Plusieurs codes faux viennent d’être entrés après votre mot de passe. "
            "Si ce n’était pas vous, changez de mot de passe\u202f: quelqu’un le connaît."
        ),
    ),
    SecurityEvent.PASSWORD_GUESSED: (
        _l("Quelqu’un essaie d’ouvrir votre compte"),
        _l(
            "Une vingtaine de mots de passe faux ont été essayés en une heure. Votre compte n’est pas bloqué, et les "
            "essais sont ralentis. Une double authentification le protège même si le mot de passe était trouvé."
        ),
    ),
    SecurityEvent.SESSIONS_ENDED: (
        _l("L’école a déconnecté vos appareils"),
        _l("Reconnectez-vous avec votre mot de passe. Si cela vous surprend, écrivez au support."),
    ),
    SecurityEvent.REOPENED: (
        _l("Votre compte est de nouveau ouvert"),
        _l("Vous pouvez vous reconnecter avec votre mot de passe."),
    ),
}
"""Title and text of each event; ``%(…)s`` are its details."""

ONCE_A_DAY = frozenset({SecurityEvent.CODES_GUESSED, SecurityEvent.PASSWORD_GUESSED})


def tell(user: User, event: SecurityEvent, *, by: User | None = None, own: bool = True, **details: object) -> None:
    """Write an event to the journal and tell the person. ``by`` did it where it was not the person (``own``)."""
    if notify_of(user, event, **details):
        audit.record(event.value, "user", user.id, actor=user if own else by)


def notify_of(user: User, event: SecurityEvent, **details: object) -> bool:
    """Tell the person of an event that the journal has in its own words. False when it was told today already."""
    title, body = WORDS[event]
    day = clock.paris_today().isoformat()
    occasion = day if event in ONCE_A_DAY else secrets.token_hex(6)
    text = str(body)
    return notifications.notify(
        user.id,
        NoticeKind.SECURITY,
        f"{event.value}:{user.id}:{occasion}",
        title=str(title),
        body=text % details if details else text,
        url=SECURITY_PAGE,
        message_kind=MESSAGE,
        params=_circumstances(),
    )


def _circumstances() -> dict[str, object]:
    """When and from where, as far as it may be kept."""
    origin = audit.origin()
    device = db.session.get(AuthSession, origin.session_id) if origin.session_id else None
    return {
        "at": clock.now().isoformat(),
        "device": device.device_label if device else "",
        "network": origin.ip_truncated or "",
    }
