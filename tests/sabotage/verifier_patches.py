"""Ways to break what keeps the log readable by everybody, and what `verify` sees of the rest."""

from tests.sabotage.patch import Patch

RANGES = "tests/domain/test_ranges.py"
EXTREMES = "tests/adapters/http/test_extremes.py"

VERIFIER_PATCHES = (
    Patch(
        "P4",
        "a date is recorded that in UTC no reader can hold",
        "domain/times.py",
        "if moment.tzinfo is None or not EARLIEST <= moment < END:",
        "if moment.tzinfo is None:",
        f"{RANGES}::test_an_expiry_outside_the_range_is_refused",
    ),
    Patch(
        "P4",
        "a grant's expiry is decided without its range",
        "domain/credit/decide.py",
        'None if command.expires_at is None else times.checked(command.expires_at, "expires_at")',
        "command.expires_at",
        f"{RANGES}::test_an_expiry_outside_the_range_is_refused",
    ),
    Patch(
        "P4",
        "a key's limit is decided without its range",
        "domain/api_key/ranges.py",
        "not 0 <= settings.limit.limit_nusd <= MAX_NUSD",
        "not 0 <= settings.limit.limit_nusd",
        f"{RANGES}::test_whatever_is_asked_for_an_event_is_within_its_ranges",
    ),
    Patch(
        "P4",
        "a date that an old log holds is read as it stands",
        "domain/times.py",
        "return moment.astimezone(UTC) if EARLIEST <= moment < END else LATEST if moment >= END else EARLIEST",
        "return moment",
        f"{RANGES}::test_what_an_old_log_holds_outside_the_range_is_named_and_moved",
    ),
    Patch(
        "bounded",
        "an amount with an endless exponent is a fault of ours",
        "adapters/inbound/http/json_shape.py",
        "except DecimalException:",
        "except InvalidOperation:",
        f"{EXTREMES}::test_a_key_is_not_made_or_changed",
    ),
    Patch(
        "P1",
        "an answer that cannot be sealed is not charged",
        "application/generate/settle_charge.py",
        "        except DomainError:  # nothing can be sealed for an account that was erased: its answer is not kept\n"
        "            return None\n",
        "        except ZeroDivisionError:\n            return None\n",
        f"{EXTREMES}::test_an_answer_that_cannot_be_kept_is_charged_and_served",
    ),
)
