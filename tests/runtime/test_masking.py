"""Secrets in what is kept of an app: command lines, parameters, log lines, error texts, card texts."""

from __future__ import annotations

import json
import pathlib
import re
import shlex
import time
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.runtime import masking

pytestmark = pytest.mark.core

CORPUS = pathlib.Path(__file__).parent.parent / "data" / "secrets.txt"
SECRET = re.compile("«(.*?)»", re.DOTALL)


def _lines():
    lines = [line for line in CORPUS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return [tuple(line.split("\t", 1)) for line in lines]


def _masked(kind, line):
    """Return a line masked, and as it would be without its secret."""
    if kind == "text":
        return masking.text(line), line
    if kind == "command":
        return masking.command(shlex.split(line)), shlex.split(line)
    return masking.value(json.loads(line)), json.loads(line)


@pytest.mark.parametrize(("kind", "line"), [line for line in _lines() if "«" in line[1]])
def test_secrets_are_masked(kind, line):
    """Nothing of a secret is kept, whatever stands around it."""
    masked, bare = _masked(kind, SECRET.sub(r"\1", line))
    assert masked != bare
    text = json.dumps(masked, ensure_ascii=False)
    for secret in SECRET.findall(line):
        assert secret not in text
    assert "***" in text


@pytest.mark.parametrize(("kind", "line"), [line for line in _lines() if "«" not in line[1]])
def test_harmless_text_is_unchanged(kind, line):
    """A line without a secret is kept as it is."""
    masked, bare = _masked(kind, line)
    assert masked == bare


@pytest.mark.parametrize(
    "text",
    [
        *["tokenizer", "lemons (images)", "Best of 3", "/experiments/2026-11-26/checkpoints/best.pth", "a, b"],
        *["3f2a9c1d4b5e6f708192a3b4c5d6e7f801234567", "550e8400-e29b-41d4-a716-446655440000", "monkey business"],
    ],
)
def test_harmless_card_texts_are_unchanged(text):
    """Values of a call in a card are unchanged when they hold no secret."""
    assert masking.mask_fast(text) == text


@pytest.mark.parametrize(
    "text",
    [
        *[
            "hf_AbCdEfGhIjKlMnOpQrStUvWxYz012345",
            "password hunter2",
            "-p hunter2",
            "token=x",
            "key: sk-Ab1Cd2Ef3Gh4Ij5Kl6",
        ],
        *["/runs/AKIAIOSFODNN7EXAMPLE/x.pt", "('password', 'x')", "<token>x</token>", "pw%3Dx"],
    ],
)
def test_card_texts_are_masked(text):
    """The fast path masks every text that the full search masks."""
    assert masking.mask_fast(text) == masking.text(text) != text


def test_named_tuples_and_keys_are_masked():
    """A field's name counts, and a secret may be a mapping's key."""

    class Login(NamedTuple):
        user: str
        password: str

    masked = masking.value({"login": Login("lemons", "hunter2"), "ghp_16C7e42F292c6912E7710c838347Ae178B4a": 1})
    assert masked == {"login": {"user": "lemons", "password": "***"}, "***": 1}


NAMES = st.sampled_from(
    [
        "password",
        "apiToken",
        "DB_PASSWORD",
        "wandb_key",
        "client-secret",
        "X-Api-Key",
        "HF_TOKEN",
        "tokens",
        "accessKey",
    ]
)
VALUES = st.from_regex(r"[A-Za-z][A-Za-z0-9_.!-]{5,30}[0-9][A-Za-z]", fullmatch=True)
FORMS = st.sampled_from(
    [
        *["{n}={v}", "{n}: {v}", "{n} = '{v}'", '"{n}": "{v}"', "--{n} {v}", "--{n}={v}", '\\"{n}\\": \\"{v}\\"'],
        *['("{n}", "{v}")', '{{"name": "{n}", "value": "{v}"}}', "?{n}={v}&b=2", "<{n}>{v}</{n}>", "['--{n}', '{v}']"],
    ]
)


@given(NAMES, VALUES, FORMS, st.text("abc ,;()\n", max_size=20))
def test_a_value_beside_a_secrets_name_is_masked(name, value, form, around):
    """Whatever the name, the value, the form they are written in, and what stands before and after."""
    masked = masking.text(f"{around} {form.format(n=name, v=value)} {around}")
    assert value not in masked
    assert "***" in masked


@given(st.from_regex(r"[a-z0-9:@/!?#._-]{4,20}", fullmatch=True), st.sampled_from(["postgres", "https", "redis"]))
def test_a_password_in_an_address_is_masked(password, scheme):
    """Also one that holds the characters that end it by the rules."""
    masked = masking.text(f"connecting to {scheme}://lemons:x{password}x@db.internal/lemons")
    assert f"x{password}x" not in masked
    assert masked.endswith("@db.internal/lemons")


@given(st.text(max_size=200))
def test_masking_twice_changes_nothing_more(text):
    """A masked text holds nothing to mask."""
    once = masking.text(text)
    assert masking.text(once) == once


@given(st.text(max_size=100))
def test_mask_fast_masks_what_text_masks(text):
    """A text is looked at closely whenever that would change it."""
    assert masking.mask_fast(text) == masking.text(text)


UNITS = (
    *[
        "auth_",
        "a",
        "token",
        "://",
        "password=",
        "x@",
        "sk-",
        "eyJ-",
        "eyJ.",
        "key=[",
        "a=[",
        "token=[",
        '"',
        "\\",
        "'\\\"",
    ],
    *[
        "-p ",
        "-",
        "--a ",
        "a,",
        "=",
        ":",
        "password ",
        "<a>",
        "</",
        "hf_hf_",
        "AKIA",
        "-----BEGIN PRIVATE KEY-----",
        "Bearer ",
    ],
    *[
        'key="',
        "name=TOKEN ",
        "value=x name=TOKEN ",
        "a:b@",
        "u:p@/",
        "://u:p@h ",
        "('token','",
        "[(",
        "login ",
        "\n",
        ".",
    ],
    *[
        "wandb login ",
        "token is ",
        "MII",
        "SG.",
        "1//0",
        '{"a":',
        '\\"',
        "aB1",
        "%3D",
        "key: ",
        "key=aB1",
        "-u a:",
        "-p'",
        "é",
    ],
    *[
        'x="\\',
        "jdbc:oracle:thin:a/",
        "credentials (",
        "a.",
        "_",
        "0a",
        "tokens=a,",
        "getenv",
        "<a ",
        "a b ",
        "Basic aaaa",
    ],
)


@pytest.mark.timing
@pytest.mark.parametrize("unit", UNITS)
def test_masking_is_linear(unit):
    """Eight times the text takes about eight times as long, whatever it repeats; the square would be 64 times."""

    def seconds(length):
        text = (unit * (length // len(unit) + 1))[:length]
        begun = time.thread_time()
        masking.text(text)
        return time.thread_time() - begun

    short = min(seconds(4096) for _ in range(3))
    assert min(seconds(32768) for _ in range(3)) < 30 * max(short, 0.001)
