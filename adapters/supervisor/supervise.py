"""The loop of `gatewayz serve`: keeps all processes running and stops them in order."""

import math
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import structlog

from adapters.embedded import EmbeddedPostgresError
from adapters.operator_error import WRONG_INPUT
from adapters.supervisor.child import Child, Spare
from adapters.supervisor.light_sleep import Sleep
from adapters.supervisor.stop_request import StopRequest

LOOK_S = 1.0
"""Deaths and signals end the sleep at once; this is for one that the kernel did not report, and for postgres.log."""

PROBE_S = 0.05
"""While starting: how often a condition is looked at that no signal reports."""

SERVER_RETRY_S = 1.0
"""Between restarts of a server that does not start: each writes to its log and may take long."""

WordFor = Callable[[str, str], str]

log = structlog.get_logger()


class Server(Protocol):
    """The part of the embedded Postgres that the supervisor uses."""

    def restart_if_dead(self) -> bool: ...

    def stop(self) -> None: ...


class Stage(NamedTuple):
    """Children that are stopped together, before those of the next stage, and killed after `patience_s`.

    then:  what is done once they have ended; it may take a few seconds.
    """

    children: Sequence[Child]
    patience_s: float
    then: Callable[[], object] = lambda: None


class Supervisor:
    """stages: in the order of stopping; the server, if we run one, stops last because all others write to it.
    dsn:    returns the database's DSN once it is up.
    sleep:  ends early when a child ends, the server included, or a stop is requested.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        spare: Spare,
        stop_request: StopRequest,
        server: Server | None,
        dsn: Callable[[], str],
        sleep: Sleep,
    ) -> None:
        self._stages = stages
        self._spare = spare
        self._stop_request = stop_request
        self._server = server
        self._dsn = dsn
        self._sleep = sleep
        self._sent_dsn = ""
        self._word_for: WordFor = lambda child, dsn: dsn
        self._words: dict[str, str] = {}
        self._server_due_s = math.inf  # when a server that did not start is tried again

    @property
    def children(self) -> list[Child]:
        return [child for stage in self._stages for child in stage.children]

    def launch(self) -> None:
        for child in self.children:
            child.launch()

    def begin(self, word_for: WordFor | None = None) -> None:
        """Send each launched child its line; the server is up. word_for: the line from a child's name and the DSN; by
        default the DSN."""
        self._word_for = word_for or self._word_for
        self._learn_dsn()
        for child in self.children:
            child.begin(self._words[child.name])

    def run(self) -> None:
        """Until a stop is requested."""
        while not self._stop_request.is_made:
            self.tick()
            self._spare.tend()
            self._sleep_until(self._spare.due_s, *(child.due_s for child in self.children))

    def wait_until(self, holds: Callable[[], bool], patience_s: float) -> bool:
        """Supervise until `holds`; False if a child is hopeless, a stop is requested or `patience_s` is over."""
        deadline_s = time.monotonic() + patience_s
        while not holds():
            if self._stop_request.is_made or self.has_hopeless_child() or time.monotonic() > deadline_s:
                return False
            self.tick()
            self._sleep(PROBE_S)
        return True

    def has_hopeless_child(self) -> bool:
        """Whether a child ended because of wrong input: a restart would end the same way."""
        return any(child.exit_code == WRONG_INPUT for child in self.children)

    def tick(self) -> None:
        self._tend_server()
        for child in self.children:
            child.tend(self._words.get(child.name, ""))

    def stop(self) -> None:
        """Stop stage by stage, the server last; on return none of our processes runs. A second request ends waits."""
        self._spare.stop()
        try:
            for stage in self._stages:
                self._stop_stage(stage)
                stage.then()
        finally:
            for child in self.children:
                child.kill()
            if self._server is not None:
                self._server.stop()

    def _stop_stage(self, stage: Stage) -> None:
        for child in stage.children:
            child.ask_to_stop()
        deadline_s = time.monotonic() + stage.patience_s
        while any(child.is_running for child in stage.children):
            if time.monotonic() > deadline_s or self._stop_request.is_urgent:
                log.warning("did not stop in time", children=[c.name for c in stage.children if c.is_running])
                break
            self._tend_server()  # open requests need the server until they are settled
            self._sleep_until(deadline_s)
        for child in stage.children:
            child.kill()

    def _sleep_until(self, *dues_s: float) -> None:
        """Until the first of them, the next try to start the server or the next look; or until something happens."""
        now_s = time.monotonic()
        self._sleep(min(*dues_s, self._server_due_s, now_s + LOOK_S) - now_s)

    def _tend_server(self) -> None:
        if self._server is None or time.monotonic() < self._server_due_s < math.inf:
            return
        self._server_due_s = math.inf
        try:
            if not self._server.restart_if_dead():
                return
        except EmbeddedPostgresError as error:
            log.error("postgres does not come back", error=str(error))
            self._server_due_s = time.monotonic() + SERVER_RETRY_S
            return
        log.warning("postgres died and is up again")
        if self._dsn() != self._sent_dsn:  # another process took its port
            self._learn_dsn()
            for child in self.children:
                child.kill()

    def _learn_dsn(self) -> None:
        self._sent_dsn = self._dsn()
        self._words = {child.name: self._word_for(child.name, self._sent_dsn) for child in self.children}
