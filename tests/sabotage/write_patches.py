"""Ways to break what every use case relies on: its input's hash, its personal text, its aggregate's types."""

from tests.sabotage.patch import Patch

WRITE_PATCHES = (
    Patch(
        "P5",
        "a field of an input does not count in its hash",
        "application/write.py",
        "*sorted(_given_fields(wanted).items())]",
        "*sorted(_given_fields(wanted))]",
        "tests/application/test_write.py",
    ),
    Patch(
        "P5",
        "a new optional field changes the hash of every input",
        "application/write.py",
        " if value != defaults[name]}",
        "}",
        "tests/application/test_write.py",
    ),
    Patch(
        "P5",
        "what an earlier version recorded is compared by today's rule",
        "application/write.py",
        'if refusal.code != "command_id_reused" or former_hash is None:',
        "if True:",
        "tests/application/test_write.py",
    ),
    Patch(
        "personal",
        "the hash of a personal input is not keyed by the account's data key",
        "application/write.py",
        "    if personal_fields(type(wanted)):\n",
        "    if False:\n",
        "tests/application/test_write.py",
    ),
    Patch(
        "personal",
        "personal text of an input is printed in clear",
        "application/sealed.py",
        'return "Sealed(…)"',
        "return self.clear",
        "tests/application/test_sealed.py",
    ),
    Patch(
        "spine",
        "any aggregate takes any command",
        "application/ports/ledger.py",
        "        command: C,\n",
        "        command: object,\n",
        "tests/architecture/test_typed_spine.py",
    ),
    Patch(
        "spine",
        "a route puts a use case together by itself",
        "adapters/inbound/workers/repeat.py",
        "log = structlog.get_logger()\n",
        "log = structlog.get_logger()\nfrom application.credit.expire_due import expire_due\nexpire_due(0, 0, 0)\n",
        "tests/architecture/test_assembled_once.py",
    ),
)
