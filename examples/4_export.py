"""Export: reads a project, and writes a COCO archive; the guide's minimal example with its pink archive card."""

import json
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from autoflow import Api, cards, workflow, workflow_input, workflow_output

TEAM = WORKSPACE = 1

api = Api.from_env()


@workflow_input("project")
def to_coco(project):
    """Return a COCO document with a box around each image, labeled with its digit, and the contents of the images."""
    coco = {"images": [], "annotations": [], "categories": [{"id": n + 1, "name": str(n)} for n in range(10)]}
    contents = {}
    for dataset in api.dataset.get_list(project.id):
        for image in api.image.get_list(dataset.id):
            name = f"{dataset.name}/{image.name}"
            size = {"width": image.width, "height": image.height}
            box = {"bbox": [0, 0, image.width, image.height], "area": image.width * image.height, "iscrowd": 0}
            category = int(image.tags[0]["value"]) + 1
            coco["images"].append({"id": image.id, "file_name": name, **size})
            coco["annotations"].append({"id": image.id, "image_id": image.id, "category_id": category, **box})
            contents[name] = api.image.download_bytes(image.id)
    return coco, contents


@workflow_output("file", card=cards.archive, title="Project Archive: {value.name}", description="COCO format",
                 icon_color="#ff4c9e", icon_bg_color="#ffe3ed")  # fmt: skip
def upload_archive(coco, contents, remote_path):
    """Upload images and annotations as one zip file."""
    with TemporaryDirectory() as folder:
        local = Path(folder) / "archive.zip"
        with zipfile.ZipFile(local, "w") as archive:
            archive.writestr("annotations/instances.json", json.dumps(coco))
            for name, content in contents.items():
                archive.writestr(f"images/{name}", content)
        return api.file.upload(TEAM, str(local), remote_path)


if __name__ == "__main__":
    with workflow("Export to COCO"):
        project = max((p for p in api.project.get_list(WORKSPACE) if p.name.startswith("digits")), key=lambda p: p.id)
        coco, contents = to_coco(project)
        file = upload_archive(coco, contents, f"/{project.name}/{project.name}_coco.zip")
        print(f"{len(contents)} images in {file.path}, {file.sizeb} bytes")
