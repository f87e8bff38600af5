"""Where a request comes from, for the bounds per address."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

V6_PREFIX = 64
"""A subscriber has a whole /64: single IPv6 addresses would bound nothing."""


def read_networks(text: str) -> tuple[Network, ...]:
    """Of a comma-separated list of addresses and CIDR networks. Raises: ValueError naming the wrong one."""
    return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


class Addresses:
    """trusted: networks of the proxies in front; X-Forwarded-For is believed only from them."""

    def __init__(self, trusted: Sequence[Network] = ()) -> None:
        self._trusted = tuple(trusted)

    def is_trusted(self, address: str) -> bool:
        if not self._trusted:
            return False
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._trusted)

    def client_behind(self, peer: str, forwarded: Iterable[bytes]) -> str:
        """The rightmost address of X-Forwarded-For that is not our proxy's: any client can forge those left of it.

        forwarded: the header's values, in order. Without any, or if the last is no address, the result is `peer`.
        """
        if not self.is_trusted(peer):
            return peer
        client = peer
        for part in reversed(b",".join(forwarded).decode("latin-1").split(",")):
            address = _without_port(part.strip())
            try:
                ip_address(address)
            except ValueError:
                return client
            client = address
            if not self.is_trusted(address):
                return client
        return client


def share_of(address: str) -> str:
    """The unit that bounds count: an IPv4 address itself, or the network of an IPv6 address."""
    if ":" not in address:
        return address
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, V6_PREFIX), strict=False))


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
