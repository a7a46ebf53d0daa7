"""async-batch-llm with its own strategy for Gemini.

Where the limit is known, it is told it as requests a minute. Where it is not, its cooldown after a refusal
starts at 1 s in place of 300 s, so that the wait that the refusal names decides. Nothing is stored.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from async_batch_llm import (
    GeminiModel,
    GeminiStrategy,
    LLMWorkItem,
    ParallelBatchProcessor,
    ProcessorConfig,
    RateLimitConfig,
)
from common import arguments, read, report
from google import genai
from google.genai import types


def settings(requests_a_minute: float | None, burst_seconds: float | None, concurrency: int) -> ProcessorConfig:
    """The peer's settings for a limit that is known, or not."""
    return ProcessorConfig(
        concurrency=concurrency,
        max_requests_per_minute=requests_a_minute,
        quota_burst_seconds=burst_seconds,
        rate_limit=RateLimitConfig(cooldown_seconds=1.0),
    )


async def main() -> None:
    """Answers all prompts."""
    parser = arguments(__doc__)
    parser.add_argument("--requests-a-minute", type=float)
    parser.add_argument("--burst-seconds", type=float)
    chosen = parser.parse_args()
    logging.disable(logging.CRITICAL)
    prompts = read(chosen.input)
    client = genai.Client(api_key=chosen.api_key, http_options=types.HttpOptions(base_url=chosen.url))
    model = GeminiModel(chosen.model, client)
    plain = GeminiStrategy(model)
    config = settings(chosen.requests_a_minute, chosen.burst_seconds, chosen.concurrency)

    def item(prompt: dict[str, Any]) -> LLMWorkItem[str, str, None]:
        # The settings of a call belong to its strategy. All share the model, and with it the limit.
        own = prompt.get("config")
        strategy = GeminiStrategy(model, generation_config=own) if own else plain
        return LLMWorkItem(item_id=prompt["id"], strategy=strategy, prompt=prompt["prompt"])

    async def answer() -> int:
        async with ParallelBatchProcessor[str, str, None](config=config) as processor:
            for prompt in prompts:
                await processor.add_work(item(prompt))
            batch = await processor.process_all()
        return sum(bool(result.success and result.output) for result in batch.results)

    await report(len(prompts), answer)


asyncio.run(main())
