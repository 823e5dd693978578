"""Writes that wait while another commits are committed together."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from autoflow.errors import ServerBusy
from autoflow.server.db.group_commit import GroupCommit


class Commits:
    """Commits of groups, the first of which waits until others have queued."""

    def __init__(self, fail=lambda group: None):
        self.groups = []
        self.began, self.go_on = threading.Event(), threading.Event()
        self._fail = fail

    def __call__(self, group):
        self.groups.append(list(group))
        if len(self.groups) == 1:
            self.began.set()
            assert self.go_on.wait(30)
        self._fail(group)
        return [item * 10 for item in group]


def submit_behind(queue, commits, items, key="k"):
    """The outcomes of writes that arrive while the write 0 commits."""
    with ThreadPoolExecutor(len(items) + 1) as pool:
        first = pool.submit(queue.submit, key, 0, commits)
        assert commits.began.wait(30)
        others = [pool.submit(queue.submit, key, item, commits) for item in items]
        while len(queue._queues[key]) < len(items):
            threading.Event().wait(0.001)
        commits.go_on.set()
        return [first.exception() or first.result(), *(other.exception() or other.result() for other in others)]


def test_a_lone_write_commits_at_once():
    """It waits for no other."""
    queue = GroupCommit()
    assert [queue.submit("k", item, lambda group: [item * 10 for item in group]) for item in (1, 2)] == [10, 20]


def test_what_waits_is_committed_together():
    """Each write gets its own result, and the queue is empty afterwards."""
    queue, commits = GroupCommit(), Commits()
    assert submit_behind(queue, commits, [1, 2, 3]) == [0, 10, 20, 30]
    assert [sorted(group) for group in commits.groups] == [[0], [1, 2, 3]]
    assert not queue._queues


def test_an_error_goes_to_its_own_caller():
    """The other writes of its group are committed."""

    def fail(group):
        if 2 in group:
            raise ValueError("2")

    outcomes = submit_behind(GroupCommit(), Commits(fail), [1, 2, 3])
    assert [str(outcome) for outcome in outcomes] == ["0", "10", "2", "30"]


def test_a_busy_server_is_busy_for_the_whole_group():
    """No write of it is tried again."""

    def fail(group):
        if 0 not in group:
            raise ServerBusy("no", status=503)

    commits = Commits(fail)
    outcomes = submit_behind(GroupCommit(), commits, [1, 2])
    assert [type(outcome) for outcome in outcomes] == [int, ServerBusy, ServerBusy]
    assert len(commits.groups) == 2


def test_writes_of_different_keys_do_not_wait_for_each_other():
    """A write commits while one of another key is at work."""
    queue, commits = GroupCommit(), Commits()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(queue.submit, "a", 0, commits)
        assert commits.began.wait(30)
        assert queue.submit("b", 1, commits) == 10
        commits.go_on.set()
        assert first.result() == 0


def test_a_leader_that_is_interrupted_leaves_no_queue_behind():
    """The next write leads."""
    queue = GroupCommit()

    def interrupted(_group):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        queue.submit("k", 1, interrupted)
    assert queue.submit("k", 2, lambda group: group) == 2
