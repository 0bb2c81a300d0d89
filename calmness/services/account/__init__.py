"""The person: account, login, factors, devices, tokens, profile and preferences."""
