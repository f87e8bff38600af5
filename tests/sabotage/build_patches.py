"""Ways to break what keeps builds of read models apart, and readers away from the wrong one."""

from tests.sabotage.patch import Patch

BUILDS = "tests/adapters/postgres_projections/test_builds.py"
COMPARED = "tests/adapters/postgres_projections/test_compare_builds.py"
WAKE_UPS = "tests/adapters/postgres_projections/test_wake_ups.py"
RETIRE = "tests/adapters/postgres_projections/test_retire.py"
FIRST_PROJECTOR = (
    "tests/e2e/test_serve_with_database_url.py"
    "::test_p9_an_api_process_that_starts_before_the_first_projector_answers_as_documented"
)

BUILD_PATCHES = (
    Patch(
        "P4",
        "a question is answered by the build that was in use last time",
        "adapters/outbound/postgres/builds/builds_in_use.py",
        "    if version != build.version:\n        raise AnotherBuild(version)\n",
        "",
        f"{BUILDS}::test_a_question_goes_to_the_build_in_use_whichever_was_used_last",
    ),
    Patch(
        "P4",
        "a build that differs is used",
        "adapters/outbound/postgres/builds/build_beside.py",
        "            if self._difference is not None:\n",
        "            if False:\n",
        f"{COMPARED}::test_a_build_that_differs_is_not_used_and_raises_an_alarm",
    ),
    Patch(
        "P4",
        "builds are compared where each happens to stand",
        "adapters/outbound/postgres/builds/build_beside.py",
        '            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")\n',
        "",
        f"{COMPARED}::test_both_are_compared_at_one_position_while_events_come",
    ),
    Patch(
        "P4",
        "what one build cannot prove is said of the other",
        "projections/available_credit/queries.py",
        " AND k.version = {{version}})",
        ")",
        f"{COMPARED}::test_what_one_build_cannot_project_is_parked_in_that_build",
    ),
    Patch(
        "bounded",
        "a build that is catching up is waited for",
        "adapters/outbound/postgres/builds/builds_in_use.py",
        "ORDER BY a.projection, p.version = a.version DESC, p.version DESC",
        "ORDER BY a.projection, p.position",
        f"{BUILDS}::test_a_build_that_is_catching_up_is_neither_waited_for_nor_lag",
    ),
    Patch(
        "bounded",
        "a new build is caught up by the thread that keeps the active ones",
        "adapters/outbound/postgres/builds/project_log.py",
        "        return self.active is None or self.active < build.version\n",
        "        return False\n",
        f"{BUILDS}::test_a_build_that_catches_up_does_not_delay_the_active_ones",
    ),
    Patch(
        "bounded",
        "all new builds catch up at once",
        "adapters/outbound/postgres/builds/build_beside.py",
        "        with self._turn:\n",
        "        with threading.Lock():\n",
        f"{BUILDS}::test_new_builds_take_turns",
    ),
    Patch(
        "bounded",
        "a new build never rests",
        "adapters/outbound/postgres/builds/build_beside.py",
        "            if written == self._page_size:\n",
        "            if False:\n",
        f"{BUILDS}::test_a_new_build_rests_after_each_whole_page",
    ),
    Patch(
        "P7",
        "verify looks only at the builds in use",
        "adapters/outbound/postgres/verify/read_state.py",
        "        if (key := (build.name, build.version)) in positions\n",
        "        if (key := (build.name, build.version)) in in_use\n",
        f"{COMPARED}::test_verify_checks_both_builds_and_says_which_is_active",
    ),
    Patch(
        "P4",
        "a build is dropped under a reader that is older than the switch",
        "adapters/outbound/postgres/builds/retire_builds.py",
        "            if connection.execute(IS_SEEN, [build.projection, LOG_ID]).fetchone() != (False,):\n"
        "                return False\n",
        "",
        f"{RETIRE}::test_it_waits_for_each_snapshot_that_is_older_than_the_switch",
    ),
    Patch(
        "P4",
        "a build is dropped under the process that writes it",
        "adapters/outbound/postgres/builds/retire_builds.py",
        "            if is_led(connection, build.projection, build.version):\n                return False\n",
        "",
        f"{RETIRE}::test_it_waits_for_a_process_that_leads_it",
    ),
    Patch(
        "P4",
        "a projector of a release that led all builds alone writes beside ours",
        "adapters/outbound/postgres/builds/lead_builds.py",
        "    if shared != (True,):\n        return False\n",
        "",
        "tests/adapters/postgres_projections/test_projector.py::test_what_another_session_leads_is_not_written",
    ),
    Patch(
        "keys",
        "a secret is lost where the read models cannot be asked",
        "adapters/outbound/postgres/read/positions.py",
        "with contextlib.suppress(*LOST):",
        "with contextlib.suppress():",
        FIRST_PROJECTOR,
    ),
    Patch(
        "keys",
        "a key is rotated before what may fail was read",
        "application/keys/rotate_key.py",
        """    spending = await spending_of(ports, account_id, key_id)
    recorded = await write(
        ports,
        API_KEY,
        key_id,
        lambda _: Rotate(at=now, secret=secret.hashed, grace_s=wanted.grace_s),
        account_id=account_id,
        wanted=wanted,
        asked=asked,
        command_id=asked.name or ports.ids.new(),
        claims=Claims((secret.claim,)),
    )
""",
        """    recorded = await write(
        ports,
        API_KEY,
        key_id,
        lambda _: Rotate(at=now, secret=secret.hashed, grace_s=wanted.grace_s),
        account_id=account_id,
        wanted=wanted,
        asked=asked,
        command_id=asked.name or ports.ids.new(),
        claims=Claims((secret.claim,)),
    )
    spending = await spending_of(ports, account_id, key_id)
""",
        FIRST_PROJECTOR,
    ),
    Patch(
        "P9",
        "a question before the first projector is a fault of ours",
        "adapters/outbound/postgres/builds/builds_in_use.py",
        "    except psycopg.errors.UndefinedTable as error:\n",
        "    except psycopg.errors.UndefinedColumn as error:\n",
        "tests/adapters/postgres_projections/test_install.py::test_before_the_first_projector_each_question_is_one_to_ask_again",
    ),
    Patch(
        "P9",
        "a read model that only a newer projector will build is a fault of ours",
        "adapters/outbound/postgres/read/ask_builds.py",
        "raise not_built(name) from error",
        "raise",
        "tests/adapters/postgres_projections/test_install.py"
        "::test_a_read_model_that_only_a_newer_projector_will_build_is_one_to_ask_for_again",
    ),
    Patch(
        "P8",
        "an event whose notification was lost waits for the next one",
        "adapters/outbound/postgres/builds/project_log.py",
        "IDLE_S = 1.0",
        "IDLE_S = 1_000.0",
        WAKE_UPS,
    ),
    Patch(
        "P8",
        "where no notification arrives nobody polls",
        "adapters/outbound/postgres/builds/project_log.py",
        "if not wake_ups.arrive:",
        "if False:",
        WAKE_UPS,
    ),
    Patch(
        "P8",
        "an idle projector polls",
        "adapters/outbound/postgres/builds/project_log.py",
        "return IDLE_S if leads_all else LEADER_POLL_S",
        "return LOG_POLL_S",
        WAKE_UPS,
    ),
    Patch(
        "P9",
        "a projector that is asked to stop waits for the next event",
        "adapters/outbound/postgres/builds/project_log.py",
        "        self._stopping.set()\n        self._wake()\n",
        "        self._stopping.set()\n",
        WAKE_UPS,
    ),
)
