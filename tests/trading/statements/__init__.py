"""Statements as MetaTrader saves them, written by us cell by cell after its templates: see ``mt4`` and ``mt5``."""
