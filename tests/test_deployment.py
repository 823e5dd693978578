"""The files of docs/deploy are of this server: its options, its port, its probes."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autoflow.cli import serve_options
from autoflow.cli.main import parser
from autoflow.server.http.app import application
from autoflow.server.server import Server
from tests import go_templates

yaml = pytest.importorskip("yaml")

DEPLOY = Path(__file__).parents[1] / "docs" / "deploy"
CHART = DEPLOY / "chart"
OPTIONS = set(serve_options.ServeOptions.__dataclass_fields__)


def text(name):
    return (DEPLOY / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "path", [path for path in sorted(DEPLOY.rglob("*")) if path.is_file()], ids=lambda path: path.name
)
def test_every_variable_is_an_option(path):
    """A variable that the server does not know would keep it from starting."""
    names = {name.lower() for name in re.findall(r"AUTOFLOW_SERVE_([A-Z_]+)", path.read_text(encoding="utf-8"))}
    assert names <= OPTIONS | {"config"}


def test_the_file_of_options_is_read(monkeypatch):
    """The example is valid as it stands."""
    pytest.importorskip("tomllib")
    args = parser().parse_args(["serve", "--config", str(DEPLOY / "server.toml")])
    options, _sources = serve_options.load(args)
    assert (options.port, options.auth) == (8765, True)


def test_the_values_of_the_chart_are_options():
    """Each is a variable of the server's container."""
    values = yaml.safe_load(text("chart/values.yaml"))
    assert values["options"].keys() <= OPTIONS
    assert values["service"]["port"] == 8765


def test_the_chart_names_only_values_that_there_are():
    """A misspelled value would be empty in what Helm renders."""
    values = yaml.safe_load(text("chart/values.yaml"))
    names = re.findall(r"\.Values((?:\.\w+)+)", text("chart/templates/server.yaml"))
    assert names
    for name in names:
        value = values
        for part in name.strip(".").split("."):
            value = value[part]


def test_the_services_of_the_compose_file_fit_together():
    """Every service that another one waits for exists, and every volume is declared."""
    document = yaml.safe_load(text("compose.yaml"))
    services = document["services"]
    for service in services.values():
        assert service.get("depends_on", {}).keys() <= services.keys()
        assert {volume.partition(":")[0] for volume in service.get("volumes", [])} <= document["volumes"].keys()
    build = services["server"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).samefile(DEPLOY / "Containerfile")


def test_the_probes_are_routes_of_the_server(tmp_path):
    """Of the container file and of the chart."""
    with contextlib.closing(Server.open(tmp_path)) as server:
        observer = application(server, auth=True)
        routes = {route.path for route in observer._app._app.routes}
    named = set(
        re.findall(r"/(?:healthz|readyz|metrics)\b", text("Containerfile") + text("chart/templates/server.yaml"))
    )
    assert named
    assert named <= routes


def test_the_unit_is_valid():
    """By systemd's own check; the program that it starts is not installed here."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed here")
    unit = DEPLOY / "autoflow.service"
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)
    complaints = [line for line in done.stderr.splitlines() if "is not executable" not in line and unit.name in line]
    assert complaints == []


def test_the_container_file_follows_the_rules():
    """Of hadolint, the linter of such files."""
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed here")
    done = subprocess.run([hadolint, str(DEPLOY / "Containerfile")], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


CHARTS = {
    "by itself": {},
    "with an address": {"ingress": {"host": "a.example.org", "className": "nginx", "tlsSecret": "tls"}},
    "several": {"replicas": 3, "secret": "autoflow", "options": {"access_log": "-", "migrate": True}},
    "on a class of storage": {"volume": {"size": "1Gi", "storageClass": "fast"}},
}


@pytest.mark.parametrize("changes", CHARTS.values(), ids=CHARTS)
def test_the_manifests_of_the_chart_are_valid(changes):
    """Against the schemas of Kubernetes; rendered as Helm does it, by what the tests know of its language."""
    kubernetes = pytest.importorskip("kubernetes_validate")
    values = {**yaml.safe_load(text("chart/values.yaml")), **changes}
    rendered = go_templates.render(text("chart/templates/server.yaml"), values)
    manifests = [manifest for manifest in yaml.safe_load_all(rendered) if manifest]
    for manifest in manifests:
        kubernetes.validate(manifest, kubernetes.latest_version(), strict=True)
    kinds = {manifest["kind"] for manifest in manifests}
    assert ("PersistentVolumeClaim" in kinds, "Ingress" in kinds) == ("replicas" not in changes, "ingress" in changes)
    (deployment,) = (manifest for manifest in manifests if manifest["kind"] == "Deployment")
    assert deployment["spec"]["replicas"] == values["replicas"]
    (config,) = (manifest for manifest in manifests if manifest["kind"] == "ConfigMap")
    assert config["data"]["AUTOFLOW_SERVE_ACCESS_LOG"] == "-"


def test_several_replicas_need_a_shared_store():
    """Else each would have a store of its own."""
    values = {**yaml.safe_load(text("chart/values.yaml")), "replicas": 2}
    with pytest.raises(go_templates.Failed, match="several replicas need a secret"):
        go_templates.render(text("chart/templates/server.yaml"), values)
