"""The installation's secrets: made once, kept by their owner, the same for all who share them."""

import base64
import hashlib
import json
import random
import secrets
import stat
import threading
import uuid
from pathlib import Path

import pytest

from adapters.embedded.durable import write_file
from adapters.operator_error import OperatorError
from adapters.settings.secrets import Secrets, find_secrets, keep_secrets, make_secrets
from adapters.settings.weak_secrets import weakness

PEPPER = "b61c7f03d95e4a8820fd13c69be7a45f72d0"
RING = base64.urlsafe_b64encode(hashlib.sha256(b"of these tests").digest()).decode()
GIVEN = {"GATEWAYZ_PEPPER": PEPPER, "GATEWAYZ_KEYRING": RING}


def fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def test_a_new_home_has_none(tmp_path: Path) -> None:
    assert find_secrets(tmp_path, {}) is None


def test_what_is_kept_is_found_again_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    kept = keep_secrets(tmp_path, make_secrets({}))
    assert find_secrets(tmp_path, {}) == kept
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [tmp_path / "secrets.json"], "nothing half-written is left"


def test_of_several_first_starts_one_wins_and_all_agree(tmp_path: Path) -> None:
    agreed: list[Secrets] = []
    starts = [
        threading.Thread(target=lambda: agreed.append(keep_secrets(tmp_path, make_secrets({})))) for _ in range(8)
    ]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert len(agreed) == 8
    assert len({kept.pepper for kept in agreed}) == 1


def test_the_environment_outranks_the_file(tmp_path: Path) -> None:
    keep_secrets(tmp_path, make_secrets({}))
    found = find_secrets(tmp_path, GIVEN)
    assert found is not None
    assert (found.pepper, found.keyring) == (PEPPER, (RING,))


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"GATEWAYZ_PEPPER": PEPPER}, "belong together"),
        ({"GATEWAYZ_KEYRING": RING}, "belong together"),
        ({**GIVEN, "GATEWAYZ_PEPPER": "short"}, "fewer than 32"),
        ({**GIVEN, "GATEWAYZ_KEYRING": "no fernet key"}, "Fernet"),
        ({**GIVEN, "GATEWAYZ_KEYRING": f"{RING},{RING[:-4]}"}, "Fernet"),
        ({**GIVEN, "GATEWAYZ_ADMIN_KEY": "guess"}, "fewer than 16"),
        ({**GIVEN, "GATEWAYZ_DERIVATION_SECRET": "too-short-one"}, "fewer than 32"),
    ],
)
def test_what_cannot_be_used_is_refused_without_being_repeated(
    tmp_path: Path, environment: dict[str, str], told: str
) -> None:
    with pytest.raises(OperatorError, match=told) as refused:
        find_secrets(tmp_path, environment)
    assert not any(secret in str(refused.value) for secret in environment.values() if len(secret) > 8)


GUESSED = [
    "a" * 40,
    "0" * 64,
    "ab" * 20,
    "change-me-" * 5,
    "changemechangemechangemechangeme",
    "CHANGE_ME_please_CHANGE_ME_please_",
    "password1234" * 4,
    "0123456789abcdef" * 2,
    "0123456789abcdefghijklmnopqrstuvwxyz",
    "zyxwvutsrqponmlkjihgfedcba9876543210",
    "qwertyuiopasdfghjklzxcvbnmqwertyuiop",
    "12345678901234567890123456789012",
    "aaaabbbbccccddddeeeeffffgggghhhh",
    "secret-pepper-for-gatewayz-secret-pepper",
    "abcabcabcabcabcabcabcabcabcabcabcabcab",
]
"""Long enough, each of them."""


@pytest.mark.parametrize("weak", GUESSED)
@pytest.mark.parametrize("name", ["GATEWAYZ_PEPPER", "GATEWAYZ_ADMIN_KEY", "GATEWAYZ_DERIVATION_SECRET"])
def test_what_can_be_guessed_is_refused_with_what_to_do(tmp_path: Path, name: str, weak: str) -> None:
    with pytest.raises(
        OperatorError, match=f"{name} can be guessed .*: take a random one, such as `openssl rand"
    ) as refused:
        find_secrets(tmp_path, {**GIVEN, name: weak})
    assert weak not in str(refused.value)


def test_a_keyring_and_a_file_are_no_better(tmp_path: Path) -> None:
    zeros = base64.urlsafe_b64encode(bytes(32)).decode()
    with pytest.raises(OperatorError, match="GATEWAYZ_KEYRING: a key of the ring can be guessed"):
        find_secrets(tmp_path, {**GIVEN, "GATEWAYZ_KEYRING": f"{RING},{zeros}"})
    write_file(tmp_path / "secrets.json", json.dumps({"pepper": "x" * 40, "keyring": [RING]}))
    with pytest.raises(OperatorError, match=r"secrets\.json: the pepper can be guessed"):
        find_secrets(tmp_path, {})


def test_random_ones_pass_in_every_usual_form() -> None:
    rng = random.Random(36)
    for _ in range(2_000):
        for form in (
            bytes.hex,
            lambda some: base64.b64encode(some).decode(),
            lambda some: str(uuid.UUID(bytes=some[:16])),
        ):
            assert weakness(form(rng.randbytes(32)), 32) == ""
        assert weakness(rng.randbytes(16).hex(), 32) == ""
        assert weakness(base64.b32encode(rng.randbytes(20)).decode(), 32) == ""
        assert weakness(base64.b64encode(rng.randbytes(12)).decode(), 16) == ""
    assert weakness("correct horse battery staple gate", 32) == ""


@pytest.mark.parametrize("content", ["", "{}", '{"pepper": 5, "keyring": []}', '{"pepper": "short", "keyring": []}'])
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    write_file(tmp_path / "secrets.json", content)
    with pytest.raises(OperatorError, match=r"secrets\.json"):
        find_secrets(tmp_path, {})


def test_derived_secrets_are_lasting_and_apart() -> None:
    one, same, other = Secrets(PEPPER, (RING,)), Secrets(PEPPER, (RING,)), Secrets(PEPPER[::-1] + "x", (RING,))
    assert one.admin_key == same.admin_key != other.admin_key
    assert len({one.admin_key, one.password_of("a_writer"), one.password_of("a_projector")}) == 3
    assert PEPPER not in one.admin_key


def test_what_is_derived_follows_a_secret_of_its_own(tmp_path: Path) -> None:
    """Absent, it is the pepper: homes that have none keep their admin key and passwords."""
    before, after = Secrets(PEPPER, (RING,)), Secrets(PEPPER, (RING,), derivation=PEPPER[::-1])
    assert before.admin_key == Secrets(PEPPER, (RING,), derivation=PEPPER).admin_key != after.admin_key
    assert before.password_of("w") != after.password_of("w")
    assert before.fingerprints == after.fingerprints, "it is the same installation"
    kept = keep_secrets(tmp_path, make_secrets({}))
    assert kept.derivation and kept.derivation != kept.pepper
    found = find_secrets(tmp_path, {"GATEWAYZ_DERIVATION_SECRET": PEPPER[::-1]})
    assert found is not None and found.derivation == PEPPER[::-1]


def test_a_file_without_one_is_read_as_before(tmp_path: Path) -> None:
    write_file(tmp_path / "secrets.json", json.dumps({"pepper": PEPPER, "keyring": [RING]}))
    assert find_secrets(tmp_path, {}) == Secrets(PEPPER, (RING,))


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o602])
def test_a_file_that_others_can_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    keep_secrets(tmp_path, make_secrets({}))
    (tmp_path / "secrets.json").chmod(mode)
    with pytest.raises(OperatorError, match=rf"secrets.json can be read by others \(mode {mode:04o}\): chmod 600"):
        find_secrets(tmp_path, {})


def test_an_admin_key_of_the_operators_replaces_ours() -> None:
    assert Secrets(PEPPER, (RING,), "chosen-by-the-operator").admin_key == "chosen-by-the-operator"


def test_the_fingerprint_follows_a_keyring_that_is_rotated() -> None:
    old, new = fernet_key(), fernet_key()
    before, after = Secrets(PEPPER, (old,)), Secrets(PEPPER, (new, old))
    assert before.fingerprints[0] in after.fingerprints
    assert before.fingerprints[0] != after.fingerprints[0]
    assert Secrets(PEPPER, (new,)).fingerprints[0] == after.fingerprints[0]
    assert not set(Secrets(PEPPER + "x", (new, old)).fingerprints) & set(after.fingerprints)


def test_secrets_do_not_show_themselves() -> None:
    assert PEPPER not in repr(Secrets(PEPPER, (RING,)))


def test_the_file_holds_nothing_else(tmp_path: Path) -> None:
    keep_secrets(tmp_path, make_secrets({"GATEWAYZ_ADMIN_KEY": "chosen-by-the-operator"}))
    assert json.loads((tmp_path / "secrets.json").read_text()).keys() == {
        "pepper",
        "keyring",
        "derivation_secret",
    }
