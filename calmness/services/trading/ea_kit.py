"""The kit that a student downloads: the EA's source with the address filled in, where the terminal looks for it."""

import io
import zipfile
from functools import lru_cache
from pathlib import Path

from calmness.models.trading import Platform
from calmness.services.trading import sync

FOLDER = Path(__file__).resolve().parents[3] / "mt4"
PLACEHOLDER = '"https://calmness.example"'
_WHEN = (2026, 1, 1, 0, 0, 0)
"""A fixed date in the archive: the same version is the same file, byte for byte."""


def source(platform: Platform, address: str) -> bytes:
    """The source of the EA for this site. MetaEditor knows UTF-8 by its mark."""
    text = (FOLDER / f"CalmnessFi_EA.{_extension(platform)}").read_text(encoding="utf-8")
    filled = text.replace(PLACEHOLDER, '"' + address.rstrip("/").replace('"', "") + '"', 1)
    return b"\xef\xbb\xbf" + filled.replace("\r\n", "\n").replace("\n", "\r\n").encode()


@lru_cache(maxsize=4)
def archive(platform: Platform, address: str) -> bytes:
    """The ZIP: unpack it into the terminal's data folder."""
    out = io.BytesIO()
    root = "MQL4" if platform is Platform.MT4 else "MQL5"
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as kit:
        _add(kit, f"{root}/Experts/CalmnessFi_EA.{_extension(platform)}", source(platform, address))
        _add(kit, "LISEZ-MOI.txt", _readme(platform, address).replace("\n", "\r\n").encode("utf-8-sig"))
    return out.getvalue()


def _add(kit: zipfile.ZipFile, name: str, content: bytes) -> None:
    member = zipfile.ZipInfo(name, _WHEN)
    member.compress_type = zipfile.ZIP_DEFLATED
    kit.writestr(member, content)


def _extension(platform: Platform) -> str:
    return "mq4" if platform is Platform.MT4 else "mq5"


def _readme(platform: Platform, address: str) -> str:
    terminal, root = platform.terminal, "MQL4" if platform is Platform.MT4 else "MQL5"
    return f"""Calmness Trading, Expert Advisor {sync.LATEST_VERSION} pour {terminal}

Il lit l'historique du compte et l'envoie dans votre espace. Il ne passe aucun ordre et fonctionne avec le mot de
passe investisseur.

1. {terminal}, Outils, Options, Expert Advisors : cochez « Autoriser WebRequest pour les URL listées » et ajoutez
   {address}
   Laissez décochés le trading automatique et l'import de DLL : l'EA n'en a pas besoin.
2. Fichier, Ouvrir le dossier des données : copiez-y le dossier {root} de ce kit.
3. Navigateur, Expert Advisors, clic droit, Actualiser ; ouvrez CalmnessFi_EA dans MetaEditor et appuyez sur F7.
4. Glissez CalmnessFi_EA sur un graphique. Onglet Paramètres d'entrée : collez la clé de votre compte.
   L'adresse est déjà remplie.
5. Historique du compte, clic droit, « Tout l'historique ».
6. Dans votre espace, la page du compte passe au vert en moins d'une minute :
   {address}/espace/metatrader
"""
