"""The workflow's page at 50 to 20,000 cards: ready time, frames a second, heap, bytes sent, seconds of layout.

``python benchmarks/page.py [--sizes 50,1000,5000,20000] [--keep DIR]``; needs Chromium and Playwright. Frames are those
of `requestAnimationFrame` in a browser without a GPU, so they cannot pass 60.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import Page, sync_playwright

from autoflow.graph.graph import Graph
from autoflow.graph.layout import Layout, compute_layout
from autoflow.server.server import Server
from benchmarks.lineage import fill
from benchmarks.measure import Goal, machine, progress, publish, table
from tests.serving import served

SECONDS = 2.5
ROUNDS = 3
SCREEN = (1600, 900)  # pixels

# Sends the stage a wheel event each frame for a while. Returns frames a second, and the fewest cards that stood in the
# page's DOM while it moved: a pan over empty canvas would measure nothing.
FRAMES = """async ([seconds, zooming]) => {
    const stage = document.querySelector(".stage");
    const cards = stage.querySelector(".world").children;
    const began = performance.now();
    let frames = 0;
    let fewest = Infinity;
    while (performance.now() - began < seconds * 1000) {
        const turn = Math.sin(frames / 12);
        const moved = zooming ? { deltaY: 30 * turn, ctrlKey: true } : { deltaX: 24 * turn, deltaY: 16 * turn };
        stage.dispatchEvent(new WheelEvent("wheel", { ...moved, clientX: 700, clientY: 500, cancelable: true }));
        await new Promise(requestAnimationFrame);
        frames += 1;
        fewest = Math.min(fewest, cards.length);
    }
    return [frames / ((performance.now() - began) / 1000), fewest];
}"""
SENT = """() => [...performance.getEntriesByType("resource"), ...performance.getEntriesByType("navigation")]
    .reduce((sum, entry) => sum + entry.transferSize, 0)"""
READY = """() => new Promise((done) => {
    const look = () => document.querySelector("#main:not([aria-busy]) .world article")
        ? requestAnimationFrame(() => done(performance.now())) : requestAnimationFrame(look);
    look();
})"""


def measure_page(page: Page, url: str, dense: tuple[int, int]) -> dict[str, float]:
    """Measure one workspace: as it opens, then at full size over the window with the most cards."""
    page.goto(url, wait_until="commit")
    ready = page.evaluate(READY)
    figures = {"ready ms": ready, "sent kB": page.evaluate(SENT) / 1000}
    page.wait_for_timeout(300)
    figures["pan fitted"], _ = page.evaluate(FRAMES, [SECONDS, False])
    figures["zoom fitted"], _ = page.evaluate(FRAMES, [SECONDS, True])
    page.goto(f"{url}&at={dense[0]},{dense[1]},1", wait_until="commit")
    page.evaluate(READY)
    page.wait_for_timeout(600)
    figures["pan 100%"], figures["cards in sight"] = page.evaluate(FRAMES, [SECONDS, False])
    figures["heap MB"] = page.evaluate("performance.memory.usedJSHeapSize") / 1e6
    return figures


def densest_window(layout: Layout) -> tuple[int, int]:
    """Return the top left corner of the screen-sized cell that holds the most cards."""
    width, height = SCREEN
    cells = Counter((box.x // width, box.y // height) for box in layout.boxes.values())
    (column, row), _ = cells.most_common(1)[0]
    return column * width, row * height


def measured(folder: str, cards: int) -> dict[str, float]:
    """Medians of one size."""
    server = Server.open(folder)
    if not server.call("autoflow.scene", {"workspace": 1})["keys"]:
        fill(server, cards)
    body: dict[str, Any] = {"workspace": 1, "clusters": False}
    durations = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        scene = server.call("autoflow.scene", body)
        durations.append(time.perf_counter() - began)
    laid = []
    graph = Graph.from_json(json.loads(server.call("autoflow.scene.export", {**body, "form": "json"})["text"]))
    for _ in range(ROUNDS):
        began = time.perf_counter()
        layout = compute_layout(graph)
        laid.append(time.perf_counter() - began)
    rounds = []
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    with served(server) as url, sync_playwright() as driver:
        arguments = ["--no-sandbox", "--disable-gpu", "--enable-precise-memory-info"]
        browser = driver.chromium.launch(executable_path=browser_path, args=arguments)
        for _ in range(ROUNDS):
            context = browser.new_context(viewport={"width": SCREEN[0], "height": SCREEN[1]})
            page = context.new_page()
            rounds.append(measure_page(page, f"{url}/workspace/1?clusters=no", densest_window(layout)))
            context.close()
        browser.close()
    server.close()
    medians = {name: statistics.median(round_[name] for round_ in rounds) for name in rounds[0]}
    return {
        "cards": len(scene["keys"]),
        "scene s": statistics.median(durations),
        "layout s": statistics.median(laid),
        **medians,
    }


def goals_of(medians: dict[int, dict[str, float]]) -> list[Goal]:
    """Return the goals for two sizes."""
    goals = []
    for cards, what, goal, least in (
        (5_000, "pan fitted", "60 frames a second, at least 55 counted", 55.0),
        (5_000, "pan 100%", "60 frames a second, at least 55 counted", 55.0),
        (5_000, "cards in sight", "at least 20 while panning at full size", 20.0),
        (20_000, "pan fitted", "≥ 40 frames a second", 40.0),
    ):
        if cards in medians:
            value = medians[cards][what]
            goals.append(Goal(f"page, {cards:,} cards, {what}", goal, f"{value:.0f}", value >= least))
    if 5_000 in medians:
        ready = medians[5_000]["ready ms"]
        goals.append(Goal("page, 5,000 cards, ready", "≤ 1 s", f"{ready:,.0f} ms", ready <= 1000))
    return goals


def main() -> None:
    """Measure each size and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="50,1000,5000,20000")
    parser.add_argument("--keep", help="folder to keep the lineages in, to measure again")
    args = parser.parse_args()
    medians = {}
    with tempfile.TemporaryDirectory() as folder:
        for cards in map(int, args.sizes.split(",")):
            progress(f"{cards:,} cards")
            medians[cards] = measured(os.path.join(args.keep or folder, str(cards)), cards)
    rows = [
        [f"{value:,.2f}" if value < 10 else f"{value:,.0f}" for value in round_.values()] for round_ in medians.values()
    ]
    header = list(next(iter(medians.values())))
    head = f"## The page\n\n{machine()}; Chromium without a GPU, medians of {ROUNDS}; frames a second cannot pass 60."
    publish(f"{head}\n\n{table(header, rows)}\n", goals_of(medians))


if __name__ == "__main__":
    main()
