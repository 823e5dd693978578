"""Random lineages with many similar cards: few apps, titles that differ in numbers, versions of few projects."""

from __future__ import annotations

from hypothesis import strategies as st

from autoflow.graph.graph import Arrow, Card, Graph


def task(number, name="Train", **more):
    return Card(f"task:{number}", "task", number, name, name, at=f"2026-11-01T10:{number:02d}:00Z", **more)


def datum(number, kind, name, **more):
    at = f"2026-11-02T10:{number:02d}:00Z"
    return Card(f"{kind}:{number}", kind, number, name, more.pop("title", name), at=at, **more)


def _data_card(number, kind, more):
    if kind == "project_version":
        title, badge = f"(V{number}) Lemons", f"V{number}"
        return datum(number, kind, "Lemons", title=title, badge=badge, parent=f"project:{number % 2}", more=more)
    names = {"project": "Lemons", "model": f"model {number % 3}.pt", "table": f"table {number % 3}.csv"}
    return datum(number, "project" if kind == "project" else "file", names[kind], more=more)


_RUNS = st.tuples(st.sampled_from(["Train", "Serve"]), st.sampled_from(["finished", "failed"]), st.sampled_from([0, 2]))
_DATA = st.tuples(st.sampled_from(["model", "table", "project", "project_version"]), st.sampled_from([0, 0, 3]))
_WIRING = st.tuples(st.integers(0, 99), st.integers(0, 99), st.booleans(), st.sampled_from(["each", "all", "one"]))


@st.composite
def lineages(draw, copies=1, most=8):
    """Draw runs, data and versions with arrows between them, cycles included; some cards have omitted neighbours.

    Args:
        copies: how many of each card there may be, wired each to each, all to all, or one to one of them.
        most: the largest number of runs, and of data.
    """
    cards, sets = [], []
    for number, (name, state, more) in enumerate(draw(st.lists(_RUNS, min_size=1, max_size=most))):
        count = draw(st.integers(1, copies)) if copies > 1 else 1
        sets.append([task(number * copies + n, name, state=state, more=more) for n in range(count)])
    runs = len(sets)
    for number, (kind, more) in enumerate(draw(st.lists(_DATA, max_size=most))):
        count = draw(st.integers(1, copies)) if copies > 1 else 1
        sets.append([_data_card(number * copies + n, kind, more) for n in range(count)])
    cards = [card for cards in sets for card in cards]
    keys = {card.key for card in cards}
    arrows = [Arrow(str(card.parent), card.key, "version") for card in cards if card.parent in keys]
    for run, data, reads, wiring in draw(st.lists(_WIRING, max_size=3 * most)) if len(sets) > runs else ():
        tasks, data_cards = sets[run % runs], sets[runs + data % (len(sets) - runs)]
        pairs = [(a, b) for n, a in enumerate(tasks) for m, b in enumerate(data_cards) if wiring == "all" or n == m]
        for task_card, data_card in pairs[:1] if wiring == "one" else pairs:
            ends = (data_card.key, task_card.key) if reads else (task_card.key, data_card.key)
            arrows.append(Arrow(*ends, "input" if reads else "output"))
    draw(st.randoms(use_true_random=False)).shuffle(cards)
    entry = draw(st.sampled_from([None, *[card.key for card in cards]]))
    return Graph(tuple(cards), tuple(dict.fromkeys(arrows)), entry)


def holds_for_all(arrows, sources, targets, kind=None):
    """Return whether each source has an arrow to one of the targets, and each target one from one of the sources."""
    pairs = {(a.source, a.target) for a in arrows if kind in (None, a.kind)}
    forth = all(any((source, target) in pairs for target in targets) for source in sources)
    return forth and all(any((source, target) in pairs for source in sources) for target in targets)
