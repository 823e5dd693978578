"""Which app each case is about."""

from __future__ import annotations

from typing import Any

from tests.apps.written import exports, guide, models, projects

APPS: dict[str, Any] = {
    "apply-nn-to-videos_both": projects.label_project,
    "convert-supervisely-to-yolov5_rawdict": exports.convert_supervisely_to_yolov5,
    "data-commander_pairs": projects.data_commander,
    "data-versioning_create": projects.data_versioning,
    "data-versioning_create-nochange": projects.data_versioning,
    "data-versioning_restore": projects.data_versioning,
    "doc-example_as-written": guide.as_written,
    "doc-example_fixed-import": guide.example,
    "doc-example_nothing": guide.example,
    "export-as-masks_dataset": exports.export_as_masks,
    "export-to-coco_file-by-id": exports.export_to_coco,
    "export-to-coco_file-none": exports.export_to_coco,
    "export-to-coco_fileinfo": exports.export_to_coco,
    "filter-images_copy": projects.filter_images,
    "filter-images_inplace": projects.filter_images,
    "filter-images_output-str": projects.filter_images,
    "import-images_output": projects.import_images,
    "import-pointcloud-episode_loop": projects.import_pointcloud_episode,
    "import-videos-by-urls_dataset": projects.import_videos,
    "import-videos-from-cloud_dedupe": projects.import_videos,
    "model-benchmark_compare-reports": models.benchmark_compare,
    "model-benchmark_evaluate": models.benchmark_evaluate,
    "nn-image-labeling-project_both": projects.label_project,
    "sdk-trainapp_custom": models.train_template,
    "serve-mmsegmentation_custom": models.serve_mmsegmentation,
    "serve-yolov8_pretrained-name": models.serve_yolov8,
    "sys-clone-project_project": projects.sys_clone_project,
    "train-mmdetection_custom-weights": models.train_mmdetection,
    "train-mmdetection_no-best": models.train_mmdetection,
    "train-mmdetection_state-none": models.train_mmdetection,
    "train-mmsegmentation_report": models.train_mmsegmentation,
    "train-yolov8_full": models.train_yolov8,
    "train-yolov8_no-weights": models.train_yolov8,
}
