"""The schema of a provider row: registry.toml, sandbox.toml and the operator's providers file all have this shape.

Prices are decimal strings. Token units are USD per 10**6 tokens; `request`, `image` and `minute` are USD per one unit.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Positive = Annotated[int, Meta(gt=0)]
Slack = Annotated[int, Meta(ge=0, le=10_000_000)]
TokensPerS = Annotated[int, Meta(gt=0, le=1_000_000)]
CanonicalId = Annotated[str, Meta(pattern=r"^[^/\s]+/\S+$", max_length=200)]
"""`author/slug`, what customers name."""

Parameter = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]+$", max_length=100)]
"""Name of a request parameter: a response header may name it."""

Quirk = Literal["max_completion_tokens", "x_groq_usage"]
"""Differences that need code (dialects/openai.py); all else about a provider is data.

max_completion_tokens: the field for our token limit; newer OpenAI models refuse `max_tokens`.
x_groq_usage:          a stream's usage may be in the member `x_groq` of its last chunk.
"""


DialectName = Literal["openai"]
"""Families of APIs; route.py has the module of each."""


class UnitPrices(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    input: str | None = None
    cached_input: str | None = None
    cache_write_5m: str | None = None
    cache_write_1h: str | None = None
    output: str | None = None
    reasoning: str | None = None
    audio: str | None = None
    image: str | None = None
    request: str | None = None
    minute: str | None = None


class TierRow(UnitPrices, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Prices for longer prompts; a unit not named keeps the price of the tier below."""

    above_input_tokens: Positive


class PriceRow(UnitPrices, frozen=True, kw_only=True, forbid_unknown_fields=True):
    tiers: tuple[TierRow, ...] = ()


class ModelRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model with its own price. Without `price` it is known but unpriced; `cost` is what the provider bills us. A
    model that is not `listed` is left out of GET /v1/models but can be called by its name. A model with hidden
    reasoning at `reasoning_tokens_per_s` is charged for the silent time of an abandoned stream."""

    id: CanonicalId
    native_id: Annotated[str, Meta(min_length=1, max_length=200)]
    price: PriceRow | None = None
    cost: PriceRow | None = None
    is_free: bool = False
    context_length: Positive | None = None
    max_output_tokens: Positive | None = None
    name: str = ""
    input_modalities: tuple[str, ...] = ("text",)
    listed: bool = True
    usage_slack_tokens: Slack | None = None
    reasoning_tokens_per_s: TokensPerS | None = None
    source: str = ""


Path = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*$", max_length=100)]
"""Members of a usage object from the outside in: `prompt_tokens_details.cached_tokens`."""

Paths = tuple[Path, ...]
"""The first path that exists counts."""

Where = Literal["inside", "beside"]


class UsageRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shape of a provider's usage object (dialects/openai_usage.py). Defaults: OpenAI's, and the names of others.

    reasoning_is:  whether the completion's count includes reasoning; cached_is, written_is: whether the prompt's count
                   includes tokens read from and written to a cache. A total, if there is one, overrides these.
    """

    prompt: Paths = ("prompt_tokens", "input_tokens")
    completion: Paths = ("completion_tokens", "output_tokens")
    total: Paths = ("total_tokens",)
    cached: Paths = (
        "prompt_tokens_details.cached_tokens",
        "input_tokens_details.cached_tokens",
        "cached_tokens",
        "prompt_cache_hit_tokens",
        "cache_read_input_tokens",
    )
    written: Paths = (
        "prompt_tokens_details.cache_write_tokens",
        "input_tokens_details.cache_write_tokens",
        "cache_creation_input_tokens",
    )
    written_5m: Paths = ("cache_creation.ephemeral_5m_input_tokens",)
    written_1h: Paths = ("cache_creation.ephemeral_1h_input_tokens",)
    reasoning: Paths = (
        "completion_tokens_details.reasoning_tokens",
        "output_tokens_details.reasoning_tokens",
        "reasoning_tokens",
    )
    reasoning_is: Where = "inside"
    cached_is: Where = "inside"
    written_is: Where = "inside"


USAGE_SLACK_TOKENS = 4_096
"""Tokens that a provider may count beyond a request's bounds: its own system prompts, chat templates."""


class LimitsRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Facts missing in genai-prices, for models with a native id that matches `models` (a shell pattern)."""

    models: str
    max_output_tokens: Positive | None = None
    context_length: Positive | None = None
    input_modalities: tuple[str, ...] = ("text",)
    reasoning_tokens_per_s: TokensPerS | None = None


PRICED_OR_REMOTE: tuple[str, ...] = (
    # another price for the same tokens
    "service_tier", "speed", "inference_geo", "priority",
    # work other than tokens: searches, pages, tools and code that a provider runs
    "web_search_options", "web_search", "web_fetch", "search_parameters", "search_options", "search_settings",
    "search_mode", "enable_search", "deep_research", "return_images", "compound_custom", "mcp_servers", "plugins",
    "extra_body",
    # output that is not text, or not bound by the token limit
    "modalities", "audio", "best_of", "candidate_count", "use_beam_search", "prediction",
    "max_output_tokens", "max_new_tokens",
    # work that goes on after the answer, or data kept in the operator's account
    "store", "background", "deferred",
)  # fmt: skip
"""Parameters that can cost or act beyond the call: no price here covers them, no bound limits them."""

KNOWN_PARAMETERS = frozenset(
    {
        "model", "messages", "max_tokens", "max_completion_tokens", "n", "stream", "stream_options", "temperature",
        "top_p", "top_k", "min_p", "stop", "seed", "frequency_penalty", "presence_penalty", "repetition_penalty",
        "logit_bias", "logprobs", "top_logprobs", "response_format", "tools", "tool_choice", "parallel_tool_calls",
        "functions", "function_call", "reasoning_effort", "verbosity", "user", "metadata", "safety_identifier",
        "prompt_cache_key",
    }
)  # fmt: skip
"""Parameters that a strict row passes: those of OpenAI that change only the answer, and three common ones."""


class ProviderRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One provider.

    genai_prices: its id in the genai-prices data; empty if it has none.
    author:       canonical author for native ids without one; if empty, such models are left out.
    canonical:    native id -> canonical id, where the spellings differ.
    chat, not_chat: shell patterns of native ids from genai-prices that are (not) chat models.
    limits:       the first row that matches a native id counts.
    drops:        request parameters never sent to this provider, such as those it refuses; a header names them.
    priced_or_remote: the same, for parameters that can cost or act beyond the call. A row with its own list has prices
                  for the rest.
    strict:       only known parameters and `extras` pass.
    extras:       request parameters outside OpenAI's that this provider understands.
    pins_max_price: the provider lets callers choose among upstreams: our calls allow only those within our price.
    usage_slack_tokens: tokens per side above a request's bounds that we still believe in a usage object.
    """

    base_url: str = ""
    api_key: str = ""
    api_key_env: str = ""
    dialect: DialectName = "openai"
    quirks: tuple[Quirk, ...] = ()
    drops: tuple[Parameter, ...] = ()
    extras: tuple[Parameter, ...] = ()
    priced_or_remote: tuple[Parameter, ...] = PRICED_OR_REMOTE
    strict: bool = False
    pins_max_price: bool = False
    connect_timeout_s: Annotated[float, Meta(gt=0, le=60)] = 10.0
    genai_prices: str = ""
    author: str = ""
    canonical: dict[str, CanonicalId] = {}
    chat: tuple[str, ...] = ("*",)
    not_chat: tuple[str, ...] = ()
    limits: tuple[LimitsRow, ...] = ()
    models: tuple[ModelRow, ...] = ()
    usage: UsageRow = UsageRow()
    usage_slack_tokens: Slack = USAGE_SLACK_TOKENS

    def __repr__(self) -> str:
        """Without the key, because rows appear in tracebacks."""
        return f"ProviderRow({self.base_url!r})"
