"""A project's data and an image's page, by what a person sees and does."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import insert, update

from autoflow.server.db.schema import items, projects
from tests.server.ui.orchard import labels, until

# Where the labels of the first image are, in its pixels, and what colour they have there: red, green, blue.
PLACES = {
    "rectangle": ((10, 25), (230, 167, 0)),
    "polygon": ((110, 25), (63, 163, 77)),
    "bitmap": ((150, 25), (176, 0, 32)),
    "alpha mask": ((30, 75), (91, 63, 214)),
    "line": ((90, 60), (16, 80, 192)),
    "point": ((150, 75), (0, 160, 160)),
}
COLOUR = """(canvas, [x, y, width, height]) => {
  const scale = Math.min(canvas.width / width, canvas.height / height);
  const [left, top] = [(canvas.width - width * scale) / 2, (canvas.height - height * scale) / 2];
  const [column, row] = [Math.round(left + x * scale), Math.round(top + y * scale)];
  return [...canvas.getContext("2d").getImageData(column, row, 1, 1).data];
}"""


def colour(canvas, place):
    return canvas.evaluate(COLOUR, [*place, 200, 150])


def wait_for_colour(page, canvas, place, wanted):
    """Wait until a label's colour is on the canvas: masks are read in the background."""
    for _ in range(100):
        *found, alpha = colour(canvas, place)
        if alpha > 40 and all(abs(one - other) <= 12 for one, other in zip(found, wanted, strict=True)):
            return
        page.evaluate("new Promise(requestAnimationFrame)")
    pytest.fail(f"{found} at {place}, not {wanted}")


def test_a_project_shows_its_data(looking, orchard, expect):
    """Datasets as a tree with counts, images with how many labels each has, classes and tags with theirs, its runs."""
    page = looking(f"/projects/{orchard.project}")
    side = page.get_by_label("About the project")
    expect(side.locator(".leaf", has_text="All images")).to_contain_text("6")
    expect(side.locator(".leaf", has_text="north")).to_contain_text("6")
    expect(side.locator(".tree .tree .leaf", has_text="row 1")).to_contain_text("3")
    expect(page.locator(".grid li")).to_have_count(6)
    expect(page.get_by_role("link", name="lemon 0.png")).to_contain_text("6 labels")
    expect(side.locator(".classes li", has_text="lemon")).to_have_text("lemonrectangle2")
    expect(side.locator(".classes li", has_text="ripe")).to_contain_text("3")
    expect(side.get_by_role("link", name="Import images")).to_be_visible()
    expect(page.get_by_role("link", name="Workflow", exact=True)).to_have_attribute(
        "href", f"/project/{orchard.project}"
    )
    side.get_by_role("link", name="row 1").click()
    expect(page.locator(".grid li")).to_have_count(3)
    assert page.url.endswith(f"/projects/{orchard.project}/datasets/{orchard.row}")


def test_labels_are_drawn_over_the_pictures_of_a_grid(looking, orchard, expect):
    """Every kind of label in its class's colour; a class that is switched off is not drawn."""
    page = looking(f"/projects/{orchard.project}")
    canvas = page.get_by_role("link", name="lemon 0.png").locator("canvas")
    for place, wanted in PLACES.values():
        wait_for_colour(page, canvas, place, wanted)
    page.get_by_label("Show lemon").uncheck()
    canvas = page.get_by_role("link", name="lemon 0.png").locator("canvas")
    wait_for_colour(page, canvas, *PLACES["polygon"])
    assert colour(canvas, PLACES["rectangle"][0])[3] == 0
    page.get_by_label("Labels", exact=True).uncheck()
    expect(page.locator(".grid canvas")).to_have_count(0)


def test_images_are_chosen_by_name_and_labels(looking, orchard, expect):
    """What is chosen stands in the address, so that it can be shared."""
    page = looking(f"/projects/{orchard.project}")
    page.get_by_label("Find images by name").fill("LEMON 1")
    expect(page.locator(".grid li")).to_have_count(1)
    page.get_by_label("Which images").select_option("With labels")
    expect(page.locator(".grid li")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?q=LEMON\+1&labeled=yes$"))
    page.reload()
    expect(page.locator(".grid li")).to_have_count(1)
    page.get_by_label("Find images by name").fill("nothing")
    expect(page.get_by_role("heading", name="No image is like that")).to_be_visible()


@pytest.fixture(scope="module")
def many(orchard):
    """A project of 100,000 images, as rows."""
    filled = orchard.filled
    project = filled.project("Very many")
    dataset = filled.dataset(project, "all")
    row = {
        "project_id": project,
        "dataset_id": dataset,
        "created_by": 1,
        "created_at": "",
        "updated_at": "",
        "valid_from": 1,
    }
    with filled.server._store.write() as conn:
        for start in range(0, 100_000, 10_000):
            conn.execute(insert(items), [{**row, "name": f"image {n:06d}"} for n in range(start, start + 10_000)])
        conn.execute(update(projects).where(projects.c.id == project).values(items_count=100_000))
    return project


def test_a_hundred_thousand_images_are_walked_through(looking, many, expect):
    """Only what is in view is in the page; the end is a key away; what is open stands in the address."""
    page = looking(f"/projects/{many}")
    first = page.get_by_role("link", name="image 000000")
    first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("link", name="image 000001")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("link", name="image 099999")).to_be_focused()
    assert page.locator(".grid li").count() < 150
    until(page, "location.search.includes('at=')")
    page.reload()
    expect(page.get_by_role("link", name="image 099999")).to_be_visible()
    assert page.locator(".grid li").last.get_attribute("aria-setsize") == "100000"


def test_an_image_shows_its_labels_at_any_zoom(looking, orchard, expect):
    """Buttons and keys zoom and move it; every label can be switched off alone or with its class."""
    page = looking(f"/images/{orchard.images[0]}")
    field = page.locator(".field")
    zoom = page.locator(".tools [role=status]")
    expect(field).to_have_attribute("data-labels", "6")
    canvas = field.locator("canvas")
    for place, wanted in PLACES.values():
        wait_for_colour(page, canvas, place, wanted)
    fitted = zoom.inner_text()
    field.focus()
    page.keyboard.press("1")
    expect(zoom).to_have_text("100 %")
    page.keyboard.press("+")
    expect(zoom).to_have_text("125 %")
    page.get_by_role("button", name="Fit the image").click()
    expect(zoom).to_have_text(fitted)
    page.get_by_label("rectangle 1 of lemon").uncheck()
    expect(field).to_have_attribute("data-labels", "5")
    assert colour(canvas, PLACES["rectangle"][0])[3] == 0


def test_labels_of_a_class_are_switched_together(looking, orchard, expect):
    """One box for all of them; it follows when they are switched one by one."""
    dataset = orchard.own("Three lemons")
    image = orchard.image(dataset, 0)
    orchard.label(dataset, image, [labels()[0]] * 3)
    page = looking(f"/images/{image}")
    field = page.locator(".field")
    whole = page.get_by_label("Show all lemon")
    whole.uncheck()
    expect(field).to_have_attribute("data-labels", "0")
    page.get_by_label("rectangle 2 of lemon").check()
    expect(field).to_have_attribute("data-labels", "1")
    assert whole.evaluate("(box) => box.indeterminate")
    whole.check()
    expect(field).to_have_attribute("data-labels", "3")


def test_an_image_knows_its_neighbours(looking, orchard, expect):
    """One key to the next and the one before, in the order of names; the way up stands above."""
    page = looking(f"/images/{orchard.images[1]}")
    expect(page.get_by_label("Neighbours")).to_contain_text("2 of 3")
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="lemon 2.png")).to_be_visible()
    expect(page.get_by_label("Neighbours").locator("[aria-disabled]")).to_have_text("Next")
    page.keyboard.press("p")
    expect(page.get_by_role("heading", name="lemon 1.png")).to_be_visible()
    page.get_by_label("Breadcrumbs").get_by_role("link", name="north").click()
    expect(page.locator(".grid li")).to_have_count(6)


def test_an_image_that_is_kept_elsewhere_says_so(looking, orchard, expect):
    """A link has no picture here."""
    images = [{"title": "far.png", "link": "https://example.com/far.png"}]
    number = orchard.filled.call("images.bulk.add", datasetId=orchard.own("Links"), images=images)[0]["id"]
    page = looking(f"/images/{number}")
    expect(page.locator(".stage")).to_contain_text("https://example.com/far.png")
    expect(page.get_by_label("About the image")).to_contain_text("This image has no labels.")


def test_a_project_without_anything_says_what_would_fill_it(looking, orchard, expect):
    """No images, no datasets, no classes, no runs."""
    page = looking(f"/projects/{orchard.filled.project('Nothing yet')}")
    expect(page.get_by_role("heading", name="No images yet")).to_be_visible()
    for words in ("No datasets yet.", "No classes yet.", "No run has read or written it."):
        expect(page.get_by_text(words)).to_be_visible()
