"""Many processes, threads, tasks and greenlets that record at once.

Numbers in comments are the scenarios of docs/reliability.md.
"""

from __future__ import annotations

import json

import pytest

from tests.reliability.processes import PRELUDE

pytestmark = [pytest.mark.core, pytest.mark.slow]


# -- writing at once


def test_eight_processes_write_to_one_outbox(app, server):  # 19
    """20,000 records each, of up to 30 KiB: all lines whole, every process's own in its order."""
    server.stop()
    left = app.run(
        """
        from autoflow.outbox import home
        from autoflow.outbox.journal import Journal
        journal = Journal(home.outbox_of("http://all"), "http://all", quota=4 << 30)
        children = []
        for part in range(8):
            child = os.fork()
            if child == 0:
                for number in range(20_000):
                    padding = b"x" * (30_000 if number % 1000 == 0 else number % 200)
                    journal.append(b'"type":"edge","part":%d,"number":%d,"x":"%b"' % (part, number, padding))
                os._exit(0)
            children.append(child)
        for child in children:
            assert os.waitpid(child, 0)[1] == 0
        """
    )
    assert (left.code, left.err) == (0, "")
    written = app.records()
    assert len(written) == 8
    parts = set()
    for records in written.values():
        assert [record["number"] for record in records] == list(range(20_000))
        parts |= {record["part"] for record in records}
    assert parts == set(range(8))


def test_threads_take_dense_numbers(app, server):  # 20
    """32 threads that are switched at every step: unique numbers without a gap, none lost."""
    server.stop()
    left = app.run(
        """
        from autoflow.outbox import home
        from autoflow.outbox.journal import Journal
        sys.setswitchinterval(1e-6)
        journal = Journal(home.outbox_of("http://all"), "http://all")
        start = threading.Barrier(32)
        def work(part):
            start.wait()
            for number in range(500):
                assert journal.append(b'"type":"edge","part":%d,"number":%d' % (part, number))
        threads = [threading.Thread(target=work, args=(part,)) for part in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        """
    )
    assert (left.code, left.err) == (0, "")
    (records,) = app.records().values()
    assert sorted(record["n"] for record in records) == list(range(1, 32 * 500 + 1))
    assert {(record["part"], record["number"]) for record in records} == {
        (part, number) for part in range(32) for number in range(500)
    }
    for part in range(32):
        assert [record["number"] for record in records if record["part"] == part] == list(range(500))


def test_going_on_to_a_new_file_never_writes_into_another(app, server):  # 20a
    """Rotation every 2 ms under four writers, while the app opens and closes files: all found, no byte astray."""
    server.stop()
    left = app.run(
        """
        from autoflow.outbox import home, journal
        journal.SEGMENT_BYTES = 1 << 30
        written = journal.Journal(home.outbox_of("http://all"), "http://all")
        done = threading.Event()
        def work(part):
            for number in range(10_000):
                assert written.append(b'"type":"edge","part":%d,"number":%d' % (part, number))
        def rotate():
            while not done.wait(0.002):
                written._limit = 0
        def others():
            number = 0
            while not done.is_set():
                number += 1
                with open(os.path.join(os.environ["AUTOFLOW_HOME"], "other"), "w+b", buffering=0) as file:
                    file.write(b"mine")
                    time.sleep(0)
                    file.seek(0)
                    assert file.read() == b"mine"
            tell(number)
        sys.setswitchinterval(1e-5)
        writers = [threading.Thread(target=work, args=(part,)) for part in range(4)]
        rest = [threading.Thread(target=target) for target in (rotate, others)]
        for thread in writers + rest:
            thread.start()
        for thread in writers:
            thread.join()
        done.set()
        for thread in rest:
            thread.join()
        tell(written.segment)
        """
    )
    assert (left.code, left.err) == (0, "")
    others, rotations = map(int, left.out.split())
    assert others > 10
    assert rotations > 10
    (records,) = app.records().values()
    assert len(records) == 40_000
    assert {(record["part"], record["number"]) for record in records} == {
        (part, number) for part in range(4) for number in range(10_000)
    }


# -- tasks and greenlets


def test_every_task_thread_and_generator_records_into_its_own_run(app):  # 22
    """A hundred tasks at once, executors, early breaks and generators closed elsewhere: the right run, no complaint."""
    left = app.run(
        """
        import asyncio, json, logging
        complaints = []
        class Listening(logging.Handler):
            def emit(self, record):
                complaints.append(record.getMessage())
        logging.getLogger("asyncio").addHandler(Listening())
        meant = {}

        @autoflow.workflow_input("project")
        async def aload(project_id):
            await asyncio.sleep(0)
            return project_id

        @autoflow.workflow_output("project", value="item")
        async def stream(first):
            for number in range(first, first + 5):
                yield number
                await asyncio.sleep(0)

        @autoflow.workflow("task")
        async def inner(first):
            return [item async for item in stream(first)]

        async def task(part):
            with autoflow.workflow(f"task {part}") as run:
                meant[run.key] = part
                first = part * 1000
                await aload(first + 1)
                await asyncio.to_thread(load, first + 2)
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(None, autoflow.propagate(load), first + 3)
                async for number in stream(first + 10):
                    if number == first + 12:
                        break
                left = stream(first + 20)
                await left.__anext__()
                await asyncio.create_task(left.aclose())  # closed in another task's context
                assert autoflow.current_run() is run
                await asyncio.sleep(0)
                load(first + 4)

        async def main():
            await asyncio.gather(*(task(part) for part in range(1, 101)))

        asyncio.run(main(), debug=False)
        assert not complaints, complaints
        tell(json.dumps(meant))
        """
    )
    assert (left.code, left.err) == (0, "")
    expected = json.loads(left.out)
    collected = {}
    for edge in app.server.edges:
        collected.setdefault(expected[edge["run"]], []).append(edge["entity"]["id"] - 1000 * expected[edge["run"]])
    assert set(collected) == set(range(1, 101))
    assert all(sorted(numbers) == [1, 2, 3, 4, 10, 11, 12, 20] for numbers in collected.values())


@pytest.mark.timing
@pytest.mark.parametrize("patched", ["before", "after"])
def test_greenlets_of_gevent_record_and_are_not_held_up(patched, app):  # 21
    """monkey.patch_all() before autoflow is imported or after it: all delivered, and the hub is not held up."""
    pytest.importorskip("gevent", reason="gevent is not installed here")
    patch = "from gevent import monkey; monkey.patch_all()\n"
    prelude = {
        "before": patch + "import requests\n" + PRELUDE,
        "after": PRELUDE + patch + "import requests\n",
    }[patched]
    left = app.run(
        """
        import gevent
        stalls = []
        def tick():
            while True:
                since = time.monotonic()
                gevent.sleep(0.001)
                stalls.append(time.monotonic() - since)
        def work(part):
            for number in range(20):
                load(part * 1000 + number)
                gevent.sleep(0)
        load(1)
        assert autoflow.flush(60)  # what is imported at first use is
        ticking = gevent.spawn(tick)
        gevent.joinall([gevent.spawn(work, part) for part in range(1, 51)], raise_error=True)
        assert autoflow.flush(60)
        ticking.kill()
        tell(sorted(stalls)[len(stalls) * 9 // 10])
        """,
        prelude=prelude,
    )
    assert (left.code, left.err) == (0, "")
    expected = [1] + [part * 1000 + n for part in range(1, 51) for n in range(20)]
    assert sorted(app.delivered()) == expected
    assert float(left.out) < 0.25  # for nine of ten; the machine may stand still at times
