"""Figures as French people type and read them: ``1 234,56``, also ``1234.56``, with any kind of space."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from wtforms import DecimalField, Field
from wtforms.widgets import TextInput

from calmness.locale import language

_PLAIN = re.compile(r"[+-]?\d+(?:\.\d+)?|[+-]?\.\d+")


class FigureInput(TextInput):
    """Text typed with the keys of figures: in a field of type ``number`` a browser shows nothing of ``599,00``."""

    def __call__(self, field: Field, **attributes: object) -> Markup:
        """The element."""
        element: Markup = super().__call__(field, **{"inputmode": "decimal", **attributes})
        return element


class FigureField(DecimalField):
    """A figure with a comma or a point; the last sign of both parts the decimals when both are typed."""

    data: Any
    widget = FigureInput()
    refusal = _l("Entrez un nombre comme 12,5.")

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed. What is no figure is refused in French and shown again as it was."""
        if not valuelist:
            return
        typed = re.sub(r"[\s€%]", "", valuelist[0])
        if not typed:
            self.data = None
            return
        if "," in typed and "." in typed:
            typed = typed.replace("." if typed.rfind(",") > typed.rfind(".") else ",", "")
        typed = typed.replace(",", ".")
        try:
            self.data = Decimal(typed) if _PLAIN.fullmatch(typed) else self._refuse()
        except InvalidOperation:
            self._refuse()

    def _value(self) -> Any:
        if self.raw_data:
            return self.raw_data[0]
        if self.data is None:
            return ""
        text = f"{self.data:.{self.places}f}" if self.places is not None else str(self.data)
        return text if language() == "en" else text.replace(".", ",")

    def _refuse(self) -> Decimal:
        self.data = None
        raise ValueError(self.refusal)


class EuroField(FigureField):
    """An amount in euros: two decimals at most, since nobody pays a part of a cent."""

    refusal = _l("Entrez un montant comme 149,00.")

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the amount."""
        super().process_formdata(valuelist)
        if self.data is not None and self.data != round(self.data, 2):
            self._refuse()
