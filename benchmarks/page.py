"""The workflow's page at 50 to 20,000 cards: ready time, frames a second, find, heap, bytes sent, seconds of layout.

``python benchmarks/page.py [--sizes 50,1000,5000,20000] [--keep DIR] [--rounds N]``; needs Chromium and Playwright.
Frames are those of `requestAnimationFrame` in a browser without a GPU, so they cannot pass 60, and on a busy machine an
empty page does not reach that: beside the frames stands their ratio to those of an empty page of the same size, and the
processor time of the browser for a frame. All groups are unfolded, but for the row of the page as it opens.
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

from playwright.sync_api import CDPSession, Page, sync_playwright

from autoflow.graph.graph import Graph
from autoflow.graph.layout import Layout, compute_layout
from autoflow.server.server import Server
from benchmarks.lineage import fill
from benchmarks.measure import Goal, machine, progress, publish, table
from tests.serving import served

SECONDS = 2.5
ROUNDS = 3
FIND = "task:{}"  # the words that find a run that is not in sight
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
GRAPH_SENT = """() => performance.getEntriesByType("resource")
    .filter((entry) => entry.name.endsWith("/autoflow.scene")).at(-1).encodedBodySize"""
# Returns the milliseconds from the words to the first match, and from Enter until its card is in the middle.
FOUND = """async (words) => {
    const input = document.querySelector(".finder input");
    const until = async (check) => {
        const limit = performance.now() + 20_000;
        while (!check()) {
            if (performance.now() > limit) throw new Error(`never: ${check}`);
            await new Promise(requestAnimationFrame);
        }
    };
    const isCentred = () => {
        const card = document.querySelector("article.selected");
        const [box, stage] = [card, document.querySelector(".stage")].map((part) => part?.getBoundingClientRect());
        if (!box || !stage) return false;
        const middle = (frame) => [frame.left + frame.width / 2, frame.top + frame.height / 2];
        return Math.hypot(middle(box)[0] - middle(stage)[0], middle(box)[1] - middle(stage)[1]) < 30;
    };
    const began = performance.now();
    input.focus();
    input.value = words;
    input.dispatchEvent(new Event("input"));
    await until(() => document.querySelector("#hit-0"));
    const found = performance.now();
    input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
    await until(isCentred);
    return [found - began, performance.now() - found];
}"""
EMPTY = '<body><main id="main"></main><div class="stage" style="position:fixed;inset:0"><div class="world"></div></div>'
READY = """() => new Promise((done) => {
    const look = () => document.querySelector("#main:not([aria-busy]) .world article")
        ? requestAnimationFrame(() => done(performance.now())) : requestAnimationFrame(look);
    look();
})"""


def cpu_seconds(session: CDPSession) -> float:
    """Return the processor time of all the browser's processes: unlike a clock, it does not count what others take."""
    return float(sum(process["cpuTime"] for process in session.send("SystemInfo.getProcessInfo")["processInfo"]))


def frames(page: Page, session: CDPSession, *, zooming: bool) -> tuple[float, float, float]:
    """Return frames a second while the graph moves, the fewest cards meanwhile, and processor ms a frame."""
    before = cpu_seconds(session)
    rate, fewest = page.evaluate(FRAMES, [SECONDS, zooming])
    return rate, fewest, 1000 * (cpu_seconds(session) - before) / (rate * SECONDS)


def measure_page(page: Page, url: str, dense: tuple[int, int], cards: int) -> dict[str, float]:
    """Measure one workspace: as it opens, then unfolded: as a whole, and at full size where the most cards are."""
    browser = page.context.browser
    assert browser is not None
    session = browser.new_browser_cdp_session()
    page.set_content(EMPTY)
    figures = dict(zip(("empty page", "", "empty page cpu ms"), frames(page, session, zooming=False), strict=True))
    del figures[""]
    page.goto(f"{url}/workspace/1", wait_until="commit")
    figures["opens ms"] = page.evaluate(READY)
    before = cpu_seconds(session)
    page.goto(f"{url}/workspace/1?clusters=no&groups=no", wait_until="commit")
    figures |= {"ready ms": page.evaluate(READY), "ready cpu ms": 1000 * (cpu_seconds(session) - before)}
    figures |= {"sent kB": page.evaluate(SENT) / 1000, "graph kB": page.evaluate(GRAPH_SENT) / 1000}
    page.wait_for_timeout(300)
    figures["pan fitted"], _, figures["pan fitted cpu ms"] = frames(page, session, zooming=False)
    figures["zoom fitted"], _, figures["zoom fitted cpu ms"] = frames(page, session, zooming=True)
    page.goto(f"{url}/workspace/1?clusters=no&groups=no&at={dense[0]},{dense[1]},1", wait_until="commit")
    page.evaluate(READY)
    page.wait_for_timeout(600)
    figures["pan 100%"], figures["cards in sight"], figures["pan 100% cpu ms"] = frames(page, session, zooming=False)
    figures["zoom 100%"], _, figures["zoom 100% cpu ms"] = frames(page, session, zooming=True)
    figures["find ms"], figures["centre ms"] = page.evaluate(FOUND, FIND.format(max(1, cards // 3)))
    figures["heap MB"] = page.evaluate("performance.memory.usedJSHeapSize") / 1e6
    return figures


def densest_window(layout: Layout) -> tuple[int, int]:
    """Return the top left corner of the screen-sized cell that holds the most cards."""
    width, height = SCREEN
    cells = Counter((box.x // width, box.y // height) for box in layout.boxes.values())
    (column, row), _ = cells.most_common(1)[0]
    return column * width, row * height


def measured(folder: str, cards: int, repetitions: int) -> dict[str, float]:
    """Medians of one size."""
    server = Server.open(folder)
    if not server.call("autoflow.scene", {"workspace": 1, "fold": "all"})["keys"]:
        fill(server, cards)
    body: dict[str, Any] = {"workspace": 1, "clusters": False}
    durations = []
    for _ in range(repetitions):
        began = time.perf_counter()
        scene = server.call("autoflow.scene", body)
        durations.append(time.perf_counter() - began)
    laid = []
    graph = Graph.from_json(json.loads(server.call("autoflow.scene.export", {**body, "form": "json"})["text"]))
    for _ in range(repetitions):
        began = time.perf_counter()
        layout = compute_layout(graph)
        laid.append(time.perf_counter() - began)
    rounds = []
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    with served(server) as url, sync_playwright() as driver:
        arguments = ["--no-sandbox", "--disable-gpu", "--enable-precise-memory-info"]
        browser = driver.chromium.launch(executable_path=browser_path, args=arguments)
        for _ in range(repetitions):
            context = browser.new_context(viewport={"width": SCREEN[0], "height": SCREEN[1]})
            page = context.new_page()
            rounds.append(measure_page(page, url, densest_window(layout), cards))
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

    def add(cards: int, what: str, goal: str, measured: str, met: bool) -> None:
        goals.append(Goal(f"page, {cards:,} cards, {what}", goal, measured, met))

    for cards, least, limit in ((5_000, 55.0, 1000), (20_000, 40.0, 2500)):
        if cards not in medians:
            continue
        values = medians[cards]
        for what in ("pan fitted", "zoom fitted", "pan 100%", "zoom 100%"):
            rate, share = values[what], values[what] / values["empty page"]
            text = (
                f"{rate:.0f}, {share:.0%} of an empty page, {values[f'{what} cpu ms']:.1f} ms of processor time a frame"
            )
            wanted = "60 frames a second, at least 55 counted" if least > 40 else "≥ 40 frames a second"
            add(cards, what, wanted, text, rate >= least)
        for what, ready in (("opens", values["opens ms"]), ("ready unfolded", values["ready ms"])):
            add(cards, what, f"≤ {limit / 1000:g} s", f"{ready:,.0f} ms", ready <= limit)
    if values := medians.get(5_000):
        add(5_000, "gzipped graph", "≤ 200 kB", f"{values['graph kB']:.0f} kB", values["graph kB"] <= 200)
        milliseconds = values["find ms"] + values["centre ms"]
        add(5_000, "a card found and centred", "≤ 300 ms", f"{milliseconds:.0f} ms", milliseconds <= 300)
        in_sight = values["cards in sight"]
        add(5_000, "cards in sight", "at least 20 while panning at full size", f"{in_sight:.0f}", in_sight >= 20)
    return goals


def main() -> None:
    """Measure each size and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="50,1000,5000,20000")
    parser.add_argument("--keep", help="folder to keep the lineages in, to measure again")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    args = parser.parse_args()
    medians = {}
    with tempfile.TemporaryDirectory() as folder:
        for cards in map(int, args.sizes.split(",")):
            progress(f"{cards:,} cards")
            medians[cards] = measured(os.path.join(args.keep or folder, str(cards)), cards, args.rounds)
    rows = [
        [f"{value:,.2f}" if value < 10 else f"{value:,.0f}" for value in round_.values()] for round_ in medians.values()
    ]
    header = list(next(iter(medians.values())))
    head = (
        f"## The page\n\n{machine()}; Chromium without a GPU, medians of {args.rounds}; frames a second cannot pass 60."
    )
    publish(f"{head}\n\n{table(header, rows)}\n", goals_of(medians))


if __name__ == "__main__":
    main()
