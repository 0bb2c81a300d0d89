"""Texts of the public pages as the school ships them. Markdown-free: headings and paragraphs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LegalPage:
    """A legal text: title, then sections of a heading and its paragraphs."""

    title: str
    sections: tuple[tuple[str, tuple[str, ...]], ...]


FAQ = (
    (
        "Faut-il déjà savoir trader ?",
        "Non. « Premiers pas sur les marchés » part de zéro, et chaque page de formation dit pour qui elle est faite et ce qu’il faut savoir avant.",
    ),
    (
        "Comment se passe une séance ?",
        "En direct, en petit groupe, sur Zoom, Google Meet ou Teams. Vous entrez depuis votre espace, un quart d’heure avant le début au plus tôt. Le replay est en ligne le lendemain.",
    ),
    (
        "Comment payer ?",
        "Par virement. Vous recevez un IBAN, une référence et un code à scanner ; vous indiquez ensuite le numéro de transaction de votre banque. Un agent valide, votre accès s’ouvre et la facture part par e-mail.",
    ),
    (
        "Puis-je changer d’avis ?",
        "Oui, pendant 14 jours après l’achat. Si l’accès a commencé à votre demande, la part déjà fournie reste due.",
    ),
    (
        "L’Expert Advisor peut-il passer des ordres ?",
        "Jamais. Il lit l’historique et l’envoie à votre espace. Vous pouvez l’utiliser avec le mot de passe investisseur, en lecture seule.",
    ),
    (
        "Les signaux sont-ils des conseils personnalisés ?",
        "Non. Le même signal part à tous les abonnés, avec son raisonnement, son stop et ses objectifs. Le palmarès public montre tous les résultats, pertes comprises.",
    ),
    (
        "Que devient mon historique de trading ?",
        "Il vous appartient. L’école ne voit que des statistiques anonymes, sauf si vous acceptez d’en montrer davantage à votre formateur.",
    ),
)


LEGAL_PAGES = {
    "legal": LegalPage(
        "Mentions légales",
        (
            (
                "Éditeur",
                ("Ce site est édité par la société dont l’identité figure ci-dessous, organisme de formation.",),
            ),
            (
                "Activité",
                (
                    "Calmness Trading enseigne. La société n’est ni prestataire de services d’investissement, ni conseiller en investissements financiers, ne reçoit pas de fonds à gérer et n’exécute aucun ordre.",
                ),
            ),
            (
                "Réclamations",
                (
                    "Écrivez au support : nous accusons réception sous deux jours ouvrés. Le médiateur de la consommation est indiqué dans les conditions générales de vente.",
                ),
            ),
        ),
    ),
    "terms": LegalPage(
        "Conditions générales de vente",
        (
            (
                "Objet",
                (
                    "Ces conditions s’appliquent aux formations, abonnements aux signaux et services vendus sur ce site à des consommateurs et à des professionnels.",
                ),
            ),
            (
                "Prix et paiement",
                (
                    "Les prix sont en euros, taxes comprises. Le paiement se fait par virement ; l’accès s’ouvre à la validation du paiement et une facture est émise.",
                ),
            ),
            (
                "Droit de rétractation",
                (
                    "Le consommateur dispose de quatorze jours à compter de l’achat pour se rétracter, sans motif (art. L221-18 du code de la consommation). S’il a demandé que la prestation commence avant, il règle la part fournie jusqu’à sa décision (art. L221-25).",
                ),
            ),
            (
                "Prestations",
                (
                    "Les formations ont lieu en direct, aux dates annoncées. Une séance déplacée ou annulée est signalée par e-mail et dans l’espace personnel.",
                ),
            ),
            (
                "Signaux",
                (
                    "Les signaux sont des recommandations générales à caractère pédagogique, identiques pour tous les abonnés. Ils ne constituent pas un conseil personnalisé.",
                ),
            ),
            (
                "Médiation",
                (
                    "À défaut d’accord avec le support, le consommateur peut saisir gratuitement un médiateur de la consommation.",
                ),
            ),
        ),
    ),
    "privacy": LegalPage(
        "Confidentialité",
        (
            (
                "Ce que nous gardons",
                (
                    "Les données de votre compte, de vos achats, de vos formations et, si vous le reliez, de votre compte MetaTrader. Les factures sont conservées dix ans, comme la loi l’exige.",
                ),
            ),
            (
                "Mesure d’audience",
                (
                    "Nous comptons nous-mêmes les visites, sans cookie ni tiers, avec une empreinte anonyme qui change chaque jour. L’adresse du visiteur n’est jamais conservée.",
                ),
            ),
            (
                "Vos droits",
                (
                    "Vous pouvez consulter, corriger, exporter ou effacer vos données depuis votre espace, ou en écrivant au support. Vous pouvez saisir la CNIL.",
                ),
            ),
        ),
    ),
    "cookies": LegalPage(
        "Cookies",
        (
            (
                "Strictement nécessaires",
                (
                    "La session, la protection des formulaires, la langue, le thème, la reconnaissance de votre navigateur à la connexion et, si vous ouvrez l’aide, la conversation. Aucun ne sert à vous suivre, et aucun n’est déposé par un tiers : c’est pourquoi ce site n’affiche pas de bandeau.",
                ),
            ),
        ),
    ),
    "risks": LegalPage(
        "Avertissement sur les risques",
        (
            (
                "Risque de perte",
                (
                    "Les CFD et le forex sont des instruments complexes, à effet de levier. Ils comportent un risque élevé de perte rapide en capital. Ne tradez pas l’argent dont vous avez besoin.",
                ),
            ),
            (
                "Performances passées",
                (
                    "Les résultats publiés sont ceux du passé, à des prix publiés. Ils ne préjugent pas des résultats futurs, et votre exécution diffère de la nôtre.",
                ),
            ),
            (
                "Pas de conseil personnalisé",
                (
                    "Rien sur ce site ne tient compte de votre situation. En cas de doute, consultez un conseiller agréé.",
                ),
            ),
        ),
    ),
}
