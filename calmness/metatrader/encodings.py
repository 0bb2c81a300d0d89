"""Bytes of a saved page as text: UTF-16 with or without its mark, UTF-8, else the Windows code page."""

import codecs
import re

_XML = re.compile(r"^\s*<\?xml[^>]*\?>")
# XML can hold none of these, and lxml refuses them in a page.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_PROBE = 400


def decoded(content: bytes) -> str:
    """The text. lxml reads UTF-16 without a mark, and the euro sign of cp1252, as rubbish: it gets text instead."""
    text = content.decode(_encoding(content), "replace")
    return _CONTROLS.sub(" ", _XML.sub("", text.removeprefix("\ufeff")))


def _encoding(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    probe = content[:_PROBE]
    if probe[1::2].count(0) > len(probe) // 3:
        return "utf-16-le"
    if probe[0::2].count(0) > len(probe) // 3:
        return "utf-16-be"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        # A file cut in the middle of a character is UTF-8 all the same.
        return "utf-8" if error.end >= len(content) and error.reason == "unexpected end of data" else "cp1252"
    return "utf-8"
