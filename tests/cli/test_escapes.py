"""Control characters of servers, journals and files are escaped in the output of all commands."""

from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autoflow
from autoflow import Api
from autoflow.cli import output
from autoflow.cli.main import main, parser
from autoflow.runtime import destination

# a colour, a window's title, C1's CSI, a bell, a carriage return, and text turned round
EVIL = "\x1b[31mA\x1b]0;B\x07\x9b2JC\rD\u202eE\u2066F\x7fG\u2028H"
BAD = {sign for sign in EVIL if not sign.isprintable()}


@pytest.fixture
def hostile(monkeypatch, tmp_path):
    """An embedded server whose names all have control characters, and a dead letter."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUTOFLOW_SERVER", "embedded")
    destination.reset()
    api = Api()
    project = api.project.create(1, f"p{EVIL}")
    dataset = api.dataset.create(project.id, f"d{EVIL}")
    version = api.project.version.create(project.id, f"v{EVIL}", f"about{EVIL}")
    with autoflow.workflow(f"app{EVIL}", parameters={"x": EVIL}, log=False) as run:
        run.input("project", project.id)
        run.output("folder", f"/f{EVIL}", title=f"t{EVIL}", description=EVIL)
        run.output("project", 999, title=EVIL)
    autoflow.flush()
    (tmp_path / f"file{EVIL.replace('/', '')}.txt").write_text("x")
    yield api, project, dataset, version
    api.transport.close()


COMMANDS = [
    *(("graph", "--format", form) for form in ("text", "json", "mermaid", "dot", "svg", "html")),
    ("graph", "--project", "1"),
    *(("trace", "task:1", "--format", form) for form in ("text", "json", "mermaid", "dot", "svg", "html")),
    ("trace", f"/f{EVIL}"),
    ("trace", EVIL),
    ("reproduce", "task:1"),
    ("reproduce", "task:1", "--json"),
    ("reproduce", "task:1", "--run"),
    ("reproduce", EVIL),
    ("versions", "list", "1"),
    ("versions", "list", "1", "--json"),
    ("versions", "show", "1"),
    ("versions", "show", "1", "--json"),
    ("versions", "diff", "1"),
    ("versions", "restore", "1"),
    ("versions", "restore", "1", "--name", EVIL, "--json"),
    ("versions", "verify"),
    ("versions", "create", f"./{EVIL}"),
    ("versions", "create", "."),
    ("versions", "show", EVIL),
    ("outbox", "status"),
    ("outbox", "status", "--json"),
    ("outbox", "export"),
    ("outbox", "sync"),
    ("doctor",),
    ("doctor", "--json"),
    ("token", "create", "--user", EVIL, "--team", EVIL),
    ("token", "list"),
    ("token", "list", "--json"),
    ("token", "leave", "--user", EVIL, "--team", "x"),
    ("graph", "--format", EVIL),
    (EVIL,),
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda words: ascii(" ".join(words))[:40])
def test_no_control_characters_in_the_output(hostile, capsys, arguments):
    """In text, JSON and errors."""
    if arguments[:2] == ("token", "list"):
        main(["token", "create", "--user", EVIL])
    capsys.readouterr()
    try:
        code = main(list(arguments))
    except SystemExit as left:
        code = left.code
    captured = capsys.readouterr()
    text = captured.out + captured.err
    assert not BAD & set(text), ascii(text)
    assert "Traceback" not in text
    if "--json" in arguments and code == 0:
        json.loads(captured.out)


def test_json_has_the_original_values(hostile, capsys):
    """The parsed JSON has the original names."""
    assert main(["versions", "list", "1", "--json"]) == 0
    (version,) = json.loads(capsys.readouterr().out)
    assert version["name"] == f"v{EVIL}"


@given(st.text())
def test_escapes_do_not_change_json(text):
    """Escapes do not change the value of JSON."""
    assert json.loads(output.escape(json.dumps({text: text}, ensure_ascii=False))) == {text: text}


def test_log_lines_are_escaped(capsys, monkeypatch):
    """Log lines are escaped too, and the original streams are restored afterwards."""

    def doctor(_args):
        autoflow.logger.error("failed: %s", EVIL)
        print(EVIL, file=sys.stderr)
        sys.stdout.writelines([EVIL])
        raise ValueError(EVIL)

    monkeypatch.setattr("autoflow.cli.doctor.examine", doctor)
    before = sys.stdout, sys.stderr
    assert main(["doctor"]) == 1
    assert (sys.stdout, sys.stderr) == before
    captured = capsys.readouterr()
    assert not BAD & set(captured.out + captured.err)
    assert "\\u001b[31mA" in captured.err


def test_an_unexpected_error_is_escaped(capsys, monkeypatch):
    """Its traceback is printed with escapes, and the exit code is 1."""

    def doctor(_args):
        raise LookupError(EVIL)

    monkeypatch.setattr("autoflow.cli.doctor.examine", doctor)
    with pytest.raises(SystemExit) as left:
        main(["doctor"])
    assert left.value.code == 1
    errors = capsys.readouterr().err
    assert "LookupError: \\u001b[31mA" in errors
    assert not BAD & set(errors)


@pytest.mark.parametrize(
    ("typed", "suggestion"),
    [(("grpah",), "graph"), (("version", "list"), "versions"), (("outbox", "stauts"), "status")],
)
def test_a_mistyped_command_gets_a_suggestion(capsys, typed, suggestion):
    """The exit code is 2, and the closest command is suggested."""
    with pytest.raises(SystemExit) as left:
        parser().parse_args(typed)
    assert left.value.code == 2
    assert f"did you mean '{suggestion}'?" in capsys.readouterr().err
