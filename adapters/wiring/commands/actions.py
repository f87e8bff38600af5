"""The action of each verb. Imports are inside the methods: `--help` and `version` must not wait two seconds for servers
and database drivers that they do not use, and a process should load only its own code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from adapters.settings import Settings, read_settings
from adapters.settings.dotenv_file import read_dotenv

if TYPE_CHECKING:
    from adapters.inbound.cli.actions import DemoAccess, Process
    from adapters.inbound.cli.render.banner import Started
    from application.audit.verify_ledger import Report
    from application.use_cases import UseCases

T = TypeVar("T")


class WiredActions:
    """Implements adapters.inbound.cli.actions.Actions."""

    def serve(self, on_start: Callable[[Started], None]) -> int:
        names = read_dotenv()
        settings = _settings_of("serve")
        if names:
            _tell_dotenv(names)
        from adapters.wiring.processes.run_serve import run_serve

        return run_serve(settings, on_start)

    def api(self) -> int:
        settings = _settings_of("api")
        from adapters.supervisor.listen import listening_socket
        from adapters.wiring.database.find_database import running_dsn
        from adapters.wiring.database.own_login import open_as

        sock = listening_socket(settings.host, settings.port)
        database = open_as("api", running_dsn(settings), settings)
        from adapters.wiring.compose.gateway import catalog_of
        from adapters.wiring.processes.close_own_port import close_own_port
        from adapters.wiring.processes.leave_root import leave_root
        from adapters.wiring.processes.run_api import run_api

        catalog = catalog_of(settings)
        leave_root(settings, dies_with_parent=False)
        try:
            return run_api(database, settings, sock.dup(), catalog)
        finally:
            close_own_port(sock)

    def projector(self) -> int:
        settings = _settings_of("projector")
        from adapters.wiring.database.find_database import running_dsn
        from adapters.wiring.database.own_login import open_as
        from adapters.wiring.processes.leave_root import leave_root
        from adapters.wiring.processes.run_projector import run_projector

        database = open_as("projector", running_dsn(settings), settings)
        leave_root(settings, dies_with_parent=False)
        return run_projector(database, settings)

    def migrate(self) -> Sequence[str]:
        settings = _settings_of("migrate")
        from adapters.wiring.commands.migrate import migrate_database

        return migrate_database(settings)

    def database_url(self, process: Process) -> str:
        settings = _settings_of("database-url")
        from adapters.wiring.commands.find_database_url import find_database_url

        return find_database_url(settings, process)

    def rotate_keyring(self) -> tuple[int, int]:
        settings = _settings_of("rotate")
        from adapters.wiring.commands.rotate import rotate_keyring

        return rotate_keyring(settings)

    def rotate_derivation_secret(self) -> None:
        settings = _settings_of("rotate")
        from adapters.wiring.commands.rotate import rotate_derivation_secret

        rotate_derivation_secret(settings)

    def verify(self) -> Report:
        settings = _settings_of("verify")
        from adapters.wiring.commands.verify import verify

        return verify(settings)

    def credentials(self) -> Mapping[str, str]:
        settings = _settings_of("credentials")
        from adapters.wiring.commands.find_credentials import find_credentials

        return find_credentials(settings)

    def demo_access(self) -> DemoAccess:
        settings = _settings_of("demo")
        from adapters.wiring.commands.demo_access import demo_access

        return demo_access(settings)

    def operate(self, deed: Callable[[UseCases], Awaitable[T]]) -> T:
        settings = _settings_of("operator")
        from adapters.wiring.compose.operate import operate

        return operate(settings, deed)


def _tell_dotenv(names: Sequence[str]) -> None:
    import structlog

    structlog.get_logger().info("settings were read from .env; the environment wins", names=" ".join(names))


LASTING = frozenset({"serve", "api", "projector"})
"""Long-running programs, which write their log for a collector. The other verbs write theirs for a person."""


def _settings_of(process: str) -> Settings:
    """Read the settings and configure the log of this process."""
    settings = read_settings()
    from adapters.outbound.telemetry.logs import configure_logs

    form = "console" if settings.log_format == "auto" and process not in LASTING else settings.log_format
    configure_logs(process, form, settings.log_level)
    return settings
