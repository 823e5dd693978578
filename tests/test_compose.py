"""The services of docs/deploy/compose.yaml, started as processes with the commands and the environment of the file.

No container runtime is needed: PostgreSQL is that of the tests, with the role, database and locale that the file
names, and moto stands in for the bucket. Addresses of services are those of the processes; all else is the file's.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests import buckets

yaml = pytest.importorskip("yaml")
pytestmark = pytest.mark.soak

DEPLOY = Path(__file__).parents[1] / "docs" / "deploy"
SECRETS = {"POSTGRES_PASSWORD": "a-password", "S3_SECRET": "a-secret"}
APP = """
import sys
import autoflow

api = autoflow.Api()
project = api.project.from_folder(sys.argv[1], "lemons")
with autoflow.workflow("train") as run:
    run.input("project", project.id)
    run.output("folder", "/experiments/lemons")
version = api.project.version.create(project.id, "before")
assert autoflow.flush(60)
print(project.id, version)
"""
RESTORE = """
import sys
import autoflow

api = autoflow.Api()
project = api.project.version.restore(int(sys.argv[1]), version_id=int(sys.argv[2]))
api.project.version.to_folder(api.project.version.create(project.id), sys.argv[3])
"""


def environment_of(service):
    """The variables of a service, with the secrets in them."""
    variables = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"][service]["environment"]
    return {
        name: re.sub(r"\$\{(\w+)[^}]*\}", lambda match: SECRETS[match[1]], str(value))
        for name, value in variables.items()
    }


def container():
    """The variables and the command of the container file."""
    text = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
    variables = dict(re.findall(r"([A-Z_]+)=(\S+)", re.search(r"^ENV (.*)$", text, re.MULTILINE)[1]))
    entry, command = (json.loads(re.search(rf"^{word} (.*)$", text, re.MULTILINE)[1]) for word in ("ENTRYPOINT", "CMD"))
    assert entry == ["autoflow"]
    return variables, command


@pytest.fixture
def database(postgres):
    """The folder of PostgreSQL's socket, once there is a database as the service makes it."""
    names = environment_of("database")
    user, name, password = (names[f"POSTGRES_{part}"] for part in ("USER", "DB", "PASSWORD"))
    encoding, locale = re.fullmatch(r"--encoding=(\w+) --locale=(\w+)", names["POSTGRES_INITDB_ARGS"]).groups()
    postgres.run(f"CREATE ROLE {user} LOGIN PASSWORD '{password}'")
    postgres.run(f"CREATE DATABASE {name} OWNER {user} TEMPLATE template0 ENCODING '{encoding}' LOCALE '{locale}'")
    yield re.search(r"host=(.*)", postgres.url(name))[1]
    postgres.run(f"DROP DATABASE {name} WITH (FORCE)")
    postgres.run(f"DROP ROLE {user}")


@pytest.fixture
def environment(database, tmp_path):
    """The variables of the server's container, with the addresses of the processes."""
    image, _command = container()
    variables = {**image, **environment_of("server")}
    with buckets.serving() as bucket:
        made = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["make-bucket"]["command"][0]
        name = re.search(r"mc mb --ignore-existing s3/(\w+)", made)[1]
        requests.put(f"{bucket}/{name}", timeout=60).raise_for_status()
        variables["AWS_ENDPOINT_URL"] = variables["AWS_ENDPOINT_URL"].replace("http://bucket:9000", bucket)
        url = variables["AUTOFLOW_SERVE_DATABASE"].replace("@database/", "@/")
        variables["AUTOFLOW_SERVE_DATABASE"] = f"{url}?host={database}"
        paths = {
            name: value.replace("/data", f"{tmp_path}/data")
            for name, value in variables.items()
            if value.startswith("/data")
        }
        yield {**os.environ, **variables, **paths, "AUTOFLOW_SERVE_PORT": "0"}


@contextlib.contextmanager
def server(environment, number):
    """A server of the file; gives its address, and sees that it stops by itself."""
    _variables, command = container()
    folder = environment["AUTOFLOW_HOME"] + str(number)
    own = {**environment, "AUTOFLOW_HOME": folder, "AUTOFLOW_SERVE_DATA": f"{folder}/server"}
    process = autoflow(own, *command)
    try:
        lines = iter(process.stdout.readline, "")
        url = next(line.split()[3] for line in lines if "open in browser" in line)
        assert any(line.startswith("Ctrl+C") for line in lines)
        yield url.rstrip("/")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0  # stop_grace_period
        log = process.stdout.read()
        assert '"method": "/readyz"' in log
        assert SECRETS["POSTGRES_PASSWORD"] not in log
    finally:
        process.kill()
        process.communicate()


def autoflow(environment, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "autoflow.cli.main", *arguments], env=environment, stdout=subprocess.PIPE, text=True
    )


def test_the_services_work_together(environment, tmp_path):
    """Two servers are ready; what an app records and saves at one of them is restored at the other."""
    folder = tmp_path / "lemons"
    folder.mkdir()
    (folder / "notes.txt").write_text("a file of the project")
    with server(environment, 1) as first, server(environment, 2) as second:
        for url in (first, second):
            assert requests.get(url + "/healthz", timeout=30).json()["alive"]
            assert requests.get(url + "/readyz", timeout=30).json()["ready"]
            assert requests.get(url + "/", timeout=30).status_code == 401  # 0.0.0.0 is no loopback address
        creating = autoflow(environment, "token", "create", "--user", "ann", "--team", "Vision")
        token = creating.communicate(timeout=60)[0].strip()
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("AUTOFLOW", "AWS"))}

        def app(url, code, *arguments):
            own = {"AUTOFLOW_SERVER": url, "AUTOFLOW_TOKEN": token, "AUTOFLOW_HOME": str(tmp_path / "home")}
            command = [sys.executable, "-c", code, *map(str, arguments)]
            done = subprocess.run(command, env={**plain, **own}, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stderr
            return done.stdout.split()

        project, version = app(first, APP, folder)
        app(second, RESTORE, project, version, tmp_path / "restored")
        assert [file.read_text() for file in (tmp_path / "restored").rglob("*.txt")] == ["a file of the project"]
        graph = requests.post(
            f"{second}/public/api/v3/autoflow.graph",
            json={"projectId": int(project)},
            headers={"x-api-key": token},
            timeout=30,
        )
        assert graph.status_code == 200, graph.text
        assert "/experiments/lemons" in graph.text
