"""Names of methods (``/public/api/v3/<method>``), and the oldest versions of an instance that have them."""

from __future__ import annotations

PATH = "/public/api/v3/"

INSTANCE_VERSION = "instance.version"
TASK_INFO = "tasks.info"
ADD_EDGE = {"input": "workflow.node.add-input", "output": "workflow.node.add-output"}
FILE_LIST = "file-storage.list"
FILE_INFO = "file-storage.info"
PROJECT_INFO = "projects.info"
PROJECT_LIST = "projects.list"
DATASET_INFO = "datasets.info"
DATASET_LIST = "datasets.list"
JOB_INFO = "jobs.info"
VERSION_LIST = "projects.versions.list"
VERSION_INFO = "projects.versions.info"

# autoflow's own methods, which only our server has; `wire.contract` declares their requests and responses
RECORDS_ADD = "autoflow.records.add"
RUNS_ENSURE = "autoflow.runs.ensure"
RUN_CONTENTS = "autoflow.runs.contents"
RUNS_SEARCH = "autoflow.runs.search"
RUNS_COMPARE = "autoflow.runs.compare"
SNAPSHOT = "autoflow.versions.snapshot"
VERSION_UNCHANGED = "autoflow.versions.unchanged"
VERSION_MAP = "autoflow.versions.map"
VERSION_ITEMS = "autoflow.versions.items"
VERSION_META = "autoflow.versions.meta"
VERSION_DIFF = "autoflow.versions.diff"
CLASS_COUNTS = "autoflow.versions.classes"
VERSION_RESTORE = "autoflow.versions.restore"
VERSION_DELETE = "autoflow.versions.delete"
GRAPH = "autoflow.graph"
SCENE = "autoflow.scene"
SCENE_CARDS = "autoflow.scene.cards"
SCENE_EXPORT = "autoflow.scene.export"
TRACE = "autoflow.trace"
IMPACT = "autoflow.impact"
REPRODUCTIONS = "autoflow.reproductions"
REPRODUCTION_ISSUE = "autoflow.reproduction.token"
REPRODUCTION_VIEW = "autoflow.reproduction.view"
REPRODUCTION_DISCARD = "autoflow.reproduction.discard"
REPRODUCTION_REVOKE = "autoflow.reproduction.revoke"
FILE_HISTORY = "autoflow.files.history"
FILES_WRITTEN = "autoflow.files.written"
TASKS_ENSURE = "autoflow.tasks.ensure"
FOLDER_STATE = "autoflow.folders.state"
FOLDER_ITEMS = "autoflow.folders.items"
FOLDER_SHAPE = "autoflow.folders.shape"
FOLDER_UPLOAD = "autoflow.folders.upload"
FOLDER_LOOK = "autoflow.folders.look"
FOLDER_PUT = "autoflow.folders.put"
FOLDER_REMOVE = "autoflow.folders.remove"
FOLDER_CONTENTS = "autoflow.folders.contents"
FOLDER_PATHS = "autoflow.folders.paths"
MODELS_REGISTER = "autoflow.models.register"
MODELS_LIST = "autoflow.models.list"
MODELS_SHOW = "autoflow.models.show"
MODELS_RESOLVE = "autoflow.models.resolve"
MODELS_ALIAS = "autoflow.models.alias"
MODELS_HISTORY = "autoflow.models.history"
NOTES_ADD = "autoflow.notes.add"
NOTES_LIST = "autoflow.notes.list"
VIEWS_ADD = "autoflow.views.add"
VIEWS_LIST = "autoflow.views.list"
VIEWS_REMOVE = "autoflow.views.remove"
WEBHOOK_DELIVERIES = "autoflow.webhooks.deliveries"
AUDIT_LIST = "autoflow.audit.list"
COLLECT = "autoflow.upkeep.collect"
VERIFY = "autoflow.upkeep.verify"
CHANGES = "autoflow.changes"
UNKNOWN_METHODS = "autoflow.unknown_methods"

# A key in the response of `instance.version`, by which our server is told from an instance.
AUTOFLOW_MARK = "autoflow"

WORKFLOW_SINCE = (6, 9, 31)
JOBS_SINCE = (6, 11, 11)


def version_tuple(text: object) -> tuple[int, ...] | None:
    """Parse ``"6.18.3"`` as ``(6, 18, 3)``, ignoring a suffix; return None for text without a dotted number."""
    if not isinstance(text, str):
        return None
    numbers: list[int] = []
    for part in text.strip().split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
        if digits != part:
            break
    return tuple(numbers) or None
