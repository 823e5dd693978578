"""The pages of a run, a file, a folder and a labeling job, as a person uses them."""

from __future__ import annotations

import hashlib
import re

from tests.server.ui.demo_project import wait_for


def test_a_run_shows_its_facts(open_page, demo_project, expect):
    """Command, code, parameters, results, links of the web alone, packages, inputs, outputs, and commands to copy."""
    page = open_page(f"/apps/sessions/{demo_project.training}")
    expect(page.locator(".head")).to_contain_text("Finished")
    expect(page.locator(".head")).to_contain_text("took")
    how = page.locator("section", has=page.get_by_role("heading", name="How it ran"))
    expect(how).to_contain_text("python train.py --epochs 20")
    expect(how).to_contain_text("a1b2c3d4e5f6")
    expect(how).to_contain_text("with uncommitted changes")
    expect(page.get_by_role("table", name="Parameters").get_by_role("row", name="epochs")).to_contain_text("20")
    results = page.locator("section", has=page.get_by_role("heading", name="Results"))
    expect(results).to_contain_text("0.61")
    expect(results.get_by_role("link")).to_have_attribute("href", "https://wandb.ai/a/b")
    page.get_by_text("Packages (2)").click()
    expect(page.get_by_role("table", name="Packages")).to_contain_text("torch")
    expect(page.get_by_text(f"autoflow reproduce task:{demo_project.training} --run")).to_be_visible()
    inputs = page.locator("section", has=page.get_by_role("heading", name="Inputs (1)"))
    expect(inputs).to_contain_text("V1")
    outputs = page.locator("section", has=page.get_by_role("heading", name="Outputs (2)"))
    outputs.get_by_role("link", name="best.pt").click()
    expect(page.get_by_role("heading", name="best.pt")).to_be_visible()


def test_a_command_is_copied(open_page, demo_project, expect):
    """The button beside a command puts the command on the clipboard."""
    page = open_page(f"/apps/sessions/{demo_project.training}", permissions=["clipboard-read", "clipboard-write"])
    command = f"autoflow trace task:{demo_project.training}"
    page.get_by_role("button", name=f"Copy: {command}").click()
    expect(page.get_by_role("status").filter(has_text="Copied")).to_have_count(1)
    assert page.evaluate("navigator.clipboard.readText()") == command


def test_a_running_runs_log_updates_itself(open_page, demo_project, expect):
    """New lines appear, and when the run ends its status changes."""
    task = demo_project.run("live", "Running now")
    filled = demo_project.filled
    page = open_page(f"/apps/sessions/{task}")
    expect(page.locator(".head")).to_contain_text("Running")
    expect(page.get_by_text("No lines yet")).to_be_visible()
    filled.send(filled.record("log", run="live", lines="first line"))
    log = page.get_by_role("log")
    expect(log).to_contain_text("first line")
    filled.send(filled.record("log", run="live", lines="second line"))
    expect(log).to_contain_text("second line")
    filled.edge("output", "folder", "/live", run="live")
    filled.send(filled.record("finish", run="live", state="finished"))
    expect(page.locator(".head")).to_contain_text("Finished")
    expect(page.get_by_role("link", name="/live")).to_be_visible()
    assert log.inner_text().split("\n")[0] == "first line"


def test_what_happens_while_the_page_loads_is_shown(chromium, site, demo_project, expect):
    """A line and the run's end arrive after the page has read both, and before it first asks for changes."""
    task = demo_project.run("loading", "Ends while loading")
    filled = demo_project.filled
    page = chromium.new_context(base_url=site.url).new_page()

    def read_then_change(route):
        response = route.fetch()
        filled.send(filled.record("log", run="loading", lines="too late"))
        filled.send(filled.record("finish", run="loading", state="finished"))
        route.fulfill(response=response)

    page.route("**/autoflow.overview.log", read_then_change, times=1)
    page.goto(f"/apps/sessions/{task}")
    expect(page.get_by_role("log")).to_contain_text("too late")
    expect(page.locator(".head")).to_contain_text("Finished")
    page.context.close()


def test_a_long_log_starts_at_its_end(open_page, demo_project, expect):
    """A button loads earlier lines above those shown."""
    task = demo_project.run("long", "Long log")
    filled = demo_project.filled
    filled.send(*(filled.record("log", run="long", lines=f"line {n:03d}") for n in range(150)))
    page = open_page(f"/apps/sessions/{task}")
    log = page.get_by_role("log")
    expect(log).to_contain_text("line 149")
    expect(log).not_to_contain_text("line 049")
    page.get_by_role("button", name="Show earlier lines").click()
    expect(log).to_contain_text("line 000")
    assert log.inner_text().split() == [word for n in range(150) for word in ("line", f"{n:03d}")]
    expect(page.get_by_role("button", name="Show earlier lines")).to_be_hidden()


def test_a_failed_run_shows_its_error(open_page, demo_project, expect):
    """The error comes first on the page."""
    page = open_page(f"/apps/1/sessions/{demo_project.failed}")
    expect(page.get_by_role("region", name="Error")).to_contain_text("ValueError: no images")


def test_a_file_shows_its_facts_and_runs(open_page, demo_project, expect):
    """Size, sha256, the run that wrote it, the run that read it, and the earlier file at its path."""
    page = open_page(f"/files/{demo_project.weights}/true")
    expect(page.locator("#main")).to_contain_text(hashlib.sha256(b"new weights").hexdigest())
    written = page.locator("section", has=page.get_by_role("heading", name="Written by"))
    expect(written.get_by_role("link")).to_have_text("Train YOLO")
    read = page.locator("section", has=page.get_by_role("heading", name="Read by"))
    expect(read.get_by_role("link")).to_have_text("Evaluate")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.path().read_bytes() == b"new weights"
    page.get_by_role("link", name="1 of 2").click()
    expect(page.get_by_text("Another file has replaced this one at its path.")).to_be_visible()
    page.get_by_role("link", name="Open the current file").click()
    expect(page).to_have_url(re.compile(f"/files/{demo_project.weights}$"))


def test_small_files_have_a_preview(open_page, demo_project, expect):
    """CSV as a table, JSON indented, an image as an image, HTML as text that is never executed."""
    page = open_page(f"/files/{demo_project.table}")
    rows = page.get_by_role("region", name="Table").get_by_role("row")
    expect(rows).to_have_text(["epochloss", "10.5", "20,25"])
    page.goto(f"/files/{demo_project.report}")
    expect(page.locator("pre.preview")).to_have_text('{\n  "mAP": 0.93\n}')
    page.goto(f"/files/{demo_project.curve}")
    wait_for(page, "document.querySelector('img.preview')?.naturalWidth === 30")
    html = demo_project.filled.file("/pages/x.html", b"<script>window.hurt=1</script><h1>hi</h1>")["id"]
    page.goto(f"/files/{html}")
    expect(page.locator("pre.preview")).to_have_text("<script>window.hurt=1</script><h1>hi</h1>")
    assert page.evaluate("window.hurt") is None


def test_folders_can_be_walked(open_page, demo_project, expect):
    """A folder lists its folders and files and the runs that used it; breadcrumbs lead up."""
    page = open_page("/files?path=/models/")
    expect(page.get_by_role("link", name="results.csv")).to_be_visible()
    expect(page.get_by_role("link", name="Train YOLO")).to_be_visible()
    page.get_by_role("link", name="plots").click()
    page.get_by_role("link", name="curve.png").click()
    expect(page.get_by_role("heading", name="curve.png")).to_be_visible()
    page.get_by_label("Breadcrumbs").get_by_role("link", name="models").click()
    expect(page.get_by_role("link", name="results.csv")).to_be_visible()


def test_a_job_shows_its_images(open_page, demo_project, expect):
    """It shows its status, people, links to project and dataset, and its first images."""
    page = open_page(f"/labeling/jobs/{demo_project.job}")
    expect(page.locator(".head")).to_contain_text("Pending")
    expect(page.get_by_text("Box each lemon.")).to_be_visible()
    expect(page.locator(".strip img")).to_have_count(3)
    page.get_by_role("link", name="north", exact=True).click()
    expect(page.get_by_role("heading", name="Lemon orchard")).to_be_visible()
