"""Shares of one whole in percent that add up."""

import math
from collections.abc import Mapping


def percents(shares: Mapping[str, float], digits: int = 0) -> dict[str, str]:
    """Write shares of one whole in percent, so that they add up to what the whole is written as.

    Each is rounded down, and what is missing goes to those that lost most (the largest remainders); of equal ones to
    the larger, then by name: whatever their order, the same shares are written alike.

    Parameters
    ----------
    shares : mapping of str to float, >= 0; their sum is 1, or less of parts of a part
    digits : int, >= 0, behind the point

    Returns
    -------
    dict of str to str, in the same order, such as ``36%`` or, with one digit, ``36.4%``
    """
    unit = 10**digits
    # Without the last digits of a float, so that what is a whole number of units stays it.
    exact = {name: round(100 * unit * share, 6) for name, share in shares.items()}
    whole = {name: math.floor(share) for name, share in exact.items()}
    missing = max(0, round(sum(exact.values())) - sum(whole.values()))
    for name in sorted(exact, key=lambda name: (round(whole[name] - exact[name], 6), -exact[name], name))[:missing]:
        whole[name] += 1
    return {name: f"{share / unit:.{digits}f}%" for name, share in whole.items()}


def shares_told(shares: Mapping[str, float], digits: int = 0) -> str:
    """Name shares of one whole, in percent that add up.

    Parameters
    ----------
    shares, digits : as of `percents`

    Returns
    -------
    str, such as ``Happy 64%, Sad 36%``
    """
    return ", ".join(f"{name} {told}" for name, told in percents(shares, digits).items())
