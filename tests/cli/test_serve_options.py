"""The options of `autoflow serve`, from the command line, the environment and a file."""

from __future__ import annotations

import argparse
import json
import sys

import pytest
import requests

from autoflow.cli import serve_options
from autoflow.cli.main import main
from autoflow.server.sign_in.options import RoleRule
from tests.serving import serving

if sys.version_info >= (3, 11):
    import tomllib

on_3_11 = pytest.mark.skipif(sys.version_info < (3, 11), reason="a Python without tomllib reads no server.toml")


@pytest.fixture
def printed(capsys):
    """A function that returns the options that a command line results in, each with its source."""

    def run(*arguments):
        assert main(["serve", "--print-config", *arguments]) == 0
        lines = [line.partition("  # ") for line in capsys.readouterr().out.splitlines() if not line.startswith("#")]
        return {text.partition(" = ")[0]: (json.loads(text.partition(" = ")[2]), source) for text, _, source in lines}

    return run


@pytest.fixture
def config(tmp_path):
    """A function that writes a server.toml and returns its path."""

    def write(text):
        (tmp_path / "server.toml").write_text(text)
        return str(tmp_path / "server.toml")

    return write


@pytest.fixture
def refused(capsys):
    """A function that returns why a command line is refused."""

    def run(*arguments):
        assert main(["serve", "--print-config", *arguments]) == 1
        return capsys.readouterr().err

    return run


@on_3_11
def test_a_flag_precedes_the_environment_and_that_the_file(printed, config, monkeypatch):
    """Each option is from the first source that has it, and says which."""
    path = config('host = "10.0.0.1"\nport = 1\nauth = true\naccess_log = "-"\n')
    monkeypatch.setenv("AUTOFLOW_SERVE_PORT", "2")
    monkeypatch.setenv("AUTOFLOW_SERVE_AUTH", "no")
    monkeypatch.setenv("AUTOFLOW_SERVE_CONFIG", path)
    options = printed("--host", "10.0.0.3")
    assert options["host"] == ("10.0.0.3", "--host")
    assert options["port"] == (2, "AUTOFLOW_SERVE_PORT")
    assert options["auth"] == (False, "AUTOFLOW_SERVE_AUTH")
    assert options["access_log"] == ("-", path)
    assert options["migrate"] == (False, "default")
    assert printed("--auth", "--config", path)["auth"] == (True, "--auth")


def test_without_any_source_there_are_defaults(printed):
    """Options without a default are not printed as set."""
    assert {name for name, (_, source) in printed().items() if source == "default"} == {
        "host",
        "port",
        "private_webhooks",
        "migrate",
        "auth",
    }


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql+psycopg://ann:hunter2@db/autoflow", "postgresql+psycopg://ann:***@db/autoflow"),
        ("postgresql://db/autoflow?user=ann&password=hunter2", "postgresql://db/autoflow?user=ann&password=***"),
    ],
)
def test_passwords_are_not_printed(printed, url, shown):
    """The printed configuration can be sent to somebody: it holds no secret."""
    assert printed("--database", url)["database"][0] == shown


@on_3_11
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prot = 1", "'prot', which is no option"),
        ('port = "1"', "port to '1': it must be a number"),
        ("auth = 1", "auth to 1: it must be true or false"),
        ("[server]\nport = 1", "'server', which is no option"),
        ("port = ", "is not TOML"),
    ],
)
def test_a_mistake_in_the_file_is_named(refused, config, text, message):
    """With the file, the key and what is possible."""
    path = config(text)
    error = refused("--config", path)
    assert message in error
    assert path in error


def test_a_mistake_in_the_environment_is_named(refused, monkeypatch):
    """A misspelled variable is an error, as a misspelled key is."""
    monkeypatch.setenv("AUTOFLOW_SERVE_PROT", "1")
    assert "AUTOFLOW_SERVE_PROT sets 'prot'" in refused()
    monkeypatch.delenv("AUTOFLOW_SERVE_PROT")
    monkeypatch.setenv("AUTOFLOW_SERVE_PORT", "tcp://10.0.0.1:80")
    assert "AUTOFLOW_SERVE_PORT sets port to 'tcp://10.0.0.1:80'" in refused()


@on_3_11
def test_a_missing_file_is_an_error(refused, tmp_path):
    """It is not taken for one without options."""
    assert "No such file" in refused("--config", str(tmp_path / "none.toml"))


@on_3_11
def test_a_server_and_its_tokens_by_a_file_alone(config, tmp_path, monkeypatch, capsys):
    """A service is configured by a file; `autoflow token` works on the store that it names, and requests are logged."""
    log = tmp_path / "access.log"
    path = config(f'data = "{tmp_path / "data"}"\nauth = true\naccess_log = "{log}"\n')
    monkeypatch.setenv("AUTOFLOW_SERVE_CONFIG", path)
    with serving() as (process, url, _lines):
        assert main(["token", "create", "--user", "ann"]) == 0
        token = capsys.readouterr().out.strip()
        assert requests.post(url + "/public/api/v3/users.me", json={}, timeout=60).status_code == 401
        headers = {"x-api-key": token}
        assert requests.post(url + "/public/api/v3/users.me", json={}, headers=headers, timeout=60).status_code == 200
        process.terminate()
        process.communicate(timeout=60)
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(entry["status"], entry["user"]) for entry in entries] == [(401, None), (200, "ann")]


@on_3_11
def test_the_sign_in_is_a_table_and_its_variables_precede_it(config, capsys, refused, monkeypatch, tmp_path):
    """Its secret is in a file of its own and is not printed; an incomplete or unsafe table is refused."""
    (tmp_path / "secret").write_text("hidden\n")
    monkeypatch.setenv("AUTOFLOW_SERVE_OIDC_DOMAINS", "example.org, example.com")
    monkeypatch.setenv("AUTOFLOW_SERVE_OIDC_ROLES", '[{"team": "Vision", "role": "editor", "group": "ml"}]')
    own = f'issuer = "https://id.example.org"\nclient_id = "a"\nclient_secret_file = "{tmp_path}/secret"\n'
    complete = f'[oidc]\n{own}url = "https://a.example.org"\nsession = "2d"\n'
    options, _sources = serve_options.load(argparse.Namespace(config=config(complete)))
    assert options.oidc.client_secret == "hidden"
    assert (options.oidc.domains, options.oidc.session_seconds) == (("example.org", "example.com"), 2 * 86400)
    assert options.oidc.roles == (RoleRule("Vision", "editor", "ml"),)
    assert main(["serve", "--print-config", "--config", config(complete)]) == 0
    printed = capsys.readouterr().out
    assert "hidden" not in printed
    assert tomllib.loads(printed)["oidc"]["url"] == "https://a.example.org"
    assert "needs url" in refused("--config", config(f"[oidc]\n{own}"))
    for line, reason in {
        'url = "http://a.example.org"': "https address",
        'urls = "x"': "no option of",
        "domains = 7": "a list of texts",
        'roles = [{team = "V", role = "owner"}]': "no role",
        'roles = [{group = "V"}]': "not such as",
        'session = "soon"': "not a lifetime",
    }.items():
        more = "" if line.startswith("url =") else 'url = "https://a.example.org"\n'
        monkeypatch.delenv("AUTOFLOW_SERVE_OIDC_ROLES", raising=False)
        monkeypatch.delenv("AUTOFLOW_SERVE_OIDC_DOMAINS", raising=False)
        assert reason in refused("--config", config(f"[oidc]\n{own}{more}{line}\n")), line
