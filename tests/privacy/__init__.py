"""Copies, erasure, retention, consents."""
