"""Google's own SDK against a sandbox.

The sandbox and Atelier's client are written by the same people, who could share one misreading of the
wire. Google's SDK is not. Usage, with the packages of requirements.txt installed:

    GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:PORT python gemini.py

The sandbox must have been started with `--quota requests=20/60s` or less, so that a refusal can be
provoked, and with no faults. Prints a line for each check; exits 1 if any of them failed.
"""

import enum
import functools
import json
import math
import os
import sys
import traceback
import urllib.parse

# A key of the environment must never reach anything but its own provider.
for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GENAI_USE_ENTERPRISE"):
    os.environ.pop(name, None)

from google import genai  # noqa: E402
from google.genai import errors, types  # noqa: E402
from pydantic import BaseModel  # noqa: E402

MODEL = "gemini-3.8-flash"
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


@functools.cache  # a client closes its connections when nobody holds it any more
def client(key):
    """A client with a key, and so a quota, of its own."""
    # One try only: a refusal is to be seen, not waited out.
    options = types.HttpOptions(retry_options=types.HttpRetryOptions(attempts=1), timeout=20_000)
    return genai.Client(api_key=key, http_options=options)


def failure(function):
    try:
        function()
    except errors.APIError as error:
        return error
    raise AssertionError("it should have failed")


@check
def text_is_generated():
    answer = client("text").models.generate_content(
        model=MODEL,
        contents="Name three harbours.",
        config=types.GenerateContentConfig(system_instruction="Be brief.", max_output_tokens=200, temperature=0.2),
    )
    assert answer.text.startswith("[sandbox]"), answer.text
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert answer.model_version == "sandbox"
    assert answer.response_id
    usage = answer.usage_metadata
    assert usage.prompt_token_count == math.ceil(len("Be brief.Name three harbours.") / 4), usage
    assert usage.candidates_token_count == math.ceil(len(answer.text.encode()) / 4), usage
    assert usage.total_token_count == usage.prompt_token_count + usage.candidates_token_count, usage


class Kind(enum.Enum):
    ADD_VALUE = "add_value"
    FUNNY = "funny"


class Draft(BaseModel):
    kind: Kind
    text: str


class Reply(BaseModel):
    drafts: list[Draft]
    score: float
    why: str | None = None


@check
def json_is_generated_by_the_schema_of_a_class():
    answer = client("class").models.generate_content(
        model=MODEL,
        contents="Draft replies to: I like boats.",
        config=types.GenerateContentConfig(response_mime_type="application/json", response_schema=Reply),
    )
    assert isinstance(answer.parsed, Reply), answer.text
    assert {draft.kind for draft in answer.parsed.drafts} == {Kind.ADD_VALUE, Kind.FUNNY}
    assert all(80 <= len(draft.text) <= 150 for draft in answer.parsed.drafts)


@check
def json_is_generated_by_a_json_schema():
    schema = {
        "type": "object",
        "properties": {
            "answers": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"$ref": "#/$defs/Answer"}},
        },
        "required": ["answers"],
        "$defs": {
            "Answer": {
                "type": "object",
                "properties": {"id": {"type": "string", "enum": ["17", "18"]}, "text": {"type": "string"}},
                "required": ["id", "text"],
            },
        },
    }
    answer = client("schema").models.generate_content(
        model=MODEL,
        contents="id 17: hello\nid 18: good bye",
        config=types.GenerateContentConfig(response_mime_type="application/json", response_json_schema=schema),
    )
    assert [each["id"] for each in json.loads(answer.text)["answers"]] == ["17", "18"], answer.text


@check
def an_answer_is_cut_at_its_cap():
    answer = client("cap").models.generate_content(
        model=MODEL, contents="Go on.", config=types.GenerateContentConfig(max_output_tokens=5)
    )
    assert answer.candidates[0].finish_reason == types.FinishReason.MAX_TOKENS
    assert answer.usage_metadata.candidates_token_count == 5


@check
def texts_are_embedded():
    answer = client("embed").models.embed_content(
        model="gemini-embedding-001",
        contents=["a red boat on the lake", "the red boat in the lake", "quarterly tax filings"],
        config=types.EmbedContentConfig(output_dimensionality=768, task_type="SEMANTIC_SIMILARITY"),
    )
    vectors = [embedding.values for embedding in answer.embeddings]
    assert [len(vector) for vector in vectors] == [768, 768, 768]

    def cosine(a, b):
        return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))

    assert cosine(vectors[0], vectors[1]) > 0.5 > cosine(vectors[0], vectors[2])


@check
def tokens_are_counted():
    answer = client("count").models.count_tokens(model=MODEL, contents="twelve bytes")
    assert answer.total_tokens == 3, answer


@check
def models_are_listed():
    names = [model.name for model in client("list").models.list()]
    assert f"models/{MODEL}" in names, names
    assert client("list").models.get(model=MODEL).name == f"models/{MODEL}"


@check
def a_blocked_prompt_has_no_candidates():
    answer = client("blocked").models.generate_content(model=MODEL, contents="[[sandbox:refuse]]")
    assert not answer.candidates
    assert answer.prompt_feedback.block_reason == types.BlockedReason.PROHIBITED_CONTENT


@check
def a_used_up_quota_is_a_client_error_429():
    refused = client("quota")

    def spend():
        for number in range(30):
            refused.models.generate_content(model=MODEL, contents=f"Prompt {number}.")

    error = failure(spend)
    assert isinstance(error, errors.ClientError) and error.code == 429, error
    assert error.status == "RESOURCE_EXHAUSTED", error.status
    kinds = {detail["@type"].rsplit(".", 1)[1] for detail in error.details["error"]["details"]}
    assert kinds == {"QuotaFailure", "RetryInfo"}, kinds


@check
def an_unknown_model_is_a_client_error_404():
    error = failure(lambda: client("model").models.generate_content(model="parrot-2", contents="hello"))
    assert isinstance(error, errors.ClientError) and (error.code, error.status) == (404, "NOT_FOUND"), error


@check
def a_bad_key_is_a_client_error_400():
    error = failure(lambda: client("invalid").models.generate_content(model=MODEL, contents="hello"))
    assert isinstance(error, errors.ClientError) and (error.code, error.status) == (400, "INVALID_ARGUMENT"), error


@check
def an_overloaded_provider_is_a_server_error_503():
    error = failure(lambda: client("overload").models.generate_content(model=MODEL, contents="[[sandbox:503]]"))
    assert isinstance(error, errors.ServerError) and (error.code, error.status) == (503, "UNAVAILABLE"), error


def main():
    base = os.environ.get("GOOGLE_GEMINI_BASE_URL", "")
    if urllib.parse.urlsplit(base).hostname not in ("127.0.0.1", "localhost", "::1"):
        print("set GOOGLE_GEMINI_BASE_URL to a sandbox on this machine, such as http://127.0.0.1:8788")
        return 2
    print(f"google-genai {genai.__version__} against {base}")
    failed = 0
    for function in CHECKS:
        name = function.__name__.replace("_", " ")
        try:
            function()
        except Exception as error:  # one check that fails must not hide the others
            failed += 1
            line = traceback.extract_tb(error.__traceback__)[1].lineno
            print(f"FAILED {name}, line {line}: {type(error).__name__}: {error}")
        else:
            print(f"ok     {name}")
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
