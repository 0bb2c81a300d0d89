"""What the first pages gather: cards of a person, figures of the school."""
