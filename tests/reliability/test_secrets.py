"""Secrets: no token and no password of the app's in a journal, a log, an error or a repr."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import stat
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autoflow
from autoflow.outbox import home
from autoflow.outbox.dead_letters import iter_dead_letters
from autoflow.runtime import masking
from autoflow.runtime.destination import connect, resolve
from autoflow.testing import FaultyServer, page, redirect, status
from tests.reliability.kit import TOKEN, counts, ids, load

pytestmark = pytest.mark.core

PASSWORD = "hunter2hunter2"


def written():
    """Every byte and every mode of the files that autoflow wrote."""
    root = home.find()
    collected = []
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:  # the sender replaces some
                collected.append((path, stat.S_IMODE(os.stat(path).st_mode), file.read()))
    return collected


@pytest.mark.parametrize(
    "behaviour",
    [
        status(401, message=f"the token {TOKEN} is revoked"),
        status(400, message=f"bad token {TOKEN}"),
        status(503),
        page(404),
        redirect("http://127.0.0.1:9"),
    ],
    ids=["401", "400", "503", "page", "redirect"],
)
def test_the_token_stays_in_memory(behaviour, server, towards, caplog, capfd):
    """(53) Whatever the server does, the token is in no file, no log line of any library, no repr."""
    caplog.set_level(logging.DEBUG)
    towards(server)
    with autoflow.workflow("w") as run:
        load(1)
        autoflow.flush(60)
        server.behave(behaviour)
        load(2)
        autoflow.flush(60)
        shown = [repr(run), repr(run.failures), repr(connect(resolve())), repr(autoflow.Api()), repr(autoflow.status())]
    out, err = capfd.readouterr()
    assert TOKEN not in "".join([*shown, caplog.text, out, err])
    files = written()
    assert files
    for path, mode, content in files:
        assert TOKEN.encode() not in content, path
        assert mode == 0o600, path
    assert any(header.get("x-api-key") == TOKEN for header in server.headers)


def test_a_redirect_does_not_leak_the_token(server, towards, caplog):
    """(35) Another origin hears nothing; the records wait, and one warning says where the server points."""
    towards(server)
    with FaultyServer() as other:
        server.behave(redirect(other.address))
        with autoflow.workflow("w"):
            load(1)
            assert not autoflow.flush(60)
            assert not autoflow.flush(60)
            assert not other.requests
            assert counts()["dead"] == 0
            warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
            assert len(warnings) == 1
            assert other.address in warnings[0].getMessage()
            server.behave(lambda exchange: exchange.reply(*exchange.apply()))
            assert autoflow.flush(60)
    assert ids(server) == [1]


def test_secrets_in_parameters_logs_and_errors_are_masked(server, towards):
    """(53) Parameters, log lines, a run's error and texts of cards hold no password when they reach the journal."""
    towards(server)
    server.stop()

    @autoflow.workflow_output("project", title="{note}", description=lambda call: f"from {call.note}")
    def save(project_id, note) -> None: ...

    parameters = {"password": PASSWORD, "url": f"https://me:{PASSWORD}@host/x?token={PASSWORD}", "epochs": 3}

    @autoflow.workflow("w", parameters={**parameters, "headers": {"Authorization": f"Bearer {PASSWORD}"}})
    def main():
        logging.getLogger("app").warning("connecting to postgres://me:%s@db, api_key=%s", PASSWORD, PASSWORD)
        logging.getLogger("app").warning("our own token is %s", TOKEN)
        save(1, f"s3://bucket?password={PASSWORD}")
        raise ValueError(f"cannot open https://me:{PASSWORD}@host")

    with pytest.raises(ValueError, match="cannot"):
        main()
    for path, _, content in written():
        assert PASSWORD.encode() not in content, path
        assert TOKEN.encode() not in content, path
    server.start()
    assert autoflow.flush(60)
    [edge] = server.edges
    assert "s3://bucket?password=***" in str(edge["meta"])
    [run] = [record for record in server.records if record["type"] == "run"]
    assert run["parameters"]["epochs"] == 3
    assert run["parameters"]["url"] == "https://***@host/x?token=***"


def test_a_dead_letter_repeats_no_token(server, towards):
    """(53) The server's words are kept with a dead letter, the token it quotes is not."""
    towards(server)
    server.behave(
        lambda exchange: (
            exchange.reply(*exchange.apply())
            if exchange.probe
            else exchange.reply(400, {"error": "no", "details": {"message": f"{TOKEN} may not"}})
        )
    )
    with autoflow.workflow("w"):
        load(1)
        autoflow.flush(60)
    letters = [letter for folder in _folders() for letter in iter_dead_letters(folder)]
    assert letters
    assert all("*** may not" in letter["reason"] for letter in letters)


def _folders():
    parent = os.path.join(home.find(), "outbox")
    return [os.path.join(parent, name) for name in os.listdir(parent)]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"password={PASSWORD}", "password=***"),
        (f"password = '{PASSWORD} x'", "password = ***"),
        (f"{{'password': '{PASSWORD}', 'epochs': 3}}", "{'password': ***, 'epochs': 3}"),
        (f'{{"apiToken":"{PASSWORD}","epochs":3}}', '{"apiToken":***,"epochs":3}'),
        (f"Authorization: Bearer {PASSWORD}", "Authorization: Bearer ***"),
        (f"sent Bearer {PASSWORD}abcdef", "sent Bearer ***"),
        (f"https://me:{PASSWORD}@host/path", "https://***@host/path"),
        (f"https://{PASSWORD}@github.com/a/b", "https://***@github.com/a/b"),
        ("ssh://git@github.com/a/b", "ssh://git@github.com/a/b"),
        (f"https://h/x?a=1&token={PASSWORD}&b=2", "https://h/x?a=1&token=***&b=2"),
        (f"https://s3/x?X-Amz-Signature={PASSWORD}", "https://s3/x?X-Amz-Signature=***"),
        (f"AWS_SECRET_ACCESS_KEY={PASSWORD}", "AWS_SECRET_ACCESS_KEY=***"),
        ("max_tokens=512 tokenizer=bert author: Ann", "max_tokens=512 tokenizer=bert author: Ann"),
        ("compass: north, key: 3, passed: 7", "compass: north, key: 3, passed: 7"),
    ],
)
def test_texts_are_masked(text, masked):
    """(53) Secrets in the forms people write them in are masked, and what only looks like one is not."""
    assert masking.text(text) == masked


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        *[("password", True), ("db_password", True), ("Authorization", True), ("apiKey", True), ("x-api-key", True)],
        *[("api_token", True), ("secretKey", True), ("AWS_SESSION_TOKEN", True), ("pass", True), ("cookie", True)],
        *[("max_tokens", False), ("tokenizer", False), ("author", False), ("keys", False), ("bypass", False)],
    ],
)
def test_fields_are_masked_by_name(name, secret):
    """(53) Password-like fields lose their value, others keep it."""
    assert masking.value({"outer": [{name: "value"}]}) == {"outer": [{name: "***" if secret else "value"}]}


def test_a_command_line_is_masked():
    """(53) Options with secrets, in both spellings."""
    arguments = [
        "train.py",
        "--token",
        PASSWORD,
        f"--password={PASSWORD}",
        "--epochs",
        "3",
        f"--db=pg://a:{PASSWORD}@h",
    ]
    assert masking.command(arguments) == [
        *["train.py", "--token", "***", "--password=***", "--epochs", "3", "--db=pg://***@h"]
    ]


@given(st.text(max_size=200))
def test_masking_takes_any_text(text):
    """No text makes it fail, and what it gives can be encoded."""
    masking.text(text)
    assert isinstance(masking.value(text).encode(), bytes)


@pytest.mark.parametrize("text", ["a" * 100_000, "token" * 20_000, "://" * 30_000, "password=" * 10_000, "x@" * 50_000])
def test_masking_is_quick(text):
    """No text takes long: the patterns look at each character a bounded number of times."""
    begun = time.thread_time()
    masking.text(text)
    assert time.thread_time() - begun < 5  # of computing: milliseconds; looking back from each character takes minutes


def test_objects_are_seen_through_no_further_than_their_fields():
    """(53) A dataclass among the parameters is kept by its fields, masked as any other mapping."""

    @dataclasses.dataclass
    class Config:
        password: str
        epochs: int

    assert masking.value({"config": Config(PASSWORD, 3)}) == {"config": {"password": "***", "epochs": 3}}
