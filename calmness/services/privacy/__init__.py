"""Personal data: what is held, why, how long; copies, consents, erasure."""
