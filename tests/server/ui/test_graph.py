"""The workflow page, as a person uses it."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import urlsplit

import pytest

from tests.server.ui.assertions import card, panel, position, query_of, scale_of, wait_until_still

NARROW = {"width": 390, "height": 844}
DROP = """(bytes) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], "weights.pt"));
    document.querySelector(".finder input").dispatchEvent(new DragEvent("drop", { dataTransfer: data }));
}"""
RED_PIXELS = """(canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let red = 0;
    for (let n = 0; n < data.length; n += 4) red += data[n] > 150 && data[n + 1] < 60 && data[n + 2] < 60;
    return red;
}"""
ENTRIES = ("project", "task", "workspace", "file")


@pytest.mark.parametrize("entry", ENTRIES)
def test_each_entry_shows_its_workflow(open_graph, lineage, expect, entry):
    """Project, task, workspace and file; the entry card is outlined, and the title names it."""
    number = {"project": lineage.project, "task": 2, "workspace": 1, "file": lineage.weights}[entry]
    page = open_graph(f"/{entry}/{number}")
    expect(page.get_by_role("heading", level=1)).to_have_text(
        re.compile(f"^Workflow for {'run' if entry == 'task' else entry} ")
    )
    if entry == "workspace":
        expect(page.locator("article.entry")).to_have_count(0)
    else:
        expect(page.locator("article.entry")).to_have_count(1)
        assert page.locator("article.entry").get_attribute("data-key").startswith(entry)
    expect(page).to_have_title(re.compile("Workflow for .* · autoflow"))


def test_cards_show_their_details(open_graph, expect, lineage):
    """A project has image, link and date, a version its badge, a run its state, a file its customised icon."""
    page = open_graph()
    lemons = card(page, "Lemons")
    expect(lemons.locator("img")).to_have_js_property("complete", True)
    assert lemons.locator("img").evaluate("image => image.naturalWidth") > 0
    expect(lemons.get_by_role("link", name="Open Project")).to_have_attribute("href", f"/projects/{lineage.project}")
    expect(lemons.locator("time")).not_to_be_empty()
    expect(card(page, "Before training").locator(".badge")).to_have_text("V1")
    expect(card(page, "Evaluate").locator(".status.failed")).to_have_text("failed")
    expect(card(page, "best.pt").locator(".about")).to_contain_text("1.5 MB")
    expect(card(page, "Label the hard ones").get_by_role("link")).to_have_attribute(
        "href", re.compile("/labeling/jobs/")
    )
    files = card(page, "12 files").locator(".tile")
    assert files.evaluate("tile => getComputedStyle(tile).backgroundColor") == "rgb(217, 247, 228)"


def test_hidden_neighbours_can_be_shown(open_graph, expect):
    """Two hops around the entry are shown; "+1 more" shows the next, and the back button hides it."""
    page = open_graph("/task/2")
    expect(card(page, "Deploy")).to_have_count(1)
    expect(card(page, "Serve")).to_have_count(0)
    card(page, "Deploy").get_by_role("button", name="Show 1 more downstream").click()
    expect(card(page, "Folder /deployed")).to_have_count(1)
    assert query_of(page)["expand"] == ["downstream~task:6"]
    page.go_back()
    expect(card(page, "Folder /deployed")).to_have_count(0)
    page.go_forward()
    expect(card(page, "Folder /deployed")).to_have_count(1)


def test_similar_runs_are_one_card_until_opened(open_graph, expect):
    """Twelve exports are one cluster; opened, they are twelve cards."""
    page = open_graph()
    card(page, "12 runs of Export").get_by_role("button", name="Show all 12").click()
    expect(card(page, "12 runs of Export")).to_have_count(0)
    page.get_by_role("button", name="Show all", exact=True).click()
    page.keyboard.press("0")
    expect(page.locator(".scale span").first).not_to_have_text("80%")
    page.get_by_role("button", name="Table").click()
    expect(page.locator("tbody th", has_text="Export")).to_have_count(12)


def test_a_selected_card_shows_its_details(open_graph, expect):
    """It is announced; its panel, one Tab away, has details, links, and its neighbours; Escape closes it."""
    page = open_graph()
    card(page, "best.pt").click()
    expect(page.locator("p[role=status]").filter(has_text="best.pt")).to_have_count(1)
    card(page, "best.pt").focus()
    page.keyboard.press("Tab")
    expect(panel(page).get_by_role("heading", level=2)).to_be_focused()
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("best.pt")
    expect(panel(page)).to_contain_text("model weight")
    expect(panel(page)).to_contain_text("/models/best.pt")
    expect(panel(page).get_by_role("link", name="Open Folder")).to_have_class(re.compile("primary"))
    expect(panel(page).get_by_role("heading", name="Upstream")).to_contain_text(re.compile(r"\d+ cards"))
    panel(page).get_by_role("button", name="Train", exact=True).click()
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("Train")
    expect(card(page, "Train")).to_have_class(re.compile("selected"))
    page.keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()
    assert "card" not in query_of(page)


def test_the_lineage_of_a_selected_card_is_highlighted(open_graph, expect):
    """Cards upstream and downstream are marked, others are not."""
    page = open_graph()
    card(page, "Evaluate").click()
    expect(card(page, "Train")).to_have_class(re.compile("related"))
    expect(card(page, "report.html")).to_have_class(re.compile("related"))
    expect(card(page, "Label")).not_to_have_class(re.compile("related"))


def test_a_focus_limits_the_graph(open_graph, expect):
    """Only what is downstream of a run is shown; a line says so, with a button that shows all."""
    page = open_graph("/task/6")
    card(page, "Deploy").click()
    panel(page).get_by_role("button", name="Downstream", exact=True).click()
    expect(card(page, "Folder /alarms")).to_have_count(1)
    expect(card(page, "best.pt")).to_have_count(0)
    expect(page.get_by_text("Only downstream of “Deploy”")).to_be_visible()
    page.get_by_role("button", name="Show the whole graph").click()
    expect(card(page, "best.pt")).to_have_count(1)
    page.go_back()
    expect(card(page, "Folder /alarms")).to_have_count(1)


def test_cards_are_found_by_name(open_graph, expect):
    """After slash, a few letters and Enter the card is selected and in sight; also by a misspelled word, in a cluster,
    and by a file that is dropped on the box.
    """
    page = open_graph("/workspace/1")
    page.keyboard.press("/")
    page.keyboard.type("alarm")
    expect(page.get_by_role("option").first).to_contain_text("Folder /alarms")
    page.keyboard.press("Enter")
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("Folder /alarms")
    expect(card(page, "Folder /alarms")).to_be_in_viewport()
    for words, option in (("nothing like it", "No matching card"), ("bset.pt", "best.pt"), ("exports 3.tar", "3.tar")):
        page.keyboard.press("/")
        page.keyboard.press("Control+A")
        page.keyboard.type(words)
        expect(page.get_by_role("option").first).to_contain_text(option)
    page.keyboard.press("Enter")
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("Project Archive")
    page.evaluate(DROP, [1, 2, 3])
    expect(page.get_by_role("combobox", name="Find in the graph")).to_have_value(hashlib.sha256(b"\1\2\3").hexdigest())


def test_the_graph_is_filtered_by_type_app_and_day(open_graph, expect):
    """The address holds the filters, a chip removes one; if no card matches, the page says so, with a button to clear
    them. An arrow past hidden cards says so under the pointer, and a click on it leads to its far end.
    """
    page = open_graph("/workspace/1")
    page.get_by_text("Filter", exact=True).click()
    page.get_by_role("checkbox", name="Train").check()
    expect(page.locator("article.task")).to_have_count(1)
    expect(card(page, "best.pt")).to_have_count(1)
    page.get_by_role("checkbox", name="runs", exact=False).first.check()
    expect(card(page, "best.pt")).to_have_count(0)
    assert query_of(page)["app"] == ["Train"]
    assert query_of(page)["kind"] == ["task"]
    expect(page.locator(".focus-bar strong")).to_have_text(re.compile(r"^1 of \d\d$"))
    page.get_by_role("checkbox", name="model weights").check()
    page.get_by_role("checkbox", name="projects").check()
    page.get_by_role("button", name="Remove the filter Runs").click()
    expect(page.locator("article.task")).to_have_count(0)
    page.keyboard.press("Escape")
    wait_until_still(page)
    lemons, weights = card(page, "Lemons").bounding_box(), card(page, "best.pt").bounding_box()
    x = (lemons["x"] + lemons["width"] + weights["x"]) / 2
    page.mouse.move(x, sum(box["y"] + box["height"] / 2 for box in (lemons, weights)) / 2)
    expect(page.locator(".arrow-label")).to_have_text("Lemons → best.pt: by way of cards that a filter hides")
    page.mouse.down()
    page.mouse.up()
    expect(panel(page).get_by_role("heading", level=2)).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_text("Filter (on)", exact=True).click()
    page.get_by_label("From").fill("2030-01-01")
    expect(page.get_by_role("heading", name="No matches")).to_be_visible()
    page.get_by_role("button", name="Clear filters").last.click()
    expect(card(page, "best.pt")).to_have_count(1)
    assert "app" not in query_of(page)


def test_weights_of_other_runs_stay_apart_under_a_filter(open_graph, lineage, expect):
    """Six weights of three runs are six cards, each with the arrow from its own run alone."""
    workspace = lineage.filled.call("workspaces.add", teamId=1, name=f"Weights {lineage.runs}")["id"]
    project = lineage.filled.call("projects.add", workspaceId=workspace, name="Pears")["id"]
    for number in range(3):
        files = [lineage.filled.file(f"/weights/{lineage.runs}/{number}-{n}.pt")["id"] for n in range(2)]
        lineage.run("Fit pears", reads=[("project", project)], writes=[("model_weight", file) for file in files])
    page = open_graph(f"/project/{project}?app=Fit+pears")
    expect(page.locator("article.task")).to_have_count(3)
    expect(page.locator("article.model_weight")).to_have_count(6)
    page.get_by_role("button", name="Table").click()
    expect(page.locator("tbody tr").filter(has_text="model weight")).to_have_count(6)


def test_the_camera_moves_by_mouse(open_graph, expect):
    """Dragging pans, the wheel zooms at the pointer, buttons zoom and show all."""
    page = open_graph()
    before = position(page, "Lemons")
    page.mouse.move(700, 150)
    page.mouse.down()
    page.mouse.move(800, 190, steps=4)
    page.mouse.up()
    assert position(page, "Lemons") == (before[0] + 100, before[1] + 40)
    expect(panel(page)).to_be_hidden()  # a drag is not a click
    x, y = position(page, "Lemons")
    page.mouse.move(x, y)
    page.mouse.wheel(0, -240)
    wait_until_still(page)
    assert position(page, "Lemons") == pytest.approx((x, y), abs=2)
    zoomed = scale_of(page)
    page.get_by_role("button", name="Zoom out").click()
    wait_until_still(page)
    assert scale_of(page) < zoomed
    page.get_by_role("button", name="Show all", exact=True).click()
    expect(page.locator(".scale span").first).not_to_have_text(f"{zoomed}%")
    page.get_by_role("button", name="Full size").click()
    expect(page.locator(".scale span").first).to_have_text("100%")


def test_the_graph_works_by_keyboard(open_graph, expect):
    """Tab reaches the entry, arrow keys follow arrows, F focuses, Escape goes back, Enter opens the link."""
    page = open_graph()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('article')"):
            break
    focused = page.locator("article:focus .name")
    expect(focused).to_have_text("Lemons")
    page.keyboard.press("ArrowLeft")
    expect(focused).to_have_text("Import")
    page.keyboard.press("ArrowRight")
    expect(focused).to_have_text("Lemons")
    page.keyboard.press("ArrowRight")
    first = focused.inner_text()
    page.keyboard.press("ArrowDown")
    expect(focused).not_to_have_text(first)
    card(page, "Import").focus()
    page.keyboard.press("Space")
    expect(panel(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()
    expect(focused).to_have_text("Import")
    page.keyboard.press("f")
    expect(page.get_by_text("Only paths through")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Only paths through")).to_be_hidden()
    size = scale_of(page)
    page.keyboard.press("+")
    expect(page.locator(".scale span").first).not_to_have_text(f"{size}%")
    page.keyboard.press("1")
    expect(page.locator(".scale span").first).to_have_text("100%")
    page.locator("article[tabindex='0']").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/apps/sessions/*")


def test_the_address_holds_the_state(open_graph, expect):
    """A copied address shows the same card, camera, view and filters."""
    page = open_graph()
    card(page, "Train").click()
    page.mouse.move(600, 400)
    page.mouse.wheel(0, 240)
    wait_until_still(page)
    before = position(page, "Train")
    again = open_graph(page.url.removeprefix(origin_of(page)))
    expect(panel(again).get_by_role("heading", level=2)).to_have_text("Train")
    assert position(again, "Train") == pytest.approx(before, abs=2)
    page.get_by_role("button", name="Table").click()
    assert query_of(page)["view"] == ["table"]
    page.go_back()
    expect(page.get_by_role("table")).to_be_hidden()


def origin_of(page):
    url = urlsplit(page.url)
    return f"{url.scheme}://{url.netloc}"


def test_the_table_has_the_same_cards(open_graph, expect):
    """It is sorted by any column; a name leads to the card in the graph."""
    page = open_graph("/project/{project}?view=table")
    rows = page.locator("tbody tr")
    expect(rows.first).to_be_visible()
    assert rows.count() == 14
    page.get_by_role("button", name="Name").click()
    names = rows.locator("th button").all_inner_texts()
    assert names == sorted(names, key=str.lower)
    expect(page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("button", name="Evaluate").click()
    expect(card(page, "Evaluate")).to_be_in_viewport()
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("Evaluate")


@pytest.mark.parametrize(
    ("format_", "suffix", "start"),
    [
        ("SVG", "svg", b"<svg"),
        ("HTML", "html", b"<!DOCTYPE html>"),
        ("Mermaid", "mmd", b"flowchart"),
        ("DOT", "dot", b"digraph"),
        ("PNG", "png", b"\x89PNG"),
    ],
)
def test_the_graph_is_exported(open_graph, format_, suffix, start):
    """Each format is downloaded under the name of the workflow."""
    page = open_graph()
    page.locator("summary", has_text="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=format_, exact=True).click()
    assert download.value.suggested_filename == f"Workflow-for-project-Lemons.{suffix}"
    content = download.value.path().read_bytes()
    assert start in content[:200]


def test_a_new_run_appears_and_moves_nothing(open_graph, lineage, expect):
    """No element is created again, no card moves on the screen, and the selection stays."""
    page = open_graph("/workspace/1")
    card(page, "Label the hard ones").click()
    before = position(page, "Label the hard ones")
    page.evaluate("document.querySelector('article.selected').dataset.mark = 'same'")
    lineage.run("Fresh", reads=[("folder", "/labels")])
    expect(card(page, "Fresh")).to_have_count(1)
    assert position(page, "Label the hard ones") == before
    assert page.locator("article.selected").get_attribute("data-mark") == "same"


def test_a_hidden_page_does_not_poll(open_graph, lineage, expect):
    """It polls again at once when it becomes visible."""
    page = open_graph()
    sent = []
    page.on("request", lambda request: sent.append(request.url) if "changes" in request.url else None)
    hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});"
    page.evaluate(hide % "true" + "document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(3500)
    assert sent == []
    with page.expect_request("**/autoflow.changes"):
        page.evaluate(hide % "false" + "document.dispatchEvent(new Event('visibilitychange'))")


def test_a_lost_server_is_reported(open_graph, expect):
    """The graph stays, under a line that disappears when the server answers again; a filter that was ticked meanwhile
    is applied then.
    """
    page = open_graph()
    page.route("**/autoflow.changes", lambda route: route.abort())
    open_graph.errors.clear()
    expect(page.get_by_text("The server cannot be reached")).to_be_visible()
    expect(card(page, "Lemons")).to_be_visible()
    page.route("**/autoflow.scene", lambda route: route.abort())
    page.get_by_text("Filter", exact=True).click()
    with page.expect_event("requestfailed", lambda request: "changes" in request.url):
        page.get_by_role("checkbox", name="runs", exact=False).first.check()
    page.unroute("**/autoflow.changes")
    page.unroute("**/autoflow.scene")
    page.get_by_role("button", name="Try now").click()
    expect(page.get_by_text("The server cannot be reached")).to_be_hidden()
    expect(page.locator(".focus-bar strong")).to_be_visible()
    open_graph.errors.clear()


def test_an_unknown_project_is_reported(open_graph, expect):
    """The page shows the server's message and a link to the start page."""
    page = open_graph("/project/99999")
    expect(page.get_by_role("alert")).to_contain_text("99999")
    page.get_by_role("link", name="To the start").click()
    page.wait_for_url("**/")
    open_graph.errors.clear()


def test_an_empty_workspace_says_how_to_begin(open_graph, lineage, expect):
    """Without runs the page shows an example of one."""
    number = lineage.filled.call("workspaces.add", teamId=1, name=f"Bare {lineage.runs}")["id"]
    page = open_graph(f"/workspace/{number}")
    expect(page.get_by_role("heading", name="No runs yet")).to_be_visible()
    expect(page.get_by_text("@workflow_input")).to_be_visible()
    expect(page.get_by_text("has a store of its own in .demo")).to_be_visible()


def test_the_whole_graph_is_printed(open_graph):
    """Printed, the page has all cards in light colours, on pages of its own, whatever is in sight."""
    page = open_graph("/project/{project}?at=0,0,2", color_scheme="dark")
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    keys = page.locator(".print-page article .name").all_inner_texts()
    assert {"Lemons", "Train", "Before training", "best.pt", "Label the hard ones"} <= set(keys)
    assert len(keys) == 14
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.theme ?? ''") == ""


def test_the_minimap_moves_the_camera(open_graph):
    """A click moves the camera there."""
    page = open_graph()
    page.get_by_role("button", name="Full size").click()
    wait_until_still(page)
    before = position(page, "Lemons")
    box = page.locator(".minimap").bounding_box()
    page.mouse.click(box["x"] + box["width"] - 12, box["y"] + box["height"] / 2)
    wait_until_still(page)
    assert card(page, "Lemons").count() == 0 or position(page, "Lemons")[0] < before[0] - 300


def test_small_cards_are_painted(open_graph, expect):
    """Zoomed out, cards are reduced to their titles, at the same size; then they are painted, failed runs in red."""
    page = open_graph("/workspace/1?clusters=no", viewport={"width": 1000, "height": 800}, reduced_motion="reduce")
    expect(page.locator(".minimap")).to_be_hidden()  # all is in sight
    expect(page.locator(".frame.compact")).to_have_count(1)
    name = card(page, "best.pt").locator(".name")
    expect(card(page, "best.pt").locator(".second")).to_be_hidden()
    pixels = name.evaluate("name => parseFloat(getComputedStyle(name).fontSize)") * scale_of(page) / 100
    assert pixels >= 11.8
    for _ in range(6):
        page.keyboard.press("-")
    expect(page.locator(".frame.far")).to_have_count(1)
    expect(page.locator("article.node")).to_have_count(1)
    assert page.locator(".paint").evaluate(RED_PIXELS) > 10


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/project/{project}", "/project/{project}?view=table", "/workspace/1?card=task:2"])
def test_the_graph_is_accessible(open_graph, violations, path, theme):
    """Axe reports nothing in either theme, nor with a menu open."""
    page = open_graph(path, color_scheme=theme, bypass_csp=True)
    page.wait_for_load_state("networkidle")
    assert violations(page) == []
    page.get_by_text("Filter", exact=True).click()
    assert violations(page) == []


@pytest.mark.parametrize(
    "path", ["/project/99999", "/workspace/1?kind=job&app=None", "/project/{project}?focus=both~task:2"]
)
def test_empty_graphs_are_accessible(open_graph, violations, path):
    """Axe reports nothing for an error, for filters without a match and for a focus."""
    page = open_graph(path, bypass_csp=True)
    open_graph.errors.clear()
    assert violations(page) == []


def test_a_phone_shows_the_graph(open_graph, expect, violations):
    """At 390 pixels the page does not scroll sideways; the panel opens at the bottom."""
    page = open_graph(viewport=NARROW, bypass_csp=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    card(page, "Lemons").click()
    expect(panel(page)).to_be_visible()
    box = panel(page).bounding_box()
    assert (box["x"], box["width"]) == (0, 390)
    assert box["y"] > 300
    expect(card(page, "Lemons").locator(".name")).to_be_in_viewport()
    assert violations(page) == []


def test_the_theme_is_stored(open_graph):
    """The button switches from system to light to dark; the choice survives a reload."""
    page = open_graph(color_scheme="light")
    background = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(background)
    page.get_by_role("button", name="Colours").click()
    page.get_by_role("button", name="Colours").click()
    dark = page.evaluate(background)
    assert dark != light
    page.reload()
    page.wait_for_selector("article")
    assert page.evaluate(background) == dark


def test_reduced_motion_is_respected(open_graph, expect):
    """With reduced motion the camera jumps instead of flying."""
    page = open_graph(reduced_motion="reduce")
    frames = page.evaluate(
        """async () => {
            document.querySelector('[aria-label="Zoom in"]').click();
            const shown = () => document.querySelector('.world').style.transform;
            await new Promise(requestAnimationFrame); await new Promise(requestAnimationFrame);
            const first = shown();
            await new Promise((done) => setTimeout(done, 300));
            return [first, shown()];
        }"""
    )
    assert frames[0] == frames[1]
