"""Members that OpenRouter's SDKs require of an answer, each with one value: we do not have these features.

A missing member is a validation error in both official SDKs: the whole answer is lost then, a new key's secret with it.
Source: openrouter 1.3.84 (Python), @openrouter/sdk 1.3.19 (checked 2026-11-27).
"""

from typing import Any

import msgspec

UNLIMITED = -1
"""OpenRouter's value for counts without a limit."""


class NoByok(msgspec.Struct, frozen=True, kw_only=True):
    """Of a key. Customers bring no provider keys; a key has no creator but its account; its last use is not kept."""

    byok_usage: int = 0
    byok_usage_daily: int = 0
    byok_usage_weekly: int = 0
    byok_usage_monthly: int = 0
    include_byok_in_limit: bool = False
    creator_user_id: str | None = None
    external_user: str | None = None
    last_used_at: None = None


class RateLimit(msgspec.Struct, frozen=True):
    """OpenRouter's, always -1."""

    requests: int = UNLIMITED
    interval: str = "10s"
    note: str = "This member says nothing; limits are told by the headers of an answer."


class FreeModelRequests(msgspec.Struct, frozen=True):
    """Of free models in a UTC day; -1 is no limit."""

    limit: int = UNLIMITED
    remaining: int = UNLIMITED
    used: int = 0


class NoOrganization(NoByok, frozen=True, kw_only=True):
    """Of the calling key."""

    allowed_data_regions: tuple[str, ...] = ("global",)
    organization_id: str | None = None
    budgets: tuple[Any, ...] = ()
    effective_budget: None = None
    rate_limit: RateLimit = RateLimit()
    free_model_daily_requests: FreeModelRequests = FreeModelRequests()


class NoExtras(msgspec.Struct, frozen=True, kw_only=True):
    """Of a generation: features that it did not use, and data that is not kept."""

    api_type: str | None = "completions"
    app_id: int | None = None
    cache_discount: float | None = None
    data_region: str = "global"
    external_user: str | None = None
    moderation_latency: float | None = None
    native_tokens_completion_images: int | None = None
    num_fetches: int | None = None
    num_input_audio_prompt: int | None = None
    num_media_completion: int | None = None
    num_search_results: int | None = None
    preset_id: str | None = None
    router: str | None = None
    service_tier: str | None = None
    upstream_inference_cost: float | None = None
    user_agent: str | None = None
    web_search_engine: str | None = None
    is_byok: bool = False


PARAMETERS = (
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "min_p",
    "parallel_tool_calls",
    "presence_penalty",
    "reasoning",
    "reasoning_effort",
    "repetition_penalty",
    "response_format",
    "seed",
    "stop",
    "temperature",
    "tool_choice",
    "tools",
    "top_k",
    "top_logprobs",
    "top_p",
    "verbosity",
    "web_search_options",
)
"""Names that `supported_parameters` of a model may have: those passed on, since clients choose models by them."""
