"""The pages of a project's data and of an image, as a person uses them."""

from __future__ import annotations

import re
import time

import pytest
from sqlalchemy import insert, update

from autoflow.server.db.schema import items, projects
from tests.server.ui.demo_project import labels, wait_for

# A pixel of each label of the first image, and its colour.
LABEL_PIXELS = {
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


def colour(canvas, pixel):
    return canvas.evaluate(COLOUR, [*pixel, 200, 150])


def wait_for_colour(page, canvas, pixel, expected):
    """Wait until a label is drawn; masks are decoded in the background."""
    for _ in range(100):
        *rgb, alpha = colour(canvas, pixel)
        if alpha > 40 and all(abs(value - other) <= 12 for value, other in zip(rgb, expected, strict=True)):
            return
        page.evaluate("new Promise(requestAnimationFrame)")
    pytest.fail(f"{rgb} at {pixel}, not {expected}")


def test_a_project_shows_its_data(open_page, demo_project, expect):
    """Datasets as a tree with counts, images with their number of labels, classes and tags with their use, runs."""
    page = open_page(f"/projects/{demo_project.project}")
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
        "href", f"/project/{demo_project.project}"
    )
    side.get_by_role("link", name="row 1").click()
    expect(page.locator(".grid li")).to_have_count(3)
    assert page.url.endswith(f"/projects/{demo_project.project}/datasets/{demo_project.row}")


def test_labels_are_drawn_on_the_images_of_a_grid(open_page, demo_project, expect):
    """Every shape is drawn in the colour of its class; a hidden class is not drawn."""
    page = open_page(f"/projects/{demo_project.project}")
    canvas = page.get_by_role("link", name="lemon 0.png").locator("canvas")
    for pixel, expected in LABEL_PIXELS.values():
        wait_for_colour(page, canvas, pixel, expected)
    page.get_by_label("Show lemon").uncheck()
    canvas = page.get_by_role("link", name="lemon 0.png").locator("canvas")
    wait_for_colour(page, canvas, *LABEL_PIXELS["polygon"])
    assert colour(canvas, LABEL_PIXELS["rectangle"][0])[3] == 0
    page.get_by_label("Labels", exact=True).uncheck()
    expect(page.locator(".grid canvas")).to_have_count(0)


def test_images_are_filtered_by_name_and_labels(open_page, demo_project, expect):
    """The address holds the filters, so that it can be shared."""
    page = open_page(f"/projects/{demo_project.project}")
    page.get_by_label("Find images by name").fill("LEMON 1")
    expect(page.locator(".grid li")).to_have_count(1)
    page.get_by_label("Which images").select_option("With labels")
    expect(page.locator(".grid li")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?q=LEMON\+1&labeled=yes$"))
    page.reload()
    expect(page.locator(".grid li")).to_have_count(1)
    page.get_by_label("Find images by name").fill("nothing")
    expect(page.get_by_role("heading", name="No image matches")).to_be_visible()


@pytest.fixture(scope="module")
def many(demo_project):
    """A project of 100,000 images, inserted as rows."""
    filled = demo_project.filled
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


def test_a_hundred_thousand_images_can_be_browsed(open_page, many, expect):
    """Only images in view are in the document; End goes to the last; the address holds the position."""
    page = open_page(f"/projects/{many}")
    first = page.get_by_role("link", name="image 000000")
    first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("link", name="image 000001")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("link", name="image 099999")).to_be_focused()
    assert page.locator(".grid li").count() < 150
    wait_for(page, "location.search.includes('at=')")
    page.reload()
    expect(page.get_by_role("link", name="image 099999")).to_be_visible()
    assert page.locator(".grid li").last.get_attribute("aria-setsize") == "100000"


def test_an_image_shows_its_labels_at_any_scale(open_page, demo_project, expect):
    """Buttons and keys zoom and pan; each label can be hidden."""
    page = open_page(f"/images/{demo_project.images[0]}")
    field = page.locator(".field")
    zoom = page.locator(".tools [role=status]")
    expect(field).to_have_attribute("data-labels", "6")
    canvas = field.locator("canvas")
    for pixel, expected in LABEL_PIXELS.values():
        wait_for_colour(page, canvas, pixel, expected)
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
    assert colour(canvas, LABEL_PIXELS["rectangle"][0])[3] == 0


def test_an_image_shows_what_was_made_from_it(open_page, demo_project, expect):
    """The versions that hold it, and the models, other data and runs behind these, each with a link."""
    filled = demo_project.filled
    project = filled.project("Impact")
    dataset = filled.dataset(project)
    image = demo_project.image(dataset, 14)
    version = filled.snapshot(project)["id"]
    model = filled.file("/impact/best.pt")["id"]
    filled.send(filled.record("run", "impact", name="Train on one image"))
    for direction, kind, number in (("input", "project_version", version), ("output", "model_weight", model)):
        entity = {"type": kind, "id": number, "origin": ""}
        filled.send(filled.record("edge", "impact", direction=direction, entity=entity, at=time.time_ns()))
    page = open_page(f"/images/{image}")
    panel = page.locator("section.panel", has=page.get_by_role("heading", name="Made from this image"))
    expect(panel.get_by_role("link", name="V1")).to_have_attribute("href", f"/projects/{project}/versions#v1")
    expect(panel.get_by_role("link", name="best.pt")).to_have_attribute("href", f"/file/{model}")
    expect(panel.get_by_role("link", name="Train on one image")).to_be_visible()
    page = open_page(f"/images/{demo_project.image(dataset, 15)}")
    expect(page.get_by_text("No version holds it, and no run has read it.")).to_be_visible()


def test_labels_of_a_class_are_hidden_together(open_page, demo_project, expect):
    """The checkbox of the class follows when its labels are hidden one by one."""
    dataset = demo_project.own("Three lemons")
    image = demo_project.image(dataset, 0)
    demo_project.label(dataset, image, [labels()[0]] * 3)
    page = open_page(f"/images/{image}")
    field = page.locator(".field")
    all_labels = page.get_by_label("Show all lemon")
    all_labels.uncheck()
    expect(field).to_have_attribute("data-labels", "0")
    page.get_by_label("rectangle 2 of lemon").check()
    expect(field).to_have_attribute("data-labels", "1")
    assert all_labels.evaluate("(box) => box.indeterminate")
    all_labels.check()
    expect(field).to_have_attribute("data-labels", "3")


def test_an_image_links_to_its_neighbours(open_page, demo_project, expect):
    """Keys lead to the next and previous image in the order of names; breadcrumbs lead up."""
    page = open_page(f"/images/{demo_project.images[1]}")
    expect(page.get_by_label("Neighbours")).to_contain_text("2 of 3")
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="lemon 2.png")).to_be_visible()
    expect(page.get_by_label("Neighbours").locator("[aria-disabled]")).to_have_text("Next")
    page.keyboard.press("p")
    expect(page.get_by_role("heading", name="lemon 1.png")).to_be_visible()
    page.get_by_label("Breadcrumbs").get_by_role("link", name="north").click()
    expect(page.locator(".grid li")).to_have_count(6)


def test_an_image_that_is_stored_elsewhere_says_so(open_page, demo_project, expect):
    """An image added by link shows its link instead of a picture."""
    images = [{"title": "far.png", "link": "https://example.com/far.png"}]
    number = demo_project.filled.call("images.bulk.add", datasetId=demo_project.own("Links"), images=images)[0]["id"]
    page = open_page(f"/images/{number}")
    expect(page.locator(".stage")).to_contain_text("https://example.com/far.png")
    expect(page.get_by_label("About the image")).to_contain_text("This image has no labels.")


def test_an_empty_project_explains_itself(open_page, demo_project, expect):
    """It has texts for no images, no datasets, no classes and no runs."""
    page = open_page(f"/projects/{demo_project.filled.project('Nothing yet')}")
    expect(page.get_by_role("heading", name="No images yet")).to_be_visible()
    for text in ("No datasets yet.", "No classes yet.", "No run has read or written it."):
        expect(page.get_by_text(text)).to_be_visible()
