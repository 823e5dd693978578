"""`autoflow serve` and `autoflow token`, as processes on real sockets."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest
import requests

from autoflow.cli.main import main
from autoflow.server.server import Server
from tests.server.db.old_stores import make_old
from tests.serving import serving

METHOD = "/public/api/v3/"
# a request that asks before it sends its body is told once the server has begun with it
ASKING = "Expect: 100-continue\r\n"
GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


def takes_connections(host, port):
    try:
        socket.create_connection((host, port)).close()
    except OSError:
        return False
    return True


def ask(url, method, token=None, **body):
    headers = {"x-api-key": token} if token else {}
    return requests.post(url + METHOD + method, json=body, headers=headers, timeout=60)


def test_the_embedded_servers_data_is_served(tmp_path, monkeypatch):
    """Without options the embedded server's folder is served, and its address is printed."""
    monkeypatch.setenv("AUTOFLOW_HOME", str(tmp_path / "home"))
    server = Server.open(tmp_path / "home" / "platform")
    server.call("projects.add", {"workspaceId": 1, "name": "lemons"})
    server.close()
    with serving() as (_process, url, lines):
        assert lines[0] == f"autoflow serves {tmp_path / 'home' / 'platform'}"
        assert lines[2].endswith(f"AUTOFLOW_SERVER={url}")
        assert lines[3].endswith(f"ENV=production SERVER_ADDRESS={url} API_TOKEN=any")
        assert ask(url, "projects.list").json()["entities"][0]["name"] == "lemons"
        assert "<html" in requests.get(url + "/", timeout=60).text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_after_pending_requests(tmp_path, number):
    """A pending request gets its response, the exit code is 0, and no new connections are accepted."""
    with serving("--data", str(tmp_path / "data")) as (process, url, _lines):
        host, port = url.removeprefix("http://").split(":")
        body = json.dumps({"workspaceId": 1, "name": "late"}).encode()
        head = (
            f"POST {METHOD}projects.add HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: {len(body)}\r\n{ASKING}\r\n"
        )
        with contextlib.closing(socket.create_connection((host, int(port)))) as connection:
            connection.sendall(head.encode() + body[:5])
            assert connection.recv(65536) == GO_ON
            process.send_signal(number)
            while takes_connections(host, int(port)):
                pass
            connection.sendall(body[5:])
            assert b"200 OK" in connection.recv(65536)
        output, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
        assert "stopped" in output


def test_stopping_is_bounded(tmp_path, monkeypatch):
    """A client that never finishes its request cannot keep the server from ending."""
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    code = (
        "import sys; from autoflow.server.http import listener; listener.SHUTDOWN_TIMEOUT = 1;"
        "from autoflow.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "serve", "--port", "0", "--data", str(tmp_path / "data")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        lines = [process.stdout.readline() for _ in range(6)]
        host, port = lines[1].split()[3].rstrip("/").removeprefix("http://").split(":")
        head = (
            f"POST {METHOD}file-storage.bulk.upload?teamId=1 HTTP/1.1\r\nHost: {host}:{port}\r\n"
            f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 90000000\r\n{ASKING}\r\n"
            '--x\r\nContent-Disposition: form-data; name="path"\r\n\r\n/\r\n'
            '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n0000'
        )
        with contextlib.closing(socket.create_connection((host, int(port)))) as connection:
            connection.sendall(head.encode())
            assert connection.recv(65536) == GO_ON
            process.terminate()
            process.wait(60)
    finally:
        process.kill()
        process.communicate()
    server = Server.open(tmp_path / "data")
    assert server.call("file-storage.list", {"teamId": 1, "path": "/"}) == []
    server.close()


def test_a_tls_hello_gets_an_immediate_response(tmp_path):
    """The SDK's first call tries TLS on the plain port: it is turned away, and the server goes on."""
    hello = bytes.fromhex("1603010200010001fc0303") + bytes(range(256)) + bytes(255)
    with serving("--data", str(tmp_path / "data")) as (process, url, _lines):
        host, port = url.removeprefix("http://").split(":")
        for data in (hello, hello[:6], b"\0" * 100_000):
            with contextlib.closing(socket.create_connection((host, int(port)))) as connection:
                connection.settimeout(60)
                connection.sendall(data)
                with contextlib.suppress(ConnectionResetError):
                    while connection.recv(65536):
                        pass
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(url.replace("http", "https"), timeout=60)
        assert ask(url, "instance.version").status_code == 200
        process.terminate()
        assert process.communicate(timeout=60)[1] == ""


def test_a_port_in_use_is_an_error(tmp_path, capsys):
    """The exit code is 1, and the store is not opened."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port), "--data", str(tmp_path / "data")]) == 1
    assert f"port {port} of 127.0.0.1 is in use" in capsys.readouterr().err
    assert not os.path.exists(tmp_path / "data")
    assert main(["serve", "--host", "no.such.host.invalid", "--data", str(tmp_path / "data")]) == 1
    assert "cannot listen" in capsys.readouterr().err


def test_beyond_loopback_a_token_is_required(tmp_path, capsys):
    """Bound to all addresses, tokens are required; creating and revoking them has effect immediately."""
    data = ["--data", str(tmp_path / "data")]
    with serving("--host", "0.0.0.0", *data) as (_process, url, lines):
        assert any("There is no token yet" in line for line in lines)
        assert ask(url, "projects.list").status_code == 401
        assert main(["token", "create", "--user", "ann", "--team", "Vision", *data]) == 0
        captured = capsys.readouterr()
        token = captured.out.strip()
        assert len(token) == 128
        assert token not in captured.err
        assert ask(url, "teams.list", token).json()["entities"][0]["name"] == "Vision"
        assert main(["token", "list", "--json", *data]) == 0
        (listed,) = json.loads(capsys.readouterr().out)
        assert (listed["user"], listed["teams"], listed["start"]) == ("ann", ["Vision"], token[:6])
        assert main(["token", "create", "--user", "ann", "--team", "Others", *data]) == 0
        capsys.readouterr()
        assert main(["token", "leave", "--user", "ann", "--team", "Vision", *data]) == 0
        assert "ann is now in Others." in capsys.readouterr().err
        assert [team["name"] for team in ask(url, "teams.list", token).json()["entities"]] == ["Others"]
        for wrong in (["--user", "ann", "--team", "Vision"], ["--user", "bob", "--team", "Others"]):
            assert main(["token", "leave", *wrong, *data]) == 1
            assert "unknown" in capsys.readouterr().err
        assert main(["token", "leave", "--user", "ann", "--team", "Others", *data]) == 0
        assert "no team" in capsys.readouterr().err
        assert ask(url, "teams.list", token).status_code == 403
        assert main(["token", "revoke", str(listed["id"]), *data]) == 0
        assert ask(url, "teams.list", token).status_code == 401
        assert main(["token", "revoke", "99", *data]) == 1
        assert "token 99 is unknown" in capsys.readouterr().err


def test_auth_requires_tokens_on_loopback(tmp_path, capsys):
    """With --auth a token is required on loopback too, and the printed settings include it."""
    data = ["--data", str(tmp_path / "data")]
    assert main(["token", "create", *data]) == 0
    token = capsys.readouterr().out.strip()
    with serving("--auth", *data) as (_process, url, lines):
        assert "AUTOFLOW_TOKEN=" in lines[2]
        assert not any(token in line for line in lines)
        assert ask(url, "users.me").status_code == 401
        assert ask(url, "users.me", token).json()["login"] == "admin"
    assert main(["token", "list", *data]) == 0
    assert "admin in Team" in capsys.readouterr().out


def test_memory_during_an_upload_is_bounded(tmp_path):
    """A file larger than the server's memory limit is streamed to the disk."""
    if not os.path.isdir("/proc/self"):
        pytest.skip("needs /proc")

    def peak(process):
        with open(f"/proc/{process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024

    size, chunk = 160, b"0" * 2**20
    head = b'--x\r\nContent-Disposition: form-data; name="path"\r\n\r\n/\r\n'
    head += b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'

    def form():
        yield head
        for _ in range(size):
            yield chunk
        yield b"\r\n--x--\r\n"

    with serving("--data", str(tmp_path / "data")) as (process, url, _lines):
        ask(url, "projects.list")
        before = peak(process)
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        answer = requests.post(
            url + METHOD + "file-storage.bulk.upload?teamId=1", data=form(), headers=headers, timeout=100
        )
        assert answer.json()[0]["meta"]["size"] == size * 2**20
        with requests.get(answer.json()[0]["fullStorageUrl"], stream=True, timeout=100) as content:
            assert sum(len(part) for part in content.iter_content(2**20)) == size * 2**20
        assert peak(process) - before < 40


def test_two_servers_on_one_folder(tmp_path):
    """Data written by one process is visible to the other, also with concurrent writes."""
    data = ["--data", str(tmp_path / "data")]
    with serving(*data) as (_process, first, _), serving(*data) as (_other_process, second, _):
        statuses = []

        def work(url, start):
            for number in range(start, start + 10):
                statuses.append(ask(url, "projects.add", workspaceId=1, name=f"p{number}").status_code)

        threads = [threading.Thread(target=work, args=(url, 10 * n)) for n, url in enumerate((first, second))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses == [200] * 20
        names = [[row["name"] for row in ask(url, "projects.list").json()["entities"]] for url in (first, second)]
        assert names[0] == names[1]
        assert ask(first, "projects.list").json()["total"] == 20


def test_an_older_postgresql_database_is_migrated_on_request(postgres, tmp_path, capsys):
    """Without --migrate it is an error that names the option; with it the data is kept."""
    with postgres.database("template0") as url:
        make_old(url, "0002")
        options = ["--port", "0", "--data", str(tmp_path / "data"), "--database", url]
        assert main(["serve", *options]) == 1
        assert "`autoflow serve --migrate`" in capsys.readouterr().err
        with serving(*options[2:], "--migrate") as (_process, address, lines):
            assert lines[0].startswith("autoflow serves postgresql+psycopg://postgres@")
            assert ask(address, "projects.list").json()["entities"][0]["name"] == "lemons"


def test_a_token_with_scope_role_and_expiry(tmp_path, capsys):
    """The list shows what each may do, until when, and when it was last used; a role can be changed."""
    data = ["--data", str(tmp_path / "data")]
    assert (
        main(["token", "create", "--user", "ann", "--scope", "read", "--role", "viewer", "--expires", "30d", *data])
        == 0
    )
    assert main(["token", "role", "editor", "--user", "ann", "--team", "Team", *data]) == 0
    capsys.readouterr()
    assert main(["token", "list", *data]) == 0
    line = capsys.readouterr().out
    assert "ann in Team (editor), may read, expires 2" in line
    assert line.rstrip().endswith("never used")
    assert main(["token", "list", "--json", *data]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["scope"], listed["roles"], listed["last_used_at"]) == ("read", ["editor"], None)
    for lifetime in ("30", "d", "0d", "1y", "-1d", "9999999w"):
        assert main(["token", "create", f"--expires={lifetime}", *data]) == 1
        assert "is not a lifetime" in capsys.readouterr().err


def test_tokens_are_those_of_the_store_whose_blobs_are_elsewhere(tmp_path, capsys, monkeypatch):
    """`autoflow token` takes the place of the blobs from the server's options, too: the store knows where they are."""
    data = ["--data", str(tmp_path / "data")]
    monkeypatch.setenv("AUTOFLOW_SERVE_BLOBS", str(tmp_path / "blobs"))
    Server.open(tmp_path / "data", blobs=str(tmp_path / "blobs")).close()
    assert main(["token", "create", "--user", "ann", *data]) == 0
    assert len(capsys.readouterr().out.strip()) == 128
