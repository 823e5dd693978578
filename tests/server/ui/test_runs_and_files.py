"""The pages of a run, a file, a folder and a labeling job, by what a person sees and does."""

from __future__ import annotations

import hashlib
import re

from tests.server.ui.orchard import until


def test_a_run_says_how_it_ran(looking, orchard, expect):
    """Command, folder, commit, Python, parameters, packages; what it read and wrote; commands to copy."""
    page = looking(f"/apps/sessions/{orchard.training}")
    expect(page.locator(".head")).to_contain_text("Finished")
    expect(page.locator(".head")).to_contain_text("took")
    how = page.locator("section", has=page.get_by_role("heading", name="How it ran"))
    expect(how).to_contain_text("python train.py --epochs 20")
    expect(how).to_contain_text("a1b2c3d4e5f6")
    expect(how).to_contain_text("with changes that were not committed")
    expect(page.get_by_role("table", name="Parameters").get_by_role("row", name="epochs")).to_contain_text("20")
    page.get_by_text("Packages (2)").click()
    expect(page.get_by_role("table", name="Packages")).to_contain_text("torch")
    expect(page.get_by_text(f"autoflow reproduce task:{orchard.training} --run")).to_be_visible()
    inputs = page.locator("section", has=page.get_by_role("heading", name="Inputs (1)"))
    expect(inputs).to_contain_text("V1")
    outputs = page.locator("section", has=page.get_by_role("heading", name="Outputs (2)"))
    outputs.get_by_role("link", name="best.pt").click()
    expect(page.get_by_role("heading", name="best.pt")).to_be_visible()


def test_what_is_to_be_copied_is_copied(looking, orchard, expect):
    """The button beside a command puts it on the clipboard."""
    page = looking(f"/apps/sessions/{orchard.training}", permissions=["clipboard-read", "clipboard-write"])
    command = f"autoflow trace task:{orchard.training}"
    page.get_by_role("button", name=f"Copy: {command}").click()
    expect(page.get_by_role("status").filter(has_text="Copied")).to_have_count(1)
    assert page.evaluate("navigator.clipboard.readText()") == command


def test_a_log_is_live_while_it_runs(looking, orchard, expect):
    """New lines come by themselves, and when it ends its status does."""
    task = orchard.run("live", "Running now")
    filled = orchard.filled
    page = looking(f"/apps/sessions/{task}")
    expect(page.locator(".head")).to_contain_text("Running")
    expect(page.get_by_text("Nothing yet")).to_be_visible()
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


def test_a_long_log_is_read_from_its_end(looking, orchard, expect):
    """Earlier lines come at the push of a button, before those that are there."""
    task = orchard.run("long", "Long log")
    filled = orchard.filled
    filled.send(*(filled.record("log", run="long", lines=f"line {n:03d}") for n in range(150)))
    page = looking(f"/apps/sessions/{task}")
    log = page.get_by_role("log")
    expect(log).to_contain_text("line 149")
    expect(log).not_to_contain_text("line 049")
    page.get_by_role("button", name="Show earlier lines").click()
    expect(log).to_contain_text("line 000")
    assert log.inner_text().split() == [word for n in range(150) for word in ("line", f"{n:03d}")]
    expect(page.get_by_role("button", name="Show earlier lines")).to_be_hidden()


def test_a_run_that_failed_says_why(looking, orchard, expect):
    """The error stands first."""
    page = looking(f"/apps/1/sessions/{orchard.failed}")
    expect(page.get_by_role("region", name="Error")).to_contain_text("ValueError: no images")


def test_a_file_says_what_it_is_and_whose(looking, orchard, expect):
    """Size, sha256, the run that wrote it and the one that read it, and the files its path had before."""
    page = looking(f"/files/{orchard.weights}/true")
    expect(page.locator("#main")).to_contain_text(hashlib.sha256(b"new weights").hexdigest())
    written = page.locator("section", has=page.get_by_role("heading", name="Written by"))
    expect(written.get_by_role("link")).to_have_text("Train YOLO")
    read = page.locator("section", has=page.get_by_role("heading", name="Read by"))
    expect(read.get_by_role("link")).to_have_text("Evaluate")
    with page.expect_download() as told:
        page.get_by_role("link", name="Download").click()
    assert told.value.path().read_bytes() == b"new weights"
    page.get_by_role("link", name="1 of 2").click()
    expect(page.get_by_text("This is no longer the file at this path.")).to_be_visible()
    page.get_by_role("link", name="Open the one that took its place").click()
    expect(page).to_have_url(re.compile(f"/files/{orchard.weights}$"))


def test_small_files_are_looked_into(looking, orchard, expect):
    """A table as a table, JSON in order, a picture as a picture, a page as its text, never run."""
    page = looking(f"/files/{orchard.table}")
    rows = page.get_by_role("region", name="Table").get_by_role("row")
    expect(rows).to_have_text(["epochloss", "10.5", "20,25"])
    page.goto(f"/files/{orchard.report}")
    expect(page.locator("pre.look")).to_have_text('{\n  "mAP": 0.93\n}')
    page.goto(f"/files/{orchard.curve}")
    until(page, "document.querySelector('img.look')?.naturalWidth === 30")
    html = orchard.filled.file("/pages/x.html", b"<script>window.hurt=1</script><h1>hi</h1>")["id"]
    page.goto(f"/files/{html}")
    expect(page.locator("pre.look")).to_have_text("<script>window.hurt=1</script><h1>hi</h1>")
    assert page.evaluate("window.hurt") is None


def test_folders_lead_down_and_up(looking, orchard, expect):
    """A folder shows its folders and files and the runs that named it; the way up stands above."""
    page = looking("/files?path=/models/")
    expect(page.get_by_role("link", name="results.csv")).to_be_visible()
    expect(page.get_by_role("link", name="Train YOLO")).to_be_visible()
    page.get_by_role("link", name="plots").click()
    page.get_by_role("link", name="curve.png").click()
    expect(page.get_by_role("heading", name="curve.png")).to_be_visible()
    page.get_by_label("Breadcrumbs").get_by_role("link", name="models").click()
    expect(page.get_by_role("link", name="results.csv")).to_be_visible()


def test_a_job_says_what_is_to_be_labeled(looking, orchard, expect):
    """Status, people, project and dataset as links, and the first of its images."""
    page = looking(f"/labeling/jobs/{orchard.job}")
    expect(page.locator(".head")).to_contain_text("Pending")
    expect(page.get_by_text("Box each lemon.")).to_be_visible()
    expect(page.locator(".strip img")).to_have_count(3)
    page.get_by_role("link", name="north", exact=True).click()
    expect(page.get_by_role("heading", name="Lemon orchard")).to_be_visible()
