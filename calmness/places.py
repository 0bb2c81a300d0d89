"""Names of the places of networks, looked up in the files on this machine: no address leaves the house."""

from flask import current_app

from calmness.geo import DEMO_DATABASE, country_name, locate


def geo_database() -> str | None:
    """Path of the file of places: the configured one, the demo's, or none."""
    configured = current_app.config["GEOIP_DATABASE"]
    if configured:
        return str(configured)
    return str(DEMO_DATABASE) if current_app.config["ENVIRONMENT"] != "production" else None


def place_name(network: str | None, language: str = "fr") -> str:
    """``Nantes, France`` for a network as it may be kept (see ``network.truncated``); empty when no file knows it."""
    found = locate(network, geo_database())
    country = country_name(found.country, language) if found.country else ""
    return ", ".join(part for part in (found.city, country) if part)
