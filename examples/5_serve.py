"""Serve: reads weights, and serves one prediction over HTTP; the session stays visible in the graph."""

import json
import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.datasets import load_digits

from autoflow import Api, cards, workflow, workflow_input, workflow_output

TEAM = WORKSPACE = 1

api = Api.from_env()


@workflow_input("file", model_weight=True)
def load_network(file):
    """Return the layers of the network by name."""
    with TemporaryDirectory() as folder:
        local = Path(folder) / file.name
        api.file.download(TEAM, file.path, str(local))
        with np.load(local) as layers:
            return dict(layers)


@workflow_output("app", node=cards.session)
def serve(net, port=0):
    """Return a local server that predicts the digit of an image, sent as JSON with 64 numbers from 0 to 1."""

    class Session(BaseHTTPRequestHandler):
        def do_POST(self):
            pixels = np.array(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            scores = np.maximum(pixels @ net["w0"] + net["b0"], 0) @ net["w1"] + net["b1"]
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"digit": int(scores.argmax())}).encode())

        def log_message(self, *words):
            """Print no log lines."""

    return HTTPServer(("127.0.0.1", port), Session)


if __name__ == "__main__":
    with workflow("Serve digits"):
        project = max((p for p in api.project.get_list(WORKSPACE) if p.name.startswith("digits")), key=lambda p: p.id)
        server = serve(load_network(api.file.get_info_by_path(TEAM, f"/{project.name}/weights.npz")))
        threading.Thread(target=server.handle_request, daemon=True).start()
        pixels, digits = load_digits(return_X_y=True)
        client = HTTPConnection("127.0.0.1", server.server_port, timeout=30)
        client.request("POST", "/", json.dumps((pixels[0] / 17).tolist()))
        answer = json.load(client.getresponse())
        print(f"Shown a {digits[0]}, the session answered {answer['digit']}")
