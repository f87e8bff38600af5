"""What `serve` tells when everything is up: addresses, keys, and two snippets that work as pasted."""

import json
from pathlib import Path

import msgspec

EXAMPLE = "Say hello to the ledger"


class Started(msgspec.Struct, frozen=True):
    """url: without /v1. model: one that can be called now; empty if nothing is on sale."""

    url: str
    admin_key: str
    demo_key: str
    model: str
    home: Path


def banner(started: Started) -> str:
    facts = (
        f"Gatewayz is up.\n\n"
        f"  Base URL    {started.url}/v1\n"
        f"  Admin key   {started.admin_key}\n"
        f"  Demo key    {started.demo_key}\n"
        f"  Home        {started.home}\n"
    )
    snippets = f"\n{curl_snippet(started)}\n\n{python_snippet(started)}\n" if started.model else NOTHING_ON_SALE
    return f"{facts}{snippets}\nStop with Ctrl-C.\n"


NOTHING_ON_SALE = (
    "\nNo model is on sale: give a provider's key or GATEWAYZ_PROVIDERS_FILE, or set GATEWAYZ_SANDBOX=on.\n"
)


def curl_snippet(started: Started) -> str:
    body = json.dumps({"model": started.model, "messages": [{"role": "user", "content": EXAMPLE}]})
    return (
        f"curl {started.url}/v1/chat/completions \\\n"
        f'  -H "Authorization: Bearer {started.demo_key}" \\\n'
        f'  -H "Content-Type: application/json" \\\n'
        f"  -d '{body}'"
    )


def python_snippet(started: Started) -> str:
    return (
        "from openai import OpenAI  # pip install openai\n"
        f'client = OpenAI(base_url="{started.url}/v1", api_key="{started.demo_key}")\n'
        "answer = client.chat.completions.create(\n"
        f'    model="{started.model}", messages=[{{"role": "user", "content": "{EXAMPLE}"}}]\n'
        ")\n"
        'print(answer.choices[0].message.content, f"${answer.usage.cost:.9f}")'
    )
