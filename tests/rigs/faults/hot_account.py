"""Two API processes, one account, many requests at once: what must come out, whatever the number."""

from collections import Counter
from pathlib import Path

from prometheus_client.multiprocess import MultiProcessCollector

from tests.rigs.faults.oracle import compare, cost_of, wait_for_ends
from tests.rigs.faults.waves import two_processes
from tests.rigs.load import drive, post
from tests.rigs.processes import api_processes

CONNECTIONS = 64
ROUNDS = 10
"""With new connections each: the kernel deals them out to the processes anew."""

LEAST_SHARE = 0.3


def exhaust_one_account(seed: int, requests: int) -> None:
    """It can pay for all of them at any time, so nobody may be refused."""
    with two_processes(seed) as (house, provider):
        _, key = house.account_with_key("hot", usd="1000")
        for n in range(ROUNDS):
            markers = [f"hot {n} {i} takes 0 s" for i in range(requests // ROUNDS)]
            load = drive(house.port, [chat(marker, key) for marker in markers], len(markers), CONNECTIONS)
            assert load.errors == 0, f"{load.errors} of {len(markers)} were not answered"
        facts = wait_for_ends(house.dsn())
        print(f"  {compare(facts, [], provider.served())}")
        produced = [cost_of(answer) for answers in provider.served().values() for answer in answers]
        assert len(produced) == requests
        assert Counter(facts.settled.values()) == Counter(produced), "the log is not what the provider counted"
        assert {end for ends in facts.ends.values() for end in ends} == {"credit.settled.v1"}
        verified = house.command("verify")
        assert verified.returncode == 0, verified.stdout
        shares = [settled_by(house.home, pid) / requests for pid in api_processes(house.supervisor.pid, 2)]
        print(f"  shares {[f'{share:.2f}' for share in shares]}")
        assert round(sum(shares), 6) == 1
        assert min(shares) >= LEAST_SHARE


def chat(marker: str, key: str) -> bytes:
    """Every fifth is a stream."""
    stream = marker.split()[2].endswith(("3", "7"))
    body = {"model": "test/tokens", "messages": [{"role": "user", "content": marker}], "max_tokens": 100}
    return post("/v1/chat/completions", {**body, "stream": stream}, key)


def settled_by(home: Path, pid: int) -> float:
    """Requests that this process has settled, from the file in which it counts them; it has reserved them too."""
    metrics = MultiProcessCollector.merge([str(home / "run" / "metrics" / f"counter_{pid}.db")])
    samples = (sample for metric in metrics for sample in metric.samples)
    return sum(sample.value for sample in samples if sample.name == "gatewayz_requests_total")
