"""What a gateway's /metrics say."""

import re
import urllib.request
from collections.abc import Mapping


def scrape(port: int) -> Mapping[str, float]:
    """Each sample by its name and labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def bound_of(percentile: float, histogram: str, before: Mapping[str, float], after: Mapping[str, float]) -> float:
    """The upper bound of the bucket that holds the percentile of what was observed in between."""
    buckets = sorted(
        (float(found[1].replace("+Inf", "inf")), after[name] - before.get(name, 0))
        for name in after
        if (found := re.fullmatch(histogram + r'_bucket\{le="([^"]+)"\}', name))
    )
    total = buckets[-1][1]
    return next(bound for bound, count in buckets if count >= percentile * total)
