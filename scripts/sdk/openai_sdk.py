"""OpenAI's own SDK against a sandbox.

The sandbox and Atelier's client are written by the same people, who could share one misreading of the
wire. OpenAI's SDK is not. Usage, with the packages of requirements.txt installed:

    OPENAI_BASE_URL=http://127.0.0.1:PORT/v1 python openai_sdk.py

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
for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
    os.environ.pop(name, None)

import openai  # noqa: E402
from pydantic import BaseModel  # noqa: E402

MODEL = "gpt-sandbox"
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


@functools.cache  # a client closes its connections when nobody holds it any more
def client(key):
    """A client with a key, and so a quota, of its own."""
    # One try only: a refusal is to be seen, not waited out.
    return openai.OpenAI(api_key=key, max_retries=0, timeout=20)


def ask(key, prompt, **settings):
    return client(key).chat.completions.create(
        model=settings.pop("model", MODEL), messages=[{"role": "user", "content": prompt}], **settings
    )


def failure(function):
    try:
        function()
    except openai.APIError as error:
        return error
    raise AssertionError("it should have failed")


@check
def text_is_generated():
    answer = client("text").chat.completions.create(
        model=MODEL,
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Name three harbours."},
        ],
        max_completion_tokens=200,
        temperature=0.2,
        seed=7,
    )
    choice = answer.choices[0]
    assert choice.message.content.startswith("[sandbox]"), choice
    assert (choice.finish_reason, choice.message.refusal) == ("stop", None), choice
    assert answer.id and answer.object == "chat.completion" and answer.created > 0, answer
    usage = answer.usage
    assert usage.prompt_tokens == math.ceil(len("Be brief.Name three harbours.") / 4), usage
    assert usage.completion_tokens == math.ceil(len(choice.message.content.encode()) / 4), usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens, usage


class Kind(enum.Enum):
    ADD_VALUE = "add_value"
    FUNNY = "funny"


class Draft(BaseModel):
    kind: Kind
    text: str


class Reply(BaseModel):
    drafts: list[Draft]
    score: float
    why: str | None


@check
def json_is_generated_by_the_schema_of_a_class():
    answer = client("class").chat.completions.parse(
        model=MODEL,
        messages=[{"role": "user", "content": "Draft replies to: I like boats."}],
        response_format=Reply,
    )
    reply = answer.choices[0].message.parsed
    assert isinstance(reply, Reply), answer
    assert {draft.kind for draft in reply.drafts} == {Kind.ADD_VALUE, Kind.FUNNY}, reply


@check
def json_is_generated_by_a_strict_schema():
    item = {
        "type": "object",
        "properties": {"id": {"type": "string", "enum": ["17", "18"]}, "text": {"type": "string"}},
        "required": ["id", "text"],
        "additionalProperties": False,
    }
    schema = {
        "type": "object",
        "properties": {"answers": {"type": "array", "minItems": 2, "maxItems": 2, "items": item}},
        "required": ["answers"],
        "additionalProperties": False,
    }
    answer = ask(
        "schema",
        "id 17: hello\nid 18: good bye",
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "answers", "strict": True, "schema": schema},
        },
    )
    text = answer.choices[0].message.content
    assert [each["id"] for each in json.loads(text)["answers"]] == ["17", "18"], text


@check
def a_schema_that_is_not_strict_is_a_bad_request():
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    named = {"name": "answer", "strict": True, "schema": schema}
    error = failure(lambda: ask("loose", "hello", response_format={"type": "json_schema", "json_schema": named}))
    assert isinstance(error, openai.BadRequestError) and error.param == "response_format", error


@check
def an_answer_is_cut_at_its_cap():
    answer = ask("cap", "Go on.", max_completion_tokens=5)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 5


@check
def texts_are_embedded():
    # The SDK asks for base64 by itself, and reads it.
    answer = client("embed").embeddings.create(
        model="text-embedding-3-small",
        input=["a red boat on the lake", "the red boat in the lake", "quarterly tax filings"],
        dimensions=768,
    )
    assert [item.index for item in answer.data] == [0, 1, 2]
    vectors = [item.embedding for item in answer.data]
    assert [len(vector) for vector in vectors] == [768, 768, 768]

    def cosine(a, b):
        return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))

    assert cosine(vectors[0], vectors[1]) > 0.5 > cosine(vectors[0], vectors[2])
    plain = client("embed").embeddings.create(
        model="text-embedding-3-small", input="a red boat on the lake", dimensions=768, encoding_format="float"
    )
    assert all(math.isclose(a, b, abs_tol=1e-6) for a, b in zip(plain.data[0].embedding, vectors[0]))


@check
def models_are_listed():
    names = [model.id for model in client("list").models.list()]
    assert MODEL in names, names
    assert client("list").models.retrieve(MODEL).id == MODEL


@check
def a_refused_prompt_has_a_refusal_and_no_content():
    message = ask("blocked", "[[sandbox:refuse]]").choices[0].message
    assert message.content is None and message.refusal, message


@check
def answers_say_where_the_quota_stands():
    raw = client("headers").chat.completions.with_raw_response
    left = []
    for _ in range(2):
        answer = raw.create(model=MODEL, messages=[{"role": "user", "content": "hello"}])
        assert int(answer.headers["x-ratelimit-limit-requests"]) > 1
        assert answer.headers["x-ratelimit-reset-requests"].endswith("s")
        left.append(int(answer.headers["x-ratelimit-remaining-requests"]))
    assert left[0] - left[1] == 1, left


@check
def a_used_up_quota_is_a_rate_limit_error():
    def spend():
        for number in range(30):
            ask("quota", f"Prompt {number}.")

    error = failure(spend)
    assert isinstance(error, openai.RateLimitError) and error.status_code == 429, error
    assert (error.code, error.type) == ("rate_limit_exceeded", "requests"), error
    headers = error.response.headers
    assert headers["x-ratelimit-remaining-requests"] == "0", headers
    assert 0 < int(headers["retry-after-ms"]) <= 60_000 and 1 <= int(headers["retry-after"]) <= 60, headers


@check
def a_client_that_retries_gets_its_answer():
    patient = openai.OpenAI(api_key="patient", max_retries=2, timeout=20)
    prompt = [{"role": "user", "content": "hello [[sandbox:503:once]]"}]
    assert patient.chat.completions.create(model=MODEL, messages=prompt).choices[0].message.content


@check
def an_unknown_model_is_not_found():
    error = failure(lambda: ask("model", "hello", model="parrot-2"))
    assert isinstance(error, openai.NotFoundError) and error.code == "model_not_found", error


@check
def a_bad_key_is_an_authentication_error():
    error = failure(lambda: ask("invalid", "hello"))
    assert isinstance(error, openai.AuthenticationError) and error.code == "invalid_api_key", error


@check
def an_overloaded_provider_is_an_internal_server_error():
    error = failure(lambda: ask("overload", "[[sandbox:503]]"))
    assert isinstance(error, openai.InternalServerError) and error.status_code == 503, error


def main():
    base = os.environ.get("OPENAI_BASE_URL", "")
    if urllib.parse.urlsplit(base).hostname not in ("127.0.0.1", "localhost", "::1"):
        print("set OPENAI_BASE_URL to a sandbox on this machine, such as http://127.0.0.1:8788/v1")
        return 2
    print(f"openai {openai.__version__} against {base}")
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
