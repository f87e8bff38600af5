"""Send one answer as its model's row defines, and count what was sent."""

import msgspec

from adapters.embedded.sandbox.behaviours import Behaviour, RefusalOfModel
from adapters.embedded.sandbox.caller import SandboxCaller
from adapters.embedded.sandbox.directions import Directions
from adapters.embedded.sandbox.produce import Produced
from adapters.embedded.sandbox.served import ModelServed
from adapters.embedded.sandbox.write_answer import DONE, ERROR, AnswerHead, event, events, usage_event, whole

JSON = b"application/json"
EVENT_STREAM = b"text/event-stream"

FILLER = b" " * 65_536
FILLERS = 4_096
"""256 MiB in all: four times what any reader should accept before it gives up."""


async def refuse(caller: SandboxCaller, refusal: RefusalOfModel) -> None:
    kind = "server_error" if refusal.status >= 500 else "invalid_request_error"
    error = {"message": refusal.message, "type": kind, "param": refusal.param, "code": None}
    await caller.answer(refusal.status, JSON, msgspec.json.encode({"error": error}), refusal.headers)


class Answering(msgspec.Struct, frozen=True):
    caller: SandboxCaller
    head: AnswerHead
    behaviour: Behaviour
    produced: Produced
    counted: ModelServed

    async def send(self, body: dict[str, object], directions: Directions) -> None:
        """Raises CallerLeft. If it returns before the answer's end, the server drops the connection."""
        if self.behaviour.refusal is not None:
            await refuse(self.caller, self.behaviour.refusal)
        elif body.get("stream"):
            options = body.get("stream_options")
            include_usage = isinstance(options, dict) and bool(options.get("include_usage"))
            await self._stream(directions, include_usage=include_usage)
        else:
            await self._whole()

    async def _whole(self) -> None:
        if self.behaviour.error_after is not None:
            await self.caller.answer(200, JSON, msgspec.json.encode(ERROR))
            return
        body = whole(self.head, self.produced, self.behaviour.usage(self.produced))
        if self.behaviour.spoil is not None:
            body = self.behaviour.spoil(body)
        self._count_prompt()
        self.counted.completion_tokens += self.produced.completion_tokens
        await self.caller.start(200, self.behaviour.content_type or JSON)
        if self.behaviour.is_endless:
            await self._never_end()
            return
        if self.behaviour.cut_after is not None:
            await self.caller.write(body[: len(body) // 2])
            return
        await self.caller.end(body)
        self.counted.answered += 1

    async def _stream(self, directions: Directions, *, include_usage: bool) -> None:
        await self.caller.start(200, self.behaviour.content_type or EVENT_STREAM)
        self._count_prompt()
        if self.behaviour.is_endless:
            await self._never_end()
            return
        if not await self._send_events(directions):
            return
        claim = self.behaviour.usage(self.produced)
        if include_usage and claim is not None:
            await self.caller.pause(self.behaviour.usage_delay_s)
            await self.caller.write(usage_event(self.head, claim))
        await self.caller.end(DONE)
        self.counted.answered += 1

    async def _send_events(self, directions: Directions) -> bool:
        """False if the stream broke off on purpose."""
        breaks_after = self.behaviour.cut_after if self.behaviour.error_after is None else self.behaviour.error_after
        sent = 0
        for number, (text, tokens) in enumerate(events(self.head, self.produced)):
            is_finish = tokens == 0 and number >= self.produced.choices
            if breaks_after is not None and (is_finish or sent >= breaks_after):
                return await self._break_off()
            await self.caller.pause(directions.chunk_delay_s if tokens else 0.0)
            await self.caller.write(self.behaviour.spoil(text) if self.behaviour.spoil and number == 1 else text)
            self.counted.completion_tokens += tokens
            sent += tokens
        return True

    async def _break_off(self) -> bool:
        if self.behaviour.error_after is not None:
            await self.caller.end(event(ERROR))
        return False

    def _count_prompt(self) -> None:
        self.counted.prompt_tokens += self.produced.prompt_tokens

    async def _never_end(self) -> None:
        for _ in range(FILLERS):
            await self.caller.write(FILLER)
