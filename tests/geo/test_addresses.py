"""What is used and kept of an address."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmness.geo import kept_network, visitor_key

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("address", "kept", "counted_by"),
    [
        ("198.18.3.77", "198.18.3.0/24", "198.18.3.77/32"),
        ("::ffff:198.18.3.77", "198.18.3.0/24", "198.18.3.77/32"),
        ("2001:db8:5:6:7::1", "2001:db8:5::/48", "2001:db8:5:6::/64"),
        (" 10.0.0.1 ", "10.0.0.0/24", "10.0.0.1/32"),
        ("unix:", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_an_address_is_shortened(address: str | None, kept: str | None, counted_by: str | None) -> None:
    assert kept_network(address) == kept
    assert visitor_key(address) == counted_by


@given(st.ip_addresses())
def test_what_is_kept_never_tells_the_address(address: object) -> None:
    kept = ip_network(kept_network(str(address)) or "")

    assert kept.num_addresses >= 256
    assert kept.version == 4 or ip_address(str(address)) in kept
