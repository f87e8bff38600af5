"""What application.ports.ids promises."""

from adapters.outbound.crypto.clock_and_ids import SystemIds
from application.ports.ids import Ids
from domain.api_key.secret_form import is_secret, write_secret

PORT = Ids
SUBJECTS = {"system": SystemIds}


def test_ids_sort_by_the_time_they_were_made(subject: str) -> None:
    ids = SUBJECTS[subject]()
    made = [ids.new() for _ in range(1_000)]
    assert len(set(made)) == 1_000
    assert {each.version for each in made} == {7}
    times = [each.int >> 80 for each in made]
    assert times == sorted(times)


def test_a_secret_has_the_form_of_a_keys_secret_and_never_comes_twice(subject: str) -> None:
    ids = SUBJECTS[subject]()
    secrets = {ids.secret() for _ in range(1_000)}
    assert len(secrets) == 1_000
    assert all(is_secret(write_secret("live", secret)) for secret in secrets)
