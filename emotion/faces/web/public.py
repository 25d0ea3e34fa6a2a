"""Which addresses are public: the rule of `microsoft-antissrf`, and the list of what that lets through."""

from functools import cache
from ipaddress import IPv6Network
from typing import Any, Final

from AntiSSRF import AntiSSRFPolicy, PolicyConfigOptions

# Only 2000::/3 is given out for global use (RFC 4291; IANA, "Internet Protocol Version 6 Address Space"). Whatever else
# IPv6 has is refused, here but for ::ffff:0:0/96: there the package keeps IPv4 addresses, which its own list judges;
# `_Policy` refuses IPv6 addresses of it. That list, of the special-purpose networks within IPv4 and 2000::/3, follows
# IANA's registries; without this addition it lets through ::/96 (IPv4-compatible), ::ffff:0:0:0/96 (IPv4-translated)
# and what is not assigned.
_IPV6_NOT_GLOBAL: Final = [
    *map(str, IPv6Network("::/3").address_exclude(IPv6Network("::ffff:0:0/96"))),
    "4000::/2",
    "8000::/1",
]


class _Policy(AntiSSRFPolicy):  # type: ignore[misc]  # the package has no types
    def _is_ip_address_connection_allowed(self, address: Any) -> bool:
        """Judge an address that a host has; the package itself takes an IPv4-mapped one for the one within."""
        mapped = address.is_ipv6() and address.get_address().ipv4_mapped is not None
        return not mapped and bool(super()._is_ip_address_connection_allowed(address))


@cache
def public_only(*, allow_loopback: bool) -> AntiSSRFPolicy:
    """Give the rule that lets connections to the public internet through, and no others.

    Parameters
    ----------
    allow_loopback : bool, whether this computer's own addresses pass too

    Returns
    -------
    AntiSSRFPolicy
    """
    policy = _Policy(PolicyConfigOptions.EXTERNAL_ONLY_LATEST)
    policy.add_denied_addresses(_IPV6_NOT_GLOBAL)
    policy.allow_plain_text_http = True
    policy.add_xff_header = False  # the package's "X-Forwarded-For: true" is no address; servers may take offence
    if allow_loopback:
        policy.add_allowed_addresses(["127.0.0.0/8", "::1/128"])
    return policy
