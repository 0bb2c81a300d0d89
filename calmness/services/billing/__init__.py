"""Sales: catalogue, purchases, bank, invoices, books, subscriptions, withdrawal."""
