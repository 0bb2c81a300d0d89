"""Trading accounts, what their EAs and statements bring, the history, the figures."""
