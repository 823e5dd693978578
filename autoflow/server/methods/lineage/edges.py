"""``workflow.node.add-*`` as the SDK posts it: one edge a request."""

from __future__ import annotations

from collections.abc import Mapping

from autoflow.server import timestamps
from autoflow.server.db.access import Caller
from autoflow.server.db.engine import CallerStore
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.lineage.records import ingest, parse
from autoflow.server.methods.lineage import submission
from autoflow.server.operations import Batch, Operation, OperationContext
from autoflow.server.request_parser import RequestParser
from autoflow.wire import methods
from autoflow.wire.contract.method import Success


def _parse(caller: Caller, direction: str, request: RequestParser) -> parse.Edge:
    node = RequestParser(request.mapping("node"), "node.")
    if node.text("type", "task") != "task":
        raise Invalid('"node.type" must be "task"')
    team_id = request.optional_number("teamId")
    if team_id is not None and caller.teams is not None and team_id not in caller.teams:
        raise NotFound("team", team_id)
    task = parse.ByNumber(node.number("id"), team=team_id)
    return parse.edge(task, direction, request, request.mapping("meta"), timestamps.now())


def _add_method(direction: str) -> Batch:
    def add(context: OperationContext, request: RequestParser) -> Success:
        store = context.store
        assert isinstance(store, CallerStore)
        edge = _parse(store.caller, direction, request)
        record = {"task": edge.task.number, "entity": request.fields}
        applied = submission.commit(store, submission.Submission([record], [ingest.Parsed(edge)]))
        refusal = applied.outcomes[0].refusal
        if refusal is not None:
            raise refusal
        return {"success": True}

    return add


READS: Mapping[str, Operation] = {}
WRITES: Mapping[str, Operation] = {}
BATCHES: Mapping[str, Batch] = {method: _add_method(direction) for direction, method in methods.ADD_EDGE.items()}
