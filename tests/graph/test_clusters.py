"""Clusters of similar cards."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from autoflow.graph.clusters import KEY_PREFIX, MIN_CARDS, cluster_cards
from autoflow.graph.graph import Arrow, Card, Graph


def task(number, name="Train", **more):
    return Card(f"task:{number}", "task", number, name, name, at=f"2026-11-01T10:{number:02d}:00Z", **more)


def file(number, **more):
    return Card(
        f"file:{number}", "file", number, f"{number}.pt", "Weights", at=f"2026-11-02T10:{number:02d}:00Z", **more
    )


PROJECT = Card("project:1", "project", 1, "Lemons", "Lemons", at="2026-10-01T10:00:00Z")


def star(runs, name="Train", first=0):
    """Runs on one project, each with a file of its own."""
    numbers = range(first, first + runs)
    cards = [task(n, name) for n in numbers] + [file(n) for n in numbers]
    arrows = [Arrow("project:1", f"task:{n}", "input") for n in numbers]
    arrows += [Arrow(f"task:{n}", f"file:{n}", "output") for n in numbers]
    return cards, arrows


def graph(*stars, entry=None):
    cards = [PROJECT] + [card for cards, _ in stars for card in cards]
    return Graph(tuple(cards), tuple(arrow for _, arrows in stars for arrow in arrows), entry)


def test_runs_of_one_app_and_their_outputs_become_two_clusters():
    """Twelve runs on a project and their twelve files are one card each, with one arrow between them."""
    clustered = cluster_cards(graph(star(12)))
    assert [card.title for card in clustered.cards] == ["Lemons", "12 runs of Train", "12 files"]
    runs, files = (card.key for card in clustered.cards[1:])
    assert clustered.arrows == (Arrow("project:1", runs, "input"), Arrow(runs, files, "output"))
    assert clustered.cards[1].members == tuple(f"task:{n}" for n in range(12))


def test_fewer_than_five_cards_are_not_clustered():
    """Four cards stay as they are."""
    few = graph(star(MIN_CARDS - 1))
    assert cluster_cards(few) == few
    assert len(cluster_cards(graph(star(MIN_CARDS))).cards) == 3


def test_runs_of_other_apps_and_states_are_not_in_the_cluster():
    """Runs of another app and failed runs are separate."""
    cards, arrows = star(6)
    cards[0] = replace(cards[0], state="failed")
    clustered = cluster_cards(graph((cards, arrows), star(6, "Export", 20)))
    assert {"5 runs of Train", "6 runs of Export"} <= {card.title for card in clustered.cards}
    assert "task:0" in {card.key for card in clustered.cards}


def test_a_chain_of_runs_stays_a_chain():
    """Runs that each read the previous one's output are not siblings."""
    cards = [task(n) for n in range(9)] + [file(n) for n in range(9)]
    arrows = [Arrow(f"task:{n}", f"file:{n}", "output") for n in range(9)]
    arrows += [Arrow(f"file:{n}", f"task:{n + 1}", "input") for n in range(8)]
    chain = Graph(tuple(cards), tuple(arrows))
    assert cluster_cards(chain) == chain


def test_unconnected_runs_are_not_clustered():
    """Six similar pipelines that share nothing stay six."""
    cards = [task(n) for n in range(6)] + [file(n) for n in range(6)]
    apart = Graph(tuple(cards), tuple(Arrow(f"task:{n}", f"file:{n}", "output") for n in range(6)))
    assert cluster_cards(apart) == apart


def test_the_entry_separate_cards_and_expanded_clusters_are_not_clustered():
    """The entry card is never hidden; an expanded cluster shows its cards."""
    clustered = cluster_cards(graph(star(7), entry="task:3"))
    assert "task:3" in {card.key for card in clustered.cards}
    assert "6 runs of Train" in {card.title for card in clustered.cards}
    assert "file:2" in {card.key for card in cluster_cards(graph(star(7)), separate=["file:2"]).cards}
    closed = cluster_cards(graph(star(7)))
    opened = cluster_cards(graph(star(7)), expanded=[closed.cards[1].key])
    assert {f"task:{n}" for n in range(7)} <= {card.key for card in opened.cards}
    assert closed.cards[2].key in {card.key for card in opened.cards}


def test_a_cluster_keeps_its_key_when_it_grows():
    """One more run joins the existing cluster, so that an expanded one stays expanded."""
    assert [c.key for c in cluster_cards(graph(star(7))).cards] == [c.key for c in cluster_cards(graph(star(8))).cards]


@st.composite
def graphs(draw):
    """Runs and data with arrows between, few names, so that much is alike."""
    runs = draw(st.integers(1, 14))
    data = draw(st.integers(0, 14))
    cards = [task(n, draw(st.sampled_from(["A", "B"]))) for n in range(runs)] + [file(n) for n in range(data)]
    arrows = []
    if data:
        pairs = st.tuples(st.integers(0, runs - 1), st.integers(0, data - 1), st.booleans())
        for run, number, reads in draw(st.lists(pairs, max_size=40)):
            ends = (f"file:{number}", f"task:{run}") if reads else (f"task:{run}", f"file:{number}")
            arrows.append(Arrow(*ends, "input" if reads else "output"))
    entry = draw(st.sampled_from([None, *[card.key for card in cards]]))
    return Graph(tuple(cards), tuple(dict.fromkeys(arrows)), entry)


def circular(graph):
    after = {card.key: set() for card in graph.cards}
    for arrow in graph.arrows:
        after[arrow.source].add(arrow.target)
    left = dict(after)
    while free := [key for key in left if not left[key] & left.keys()]:
        for key in free:
            del left[key]
    return bool(left)


@given(graphs())
def test_clustering_keeps_all_cards_and_arrows_and_makes_no_cycle(graph):
    """Each card is in one node, each arrow joins the nodes of its ends, and no cycle is new."""
    clustered = cluster_cards(graph)
    stands = {member: card.key for card in clustered.cards for member in (card.members or (card.key,))}
    assert sorted(stands) == sorted(card.key for card in graph.cards)
    assert all(len(card.members) >= MIN_CARDS for card in clustered.cards if card.key.startswith(KEY_PREFIX))
    assert set(clustered.arrows) == {Arrow(stands[a.source], stands[a.target], a.kind) for a in graph.arrows}
    assert graph.entry is None or stands[graph.entry] == graph.entry
    assert circular(graph) or not circular(clustered)


@given(graphs(), st.randoms())
def test_clusters_do_not_depend_on_the_order_of_arrows(graph, random):
    """The same graph with its arrows shuffled has the same clusters."""
    arrows = list(graph.arrows)
    random.shuffle(arrows)
    if circular(graph):
        return  # which of a circle's arrows leads back is a matter of order
    assert {card.key for card in cluster_cards(replace(graph, arrows=tuple(arrows))).cards} == {
        card.key for card in cluster_cards(graph).cards
    }
