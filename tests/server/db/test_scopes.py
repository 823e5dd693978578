"""Writes of different scopes do not wait for each other on PostgreSQL; writes of the same scope do."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotDone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from autoflow.errors import ServerBusy
from autoflow.server.db import counters, scopes
from autoflow.server.db import tasks as task_rows
from autoflow.server.db.change_tracking import lock_project
from autoflow.server.db.schema import edges, files, items, projects, runs, versions
from autoflow.server.server import Server
from tests.postgres import installed
from tests.server.digests import compute_digest

WAIT = 20.0  # seconds that a write which waits for nobody may take on a busy machine
HELD_BACK = 0.3  # seconds after which a write that has not ended is taken to wait


@pytest.fixture(scope="module")
def server(tmp_path_factory, postgres_database):
    opened = Server.open(tmp_path_factory.mktemp("scopes"), postgres_database)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def postgres_database(request):
    if not installed():
        pytest.skip("PostgreSQL is not installed")
    with request.getfixturevalue("postgres").database() as url:
        yield url


@pytest.fixture(scope="module")
def client(server, fill):
    return fill(server)


class Holder:
    """A write of some scopes that stays open in a thread until it is released."""

    def __init__(self, server, *held):
        self._server, self._scopes = server, held
        self._begun, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        with self._server.store.write(scope=self._scopes):
            self._begun.set()
            self._over.wait(WAIT)

    def release(self):
        self._over.set()

    def __enter__(self):
        self._thread.start()
        assert self._begun.wait(WAIT)
        return self

    def __exit__(self, *_error):
        self.release()
        self._thread.join()


def ends(call, *arguments):
    """Return whether a call ends while another transaction is open, and the future of its result."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(call, *arguments)
    pool.shutdown(wait=False)
    return future


def waits(future):
    """Return whether a call has not ended after a while."""
    try:
        future.result(HELD_BACK)
    except NotDone:
        return True
    return False


def project_of(client, name):
    project = client.project(name)
    dataset = client.dataset(project)
    return project, dataset, client.image(dataset)["id"]


@pytest.fixture(scope="module")
def mine(client):
    return project_of(client, "mine")


@pytest.fixture(scope="module")
def other(client):
    return project_of(client, "other")


FIGURE = {"geometryType": "point", "geometry": {"points": {"exterior": [[1, 1]], "interior": []}}}

# A write of each family, of a project, its dataset and its image.
PROJECT_WRITES = {
    "dataset": lambda client, at: client.call("datasets.add", projectId=at[0], name=f"d{id(object())}"),
    "dataset edit": lambda client, at: client.call("datasets.editInfo", id=at[1], description="x"),
    "meta": lambda client, at: client.call("projects.meta.update", id=at[0], meta={"classes": [], "tags": []}),
    "settings": lambda client, at: client.call("projects.settings.update", id=at[0], settings={"a": 1}),
    "image": lambda client, at: client.call("images.editInfo", id=at[2], description="x"),
    "link": lambda client, at: client.call(
        "images.bulk.add", datasetId=at[1], images=[{"title": f"l{id(object())}", "link": "http://x/y.png"}]
    ),
    "sort": lambda client, at: client.call("images.bulk.set-custom-sort", images=[{"id": at[2], "customSort": "1"}]),
    "version": lambda client, at: client.snapshot(at[0]),
    "folder": lambda client, at: client.call(
        "autoflow.folders.shape", projectId=at[0], meta={"classes": [], "tags": []}, datasets=[["a", "b"]]
    ),
}


@pytest.mark.parametrize("family", PROJECT_WRITES)
def test_writes_of_a_project_wait_for_it_alone(server, client, mine, other, family):
    """While a transaction of one project is open, one of another project commits, and one of the same does not."""
    write = PROJECT_WRITES[family]
    with Holder(server, scopes.project(other[0])) as holder:
        ends(write, client, mine).result(WAIT)
        held_back = ends(write, client, other)
        assert waits(held_back)
        holder.release()
        held_back.result(WAIT)


def test_writes_of_a_team_s_files_wait_for_them_alone(server, client):
    """Files of a team are a scope of their own."""
    with Holder(server, scopes.files(2)):
        ends(client.file, "/a.txt").result(WAIT)
    with Holder(server, scopes.files(1)) as holder:
        held_back = ends(client.file, "/b.txt")
        assert waits(held_back)
        holder.release()
        held_back.result(WAIT)


def test_bytes_are_uploaded_beside_everything(server, client, mine):
    """Items' bytes belong to no project, and two uploads of the same bytes may meet."""
    with Holder(server, scopes.project(mine[0]), scopes.files(1)):
        assert ends(client.content, client.picture((9, 9, 9))).result(WAIT)
    picture = client.picture((8, 8, 8))
    with ThreadPoolExecutor(4) as pool:
        assert len({pool.submit(client.content, picture).result(WAIT) for _ in range(8)}) == 1


def test_records_of_a_run_wait_for_it_alone(server, client):
    """Runs are scopes, and so are their tasks, which several runs may share."""
    client.send(client.record("run", "held", task=501, name="Train"))
    client.send(client.record("run", "sharing", task=501, name="Train"))
    for scope in (scopes.run("held"), scopes.task(501)):
        with Holder(server, scope) as holder:
            answer = ends(client.edge, "input", "folder", "/in", "free").result(WAIT)
            assert answer["status"] == "applied"
            held_back = ends(client.edge, "input", "folder", "/in", "held")
            assert waits(held_back)
            holder.release()
            assert held_back.result(WAIT)["status"] == "applied"
    with Holder(server, scopes.task(501)) as holder:
        held_back = ends(client.edge, "input", "folder", "/in", "sharing")
        assert waits(held_back)
        holder.release()
        held_back.result(WAIT)


def test_edges_of_an_app_wait_for_its_task_alone(server, client, mine):
    """As the SDK posts them."""

    def post(task):
        node = {"type": "task", "id": task}
        return client.call("workflow.node.add-input", node=node, type="project", id=mine[0], meta={})

    with Holder(server, scopes.task(601)) as holder:
        ends(post, 602).result(WAIT)
        held_back = ends(post, 601)
        assert waits(held_back)
        holder.release()
        held_back.result(WAIT)


def test_a_write_of_the_store_excludes_all(server, client, mine):
    """A write without scopes, such as one of the garbage collector, waits for all, and all for it."""
    removed = client.project("of the store")
    with Holder(server) as holder:
        held_back = ends(lambda: client.call("projects.remove", id=removed))
        assert waits(held_back)
        holder.release()
        held_back.result(WAIT)
    begun, over = threading.Event(), threading.Event()

    def collect():
        with server.store.write():
            begun.set()
            over.wait(WAIT)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(collect)
        assert begun.wait(WAIT)
        held_back = ends(PROJECT_WRITES["image"], client, mine)
        assert waits(held_back)
        over.set()
        held_back.result(WAIT)


def test_new_projects_of_a_workspace_wait_for_each_other_alone(server, client, mine):
    """A project is created beside writes of other projects; of two with the same name, one is refused."""
    with Holder(server, scopes.project(mine[0]), scopes.workspace(2)):
        assert ends(client.project, "beside").result(WAIT) > mine[0]
    with Holder(server, scopes.workspace(1)) as holder:
        same = [ends(client.project, "same") for _ in range(2)]
        assert all(waits(future) for future in same)
        holder.release()
        errors = [future.exception(WAIT) for future in same]
    assert sorted(error.status for error in errors if error is not None) == [409]


def test_numbers_of_tasks_do_not_wait_and_are_taken_once(server, client):
    """A number from elsewhere that a transaction is about to use is skipped by the server's own numbers."""
    with server.store.read() as conn:
        following = counters.value(conn, counters.TASK) + 1
    with Holder(server, scopes.task(following)):
        made = ends(client.send, client.record("run", "fresh")).result(WAIT)["tasks"]["fresh"]
    assert made > following


def test_each_write_raises_the_change_counter(server, client, mine, other):
    """A write that commits while an earlier one is open is counted at once, and the earlier one when it commits."""

    def changes():
        return client.call("autoflow.changes")["changes"]

    before = changes()
    with Holder(server, scopes.project(mine[0])):
        ends(PROJECT_WRITES["dataset"], client, other).result(WAIT)
        assert changes() == before + 1
    assert changes() == before + 2


def test_a_project_outside_of_the_scopes_is_refused(server, client, mine, other):
    """A transaction that would write a project whose lock it does not hold is over, and may be sent again."""
    with pytest.raises(ServerBusy, match="project"), server.store.write(scope=[scopes.project(mine[0])]) as conn:
        lock_project(conn, other[0])


ACTIONS = st.one_of(
    st.tuples(st.just("add"), st.integers(0, 2), st.integers(0, 3)),
    st.tuples(st.just("tag"), st.integers(0, 2), st.integers(0, 3)),
    st.tuples(st.just("version"), st.integers(0, 2), st.just(0)),
    st.tuples(st.just("edge"), st.integers(0, 2), st.integers(0, 3)),
    st.tuples(st.just("run"), st.just(0), st.integers(0, 3)),
    st.tuples(st.just("file"), st.just(0), st.integers(0, 3)),
)


class History:
    """The actions of several threads on three projects, and what they must amount to in any order."""

    def __init__(self, client, number):
        self._client, self._number = client, number
        self.projects = [client.project(f"history {number}.{index}") for index in range(3)]
        self.datasets = [client.dataset(project) for project in self.projects]
        self.done = []

    def act(self, thread, position, action):
        kind, project, value = action
        name = f"{thread}.{position}"
        run = f"history {self._number} run {value}"
        if kind == "add":
            self._client.call(
                "images.bulk.add",
                datasetId=self.datasets[project],
                images=[{"title": name, "hash": self._client.content(self._client.picture((value, 0, 0)))}],
            )
        elif kind == "tag":
            self._client.call("datasets.editInfo", id=self.datasets[project], description=str(value))
        elif kind == "version":
            self._client.snapshot(self.projects[project])
        elif kind == "file":
            self._client.file(f"/{self._number}/{value}", name.encode())
        else:
            extra = {"task": 10_000 * self._number + 1 + value % 2} if kind == "run" else {}
            record = {"key": f"h{self._number}.{name}", "type": "run", "run": run, "at": 10**18, "name": f"App {value}"}
            if kind == "edge":
                entity = {"type": "project", "id": self.projects[project], "origin": ""}
                record |= {"type": "edge", "direction": "input", "entity": entity, "meta": {}}
            result = self._client.send({**record, **extra})["results"][0]
            assert result["status"] == "applied", result
        self.done.append((kind, project, value, name))


_numbers = iter(range(1, 10_000))


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(threads=st.lists(st.lists(ACTIONS, max_size=6), min_size=2, max_size=4))
def test_concurrent_writes_amount_to_a_serial_history(server, client, threads):
    """Each action succeeds, none is lost, and rows, counts and digests are those of all of them."""
    history = History(client, next(_numbers))

    def work(thread):
        for position, action in enumerate(threads[thread]):
            history.act(thread, position, action)

    with ThreadPoolExecutor(len(threads)) as pool:
        for future in [pool.submit(work, thread) for thread in range(len(threads))]:
            future.result(WAIT)
    with server.store.read() as conn:
        for index, project in enumerate(history.projects):
            row = conn.execute(select(projects).where(projects.c.id == project)).mappings().one()
            added = {name for kind, at, _, name in history.done if kind == "add" and at == index}
            names = conn.execute(select(items.c.name).where(items.c.project_id == project)).scalars().all()
            assert sorted(names) == sorted(added)
            assert row["items_count"] == len(added)
            assert row["digest"] == compute_digest(conn, project)
            numbers = conn.execute(select(versions.c.number).where(versions.c.project_id == project)).scalars().all()
            assert sorted(numbers) == list(range(1, len(numbers) + 1))
            recorded = {value for kind, at, value, _ in history.done if kind == "edge" and at == index}
            tasks_of = select(runs.c.task_id).where(
                runs.c.key.in_([f"history {history._number} run {value}" for value in recorded])
            )
            edge_count = select(func.count()).where(edges.c.entity_key == f"project:{project}")
            assert conn.execute(edge_count).scalar_one() == len(set(conn.execute(tasks_of).scalars()))
        current = select(files.c.path, func.count()).where(files.c.current).group_by(files.c.path)
        assert all(count == 1 for _, count in conn.execute(current))


def test_ids_of_new_tasks_skip_those_in_use(server):
    """Also those that another transaction is about to use, and long blocks of numbers from elsewhere at once."""
    with server.store.read() as conn:
        last = counters.value(conn, counters.TASK)
    numbers = range(last + 3, last + 40)
    with server.store.write() as conn:
        for number in numbers:
            task_rows.get_or_create(conn, number)
    with Holder(server, scopes.task(last + 2)), server.store.write(scope=()) as conn:
        assert task_rows.assign_ids(conn, 3) == [last + 1, last + 40, last + 41]


def test_a_statement_outside_of_the_scopes_fails_the_tests(server, mine):
    """All tests of the server run with a check of what each transaction writes."""
    with (
        pytest.raises(AssertionError, match="projects is written"),
        server.store.write(scope=[scopes.files(1)]) as conn,
    ):
        conn.execute(projects.update().where(projects.c.id == mine[0]).values(readme=""))
