"""Versions of a project: saved, read, compared, restored, deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypedDict

from autoflow.model.json_object import JsonObject
from autoflow.wire import methods
from autoflow.wire.contract.labels import LabelDefinitions, TagValue
from autoflow.wire.contract.method import Count, Id, Method, Name, Positive
from autoflow.wire.contract.transfers import CopiedVersion


@dataclass(frozen=True, kw_only=True)
class SnapshotRequest:
    """Save a project's state as a version; a project that has not changed keeps its last version.

    Args:
        project_id: number of the project.
        title: title of a new version.
        description: description of a new version.
    """

    project_id: Id
    title: str | None = None
    description: str | None = None


class SnapshotResponse(TypedDict):
    """The version that holds the project's state.

    Args:
        id: number of the version on this server.
        version: number of the version in its project, from 1.
        created: false if the project had not changed since this version.
    """

    id: Id
    version: Positive
    created: bool


@dataclass(frozen=True, kw_only=True)
class VersionUnchangedRequest:
    """Return whether a project is as it was when a version of it was saved.

    Args:
        id: number of the version.
    """

    id: Id


class VersionUnchangedResponse(TypedDict):
    """The comparison of a version with its project.

    Args:
        unchanged: whether the project has the version's content, also after changes that were undone.
    """

    unchanged: bool


@dataclass(frozen=True, kw_only=True)
class VersionMapRequest:
    """Download the versions.json of a project, in the format of Supervisely's SDK.

    Args:
        id: number of the project.
    """

    id: Id


@dataclass(frozen=True, kw_only=True)
class VersionItemsRequest:
    """Return a page of a version's items, ordered by their numbers.

    Args:
        id: number of the version.
        after: `after` of the previous page.
        limit: most items of the page; the server returns at most 1000.
        dataset_id: only items of this dataset.
        ids: only items of these numbers.
        annotations: whether to include annotations.
        fingerprints: whether to include fingerprints.
    """

    id: Id
    after: Count | None = None
    limit: Positive | None = None
    dataset_id: Id | None = None
    ids: list[Id] | None = None
    annotations: bool = False
    fingerprints: bool = False


class ItemFields(TypedDict):
    """An item of a version, as lists and comparisons show it.

    Args:
        dataset: names of the item's dataset and of those around it, the outermost first.
        hash: base64 of the SHA-256 of the item's bytes; null for a link.
        mime: media type of the item's file.
        size: bytes of the item's file.
        width: width in pixels; null of what has none.
        height: height in pixels; null of what has none.
    """

    id: Id
    datasetId: Id
    dataset: list[str]
    name: str
    hash: str | None
    link: str | None
    mime: str | None
    size: Count | None
    width: Count | None
    height: Count | None
    meta: JsonObject
    description: str


class VersionItemMembers(ItemFields):
    """The members that every item of a version has."""

    tags: list[JsonObject]
    labelsCount: Count
    createdAt: str
    updatedAt: str


class VersionItem(VersionItemMembers, total=False):
    """An item as a version holds it.

    Args:
        tags: tags in Supervisely's format.
        labelsCount: number of its labels.
        annotation: annotation in Supervisely's format, if the request asked for it.
        fingerprint: text that tells states of the item apart, whatever its name, if the request asked for it.
    """

    annotation: JsonObject
    fingerprint: str


class VersionItemsResponse(TypedDict):
    """A page of a version's items.

    Args:
        after: position for the next page; null after the last.
    """

    items: list[VersionItem]
    after: Count | None


@dataclass(frozen=True, kw_only=True)
class VersionMetaRequest:
    """Return a version with its project, classes, tags and datasets.

    Args:
        id: number of the version.
    """

    id: Id


class VersionResponse(TypedDict):
    """A version as Supervisely's ``projects.versions.info`` returns it.

    Args:
        createdBy: number of a user.
        teamFileId: team file of the archive that Supervisely's SDK saved.
        version: number of the version in its project, from 1.
        status: committed, or reserved while it is being saved.
        previewProjectId: project that shows the version.
        itemsCount: number of items; null of a version whose items were never counted.
        size: bytes of the items' files, as text.
    """

    id: Id
    projectId: Id
    createdBy: Id | None
    teamFileId: Id | None
    version: Positive
    description: str | None
    status: str
    createdAt: str
    updatedAt: str
    projectUpdatedAt: str
    teamId: Id
    name: str | None
    previewProjectId: Id | None
    itemsCount: Count | None
    size: str


class VersionDetails(VersionResponse):
    """A version, with what Supervisely does not have of it.

    Args:
        digest: digest of the project's state.
        datasetsCount: number of datasets.
        copiedFrom: where it was saved, if that was not here.
    """

    digest: str
    datasetsCount: Count
    copiedFrom: CopiedVersion | None


class VersionProject(TypedDict):
    """The project of a version.

    Args:
        type: project type of Supervisely, such as images.
        removed: whether the project was removed since.
    """

    id: Id
    name: str
    description: str
    type: str
    workspaceId: Id
    removed: bool


class VersionDataset(TypedDict):
    """A dataset of a version.

    Args:
        parentId: number of the dataset that contains it; null at the top.
        path: names of the datasets around it, the outermost first, and its own.
        customData: data that apps stored with it.
        itemsCount: number of items directly in it.
    """

    id: Id
    parentId: Id | None
    name: str
    path: list[str]
    description: str
    customData: JsonObject
    itemsCount: Count


class VersionMetaResponse(TypedDict):
    """A version without its items.

    Args:
        datasets: datasets, parents before children.
    """

    version: VersionDetails
    project: VersionProject
    meta: LabelDefinitions
    datasets: list[VersionDataset]


@dataclass(frozen=True, kw_only=True)
class VersionDiffRequest:
    """Compare a version of a project with another one, or with the project's current state.

    Args:
        from_: number of the earlier version.
        to: number of the later version; the current state of the project without it.
        limit: most changes of the page, 1000 at most.
        after: `after` of the previous page.
        labels: whether to count the changed labels of all items.
    """

    from_: Id
    to: Id | None = None
    limit: Count | None = None
    after: Count = 0
    labels: bool = False


ChangeStatus = Literal["added", "removed", "changed"]
Aspect = Literal["bytes", "name", "dataset", "meta", "tags", "labels", "description"]


class ChangeCounts(TypedDict):
    """Numbers of changes."""

    added: Count
    removed: Count
    changed: Count


class ChangedNames(TypedDict):
    """Names of what changed."""

    added: list[str]
    removed: list[str]
    changed: list[str]


class ItemCounts(ChangeCounts):
    """Numbers of changed items.

    Args:
        bytes: number of changed items with other bytes; the following members count other aspects likewise.
        name: renamed items.
        dataset: items that were moved.
    """

    bytes: Count
    name: Count
    dataset: Count
    meta: Count
    tags: Count
    labels: Count
    description: Count


class _ChangedLabels(TypedDict, total=False):
    added: Count
    removed: Count
    changed: Count


class LabelTotals(_ChangedLabels):
    """Numbers of labels of the changed items; how many of them changed only if the request asked for labels.

    Args:
        before: labels of the items in the earlier version.
        after: labels of the items in the later version.
    """

    before: Count
    after: Count


class DiffCounts(TypedDict):
    """Numbers of changes in all pages."""

    items: ItemCounts
    labels: LabelTotals
    classes: ChangeCounts
    tags: ChangeCounts
    datasets: ChangeCounts


class DiffItem(ItemFields):
    """An item on one side of a comparison.

    Args:
        labels: number of its labels.
    """

    labels: Count
    tags: list[TagValue]


class ItemDiff(TypedDict):
    """A changed item.

    Args:
        aspects: what of the item changed.
        before: the item in the earlier version; null if it was added.
        after: the item in the later version; null if it was removed.
    """

    status: ChangeStatus
    aspects: list[Aspect]
    before: DiffItem | None
    after: DiffItem | None
    labels: ChangeCounts


class ComparedVersion(TypedDict):
    """A version that is compared.

    Args:
        version: number of the version in its project, from 1.
        createdAt: time in ISO 8601.
    """

    id: Id
    version: Positive
    name: str | None
    createdAt: str


# In this form, as `from` is a keyword.
_Compared = TypedDict("_Compared", {"projectId": Id, "from": ComparedVersion, "to": "ComparedVersion | None"})


class VersionDiffResponse(_Compared):
    """The differences between two states of a project.

    Args:
        changes: changed items, a page at a time.
        after: position for the next page; null after the last.
    """

    counts: DiffCounts
    classes: ChangedNames
    tags: ChangedNames
    datasets: ChangedNames
    changes: list[ItemDiff]
    after: Count | None


@dataclass(frozen=True, kw_only=True)
class VersionRestoreRequest:
    """Restore a version as a new project; each call does a part of it, until the response is done.

    The first call names the version by `id`, or by `project_id` and `number`; the following ones pass `restoring`.

    Args:
        id: number of the version.
        project_id: number of the project whose version is restored.
        number: number of the version in its project.
        name: name of the new project.
        description: description of the new project.
        workspace_id: workspace of the new project; by default that of the old one.
        skip_missed: whether to leave out items whose content is missing.
        restoring: `id` of the previous response.
    """

    id: Id | None = None
    project_id: Id | None = None
    number: Positive | None = None
    name: Name | None = None
    description: str | None = None
    workspace_id: Id | None = None
    skip_missed: bool = False
    restoring: Id | None = None


class MissedItems(TypedDict):
    """Items that were left out, as their content is missing.

    Args:
        names: names of the first of them.
    """

    count: Count
    names: list[str]


class VersionRestoreResponse(TypedDict):
    """Progress of a restore.

    Args:
        id: number of the new project.
        copied: items restored so far.
        total: items of the version.
        erased: items of the version that were erased, and that are not restored.
    """

    done: bool
    id: Id
    name: str
    copied: Count
    total: Count
    missed: MissedItems
    erased: Count


@dataclass(frozen=True, kw_only=True)
class VersionDeleteRequest:
    """Delete a version; its number stays known, so that references to it stay resolvable.

    A version that a model with an alias was made from is not deleted: that is refused with 409.

    Args:
        id: number of the version.
        dry_run: return the models that were made from it, and delete nothing.
    """

    id: Id
    dry_run: bool = False


class VersionDeleteResponse(TypedDict):
    """The outcome of deleting a version.

    Args:
        success: whether it was deleted; false for a dry run.
        models: references of versions of models that were made from it, as model:lemons@3.
    """

    success: bool
    models: list[str]


SNAPSHOT = Method(methods.SNAPSHOT, SnapshotRequest, SnapshotResponse, (404,))
VERSION_UNCHANGED = Method(methods.VERSION_UNCHANGED, VersionUnchangedRequest, VersionUnchangedResponse, (404,))
VERSION_MAP = Method(methods.VERSION_MAP, VersionMapRequest, JsonObject, (404,))
VERSION_ITEMS = Method(methods.VERSION_ITEMS, VersionItemsRequest, VersionItemsResponse, (404,))
VERSION_META = Method(methods.VERSION_META, VersionMetaRequest, VersionMetaResponse, (404,))
VERSION_DIFF = Method(methods.VERSION_DIFF, VersionDiffRequest, VersionDiffResponse, (404,))
VERSION_RESTORE = Method(methods.VERSION_RESTORE, VersionRestoreRequest, VersionRestoreResponse, (404,))
VERSION_DELETE = Method(methods.VERSION_DELETE, VersionDeleteRequest, VersionDeleteResponse, (404, 409))
