"""What a VAT regime is called."""

from flask_babel import lazy_gettext as _l

from calmness.models.catalogue import VatRegime

REGIMES = {
    VatRegime.STANDARD: _l("Soumis à la TVA"),
    VatRegime.FRANCHISE: _l("Franchise en base (293 B)"),
    VatRegime.TRAINING_EXEMPT: _l("Formation exonérée (261-4-4°)"),
    VatRegime.REVERSE_CHARGE: _l("Autoliquidation UE"),
    VatRegime.OUTSIDE_EU: _l("Hors UE (259-1)"),
}
