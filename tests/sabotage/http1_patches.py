"""Sabotages of the HTTP client for providers: a wrong body must never reach the next request."""

from tests.sabotage.patch import Patch

ROOM = "adapters/outbound/providers/http1/"
BODY, HEAD, RESPONSE = f"{ROOM}body.py", f"{ROOM}head.py", f"{ROOM}response.py"
CONNECTION, POOL, ORIGIN = f"{ROOM}connection.py", f"{ROOM}pool.py", f"{ROOM}origin.py"
BODIES, HEADS = "tests/adapters/http1/test_body.py", "tests/adapters/http1/test_head.py"
POOLS, TLS = "tests/adapters/http1/test_pool.py", "tests/adapters/http1/test_tls.py"
NONE = "tests/adapters/http1/test_answers_that_are_none.py"
REUSE = "tests/adapters/http1/test_reuse.py"

HTTP1_PATCHES = (
    Patch("providers", "two answers on one connection", RESPONSE, " and not body.excess", "", POOLS),
    Patch(
        "providers",
        "a cut body counts as a whole one",
        RESPONSE,
        "            self._body.end()\n",
        "            pass\n",
        NONE,
    ),
    Patch(
        "providers",
        "a chunk may carry extensions",
        BODY,
        "    if not _LINE.fullmatch(line):",
        "    line = re.sub(rb';[^\\r]*', b'', line)\n    if not _LINE.fullmatch(line):",
        BODIES,
    ),
    Patch(
        "providers",
        "a chunk may be longer than it says",
        BODY,
        "_size_of(data[at:start])",
        "_size_of(LINE_END + data[at + 2 : start])",
        BODIES,
    ),
    Patch(
        "providers",
        "a body may have trailers",
        BODY,
        'raise MalformedResponse("trailers are not accepted")',
        "self.is_done = True",
        BODIES,
    ),
    Patch("providers", "another protocol is read as HTTP", HEAD, 'version not in ("1.1", "1.0") or ', "", HEADS),
    Patch(
        "providers", "closing is announced in vain", HEAD, 'keeps and b"close" not in _words(options)', "keeps", HEADS
    ),
    Patch(
        "providers",
        "what nobody asked for waits for the next request",
        CONNECTION,
        "            self._refuse_stray()\n        else:",
        "            pass\n        else:",
        POOLS,
    ),
    Patch(
        "providers",
        "a connection that broke is used again",
        RESPONSE,
        "        self._fault = fault\n        self.is_reusable = False\n",
        "        self._fault = fault\n",
        POOLS,
    ),
    Patch(
        "providers",
        "what an idle connection has unread is not looked at",
        CONNECTION,
        "self._is_open and not self._poll.poll(0)",
        "self._is_open",
        REUSE,
    ),
    Patch("providers", "a connection is used again without a rest", POOL, "take(now_s - REST_S)", "take(now_s)", POOLS),
    Patch(
        "providers",
        "a request is sent twice",
        CONNECTION,
        "            self._transport.write(head + body)\n",
        "            self._transport.write((head + body) * 2)\n",
        POOLS,
    ),
    Patch(
        "providers",
        "an answer before the request is taken for its own",
        CONNECTION,
        "if events and not events[0][1] & select.POLLRDHUP:",
        "if False:",
        NONE,
    ),
    Patch(
        "bounded",
        "a slow answer has no end",
        RESPONSE,
        "        self._fault = fault\n",
        "        if isinstance(fault, TimeoutError):\n            return\n        self._fault = fault\n",
        NONE,
    ),
    Patch(
        "bounded",
        "informational answers without end",
        RESPONSE,
        "if self._informational > MAX_INFORMATIONAL:",
        "if False:",
        NONE,
    ),
    Patch(
        "bounded",
        "a head without end",
        RESPONSE,
        "data.find(HEAD_END, 0, MAX_HEAD_BYTES)",
        "data.find(HEAD_END)",
        NONE,
    ),
    Patch(
        "bounded",
        "a fast provider fills our memory",
        RESPONSE,
        "            self._set_paused(True)\n",
        "            pass\n",
        POOLS,
    ),
    Patch(
        "bounded",
        "an answer of any size is taken",
        RESPONSE,
        "        if size > limit:\n",
        "        if False:\n",
        POOLS,
    ),
    Patch(
        "providers",
        "any certificate will do",
        ORIGIN,
        "    context.load_default_certs(ssl.Purpose.SERVER_AUTH)\n",
        "    context.check_hostname = False\n    context.verify_mode = ssl.CERT_NONE\n",
        TLS,
    ),
    Patch(
        "providers",
        "a certificate for any name will do",
        ORIGIN,
        "    context.load_default_certs(ssl.Purpose.SERVER_AUTH)\n",
        "    context.load_default_certs(ssl.Purpose.SERVER_AUTH)\n    context.check_hostname = False\n",
        TLS,
    ),
    Patch("providers", "no session is resumed", ORIGIN, '{"session": self.session, **named}', "named", TLS),
    Patch(
        "providers",
        "a key with a line break begins another header",
        "adapters/outbound/providers/offers/load_catalog.py",
        "if not is_printable_ascii(api_key):",
        "if False:",
        "tests/adapters/providers/test_providers_file.py",
    ),
    Patch(
        "providers",
        "a URL with a line break begins another header",
        "adapters/outbound/providers/offers/read_rows.py",
        "if not reachable or not is_printable_ascii(url):",
        "if not reachable:",
        "tests/adapters/providers/test_providers_file.py",
    ),
    Patch(
        "providers",
        "a connection that had to wait is deaf to the next answer",
        RESPONSE,
        "            self._is_paused = False\n            self._set_paused(False)\n        self._on_end()",
        "            pass\n        self._on_end()",
        "tests/adapters/http1/test_response.py",
    ),
)
