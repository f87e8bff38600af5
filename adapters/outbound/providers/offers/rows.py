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
"""Name of a request parameter: it may be told in a response header."""

Quirk = Literal["max_completion_tokens", "x_groq_usage"]
"""Differences that need code (dialects/openai.py): everything else about a provider is data.

max_completion_tokens: an injected token limit goes into this field; newer OpenAI models refuse `max_tokens`.
x_groq_usage:          a stream's usage may come inside an `x_groq` member of the last chunk.
"""


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
    """A model with its own price. Without `price` it is known but unpriced; `cost` is what the provider bills us. One
    that is not `listed` is left out of GET /v1/models and answers by its name all the same. One that reasons unseen at
    `reasoning_tokens_per_s` is charged for the silence of a stream that was abandoned."""

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
"""Of several the first that is there counts."""

Where = Literal["inside", "beside"]


class UsageRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a provider tells its usage (dialects/openai_usage.py). The defaults are OpenAI's, with the names of others.

    reasoning_is:  whether the completion's count includes reasoning; cached_is, written_is: whether the prompt's
                   includes tokens read from and written to a cache. A total, where there is one, knows better.
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
"""What a provider may count beyond a request's own bounds: system prompts of its own, chat templates."""


class LimitsRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What genai-prices does not know of models whose native id matches `models` (a shell pattern)."""

    models: str
    max_output_tokens: Positive | None = None
    context_length: Positive | None = None
    input_modalities: tuple[str, ...] = ("text",)
    reasoning_tokens_per_s: TokensPerS | None = None


PRICED_OR_REMOTE: tuple[str, ...] = (
    # another price for the same tokens
    "service_tier", "speed", "inference_geo", "priority",
    # work beside the tokens: searches, pages, tools and code that a provider runs on its side
    "web_search_options", "web_search", "web_fetch", "search_parameters", "search_options", "search_settings",
    "search_mode", "enable_search", "deep_research", "return_images", "compound_custom", "mcp_servers", "plugins",
    "extra_body",
    # output that is not text, or not bound by the token limit
    "modalities", "audio", "best_of", "candidate_count", "use_beam_search", "prediction",
    "max_output_tokens", "max_new_tokens",
    # what goes on after the answer, or is kept in the operator's account
    "store", "background", "deferred",
)  # fmt: skip
"""Parameters that can cost or reach beyond the call: no price here tells of them, no bound holds them."""

KNOWN_PARAMETERS = frozenset(
    {
        "model", "messages", "max_tokens", "max_completion_tokens", "n", "stream", "stream_options", "temperature",
        "top_p", "top_k", "min_p", "stop", "seed", "frequency_penalty", "presence_penalty", "repetition_penalty",
        "logit_bias", "logprobs", "top_logprobs", "response_format", "tools", "tool_choice", "parallel_tool_calls",
        "functions", "function_call", "reasoning_effort", "verbosity", "user", "metadata", "safety_identifier",
        "prompt_cache_key",
    }
)  # fmt: skip
"""What a strict row passes: OpenAI's parameters that change the answer and nothing else, and three common ones."""


class ProviderRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One provider.

    genai_prices: its id in the genai-prices data; empty if it is not there.
    author:       canonical author of native ids that have none; empty leaves such models out.
    canonical:    native id -> canonical id where the provider spells it differently.
    chat, not_chat: shell patterns of native ids from genai-prices that are (not) chat models.
    limits:       the first row that matches a native id counts.
    drops:        request parameters that this provider is not sent, such as those it refuses; the client is told.
    priced_or_remote: the same, of parameters that can cost or reach beyond the call. A row that names its own list has
                  prices for the rest.
    strict:       only known parameters and `extras` pass.
    extras:       request parameters outside OpenAI's that this provider understands.
    pins_max_price: it lets callers choose among upstreams: calls are bound to those that cost no more than our price.
    usage_slack_tokens: tokens above a request's own bounds, per side, up to which usage is believed.
    """

    base_url: str = ""
    api_key: str = ""
    api_key_env: str = ""
    dialect: Literal["openai"] = "openai"
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
        """Without the key: rows end up in tracebacks."""
        return f"ProviderRow({self.base_url!r})"
