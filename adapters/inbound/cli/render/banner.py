"""The banner of `serve` once all processes are up: addresses, keys, and two snippets that work as pasted."""

import json
from pathlib import Path

import msgspec

EXAMPLE = "Say hello to the ledger"


CREDENTIALS = "credentials.json"


class Started(msgspec.Struct, frozen=True):
    """url: without /v1. model: one that can be called now; empty if there is none. demo_key: empty if there is no
    demo account.

    providers: those in use, each with the source of its key.
    sandbox:   whether the sandbox runs, and how to change that.
    data:      the place of the ledger.
    """

    url: str
    admin_key: str
    demo_key: str
    model: str
    home: Path
    data: str
    providers: tuple[str, ...] = ()
    sandbox: str = ""


def banner(started: Started, *, to_person: bool) -> str:
    """to_person: a terminal shows the banner. Without one, the output may be stored, so it contains no secret."""
    keys = _keys(started) if to_person else f"  Keys        in {started.home / CREDENTIALS}\n"
    providers = "".join(f"  Provider    {one}\n" for one in (*started.providers, started.sandbox) if one)
    facts = f"Gatewayz is up.\n\n  Base URL    {started.url}/v1\n{keys}{providers}  Home        {started.home}\n"
    return f"{facts}{_next_step(started) if to_person else ''}\nStop with Ctrl-C.\n"


def _keys(started: Started) -> str:
    demo = f"  Demo key    {started.demo_key}\n" if started.demo_key else ""
    return f"  Admin key   {started.admin_key}\n{demo}"


def _next_step(started: Started) -> str:
    if not started.model:
        return NOTHING_ON_SALE
    key_first = "" if started.demo_key else NO_DEMO
    return f"{key_first}\n{curl_snippet(started)}\n\n{python_snippet(started)}\n"


NO_DEMO = """
There is no demo account beside real providers. Open one of your own:

  gatewayz account create alice alice@example.com
  gatewayz grant alice 5 --reason "credit to begin with"
  export GATEWAYZ_KEY=$(gatewayz key issue alice --label first | tail -n 1)
"""


NOTHING_ON_SALE = (
    "\nNo model is on sale: give a provider's key or GATEWAYZ_PROVIDERS_FILE, or set GATEWAYZ_SANDBOX=on.\n"
)


def curl_snippet(started: Started) -> str:
    body = json.dumps({"model": started.model, "messages": [{"role": "user", "content": EXAMPLE}]})
    return (
        f"curl {started.url}/v1/chat/completions \\\n"
        f'  -H "Authorization: Bearer {started.demo_key or "$GATEWAYZ_KEY"}" \\\n'
        f'  -H "Content-Type: application/json" \\\n'
        f"  -d '{body}'"
    )


def python_snippet(started: Started) -> str:
    key = f'"{started.demo_key}"' if started.demo_key else 'os.environ["GATEWAYZ_KEY"]'
    needs = "" if started.demo_key else "import os\n"
    return (
        f"{needs}from openai import OpenAI  # pip install openai\n"
        f'client = OpenAI(base_url="{started.url}/v1", api_key={key})\n'
        "answer = client.chat.completions.create(\n"
        f'    model="{started.model}", messages=[{{"role": "user", "content": "{EXAMPLE}"}}]\n'
        ")\n"
        'print(answer.choices[0].message.content, f"${answer.usage.cost:.9f}")'
    )
