"""Streams of OpenAI's chat completions: events in, chunks with our names and without the provider's usage out."""

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Raw

from adapters.outbound.providers.dialects.members import Members, joined, members_of, written
from adapters.outbound.providers.dialects.openai_errors import BYTE_ORDER_MARK, read_error
from adapters.outbound.providers.dialects.openai_members import (
    choices_of,
    exchange_names,
    finish_reason_of,
    our_names,
    refuse_error,
    refuse_failed_choices,
    take_usage,
    with_null_reasons,
)
from adapters.outbound.providers.dialects.openai_output import output_bytes_of
from adapters.outbound.providers.dialects.openai_run import TextRun
from adapters.outbound.providers.dialects.openai_splice import Splice
from adapters.outbound.providers.dialects.openai_usage import UsageReader, UsageReading
from adapters.outbound.providers.dialects.sse import ErrorEvent, EventReader, end_of_event
from adapters.outbound.providers.endpoint import Endpoint
from adapters.outbound.providers.failures import BrokenAnswer, ErrorClass
from application.ports.chat_providers import ChatCall
from application.ports.provider_answer import Chunk

DONE = b"[DONE]"
ALL_END = {True}

MAX_HELD_BYTES = 4_096
"""An event's beginning of up to this size is read again with what follows: so a run is not torn at each part."""

MAX_SILENT_EVENTS = 100_000
"""Events without choices or usage, such as pings: one per second for 27 hours."""


class StreamReader:
    """Reads one stream; the chunks do not depend on how its bytes were split.

    A chunk with usage holds all usage known so far.
    """

    def __init__(self, call: ChatCall, endpoint: Endpoint) -> None:
        self.is_done = False
        self._begin: bytes | None = b""  # received bytes while they may still be a byte order mark
        self._held = b""  # the beginning of an event, to be read in one piece with what follows
        self._endpoint = endpoint
        self._usage = UsageReader(endpoint.usage)
        self._ours = our_names(call)
        self._events = EventReader()
        self._open: dict[int, bool] = {}  # choice index -> whether it still goes on
        self._calls_tools: set[int] = set()  # choices that called a tool
        self._created = Raw(b"0")
        self._output_bytes = 0
        self._silent = 0
        self._run = TextRun()
        self._splice = Splice(self._open, self._run, self._ours)

    def feed(self, received: bytes) -> Iterator[Chunk]:
        """Raises BrokenAnswer malformed_answer, event_too_large, empty_answer or error_in_answer."""
        if self._begin is not None:
            self._begin += received
            if BYTE_ORDER_MARK.startswith(self._begin):
                return
            received, self._begin = self._begin.removeprefix(BYTE_ORDER_MARK), None
        if self._held:
            received, self._held = self._held + received, b""
        begun, whole, begins = self._events.cut(received)
        if begun:
            yield from self._each(self._events.feed(begun))
        yield from self._whole(whole)
        if len(begins) <= MAX_HELD_BYTES and self._events.is_between_events:
            self._held = begins
        else:
            yield from self._each(self._events.feed(begins))

    def _whole(self, events: bytes) -> Iterator[Chunk]:
        """Each run as one chunk, all other events one by one: any of them may show the form of the next run."""
        start = 0
        while start < len(events):
            run, start = self._run.read(events, start)
            if run is not None:
                self._output_bytes += run.output_bytes
                yield run
            else:
                end = end_of_event(events, start)
                yield from self._each(self._events.whole(events[start:end]))
                start = end

    def _each(self, events: Iterable[bytes]) -> Iterator[Chunk]:
        for event in events:
            spliced = self._splice.read(event)
            if spliced is not None:
                self._output_bytes += spliced.output_bytes
                yield spliced
            else:
                yield from self._read(event)

    def end(self) -> Iterator[Chunk]:
        """Raises BrokenAnswer truncated_stream if neither [DONE] nor a finish_reason for every choice arrived."""
        event = self._events.end(self._held)
        try:
            chunks = [*self._read(event)] if event or isinstance(event, ErrorEvent) else []
        except BrokenAnswer as broken:
            if broken.error_class is not ErrorClass.MALFORMED_ANSWER:
                raise
            raise BrokenAnswer(ErrorClass.TRUNCATED_STREAM) from broken
        yield from chunks
        if not self.is_done and (not self._open or any(self._open.values())):
            raise BrokenAnswer(ErrorClass.TRUNCATED_STREAM)

    def _read(self, event: bytes) -> Iterator[Chunk]:
        if self.is_done:
            return
        if isinstance(event, ErrorEvent):
            raise BrokenAnswer(ErrorClass.ERROR_IN_ANSWER, read_error(event))
        if event.strip() == DONE:
            self.is_done = True
            self._splice.forget()
            yield from self._missing_ends()
            return
        members = members_of(event)
        refuse_error(members)
        raw_usage = take_usage(members, self._endpoint)
        reading = None if raw_usage is None else self._usage.read(raw_usage)
        choices = choices_of(members)
        if choices or (raw_usage is None and "choices" in members):
            yield from self._chunks(event, members, choices, reading)
        elif reading is not None:
            yield Chunk(
                data=b"", choices=(), usage=reading.usage, raw_usage=reading.raw, is_doubtful=reading.is_doubtful
            )
        else:
            self._count_silent()

    def _count_silent(self) -> None:
        self._silent += 1
        if self._silent > MAX_SILENT_EVENTS:
            raise BrokenAnswer(ErrorClass.MALFORMED_ANSWER)

    def _chunks(
        self, event: bytes, members: Members, choices: list[dict[str, object]], reading: UsageReading | None
    ) -> Iterator[Chunk]:
        """One chunk; or one per choice, if some choices end here and others go on."""
        refuse_failed_choices(choices)
        with_null_reasons(members, choices)
        provider_id = exchange_names(members, self._ours)
        self._created = members.get("created", self._created)
        ends = {bool(choice.get("finish_reason")) for choice in choices}
        if ends != ALL_END:  # else what was learnt before holds for choices that go on
            self._splice.learn(event, members)
        parts = [(members, choices)]
        if len(ends) > 1:
            parts = [(members | {"choices": raw}, [choice]) for raw, choice in zip(each(members), choices, strict=True)]
        for n, (its_members, its_choices) in enumerate(parts):
            finish_reason = finish_reason_of(its_choices)
            output_bytes = output_bytes_of(its_choices, "delta")
            self._output_bytes += output_bytes
            yield Chunk(
                data=joined(its_members),
                choices=tuple([self._note(choice) for choice in its_choices]),
                is_last=bool(finish_reason),
                is_bare=not output_bytes and all(map(_is_bare, its_choices)),
                finish_reason=finish_reason,
                usage=reading.usage if reading and n == 0 else None,
                raw_usage=reading.raw if reading and n == 0 else None,
                is_doubtful=reading is not None and reading.is_doubtful,
                output_bytes=output_bytes,
                provider_generation_id=provider_id,
            )

    def _note(self, choice: dict[str, object]) -> int:
        """Note whether the choice goes on and calls tools; returns its index."""
        index = choice.get("index")
        index = index if type(index) is int else 0
        self._open[index] = self._open.get(index, True) and not choice.get("finish_reason")
        delta = choice.get("delta")
        if isinstance(delta, dict) and delta.get("tool_calls"):
            self._calls_tools.add(index)
        return index

    def _missing_ends(self) -> Iterator[Chunk]:
        """A stream with [DONE] is complete: write the finish_reasons that are missing, since clients wait for them."""
        going_on = sorted(index for index, goes_on in self._open.items() if goes_on)
        if len(going_on) == len(self._open) and not self._output_bytes and not self._usage.has_output:
            raise BrokenAnswer(ErrorClass.EMPTY_ANSWER)
        for index in going_on:
            self._open[index] = False
            reason = "tool_calls" if index in self._calls_tools else "stop"
            choice = {"index": index, "delta": {}, "finish_reason": reason}
            head = {"object": written("chat.completion.chunk"), "created": self._created, **self._ours}
            data = joined(head | {"choices": Raw(msgspec.json.encode([choice]))})
            yield Chunk(data=data, choices=(index,), is_last=True, finish_reason=reason)


def _is_bare(choice: dict[str, object]) -> bool:
    """Whether the choice's delta holds only a role and empty values."""
    delta = choice.get("delta")
    return not isinstance(delta, dict) or not any(value for name, value in delta.items() if name != "role")


def each(members: Members) -> list[Raw]:
    """The choices of a chunk, each in its own list."""
    return [Raw(b"[%b]" % bytes(choice)) for choice in _CHOICES.decode(members["choices"])]


_CHOICES = msgspec.json.Decoder(list[Raw])
