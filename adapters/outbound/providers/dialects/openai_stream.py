"""Streams of OpenAI's chat completions: events in, chunks with our names and without the provider's usage out."""

from collections.abc import Iterable, Iterator
from typing import Any

from adapters.outbound.providers.dialects.members import Members, joined, members_of
from adapters.outbound.providers.dialects.openai_members import (
    choices_of,
    exchange_names,
    finish_reason_of,
    our_names,
    refuse_error,
    take_usage,
)
from adapters.outbound.providers.dialects.openai_output import output_bytes_of
from adapters.outbound.providers.dialects.openai_run import TextRun
from adapters.outbound.providers.dialects.openai_splice import Splice
from adapters.outbound.providers.dialects.openai_usage import Told, UsageReader
from adapters.outbound.providers.dialects.sse import EventReader, end_of_event
from adapters.outbound.providers.endpoint import Endpoint
from adapters.outbound.providers.failures import BrokenAnswer, ErrorClass
from application.ports import ChatCall, Chunk

DONE = b"[DONE]"


class StreamReader:
    """Reads one stream; the same events come out however its bytes were split.

    A chunk with usage tells all that is known of it by then.
    """

    def __init__(self, call: ChatCall, endpoint: Endpoint) -> None:
        self.is_done = False
        self._endpoint = endpoint
        self._usage = UsageReader(endpoint.usage)
        self._ours = our_names(call)
        self._events = EventReader()
        self._open: dict[int, bool] = {}  # choice index -> whether it still goes on
        self._run = TextRun()
        self._splice = Splice(self._open, self._run, self._ours)

    def feed(self, received: bytes) -> Iterator[Chunk]:
        """Raises BrokenAnswer malformed_answer, event_too_large or error_in_answer."""
        begun, whole, begins = self._events.cut(received)
        if begun:
            yield from self._each(self._events.feed(begun))
        yield from self._whole(whole)
        if begins:
            yield from self._each(self._events.feed(begins))

    def _whole(self, events: bytes) -> Iterator[Chunk]:
        """Runs as one chunk each, all others one by one: any of them may be what the next run is like."""
        start = 0
        while start < len(events):
            run, start = self._run.read(events, start)
            if run is not None:
                yield run
            else:
                end = end_of_event(events, start)
                yield from self._each(self._events.whole(events[start:end]))
                start = end

    def _each(self, events: Iterable[bytes]) -> Iterator[Chunk]:
        for event in events:
            chunk = self._splice.read(event) or self._read(event)
            if chunk is not None:
                yield chunk

    def end(self) -> Iterator[Chunk]:
        """Raises BrokenAnswer truncated_stream if neither [DONE] nor a finish_reason for every choice has come."""
        event = self._events.end()
        try:
            chunk = self._read(event) if event else None
        except BrokenAnswer as broken:
            if broken.error_class is not ErrorClass.MALFORMED_ANSWER:
                raise
            raise BrokenAnswer(ErrorClass.TRUNCATED_STREAM) from broken
        if chunk is not None:
            yield chunk
        if not self.is_done and (not self._open or any(self._open.values())):
            raise BrokenAnswer(ErrorClass.TRUNCATED_STREAM)

    def _read(self, event: bytes) -> Chunk | None:
        if self.is_done or event.strip() == DONE:
            self.is_done = True
            self._splice.forget()
            return None
        members = members_of(event)
        refuse_error(members)
        raw_usage = take_usage(members, self._endpoint)
        told = None if raw_usage is None else self._usage.read(raw_usage)
        choices = choices_of(members)
        if choices or (raw_usage is None and "choices" in members):
            return self._chunk(event, members, choices, told)
        if told is None:
            return None
        return Chunk(data=b"", usage=told.usage, raw_usage=told.raw, is_doubtful=told.is_doubtful)

    def _chunk(self, event: bytes, members: Members, choices: list[dict[str, Any]], told: Told | None) -> Chunk:
        for choice in choices:
            index = choice.get("index")
            index = index if type(index) is int else 0
            self._open[index] = self._open.get(index, True) and not choice.get("finish_reason")
        provider_id = exchange_names(members, self._ours)
        self._splice.learn(event, members)
        finish_reason = finish_reason_of(choices)
        return Chunk(
            data=joined(members),
            is_last=bool(finish_reason),
            finish_reason=finish_reason,
            usage=told.usage if told else None,
            raw_usage=told.raw if told else None,
            is_doubtful=told is not None and told.is_doubtful,
            output_bytes=output_bytes_of(choices, "delta"),
            provider_generation_id=provider_id,
        )
