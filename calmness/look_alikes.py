"""Letters that look like others: who writes «\u0430dmin» with a Cyrillic a must not pass for an admin.

The script of a letter is the first word of its Unicode name, which is all that this needs: no table to keep up.
"""

import unicodedata

_TOGETHER = frozenset({"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "CJK", "BOPOMOFO", "HANGUL"})
"""Scripts that one word of Japanese, Chinese or Korean mixes."""

_LATIN_BEYOND_ASCII = frozenset("ßæœøłđðþħ")
_INVISIBLE = dict.fromkeys((0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0), " ")
"""Fillers that Unicode counts as letters or marks, and that nobody sees."""

MOST_MARKS = 2
"""Accents on one letter: Vietnamese needs two, towers of them cover the lines above."""


def visible(text: str) -> str:
    """The text with a space in the place of each filler that looks like nothing."""
    return text.translate(_INVISIBLE)


def mixes_scripts(word: str) -> bool:
    """Whether letters of several scripts stand together, as no language writes them."""
    found = {_script(letter) for letter in word if letter.isalpha()}
    if found & _TOGETHER:
        found = {"EAST ASIAN"} | (found - _TOGETHER)
    return len(found) > 1


def has_odd_latin(text: str) -> bool:
    """Whether a Latin letter is neither of the alphabet, with or without accents, nor of a European language.

    Unicode has a Latin alpha, small capitals and a dotless i, each the twin of another letter.
    """
    letters = (letter for letter in unicodedata.normalize("NFKD", text.casefold()) if letter.isalpha())
    return any(
        not letter.isascii() and letter not in _LATIN_BEYOND_ASCII and _script(letter) == "LATIN" for letter in letters
    )


def is_tower(text: str) -> bool:
    """Whether a letter carries more accents than any language puts on one."""
    marks = 0
    for character in unicodedata.normalize("NFD", text):
        marks = marks + 1 if unicodedata.category(character) == "Mn" else 0
        # Vowel signs of other scripts are marks too: only accents that go on anything are counted.
        if marks > MOST_MARKS and unicodedata.name(character, "").startswith("COMBINING"):
            return True
    return False


def _script(letter: str) -> str:
    return unicodedata.name(letter, "UNNAMED").split(" ")[0]
