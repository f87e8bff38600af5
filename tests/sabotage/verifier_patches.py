"""Ways to break what keeps the log readable by everybody, and what `verify` sees of the rest."""

from tests.sabotage.patch import Patch

RANGES = "tests/domain/test_ranges.py"
TOTAL = "tests/adapters/postgres_projections/test_total.py"
ACCESS = "tests/adapters/postgres_projections/test_verify_access.py"
EXTREMES = "tests/adapters/http/server/test_extremes.py"

VERIFIER_PATCHES = (
    Patch(
        "P4",
        "a reserve is decided without a look at its numbers",
        "domain/credit/decide.py",
        "    ranges.check_quote(command.quote)\n",
        "",
        "tests/domain/test_credit_ranges.py",
    ),
    Patch(
        "P4",
        "a settle is decided without a look at its lines",
        "domain/credit/decide.py",
        "    ranges.check_charge(command.charge)\n",
        "",
        "tests/domain/test_credit_ranges.py",
    ),
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
        "adapters/inbound/http/shapes/json_shape.py",
        "except DecimalException:",
        "except InvalidOperation:",
        f"{EXTREMES}::test_a_key_is_not_made_or_changed",
    ),
    Patch(
        "P1",
        "an answer that cannot be sealed is not charged",
        "application/generate/settle_charge.py",
        "        except DomainError:  # the account was erased, nothing can be sealed for it: its answer is not kept\n"
        "            return None\n",
        "        except ZeroDivisionError:\n            return None\n",
        f"{EXTREMES}::test_an_answer_that_cannot_be_kept_is_charged_and_served",
    ),
    Patch(
        "P4",
        "a state that is no text ends whoever reads the log",
        "adapters/outbound/postgres/wire/read_log.py",
        "    except Exception as error:  # noqa: BLE001 - stored bytes",
        "    except (UnknownTag, msgspec.DecodeError) as error:  # stored bytes",
        f"{TOTAL}::test_a_row_that_cannot_be_read_is_named_with_its_column_and_hides_no_other",
    ),
    Patch(
        "P4",
        "a time beyond Python's calendar ends whoever reads it",
        "adapters/outbound/postgres/wire/read_times.py",
        "min(max(microseconds, _FIRST_US), _LAST_US)",
        "microseconds",
        f"{TOTAL}::test_a_time_in_a_read_model_that_no_program_can_hold_is_a_finding",
    ),
    Patch(
        "P2",
        "after the first fault no other account's money is checked",
        "domain/proof/money.py",
        "        self.skip(stream)\n        return Finding(",
        "        self.walk = lambda *_: None  # type: ignore[method-assign]\n        return Finding(",
        f"{TOTAL}::test_the_money_of_every_account_is_checked",
    ),
    Patch(
        "P4",
        "what was read as another value is not told",
        "adapters/outbound/postgres/verify/verify_streams.py",
        "            self.clamped += _clamped(rows, entries)",
        "            pass",
        "tests/golden/logs/test_golden_logs.py::test_P4_what_lies_outside_its_range_is_listed",
    ),
    Patch(
        "P7",
        "any data key will do",
        "domain/proof/access.py",
        "return key.commitment == event.commitment",
        "return True",
        f"{ACCESS}::test_p7_another_data_key_that_unwraps_is_not_the_one_that_was_committed_to",
    ),
    Patch(
        "P7",
        "a commitment follows from the account alone",
        "domain/proof/commitment.py",
        "name + data_key).digest()",
        "name).digest()",
        f"{ACCESS}::test_p7_another_data_key_that_unwraps_is_not_the_one_that_was_committed_to",
    ),
    Patch(
        "P7",
        "claims that no event made are not looked for",
        "domain/proof/access.py",
        "for stream, kinds in sorted(held.items())",
        "for stream, kinds in dict[str, set[str]]().items()",
        f"{ACCESS}::test_each_damage_is_found",
    ),
    Patch(
        "P7",
        "what was claimed is not compared",
        "domain/proof/access.py",
        "elif wanted is not None and held != {wanted.get(kind)}:",
        "elif False:",
        f"{ACCESS}::test_each_damage_is_found",
    ),
    Patch(
        "P7",
        "a missing data key is taken for an erasure",
        "domain/proof/access.py",
        "        if event.account_id not in wrapped:\n            return _data_key(",
        "        if event.account_id not in wrapped:\n            return None\n            return _data_key(",
        f"{ACCESS}::test_each_damage_is_found",
    ),
)
