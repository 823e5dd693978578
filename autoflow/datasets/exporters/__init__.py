"""Labels of images as files of other formats: COCO's, YOLO's and Pascal VOC's."""

from __future__ import annotations

from autoflow.datasets.exporters.base import Exporter
from autoflow.datasets.exporters.coco import CocoExporter
from autoflow.datasets.exporters.voc import VocExporter
from autoflow.datasets.exporters.yolo import YoloExporter

EXPORTERS: dict[str, type[Exporter]] = {
    exporter.name: exporter for exporter in (CocoExporter, YoloExporter, VocExporter)
}
"""The formats by name."""
