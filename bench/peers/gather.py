"""What one writes without a library: a semaphore, gather, and Google's own client with its own retries.

The client retries 429 and 5xx five times by default settings, from 1 s on and doubling. It knows no limit.
"""

from __future__ import annotations

import asyncio
from typing import Any

from common import arguments, read, report
from google import genai
from google.genai import types


async def main() -> None:
    """Answers all prompts, as many at once as the semaphore allows."""
    parser = arguments(__doc__)
    chosen = parser.parse_args()
    prompts = read(chosen.input)
    options = types.HttpOptions(base_url=chosen.url, retry_options=types.HttpRetryOptions())
    client = genai.Client(api_key=chosen.api_key, http_options=options)
    semaphore = asyncio.Semaphore(chosen.concurrency)

    async def ask(prompt: dict[str, Any]) -> str | None:
        async with semaphore:
            answer = await client.aio.models.generate_content(
                model=chosen.model, contents=prompt["prompt"], config=prompt.get("config")
            )
            return answer.text

    async def answer() -> int:
        texts = await asyncio.gather(*map(ask, prompts), return_exceptions=True)
        return sum(isinstance(text, str) and bool(text) for text in texts)

    await report(len(prompts), answer)


asyncio.run(main())
