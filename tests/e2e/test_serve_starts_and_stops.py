"""P9: one command runs it all; what it prints works as pasted; it finds its data again; it leaves nothing running."""

import json
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator

import pytest

from tests.rigs.installation.installation import Installation, installation, on_a_free_machine

SECOND_START_S = 5.0


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    with installation() as made:
        made.start()
        yield made


def snippet(told: str, first: str) -> str:
    """The paragraph that begins with `first`."""
    return next(paragraph for paragraph in told.split("\n\n") if paragraph.startswith(first))


def test_p9_the_first_start_makes_credentials_that_only_their_owner_can_read(house: Installation) -> None:
    for name in ("credentials.json", "secrets.json"):
        assert stat.S_IMODE((house.home / name).stat().st_mode) == 0o600, name
    assert {"base_url", "admin_key", "demo_key"} <= house.credentials.keys()


def test_p9_it_tells_base_url_keys_and_home(house: Installation) -> None:
    credentials = house.credentials
    for told in (credentials["base_url"] + "/v1", credentials["admin_key"], credentials["demo_key"], str(house.home)):
        assert told in house.told


def test_p9_the_python_snippet_works_as_pasted(house: Installation) -> None:
    code = snippet(house.told, "from openai")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Say hello to the ledger ")
    assert float(done.stdout.split()[-1].removeprefix("$")) > 0, "the answer names its cost"


def test_p9_the_curl_snippet_works_as_pasted(house: Installation) -> None:
    answer = pasted(snippet(house.told, "curl"))
    assert answer["choices"][0]["message"]["content"] == "Say hello to the ledger"


def pasted(command: str) -> dict[str, list[dict[str, dict[str, str]]]]:
    """By curl in a shell; without curl, its words are read as curl would."""
    if shutil.which("curl"):
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=True)
        return dict(json.loads(done.stdout))
    _, url, *options = shlex.split(command)
    given = list(zip(options[::2], options[1::2], strict=True))
    headers = dict(value.split(": ", 1) for option, value in given if option == "-H")
    data = next(value for option, value in given if option == "-d").encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers)) as answer:
        return dict(json.load(answer))


def test_p9_sigterm_lets_open_requests_end_and_settles_them(house: Installation) -> None:
    answers: list[dict[str, object]] = []

    def ask_slowly() -> None:
        answers.append(house.chat(sandbox={"delay_s": 1.5}))

    asking = threading.Thread(target=ask_slowly)
    asking.start()
    time.sleep(0.7)
    house.stop()
    asking.join()
    assert len(answers) == 1, "the request under way was answered"
    assert house.leaves_nothing_running(within_s=0.1)


def test_p9_the_second_start_finds_its_data_and_is_up_in_under_5_s(house: Installation) -> None:
    before = house.credentials
    house.stop()
    took_s = house.start()
    after = house.credentials
    assert (after["admin_key"], after["demo_key"]) == (before["admin_key"], before["demo_key"])
    assert house.chat()["usage"]["cost"] > 0, "the key from before still opens"
    assert took_s < on_a_free_machine(SECOND_START_S)


@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
def test_p9_ctrl_c_to_the_whole_group_leaves_nothing_running(house: Installation, times: int) -> None:
    start_unless_running(house)
    for _ in range(times):
        house.signal(signal.SIGINT)
    assert house.stopped() == 0
    assert house.leaves_nothing_running(within_s=0.5)


def test_p9_a_second_ctrl_c_does_not_wait_for_open_requests(house: Installation) -> None:
    start_unless_running(house)

    def ask_in_vain() -> None:
        with pytest.raises(OSError, match=r"closed connection|reset"):
            house.chat(sandbox={"delay_s": 25.0})

    asking = threading.Thread(target=ask_in_vain)
    asking.start()
    time.sleep(0.7)
    began_s = time.monotonic()
    house.signal(signal.SIGINT)
    time.sleep(1.2)
    assert house.left_running(), "the first one waits for the request"
    house.signal(signal.SIGINT)
    assert house.stopped() == 0
    assert time.monotonic() - began_s < 20
    asking.join()
    assert house.leaves_nothing_running(within_s=0.5)


def start_unless_running(house: Installation) -> None:
    if house.supervisor is None or house.supervisor.poll() is not None:
        house.start()
