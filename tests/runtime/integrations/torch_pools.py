"""An app that plays the scenarios with torch's `DataLoader`, whose persistent workers outlive every run."""

from __future__ import annotations

import json
import sys
import threading
import time

from scenarios import AFTERWARDS, FAILED, FIRST, INSIDE, LATER, LEFT, OUTSIDE, OVERLAPPING, SECOND, expect_failure
from torch.utils.data import DataLoader, Dataset, IterableDataset

from autoflow import workflow, workflow_input


@workflow_input("project")
def load(project_id):
    return project_id * 10


class Numbers(Dataset):
    """An item's index is the number of the project that it loads."""

    def __getitem__(self, number):
        if number in LEFT:
            time.sleep(0.05)
        result = load(number)
        if number in FAILED:
            raise ValueError(f"no {number}")
        return result


class Stream(IterableDataset):
    """Each item is the project whose number comes next; used with one worker."""

    def __init__(self, numbers):
        self.numbers = numbers

    def __iter__(self):
        return (load(number) for number in self.numbers)


class Epochs:
    """A loader with persistent workers whose next epoch is any list of numbers."""

    def __init__(self, workers=2):
        self.numbers = []
        options = (
            {"persistent_workers": True, "prefetch_factor": len(LEFT)} if workers else {}
        )  # all are asked for at once
        self.loader = DataLoader(Numbers(), batch_size=None, sampler=self, num_workers=workers, **options)

    def __iter__(self):
        return iter(self.numbers)

    def __len__(self):
        return len(self.numbers)

    def start(self, numbers):
        self.numbers = list(numbers)
        return iter(self.loader)

    def run(self, numbers):
        assert list(self.start(numbers)) == [number * 10 for number in numbers]


def overlap(keys, epochs):
    both_open = threading.Barrier(2, timeout=60)

    def train(name, epoch):
        with workflow(name) as opened:
            keys[name] = opened.key
            both_open.wait()
            epoch.run(OVERLAPPING[name])
            both_open.wait()

    threads = [threading.Thread(target=train, args=pair) for pair in zip(OVERLAPPING, epochs, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def play(workers):
    keys = {}

    def run(name, epoch, numbers):
        with workflow(name) as opened:
            keys[name] = opened.key
            epoch.run(numbers)

    epoch, other = Epochs(workers), Epochs(workers)
    epoch.run(OUTSIDE)
    run("first", epoch, FIRST)
    run("second", epoch, SECOND)
    overlap(keys, (epoch, other))
    with workflow("left") as left:
        keys["left"] = left.key
        items = epoch.start(LEFT)
    assert list(items) == [number * 10 for number in LEFT]
    with workflow("failed") as failed:
        keys["failed"] = failed.key
        items = epoch.start(FAILED)
        for number in FAILED:
            expect_failure(items.__next__, f"no {number}")
    epoch.run(AFTERWARDS)
    with workflow("inside") as inside:
        keys["inside"] = inside.key
        epochs = Epochs(workers)
        epochs.run(INSIDE)
    with workflow("later") as later:
        keys["later"] = later.key
        assert list(DataLoader(Stream(LATER), batch_size=None, num_workers=1)) == [number * 10 for number in LATER]
    return keys


if __name__ == "__main__":
    print(json.dumps(play(int(sys.argv[1]))))
