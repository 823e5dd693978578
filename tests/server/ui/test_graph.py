"""The workflow's page by what a person sees and does."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from tests.server.ui.looks import asked, card, panel, place, rest, scale

NARROW = {"width": 390, "height": 844}
ENTRIES = ("project", "task", "workspace", "file")


@pytest.mark.parametrize("entry", ENTRIES)
def test_each_entry_shows_its_workflow(see, meadow, expect, entry):
    """Project, task, workspace and file; the card one came from is outlined, and the title says where one is."""
    number = {"project": meadow.project, "task": 2, "workspace": 1, "file": meadow.weights}[entry]
    page = see(f"/{entry}/{number}")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(f"^Workflow for {entry} "))
    if entry == "workspace":
        expect(page.locator("article.entry")).to_have_count(0)
    else:
        expect(page.locator("article.entry")).to_have_count(1)
        assert page.locator("article.entry").get_attribute("data-key").startswith(entry)
    expect(page).to_have_title(re.compile("Workflow for .* · autoflow"))


def test_cards_look_as_the_servers_do(see, expect, meadow):
    """Project with picture, link and date; version with its badge; run with state; file with the look it was given."""
    page = see()
    lemons = card(page, "Lemons")
    expect(lemons.locator("img")).to_have_js_property("complete", True)
    assert lemons.locator("img").evaluate("image => image.naturalWidth") > 0
    expect(lemons.get_by_role("link", name="Open Project")).to_have_attribute("href", f"/projects/{meadow.project}")
    expect(lemons.locator("time")).not_to_be_empty()
    expect(card(page, "(V1) Before training").locator(".badge")).to_have_text("V1")
    expect(card(page, "Evaluate").locator(".status.failed")).to_have_text("failed")
    expect(card(page, "best.pt").locator(".about")).to_contain_text("1.5 MB")
    expect(card(page, "Label the hard ones").get_by_role("link")).to_have_attribute(
        "href", re.compile("/labeling/jobs/")
    )
    files = card(page, "12 files").locator(".tile")
    assert files.evaluate("tile => tile.style.backgroundColor") == "rgb(217, 247, 228)"


def test_beyond_two_hops_there_is_more(see, expect):
    """From the project two arrows either way are shown; "+1 more" shows the next, and the back button hides it."""
    page = see("/task/2")
    expect(card(page, "Deploy")).to_have_count(1)
    expect(card(page, "Serve")).to_have_count(0)
    card(page, "Deploy").get_by_role("button", name="Show 1 more downstream").click()
    expect(card(page, "Folder /deployed")).to_have_count(1)
    assert asked(page)["expand"] == ["downstream~task:6"]
    page.go_back()
    expect(card(page, "Folder /deployed")).to_have_count(0)
    page.go_forward()
    expect(card(page, "Folder /deployed")).to_have_count(1)


def test_runs_alike_are_one_card_until_it_is_opened(see, expect):
    """Twelve exports are a card that says so; opened, they are twelve."""
    page = see()
    card(page, "12 runs of Export").get_by_role("button", name="Show all 12").click()
    expect(card(page, "12 runs of Export")).to_have_count(0)
    page.get_by_role("button", name="Show all", exact=True).click()
    page.keyboard.press("0")
    expect(page.locator(".scale span").first).not_to_have_text("80%")
    page.get_by_role("button", name="Table").click()
    expect(page.locator("tbody th", has_text="Export")).to_have_count(12)


def test_a_selected_card_tells_what_is_known(see, expect):
    """The panel has its facts, links, and how much lies before and after; Escape closes it."""
    page = see()
    card(page, "best.pt").click()
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("best.pt")
    expect(panel(page)).to_contain_text("model weight")
    expect(panel(page)).to_contain_text("/models/best.pt")
    expect(panel(page).get_by_role("link", name="Open Folder")).to_have_class(re.compile("primary"))
    expect(panel(page).get_by_role("heading", name="Came from")).to_contain_text(re.compile(r"\d+ cards"))
    panel(page).get_by_role("button", name="Train", exact=True).click()
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("Train")
    expect(card(page, "Train")).to_have_class(re.compile("selected"))
    page.keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()
    assert "card" not in asked(page)


def test_a_selected_cards_ways_stand_out(see, expect):
    """What led to it and what came of it is marked, what has nothing to do with it is not."""
    page = see()
    card(page, "Evaluate").click()
    expect(card(page, "Train")).to_have_class(re.compile("related"))
    expect(card(page, "report.html")).to_have_class(re.compile("related"))
    expect(card(page, "Label")).not_to_have_class(re.compile("related"))


def test_a_focus_shows_one_way_and_leads_back(see, expect):
    """Only downstream of a run; a line says so, with the way back to the whole."""
    page = see("/task/6")
    card(page, "Deploy").click()
    panel(page).get_by_role("button", name="Only downstream").click()
    expect(card(page, "Folder /alarms")).to_have_count(1)
    expect(card(page, "best.pt")).to_have_count(0)
    expect(page.get_by_text("Only what came of “Deploy”")).to_be_visible()
    page.get_by_role("button", name="Show the whole graph").click()
    expect(card(page, "best.pt")).to_have_count(1)
    page.go_back()
    expect(card(page, "Folder /alarms")).to_have_count(1)


def test_cards_are_found_by_their_words(see, expect):
    """The slash key, a few letters, Enter: the card is selected and in sight."""
    page = see("/workspace/1")
    page.keyboard.press("/")
    page.keyboard.type("alarm")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("Folder /alarms")
    expect(card(page, "Folder /alarms")).to_be_in_viewport()
    page.keyboard.press("/")
    page.keyboard.type("nothing like it")
    expect(page.get_by_role("option")).to_have_text("No card is called that")


def test_the_graph_is_narrowed_by_kind_app_and_day(see, expect):
    """Boxes and days in the filter's menu; the address says what is chosen; nothing left is said, with a way back."""
    page = see("/workspace/1")
    page.get_by_text("Filter", exact=True).click()
    page.get_by_role("checkbox", name="Train").check()
    expect(page.locator("article.task")).to_have_count(1)
    expect(card(page, "best.pt")).to_have_count(1)
    page.get_by_role("checkbox", name="runs", exact=False).first.check()
    expect(card(page, "best.pt")).to_have_count(0)
    assert asked(page)["app"] == ["Train"]
    assert asked(page)["kind"] == ["task"]
    page.get_by_label("From").fill("2030-01-01")
    expect(page.get_by_role("heading", name="No card fits the filters")).to_be_visible()
    page.get_by_role("button", name="Clear filters").last.click()
    expect(card(page, "best.pt")).to_have_count(1)
    assert "app" not in asked(page)


def test_weights_of_other_runs_stay_apart_under_a_filter(see, meadow, expect):
    """Six weights of three runs are six cards, each with the arrow from its own run alone."""
    workspace = meadow.filled.call("workspaces.add", teamId=1, name=f"Weights {meadow.runs}")["id"]
    project = meadow.filled.call("projects.add", workspaceId=workspace, name="Pears")["id"]
    for number in range(3):
        files = [meadow.filled.file(f"/weights/{meadow.runs}/{number}-{n}.pt")["id"] for n in range(2)]
        meadow.run("Fit pears", reads=[("project", project)], writes=[("model_weight", file) for file in files])
    page = see(f"/project/{project}?app=Fit+pears")
    expect(page.locator("article.task")).to_have_count(3)
    expect(page.locator("article.model_weight")).to_have_count(6)
    page.get_by_role("button", name="Table").click()
    expect(page.locator("tbody tr").filter(has_text="model weight")).to_have_count(6)


def test_the_camera_moves_by_hand(see, expect):
    """Dragging moves, the wheel zooms at the pointer, buttons zoom, and one of them shows all."""
    page = see()
    before = place(page, "Lemons")
    page.mouse.move(700, 150)
    page.mouse.down()
    page.mouse.move(800, 190, steps=4)
    page.mouse.up()
    assert place(page, "Lemons") == (before[0] + 100, before[1] + 40)
    expect(panel(page)).to_be_hidden()  # a drag is no click
    x, y = place(page, "Lemons")
    page.mouse.move(x, y)
    page.mouse.wheel(0, -240)
    rest(page)
    assert place(page, "Lemons") == pytest.approx((x, y), abs=2)
    zoomed = scale(page)
    page.get_by_role("button", name="Zoom out").click()
    rest(page)
    assert scale(page) < zoomed
    page.get_by_role("button", name="Show all", exact=True).click()
    expect(page.locator(".scale span").first).not_to_have_text(f"{zoomed}%")
    page.get_by_role("button", name="Full size").click()
    expect(page.locator(".scale span").first).to_have_text("100%")


def test_the_keyboard_alone_is_enough(see, expect):
    """Tab to the card one came from, arrows along the arrows, F for the focus, Escape back, Enter to open."""
    page = see()
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
    expect(page.get_by_text("Only the ways through")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Only the ways through")).to_be_hidden()
    size = scale(page)
    page.keyboard.press("+")
    expect(page.locator(".scale span").first).not_to_have_text(f"{size}%")
    page.keyboard.press("1")
    expect(page.locator(".scale span").first).to_have_text("100%")
    page.locator("article[tabindex='0']").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/apps/sessions/*")


def test_the_address_holds_what_is_seen(see, expect):
    """A copied address shows the same card, camera, view and choices."""
    page = see()
    card(page, "Train").click()
    page.mouse.move(600, 400)
    page.mouse.wheel(0, 240)
    rest(page)
    where = place(page, "Train")
    again = see(page.url.removeprefix(see_root(page)))
    expect(panel(again).get_by_role("heading", level=2)).to_have_text("Train")
    assert place(again, "Train") == pytest.approx(where, abs=2)
    page.get_by_role("button", name="Table").click()
    assert asked(page)["view"] == ["table"]
    page.go_back()
    expect(page.get_by_role("table")).to_be_hidden()


def see_root(page):
    where = urlsplit(page.url)
    return f"{where.scheme}://{where.netloc}"


def test_the_table_has_the_same_cards(see, expect):
    """Sorted by any column; a name leads into the graph."""
    page = see("/project/{project}?view=table")
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
    ("form", "suffix", "begins"),
    [
        ("SVG", "svg", b"<svg"),
        ("HTML", "html", b"<!DOCTYPE html>"),
        ("Mermaid", "mmd", b"flowchart"),
        ("DOT", "dot", b"digraph"),
        ("PNG", "png", b"\x89PNG"),
    ],
)
def test_the_graph_can_be_taken_away(see, form, suffix, begins):
    """Each form is downloaded under the workflow's name."""
    page = see()
    page.locator("summary", has_text="Export").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name=form, exact=True).click()
    assert waiting.value.suggested_filename == f"Workflow-for-project-Lemons.{suffix}"
    content = waiting.value.path().read_bytes()
    assert begins in content[:200]


def test_a_new_run_comes_by_itself_and_moves_nothing(see, meadow, expect):
    """While somebody looks: no card is made anew, none moves on the screen, and the selected stays selected."""
    page = see("/workspace/1")
    card(page, "Label the hard ones").click()
    before = place(page, "Label the hard ones")
    page.evaluate("document.querySelector('article.selected').dataset.mark = 'same'")
    meadow.run("Fresh", reads=[("folder", "/labels")])
    expect(card(page, "Fresh")).to_have_count(1)
    assert place(page, "Label the hard ones") == before
    assert page.locator("article.selected").get_attribute("data-mark") == "same"


def test_a_page_nobody_sees_asks_nothing(see, meadow, expect):
    """A hidden page stops asking for changes, and asks at once when it is seen again."""
    page = see()
    sent = []
    page.on("request", lambda request: sent.append(request.url) if "changes" in request.url else None)
    hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});"
    page.evaluate(hide % "true" + "document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(3500)
    assert sent == []
    with page.expect_request("**/autoflow.changes"):
        page.evaluate(hide % "false" + "document.dispatchEvent(new Event('visibilitychange'))")


def test_a_lost_server_is_said(see, expect):
    """What was last seen stays, under a line that says so; it goes when the server answers again."""
    page = see()
    page.route("**/autoflow.changes", lambda route: route.abort())
    see.wrong.clear()
    expect(page.get_by_text("The server cannot be reached")).to_be_visible()
    expect(card(page, "Lemons")).to_be_visible()
    page.unroute("**/autoflow.changes")
    expect(page.get_by_text("The server cannot be reached")).to_be_hidden()
    see.wrong.clear()


def test_what_is_not_there_is_said(see, expect):
    """An unknown project is told in the server's words, with a way on."""
    page = see("/project/99999")
    expect(page.get_by_role("alert")).to_contain_text("99999")
    page.get_by_role("link", name="To the start").click()
    page.wait_for_url("**/")
    see.wrong.clear()


def test_an_empty_workspace_says_how_to_begin(see, meadow, expect):
    """Without a run there is an example of one."""
    number = meadow.filled.call("workspaces.add", teamId=1, name=f"Bare {meadow.runs}")["id"]
    page = see(f"/workspace/{number}")
    expect(page.get_by_role("heading", name="No runs yet")).to_be_visible()
    expect(page.get_by_text("@workflow_input")).to_be_visible()
    expect(page.get_by_text("keeps its own store in .demo")).to_be_visible()


def test_the_map_shows_where_one_is_and_leads_elsewhere(see):
    """A click in it moves the camera there."""
    page = see()
    page.get_by_role("button", name="Full size").click()
    rest(page)
    before = place(page, "Lemons")
    box = page.locator(".minimap").bounding_box()
    page.mouse.click(box["x"] + box["width"] - 12, box["y"] + box["height"] / 2)
    rest(page)
    assert card(page, "Lemons").count() == 0 or place(page, "Lemons")[0] < before[0] - 300


def test_far_away_cards_are_painted(see, expect):
    """Too small to be read, cards are no elements; a click on one selects it, and it is reached by Tab still."""
    page = see("/workspace/1?clusters=no")
    for _ in range(6):
        page.keyboard.press("-")
    expect(page.locator(".frame.far")).to_have_count(1)
    expect(page.locator("article.node")).to_have_count(1)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/project/{project}", "/project/{project}?view=table", "/workspace/1?card=task:2"])
def test_no_rule_of_accessibility_is_broken(see, violations, path, theme):
    """Axe finds nothing, in light and in dark; with the menus open too."""
    page = see(path, color_scheme=theme)
    page.wait_for_load_state("networkidle")
    assert violations(page) == []
    page.get_by_text("Filter", exact=True).click()
    assert violations(page) == []


@pytest.mark.parametrize(
    "path", ["/project/99999", "/workspace/1?kind=job&app=None", "/project/{project}?focus=both~task:2"]
)
def test_no_rule_is_broken_where_there_is_little(see, violations, path):
    """Nor by errors, by nothing that fits, or by a focus."""
    page = see(path)
    see.wrong.clear()
    assert violations(page) == []


def test_a_phone_shows_it_too(see, expect, violations):
    """At 390 pixels nothing is wider than the screen; the selected card's facts come up from below."""
    page = see(viewport=NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    card(page, "Lemons").click()
    expect(panel(page)).to_be_visible()
    box = panel(page).bounding_box()
    assert (box["x"], box["width"]) == (0, 390)
    assert box["y"] > 300
    expect(card(page, "Lemons").locator(".name")).to_be_in_viewport()
    assert violations(page) == []


def test_colours_are_chosen_and_kept(see):
    """The button goes from the system's colours to light to dark; the choice outlives the page."""
    page = see(color_scheme="light")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Colours").click()
    page.get_by_role("button", name="Colours").click()
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    page.wait_for_selector("article")
    assert page.evaluate(ground) == dark


def test_who_wants_no_movement_gets_none(see, expect):
    """With reduced motion the camera is where it goes at once."""
    page = see(reduced_motion="reduce")
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
