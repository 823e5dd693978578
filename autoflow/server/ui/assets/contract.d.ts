// Generated from autoflow/wire/contract by .ci/page_types.py: do not edit.

/** Write a note on a card; notes are neither changed nor removed. */
export interface AddNoteRequest {
  /** the note. */
  text: string;
  /** reference of the entity, as file:9, version:4, /models/best.pt or model:lemons@champion. */
  ref?: string | null;
  /** key of the card, in place of a reference. */
  card?: string | null;
  /** team of a path or a model; the caller's first without it. */
  teamId?: number | null;
}

/** Apply a batch of records in order, each completely or not at all. */
export interface AddRecordsRequest {
  /** records as `wire.records` describes them. */
  records: Array<unknown>;
}

/** The outcome of a batch. */
export interface AddRecordsResponse {
  /** one entry a record, in the order sent. */
  results: Array<RecordResult>;
  /** task of each run that the batch names, by the run's key. */
  tasks: Record<string, number>;
}

/** A team file that is damaged. */
export interface AffectedFile {
  id: number;
  path: string;
  teamId: number;
}

/** A project that uses a damaged file. */
export interface AffectedProject {
  id: number;
  name: string;
}

/** A version that is damaged or uses a damaged file. */
export interface AffectedVersion {
  id: number;
  /** number of the version in its project, from 1. */
  version: number;
  projectId: number;
}

/** Return the moves of a model's aliases, the latest first. */
export interface AliasHistoryRequest {
  /** name of the model. */
  name: string;
  /** moves of this alias alone. */
  alias?: string | null;
  /** team of the model; the caller's default team first without it. */
  teamId?: number | null;
  /** moves older than the one with this number, to page. */
  before?: number | null;
  /** most entries. */
  limit?: number | null;
}

/** Moves of aliases. */
export interface AliasHistoryResponse {
  moves: Array<AliasMove>;
  /** before of the next request; null after the last part. */
  next: number | null;
}

/** A move of an alias. */
export interface AliasMove {
  id: number;
  alias: string;
  /** number of the version that it named before; null for none. */
  before: number | null;
  /** number of the version that it names since; null for none. */
  version: number | null;
  /** time in ISO 8601. */
  at: string;
  /** login of the user at that time, or user@host. */
  who: string;
  /** why; empty without. */
  reason: string;
}

/** Runs of one app or name. */
export interface AppRuns {
  name: string;
  /** number of all of them. */
  runs: number;
  /** number of those that failed or were lost. */
  failed: number;
}

/** An arrow of a graph. */
export interface ArrowJson {
  /** how many arrows of the whole graph it stands for, if more than one. */
  edges?: number;
  /** key of a card. */
  source: string;
  /** key of a card. */
  target: string;
  /** version for an arrow from a project to its version or dataset, or from a folder to its file; indirect for one by way of cards that a filter hides. */
  kind: "indirect" | "input" | "output" | "version";
}

/** An entry of the audit log. */
export interface AuditEntry {
  id: number;
  /** time in ISO 8601. */
  at: string;
  teamId: number | null;
  /** login of the user at that time, or user@host on the server's own machine. */
  who: string;
  /** what was done, as alias.set. */
  action: string;
  /** reference of what it was done to. */
  entity: string;
  /** a name of the entity that people know; empty for none. */
  name: string;
  /** the changed value before; null if there was none. */
  before: string | null;
  /** the changed value after; null if there is none. */
  after: string | null;
  /** why, in the user's words; empty without. */
  reason: string;
}

/** An icon. */
export interface CardIcon {
  /** name of a Material Design icon. */
  name: string;
  /** hexadecimal. */
  color: string;
  /** hexadecimal. */
  background: string;
}

/** A card of a graph. */
export interface CardJson {
  /** name of the card in arrows. */
  key: string;
  /** entity type. */
  type:
    | "app_session"
    | "dataset"
    | "file"
    | "folder"
    | "job"
    | "model"
    | "model_weight"
    | "project"
    | "project_version"
    | "task";
  /** number or path of the entity. */
  id: number | string;
  /** name of the entity. */
  name: string;
  /** heading of the card. */
  title: string;
  /** number of neighbours that the graph leaves out. */
  more: number;
  /** server that issued the id; empty for the graph's own server. */
  origin: string;
  description: string | null;
  icon: CardIcon | null;
  link: CardLink | null;
  /** state of a run. */
  state: string | null;
  /** time of creation or of the first edge, in ISO 8601. */
  at: string | null;
  /** number of a version, as V3. */
  badge: string | null;
  /** url of a preview picture. */
  preview: string | null;
  /** key of the card that this one is a version of. */
  parent: string | null;
  /** bytes of a file. */
  size: number | null;
  /** keys of the cards that a cluster or a folded group stands for. */
  members: Array<string>;
  /** urls of further pictures. */
  collage: Array<string>;
  /** login of the user who made it. */
  author: string | null;
  /** minute of the last record of a running run, in ISO 8601. */
  seen: string | null;
  /** whether a run holds records of an unknown run. */
  unattributed: boolean;
  /** what tells it from others of its name: of a run, its input, output, result and duration; of a version, what changed since the one before. */
  summary: string | null;
}

/** The link of a card. */
export interface CardLink {
  /** path on the server. */
  url: string;
  title: string;
}

/** One side of a card. */
export interface CardSide {
  /** key of the card. */
  card: string;
  side: "both" | "downstream" | "upstream";
}

/** A card as the page shows it: `CardJson` without the members that are empty. */
export interface CardTexts {
  /** name of the card in arrows. */
  key: string;
  /** entity type. */
  type:
    | "app_session"
    | "dataset"
    | "file"
    | "folder"
    | "job"
    | "model"
    | "model_weight"
    | "project"
    | "project_version"
    | "task";
  /** number or path of the entity. */
  id: number | string;
  /** name of the entity. */
  name: string;
  /** heading of the card. */
  title: string;
  /** number of neighbours that the graph leaves out. */
  more: number;
  origin?: string;
  description?: string;
  icon?: CardIcon;
  link?: CardLink;
  state?: string;
  at?: string;
  badge?: string;
  preview?: string;
  parent?: string;
  size?: number;
  members?: Array<string>;
  collage?: Array<string>;
  author?: string;
  seen?: string;
  unattributed?: boolean;
  summary?: string;
}

/** Numbers of changes. */
export interface ChangeCounts {
  added: number;
  removed: number;
  changed: number;
}

/** Names of what changed. */
export interface ChangedNames {
  added: Array<string>;
  removed: Array<string>;
  changed: Array<string>;
}

/** Return the number of writes; cheap enough to poll. */
export type ChangesRequest = Record<string, never>;

/** The number of changes that the caller's teams have seen. */
export interface ChangesResponse {
  /** unchanged while nothing changed, so that a client may poll it. */
  changes: number;
}

/** Uses of a class by a batch of items. */
export interface ClassCounts {
  /** number of the class. */
  id: number;
  /** its name in the later state, or in the earlier if it was removed. */
  title: string;
  color: string;
  /** uses in the earlier state; null if it has no such class. */
  before: UseCounts | null;
  /** uses in the later state; null if it has no such class. */
  after: UseCounts | null;
}

/** Count labels and items of each class in two states of a project, a batch of items at a time. */
export interface ClassCountsRequest {
  /** number of the earlier version. */
  from: number;
  /** number of the later version; the current state of the project without it. */
  to?: number | null;
  /** `after` of the previous batch. */
  after?: number;
}

/** Counts of a batch; those of all batches add up to those of both states. */
export interface ClassCountsResponse {
  /** number of labeled items in the batch. */
  items: number;
  /** every class of the two states, in the order of the later one. */
  classes: Array<ClassCounts>;
  /** position for the next batch; null after the last. */
  after: number | null;
}

/** Collect garbage: remove files that nothing refers to; each call does a part of it, until the response is done. */
export interface CollectRequest {
  /** `state` of the previous response. */
  state?: string | null;
  /** whether to remove even a large share of all files; otherwise that is refused with 409. */
  confirm?: boolean;
  /** whether files leave the trash before their time. */
  emptyTrash?: boolean;
}

/** Return the differences of two runs. */
export interface CompareRunsRequest {
  /** number of a task. */
  first: number;
  /** number of a task. */
  second: number;
}

/** The differences of two runs. */
export interface CompareRunsResponse {
  first: ScoredRun;
  second: ScoredRun;
  /** whether results can be compared, as both runs read the same data; null if that is unknown. */
  comparable: boolean | null;
  /** why results cannot be compared; null if they can. */
  reason: string | null;
  /** data that both read. */
  same: Array<ComparedData>;
  /** data that the first run alone read. */
  onlyFirst: Array<ComparedData>;
  /** data that the second run alone read. */
  onlySecond: Array<ComparedData>;
  /** all results of both. */
  results: Array<ComparedValue>;
  /** parameters that differ. */
  parameters: Array<ComparedValue>;
  /** commit and other facts of the code that differ. */
  code: Array<ComparedValue>;
  /** versions of packages that differ. */
  packages: Array<ComparedValue>;
}

/** Data that a run read. */
export interface ComparedData {
  /** reference, as version:12. */
  ref: string;
  /** name of the data, of a version its project's. */
  name: string;
  /** project of a version. */
  projectId: number | null;
  /** number of a version in its project. */
  number: number | null;
  /** digest of a version's content; null for data that may have changed since. */
  digest: string | null;
}

/** A value that differs; null where a run has none. */
export interface ComparedValue {
  name: string;
  first: number | string | null;
  second: number | string | null;
}

/** A version that is compared. */
export interface ComparedVersion {
  id: number;
  /** number of the version in its project, from 1. */
  version: number;
  name: string | null;
  /** time in ISO 8601. */
  createdAt: string;
}

/** The version in another store that one was copied from. */
export interface CopiedVersion {
  /** random id of that store. */
  store: string;
  /** number of the project there. */
  project: number;
  /** number of the version there. */
  version: number;
  /** login of the user who saved it. */
  author: string;
  /** time in ISO 8601. */
  copiedAt: string;
}

/** Something that a run of a trace read or wrote; entities of other servers have the first members only. */
export interface DataJson {
  /** reference of the entity, as file:9. */
  ref: string;
  /** entity type. */
  type:
    | "app_session"
    | "dataset"
    | "file"
    | "folder"
    | "job"
    | "model"
    | "model_weight"
    | "project"
    | "project_version"
    | "task";
  /** number or path of the entity. */
  id: number | string;
  /** server that issued the id; empty for the graph's own server. */
  origin: string;
  name: string;
  /** versions of models that a file is, as model:lemons@3 (champion). */
  models?: Array<string>;
  /** team of a file. */
  teamId?: number;
  /** path of a file. */
  path?: string;
  /** SHA-256 of a file's bytes. */
  sha256?: string | null;
  /** bytes of a file. */
  size?: number;
  /** whether a file is at its path now. */
  current?: boolean;
  /** number of a version in its project; position of a file among those of its path, from 1. */
  number?: number;
  /** number of files that the path has had. */
  count?: number;
  createdAt?: string;
  /** title of a version. */
  title?: string | null;
  /** project of a version or a dataset. */
  projectId?: number;
  /** name of a version's project. */
  projectName?: string;
  /** digest of a version or a project. */
  digest?: string;
}

/** Numbers of changes in all pages. */
export interface DiffCounts {
  items: ItemCounts;
  labels: LabelTotals;
  classes: ChangeCounts;
  tags: ChangeCounts;
  datasets: ChangeCounts;
}

/** An item on one side of a comparison. */
export interface DiffItem {
  id: number;
  datasetId: number;
  /** names of the item's dataset and of those around it, the outermost first. */
  dataset: Array<string>;
  name: string;
  /** base64 of the SHA-256 of the item's bytes; null for a link. */
  hash: string | null;
  link: string | null;
  /** media type of the item's file. */
  mime: string | null;
  /** bytes of the item's file. */
  size: number | null;
  /** width in pixels; null of what has none. */
  width: number | null;
  /** height in pixels; null of what has none. */
  height: number | null;
  meta: Record<string, unknown>;
  description: string;
  /** number of its labels. */
  labels: number;
  tags: Array<TagValue>;
}

/** Remove the projects that a reproduction restored or created, and the files in its folder; its runs stay. */
export interface DiscardReproductionRequest {
  /** number of its token. */
  id: number;
}

/** The numbers of removed projects and files. */
export interface DiscardReproductionResponse {
  projects: number;
  files: number;
}

/** Images with their labels, and the classes and tags of the project. */
export interface DrawnImages {
  classes: Array<LabelClass>;
  tags: Array<TagDefinition>;
  images: Array<LabeledImage>;
}

/** Return images of a version, or of a project's current state, with the shapes of their labels. */
export interface DrawnImagesRequest {
  /** number of the version; or else `project`. */
  version?: number | null;
  /** number of the project. */
  project?: number | null;
  /** numbers of the images. */
  images: Array<number>;
}

/** Return the task of a run, which the first call creates. */
export interface EnsureRunRequest {
  /** key of the run. */
  run: string;
  /** name of the app. */
  name?: string | null;
  /** number of the task at its origin. */
  task?: number | null;
  /** server that issued the number; empty for this server. */
  origin?: string;
  /** number of the run's team at the origin. */
  team?: number | null;
  /** number of the run's workspace at the origin. */
  workspace?: number | null;
}

/** The task of a run. */
export interface EnsureRunResponse {
  /** number of the task on this server. */
  task: number;
  /** number of the task at its origin. */
  number: number;
  teamId: number;
  workspaceId: number;
  appId: number | null;
}

/** Return the task of a number that another server issued, which the first call creates. */
export interface EnsureTaskRequest {
  /** number of the task. */
  id: number;
  /** team of a new task; the caller's default team without it. */
  teamId?: number | null;
}

/** An entity with a link to its page. */
export interface EntityLink {
  type:
    | "app_session"
    | "dataset"
    | "file"
    | "folder"
    | "job"
    | "model"
    | "model_weight"
    | "project"
    | "project_version"
    | "task";
  /** number or path of the entity. */
  id: number | string;
  /** server that issued the number; empty for this server. */
  origin: string;
  name: string;
  /** description of its card. */
  detail: string | null;
  /** as V3, of a version. */
  badge: string | null;
  /** path of its page; null without one. */
  link: string | null;
}

/** Return the erasures of a team, the latest first, with their reports. */
export interface EraseListRequest {
  /** the team; without it the first team. */
  teamId?: number | null;
}

/** Erasures of a team. */
export interface EraseListResponse {
  erasures: Array<ErasureEntry>;
}

/** Return what an erasure would remove, and what was made from it; nothing is changed. */
export interface ErasePlanRequest {
  /** images (image:3, dataset:4/a.png), contents by sha256, files, runs and projects. */
  refs: Array<string>;
  /** the team; without it that of the first reference, else the first team. */
  teamId?: number | null;
}

/** A dry run of an erasure. */
export interface ErasePlanResponse {
  /** number of the team. */
  team: number;
  /** sha256 of the contents. */
  contents: Array<string>;
  /** the first images. */
  images: Array<ErasedImage>;
  /** the first files of Team Files. */
  files: Array<ErasedFile>;
  /** the names that texts are searched for. */
  names: Array<string>;
  /** numbers of images, rows of the history, versions, files, contents, and of texts that have a name. */
  counts: Record<string, number>;
  /** sha256 of contents whose bytes stay, because other teams have them. */
  keptForOtherTeams: Array<string>;
  /** runs, and what they wrote. */
  made: Array<MadeFrom>;
  /** whether that is all that was made from it. */
  complete: boolean;
  /** what this server cannot erase. */
  outOfReach: Array<string>;
}

/** Erase content for good; each call does a part of it, until the response is done. */
export interface EraseRunRequest {
  /** as in autoflow.erase.plan; without them the erasure of `id` is continued, else all of the team. */
  refs?: Array<string>;
  /** the team; without it that of the first reference, else the first team. */
  teamId?: number | null;
  /** number of an erasure that was begun. */
  id?: number | null;
  /** why, for the audit log. */
  reason?: string;
}

/** Progress of an erasure. */
export interface EraseRunResponse {
  /** its number, for the next call; null if there was nothing to complete. */
  id: number | null;
  done: boolean;
  /** the signed report when it is done; autoflow erase --verify checks it. */
  report: Record<string, unknown> | null;
}

/** A team file that an erasure removes. */
export interface ErasedFile {
  id: number;
  path: string;
  /** whether it is no copy, but contains an image, as the archive of a version does. */
  archive: boolean;
}

/** An image that an erasure removes. */
export interface ErasedImage {
  id: number;
  name: string;
  datasetId: number;
  projectId: number;
  /** whether its dataset has it now. */
  current: boolean;
}

/** An erasure. */
export interface ErasureEntry {
  id: number;
  requestedAt: string;
  finishedAt: string | null;
  /** the signed report; null until the erasure is complete. */
  report: Record<string, unknown> | null;
}

/** Body of every response that is not 200. */
export interface Error {
  /** kind of the error, in capitals. */
  error: string;
  details: ErrorDetails;
}

/** Details of an error; some errors have further members. */
export interface ErrorDetails {
  /** what happened, and what to do. */
  message: string;
}

/** The values that a graph can be filtered by. */
export interface Facets {
  /** number of cards by entity type. */
  kinds: Record<string, number>;
  /** number of runs by the app's name. */
  apps: Record<string, number>;
  /** start of the first run, in ISO 8601. */
  since: string | null;
  /** start of the last run, in ISO 8601. */
  until: string | null;
  /** number of cards. */
  cards: number;
}

/** Return the files that a path has had, the latest first. */
export interface FileHistoryRequest {
  /** the path; or else `id`. */
  path?: string | null;
  /** team of the path. */
  teamId?: number | null;
  /** number of a file that is or was at the path. */
  id?: number | null;
}

/** The files of a path. */
export interface FileHistoryResponse {
  teamId: number;
  path: string;
  files: Array<HistoryFile>;
}

/** A version of a model that a file is. */
export interface FileModel {
  /** name of the model. */
  model: string;
  /** number of the version. */
  version: number;
  /** names of the aliases that name it now. */
  aliases: Array<string>;
}

/** A team file's page. */
export interface FilePage {
  id: number;
  name: string;
  path: string;
  /** bytes. */
  size: number;
  /** media type. */
  mime: string;
  /** time in ISO 8601. */
  createdAt: string;
  /** versions of models that it is. */
  models: Array<FileModel>;
  teamId: number;
  /** SHA-256 of its bytes, in hexadecimal digits. */
  sha256: string | null;
  /** path of its folder. */
  folder: string;
  /** whether it is at its path now. */
  current: boolean;
  /** number of the file that is at its path now; null if it is this one, or none. */
  replacedBy: number | null;
  /** login of a user. */
  createdBy: string | null;
  users: Users;
}

/** Return a team file's page: its facts, and the runs that wrote or read it. */
export interface FilePageRequest {
  /** number of the file. */
  id: number;
}

/** Return the files of a folder that were uploaded while a task ran, the last one of each path. */
export interface FilesWrittenRequest {
  /** number of the task. */
  task: number;
  /** path of the folder in the files of the task's team. */
  folder: string;
}

/** Files by path. */
export interface FilesWrittenResponse {
  /** files, at most 10,000. */
  files: Array<WrittenFile>;
  /** false if there are more. */
  complete: boolean;
}

/** Download images of a version: of each a line with its hash and size, then its bytes. */
export interface FolderContentsRequest {
  /** number of the version. */
  id: number;
  /** base64 of the SHA-256 of each image. */
  hashes: Array<string>;
}

/** The digests of a project around a change. */
export interface FolderDigests {
  /** digest of the project before the change. */
  before: string;
  /** digest of the project after the change. */
  after: string;
}

/** An image of a folder. */
export interface FolderImage {
  /** name in its dataset. */
  name: string;
  /** base64 of the SHA-256 of its bytes. */
  hash: string;
  /** file:///path of an image by reference; on the server's own machine only. */
  link?: string | null;
  /** annotation in Supervisely's format; without it the image keeps its own. */
  annotation?: Record<string, unknown> | null;
  /** metadata; without it the image keeps its own. */
  meta?: Record<string, unknown> | null;
}

/** Return a page of a project's images, each with a fingerprint of its state. */
export interface FolderItemsRequest {
  /** number of the project. */
  projectId: number;
  /** `after` of the previous page. */
  after?: number | null;
}

/** A page of a project's images. */
export interface FolderItemsResponse {
  /** number, number of the dataset, name and fingerprint of each image. */
  items: Array<[number, number, string, string]>;
  /** position for the next page; null after the last. */
  after: number | null;
}

/** Return the sizes of images by their hashes or, on the server's own machine, by their links. */
export interface FolderLookRequest {
  /** base64 of the SHA-256 of each image. */
  hashes?: Array<string>;
  /** file:///path of each image. */
  links?: Array<string>;
}

/** Sizes of images. */
export interface FolderLookResponse {
  /** width and height in pixels, by hash or link; unknown hashes and those of no image are absent. */
  sizes: Record<string, [number, number]>;
}

/** A folder's page. */
export interface FolderPage {
  /** path of the folder, which ends with a slash. */
  path: string;
  teamId: number;
  /** paths of the folders in it. */
  folders: Array<string>;
  files: Array<ListedFile>;
  /** path of the last file listed; null at the end. */
  next: string | null;
  users: Users;
}

/** List the files and folders of a folder in Team Files. */
export interface FolderPageRequest {
  /** path of the folder. */
  path: string;
  /** number of the team; the caller's default team without it. */
  team?: number | null;
  /** `next` of the previous part. */
  after?: string;
  /** most entries. */
  limit?: number | null;
}

/** Return the paths of a version's images in the server's storage; on the server's own machine only. */
export interface FolderPathsRequest {
  /** number of the version. */
  id: number;
  /** base64 of the SHA-256 of each image. */
  hashes: Array<string>;
}

/** Paths of files. */
export interface FolderPathsResponse {
  /** path by hash; hashes without a local file are absent. */
  paths: Record<string, string>;
}

/** Create images of a dataset, or update those of the same names; all of them or none. */
export interface FolderPutRequest {
  /** number of the dataset. */
  datasetId: number;
  /** images to create or update. */
  images: Array<FolderImage>;
}

/** The images that were created or updated. */
export interface FolderPutResponse {
  /** digest of the project before the change. */
  before: string;
  /** digest of the project after the change. */
  after: string;
  /** number and fingerprint of each image, in the order of the request. */
  images: Array<[number, string]>;
}

/** Remove images and datasets of a project; versions keep them. */
export interface FolderRemoveRequest {
  /** number of the project. */
  projectId: number;
  /** numbers of the images. */
  images: Array<number>;
  /** numbers of the datasets. */
  datasets: Array<number>;
}

/** Add or replace classes and tags of a project, and create the datasets it lacks. */
export interface FolderShapeRequest {
  /** number of the project. */
  projectId: number;
  /** classes and tags in Supervisely's format. */
  meta?: Record<string, unknown>;
  /** path of each dataset, as the names that lead to it. */
  datasets: Array<Array<string>>;
}

/** The datasets of the paths. */
export interface FolderShapeResponse {
  /** digest of the project before the change. */
  before: string;
  /** digest of the project after the change. */
  after: string;
  /** numbers of the datasets, in the order of the request. */
  datasets: Array<number>;
}

/** Return the digest of a project's state. */
export interface FolderStateRequest {
  /** number of the project. */
  projectId: number;
}

/** A project's state. */
export interface FolderStateResponse {
  /** text that changes with every change of the project. */
  digest: string;
}

/** Store files of any kind, the parts of a form, so that a project of type ``files`` can name them by hash. */
export type FolderUploadRequest = Record<string, never>;

/** The stored files. */
export interface FolderUploadResponse {
  /** each file, in the order of the parts. */
  files: Array<UploadedFile>;
}

/** Cards and the arrows between them. */
export interface GraphJson {
  cards: Array<CardJson>;
  arrows: Array<ArrowJson>;
  /** key of the card that the graph was entered at; null for a workspace. */
  entry: string | null;
  title: string;
}

/** Return the lineage around one entity or of a workspace. */
export interface GraphRequest {
  /** number of a project. */
  project?: number | null;
  /** number of a task. */
  task?: number | null;
  /** number of a team file, its path, or the path of a folder. */
  file?: number | string | null;
  /** number of a workspace. */
  workspace?: number | null;
  /** team whose path `file` is. */
  teamId?: number | null;
}

/** One file of a path. */
export interface HistoryFile {
  name: string;
  teamId: number;
  path: string;
  /** SHA-256 of its bytes. */
  sha256: string | null;
  /** bytes. */
  size: number;
  /** whether it is at the path now. */
  current: boolean;
  /** its position among the files of the path, from 1. */
  number: number;
  /** number of files the path has had. */
  count: number;
  createdAt: string;
  id: number;
  /** login of the user who uploaded it. */
  author: string | null;
  /** numbers of the tasks that wrote it. */
  tasks: Array<number>;
}

/** A dataset that has an image, or had it. */
export interface ImageHolding {
  /** number of the image. */
  image: number;
  /** name of the image in the dataset. */
  name: string;
  datasetId: number;
  projectId: number;
  projectName: string;
  /** whether the dataset has it now. */
  current: boolean;
  /** number of the project's versions that have it. */
  versions: number;
  /** number of the first of these versions in the project. */
  firstVersion: number | null;
  /** number of the last of them. */
  lastVersion: number | null;
}

/** Images, from a position on. */
export interface ImageList {
  images: Array<LabeledImage>;
  start: number;
  /** number of all images that match. */
  total: number;
}

/** Return images of a project or dataset, with the shapes of their labels. */
export interface ImageListRequest {
  /** number of a project. */
  project?: number | null;
  /** number of a dataset, whose children are included. */
  dataset?: number | null;
  /** position of the first image, from 0. */
  start?: number | null;
  /** part of the name. */
  q?: string;
  /** only images with labels, or only images without. */
  labeled?: boolean | null;
  /** most images. */
  limit?: number | null;
}

/** An image's page. */
export interface ImagePage {
  id: number;
  name: string;
  datasetId: number;
  /** width in pixels. */
  width: number | null;
  /** height in pixels. */
  height: number | null;
  /** whether its bytes are stored here. */
  stored: boolean;
  /** number of its labels. */
  labels: number;
  tags: Array<TagValue>;
  /** its labels. */
  objects: Array<Label>;
  /** number of the image before it; null for the first. */
  previous: number | null;
  /** number of the image after it; null for the last. */
  next: number | null;
  /** its position in its dataset, from 1. */
  position: number;
  /** number of images in its dataset. */
  total: number;
  /** base64 of the SHA-256 of its bytes; null for a link. */
  hash: string | null;
  link: string | null;
  /** media type. */
  mime: string | null;
  /** bytes. */
  size: number | null;
  description: string;
  meta: Record<string, unknown>;
  /** time in ISO 8601. */
  createdAt: string;
  /** time in ISO 8601. */
  updatedAt: string;
  /** login of a user. */
  createdBy: string | null;
  project: NamedEntity;
  /** its dataset and those around it, the outermost first. */
  datasets: Array<NamedEntity>;
  /** classes and tags of its project. */
  classes: LabelDefinitions;
}

/** Return an image's page: its facts, all its labels, and its neighbours by name. */
export interface ImagePageRequest {
  /** number of the image. */
  id: number;
}

/** Data that was made from something, as `DataJson`. */
export interface ImpactData {
  /** reference of the entity, as file:9. */
  ref: string;
  /** entity type. */
  type:
    | "app_session"
    | "dataset"
    | "file"
    | "folder"
    | "job"
    | "model"
    | "model_weight"
    | "project"
    | "project_version"
    | "task";
  /** number or path of the entity. */
  id: number | string;
  /** server that issued the id; empty for the graph's own server. */
  origin: string;
  name: string;
  /** versions of models that a file is, as model:lemons@3 (champion). */
  models?: Array<string>;
  /** team of a file. */
  teamId?: number;
  /** path of a file. */
  path?: string;
  /** SHA-256 of a file's bytes. */
  sha256?: string | null;
  /** bytes of a file. */
  size?: number;
  /** whether a file is at its path now. */
  current?: boolean;
  /** number of a version in its project; position of a file among those of its path, from 1. */
  number?: number;
  /** number of files that the path has had. */
  count?: number;
  createdAt?: string;
  /** title of a version. */
  title?: string | null;
  /** project of a version or a dataset. */
  projectId?: number;
  /** name of a version's project. */
  projectName?: string;
  /** digest of a version or a project. */
  digest?: string;
  /** login of the user whose run wrote it last. */
  createdBy?: string | null;
  /** time of the last read of it that a run recorded, in ISO 8601. */
  lastUsedAt?: string | null;
}

/** Everything that was made from an entity or an image. */
export interface ImpactJson {
  /** reference of what the impact is of. */
  ref: string;
  /** false if there is more than a response may hold. */
  complete: boolean;
  /** how many more runs and data are known then; there may be others behind them. */
  omitted: number;
  /** where an image is and was; empty for an entity. */
  images: Array<ImageHolding>;
  /** keys of the cards at which the tree begins. */
  roots: Array<string>;
  /** the runs, by the keys of their cards. */
  runs: Record<string, ImpactRun>;
  /** what the runs read and wrote, by key. */
  data: Record<string, ImpactData>;
  graph: GraphJson;
}

/** Return what was made from an entity or an image: the runs that read it, what these wrote, and so on. */
export interface ImpactRequest {
  /** as in `TraceRequest`, and image:3, dataset:4/a.png, or the sha256 of an image or a file. */
  ref: string;
  /** team of a path. */
  teamId?: number | null;
}

/** A run that used what an impact is of. */
export interface ImpactRun {
  /** reference of the run, as task:5. */
  ref: string;
  /** number of its task on the server. */
  task: number;
  /** name of the app. */
  name: string;
  state: string;
  error: string | null;
  startedAt: string | null;
  finishedAt: string | null;
  /** login of a user. */
  createdBy: string | null;
}

/** Something damaged, and what it affects. */
export interface IntegrityProblem {
  /** base64 of the SHA-256 of a file; null if it is about a version's rows. */
  hash: string | null;
  /** missing, size, content, damaged (by an earlier check), unreadable, or a sentence. */
  problem: string;
  projects: Array<AffectedProject>;
  versions: Array<AffectedVersion>;
  files: Array<AffectedFile>;
}

/** Issue a token for the command of a reproduction. */
export interface IssueTokenRequest {
  /** number of the reproduced task. */
  task: number;
}

/** A token; all null from an older server that needs none. */
export interface IssueTokenResponse {
  id: number | null;
  token: string | null;
  /** time in ISO 8601. */
  expiresAt: string | null;
}

/** Numbers of changed items. */
export interface ItemCounts {
  added: number;
  removed: number;
  changed: number;
  /** number of changed items with other bytes; the following members count other aspects likewise. */
  bytes: number;
  /** renamed items. */
  name: number;
  /** items that were moved. */
  dataset: number;
  meta: number;
  tags: number;
  labels: number;
  description: number;
}

/** A changed item. */
export interface ItemDiff {
  status: "added" | "changed" | "removed";
  /** what of the item changed. */
  aspects: Array<"bytes" | "dataset" | "description" | "labels" | "meta" | "name" | "tags">;
  /** the item in the earlier version; null if it was added. */
  before: DiffItem | null;
  /** the item in the later version; null if it was removed. */
  after: DiffItem | null;
  labels: ChangeCounts;
}

/** A table. */
export interface ItemTable {
  /** its columns, at most 1000. */
  columns: Array<TableColumn>;
  /** number of its rows. */
  rows: number;
  /** values of the first rows, as texts. */
  sample: Array<Array<string>>;
}

/** Return columns, number of rows and first rows of an item that is a table: CSV, TSV, Parquet or Arrow. */
export interface ItemTableRequest {
  /** number of the item. */
  id: number;
  /** number of a version that has it; the current state of its project without it. */
  version?: number | null;
  /** most rows to return. */
  rows?: number;
}

/** The dataset of a labeling job. */
export interface JobDataset {
  id: number;
  /** null if the dataset was removed. */
  name: string | null;
}

/** An image of a labeling job. */
export interface JobImage {
  id: number;
  name: string;
  /** whether its bytes are stored here. */
  stored: boolean;
}

/** A labeling job's page. */
export interface JobPage {
  id: number;
  name: string;
  description: string;
  /** instructions. */
  readme: string;
  /** pending, in_progress, on_review, completed or stopped. */
  status: string;
  disabled: boolean;
  project: NamedEntity;
  dataset: JobDataset;
  workspace: NamedEntity;
  /** login of a user, as are assignedTo and reviewer. */
  createdBy: string | null;
  assignedTo: string | null;
  reviewer: string | null;
  createdAt: string;
  updatedAt: string;
  /** time in ISO 8601. */
  startedAt: string | null;
  /** time in ISO 8601. */
  finishedAt: string | null;
  /** names of the classes to label. */
  classes: Array<string>;
  /** names of the tags to set. */
  tags: Array<string>;
  /** number of all of them. */
  imagesTotal: number;
  /** the first of its images. */
  images: Array<JobImage>;
  users: Users;
}

/** Return a labeling job's page. */
export interface JobPageRequest {
  /** number of the job. */
  id: number;
}

/** A label of an image; its geometry is as a client sent it, in pixels of the image. */
export interface Label {
  /** name of the geometry, such as polygon. */
  geometryType?: unknown;
  /** the same, of labels that are sent in an annotation. */
  shape?: unknown;
  /** exterior, a list of [x, y], and interior, a list of such lists. */
  points?: unknown;
  /** a mask: data, base64 of a deflated PNG, and origin, the position of its corner. */
  bitmap?: unknown;
  /** nodes of a skeleton by name, each with its loc. */
  nodes?: unknown;
  /** corners of a cuboid. */
  vertices?: unknown;
  /** a mask of another format. */
  mask?: unknown;
  /** number of the label in its image. */
  id: number;
  /** number of its class. */
  classId: number;
  tags: Array<TagValue>;
}

/** A class of labels; further members are as a client sent them. */
export interface LabelClass {
  /** geometry of its labels, such as polygon or any. */
  shape?: string | null;
  /** as #RRGGBB. */
  color?: string | null;
  /** of a skeleton, its nodes and edges. */
  geometry_config?: Record<string, unknown> | null;
  id: number;
  title: string;
}

/** Counts of labels in a part of a project's images. */
export interface LabelCounts {
  /** number of images counted. */
  images: number;
  /** position of the next part; null after the last. */
  after: number | null;
  /** uses of classes, by the number of the class. */
  classes: Record<string, UseCounts>;
  /** uses of tags, by the number of the tag. */
  tags: Record<string, UseCounts>;
}

/** Count how often a project's classes and tags are used, in a part of its images. */
export interface LabelCountsRequest {
  /** number of the project. */
  id: number;
  /** `after` of the previous part. */
  after?: number | null;
}

/** Classes and tags of a project or a version. */
export interface LabelDefinitions {
  classes: Array<LabelClass>;
  tags: Array<TagDefinition>;
}

/** Numbers of labels of the changed items; how many of them changed only if the request asked for labels. */
export interface LabelTotals {
  added?: number;
  removed?: number;
  changed?: number;
  /** labels of the items in the earlier version. */
  before: number;
  /** labels of the items in the later version. */
  after: number;
}

/** An image with its labels. */
export interface LabeledImage {
  id: number;
  name: string;
  datasetId: number;
  /** width in pixels. */
  width: number | null;
  /** height in pixels. */
  height: number | null;
  /** whether its bytes are stored here. */
  stored: boolean;
  /** number of its labels. */
  labels: number;
  tags: Array<TagValue>;
  /** its labels; lists of images leave out those with large masks. */
  objects: Array<Label>;
}

/** The last version of a project. */
export interface LatestVersion {
  id: number;
  /** number of the version in its project, from 1. */
  version: number;
}

/** A row that was copied. */
export interface LinkedCopy {
  /** number in the other store. */
  source: number;
  /** number in this one. */
  id: number;
  /** what the client stores of it, to know whether it has changed. */
  state?: string;
}

/** An input or output of a run. */
export interface LinkedEntity {
  type:
    | "app_session"
    | "dataset"
    | "file"
    | "folder"
    | "job"
    | "model"
    | "model_weight"
    | "project"
    | "project_version"
    | "task";
  /** number or path of the entity. */
  id: number | string;
  /** server that issued the number; empty for this server. */
  origin: string;
  name: string;
  /** description of its card. */
  detail: string | null;
  /** as V3, of a version. */
  badge: string | null;
  /** path of its page; null without one. */
  link: string | null;
  /** time of the edge, in ISO 8601. */
  at: string;
  /** login of a user. */
  createdBy: string | null;
}

/** Return entries of the audit log, the newest first; for admins, with a token of scope admin. */
export interface ListAuditRequest {
  /** entries of this team alone; without it those of all teams that the caller is an admin of. */
  teamId?: number | null;
  /** an action, as alias.set, or the beginning of several with its dot, as token. */
  action?: string | null;
  /** reference of an entity, as project:7; a model's, as model:lemons, includes its aliases. */
  entity?: string | null;
  /** login of a user, or user@host. */
  who?: string | null;
  /** entries from this day or time on, in ISO 8601, without an offset in UTC. */
  since?: string | null;
  /** entries before this day or time. */
  until?: string | null;
  /** entries older than the one with this number, to page. */
  before?: number | null;
  /** most entries. */
  limit?: number | null;
}

/** A part of the audit log. */
export interface ListAuditResponse {
  entries: Array<AuditEntry>;
  /** before of the next request; null after the last part. */
  next: number | null;
}

/** Return models, those with the newest versions first. */
export interface ListModelsRequest {
  /** models of this team alone. */
  teamId?: number | null;
  /** part of a name. */
  q?: string | null;
  /** most entries. */
  limit?: number | null;
  /** number of entries to leave out. */
  offset?: number | null;
}

/** Models. */
export interface ListModelsResponse {
  models: Array<ModelSummary>;
  /** offset of the next request; null after the last part. */
  next: number | null;
}

/** Return the notes on a card, the latest first. */
export interface ListNotesRequest {
  /** reference of the entity. */
  ref?: string | null;
  /** key of the card, in place of a reference. */
  card?: string | null;
  /** team of a path or a model; the caller's first without it. */
  teamId?: number | null;
  /** notes older than the one with this number, to page. */
  before?: number | null;
  /** most notes. */
  limit?: number | null;
}

/** Return the saved views that the caller sees, by name. */
export interface ListViewsRequest {
  /** only those of this team. */
  teamId?: number | null;
}

/** Saved views, at most 1000. */
export interface ListViewsResponse {
  views: Array<SavedView>;
}

/** A dataset as an entry of a list. */
export interface ListedDataset {
  id: number;
  /** number of the dataset that contains it; null at the top. */
  parentId: number | null;
  name: string;
  description: string;
  /** number of images directly in it. */
  images: number;
  /** number of their labels. */
  labels: number;
}

/** A team file as an entry of a list. */
export interface ListedFile {
  id: number;
  name: string;
  path: string;
  /** bytes. */
  size: number;
  /** media type. */
  mime: string;
  /** time in ISO 8601. */
  createdAt: string;
}

/** A project as an entry of a list. */
export interface ListedProject {
  id: number;
  name: string;
  description: string;
  /** project type of Supervisely, such as images. */
  type: string;
  workspaceId: number;
  /** number of its images. */
  images: number;
  /** number of its datasets. */
  datasets: number;
  /** number of its versions. */
  versions: number;
  /** time in ISO 8601. */
  updatedAt: string;
  /** numbers of its first images, of those whose bytes are stored here. */
  previews: Array<number>;
}

/** A run as an entry of the list of runs. */
export interface ListedRun {
  /** number of the task. */
  id: number;
  /** name of the app, else of the run. */
  name: string;
  state: "ended" | "failed" | "finished" | "lost" | "running";
  /** time in ISO 8601. */
  startedAt: string;
  /** time in ISO 8601; null while it runs. */
  finishedAt: string | null;
  appId: number | null;
  workspaceId: number;
  /** number of edges to what it read. */
  inputs: number;
  /** number of edges to what it wrote. */
  outputs: number;
}

/** A version as an entry of a list. */
export interface ListedVersion {
  id: number;
  /** number of the version in its project, from 1. */
  number: number;
  title: string | null;
  description: string | null;
  /** login of a user. */
  createdBy: string | null;
  /** time in ISO 8601. */
  createdAt: string;
  /** number of its images. */
  images: number;
  /** bytes of its images. */
  size: number;
  users: VersionUsers;
}

/** A workspace as an entry of a list. */
export interface ListedWorkspace {
  id: number;
  name: string;
  description: string;
  /** name of its team. */
  team: string;
  /** number of its projects. */
  projects: number;
  /** number of its runs. */
  runs: number;
}

/** A chunk of a run's log. */
export interface LogChunk {
  id: number;
  /** time in ISO 8601. */
  at: string;
  lines: string;
}

/** Something that was made from what an erasure removes. */
export interface MadeFrom {
  /** reference, as file:9 or task:5. */
  ref: string;
  /** entity type. */
  type: string;
  name: string;
}

/** Progress of a maintenance job. */
export interface MaintenanceResponse {
  done: boolean;
  /** state for the next call; null when the job is done. */
  state: string | null;
  /** numbers of what the job did so far. */
  counts: Record<string, number>;
}

/** Items that were left out, as their content is missing. */
export interface MissedItems {
  count: number;
  /** names of the first of them. */
  names: Array<string>;
}

/** A model. */
export interface ModelSummary {
  id: number;
  name: string;
  teamId: number;
  /** number of the latest version. */
  latest: number;
  /** number of the version that each alias names. */
  aliases: Record<string, number>;
  /** login of a user. */
  createdBy: string | null;
  createdAt: string;
  /** time of the latest version. */
  latestAt: string;
}

/** A version of a model. */
export interface ModelVersion {
  /** name of the model. */
  model: string;
  /** number of the version, from 1. */
  version: number;
  /** reference of the file. */
  ref: string;
  /** path of the file; null if it is unknown. */
  path: string | null;
  /** bytes; null if unknown. */
  size: number | null;
  /** of the file, in hexadecimal digits; null if unknown. */
  sha256: string | null;
  /** names of the aliases that name it now. */
  aliases: Array<string>;
  /** number of the task whose run wrote the file last; null for none. */
  task: number | null;
  /** login of a user. */
  createdBy: string | null;
  createdAt: string;
}

/** An entity as a link: its number and its name. */
export interface NamedEntity {
  id: number;
  name: string;
}

/** A note on a card. */
export interface Note {
  id: number;
  /** key of the card. */
  card: string;
  text: string;
  /** login of the author. */
  createdBy: string | null;
  createdAt: string;
}

/** Notes on a card. */
export interface NotesResponse {
  notes: Array<Note>;
  /** before of the next request; null after the last part. */
  next: number | null;
}

/** Download a preview of an image, never larger than the image. */
export interface PreviewRequest {
  /** number of the image. */
  id: number;
  /** most pixels; 0 if it follows from the height. Without both, the preview of a grid. */
  width?: number | null;
  /** most pixels; 0 if it follows from the width. */
  height?: number | null;
  /** how the image fits the size. */
  resize?: "auto" | "fill" | "fill-down" | "fit" | "force";
  /** quality of a JPEG, from 1 to 100. */
  quality?: number | null;
  /** format of the preview. */
  ext?: "jpeg" | "png" | null;
}

/** Position in a list of projects. */
export interface ProjectCursor {
  /** time of the last project's last change, in ISO 8601. */
  updatedAt: string;
  /** number of the last project. */
  id: number;
}

/** A part of a list of projects. */
export interface ProjectList {
  projects: Array<ListedProject>;
  next: ProjectPosition | null;
}

/** Return projects, those changed last first. */
export interface ProjectListRequest {
  /** number of a workspace; all without it. */
  workspace?: number | null;
  /** `next` of the previous part. */
  after?: ProjectCursor | null;
  /** most entries. */
  limit?: number | null;
}

/** A project's page. */
export interface ProjectPage {
  id: number;
  name: string;
  description: string;
  readme: string;
  /** project type of Supervisely, such as images. */
  type: string;
  workspace: NamedEntity;
  teamId: number;
  /** number of its images. */
  images: number;
  /** bytes of its images. */
  size: number;
  /** time in ISO 8601. */
  createdAt: string;
  /** time in ISO 8601. */
  updatedAt: string;
  /** login of a user. */
  createdBy: string | null;
  /** its last version; null if it has none. */
  version: LatestVersion | null;
  /** numbers of its first images, of those whose bytes are stored here. */
  previews: Array<number>;
  datasets: Array<ListedDataset>;
  /** its classes and tags. */
  meta: LabelDefinitions;
  users: ProjectUsers;
}

/** Return a project's page: its facts, datasets, classes, tags, and the runs that used it. */
export interface ProjectPageRequest {
  /** number of the project. */
  id: number;
}

/** Position in a list of projects: that of the last one listed. */
export interface ProjectPosition {
  updatedAt: string;
  id: number;
}

/** The runs that read or wrote a project or a part of it. */
export interface ProjectUsers {
  runs: Array<UsingRun>;
  /** number of all of them. */
  total: number;
  /** whether each is counted once; of a very large project, one that used several parts may count more often. */
  exact: boolean;
}

/** A run that failed or was lost. */
export interface RecentFailure {
  run: RunSummary;
  /** last line of its error; null for a run that was lost. */
  reason: string | null;
  /** login of a user. */
  createdBy: string | null;
}

/** Weights that a run wrote. */
export interface RecentModel {
  file: EntityLink;
  /** versions of models that they are, as model:lemons@2. */
  names: Array<string>;
  /** time in ISO 8601. */
  at: string;
  /** run that wrote them. */
  run: NamedEntity;
  /** login of a user. */
  createdBy: string | null;
}

/** Return what happened in the last days. */
export interface RecentRequest {
  /** how many, 7 by default. */
  days?: number | null;
}

/** Activity of the last days, the latest first. */
export interface RecentResponse {
  /** time in ISO 8601. */
  since: string;
  /** number of runs that began or ended since. */
  runs: number;
  /** whether all runs since were counted; of very many only the latest are. */
  complete: boolean;
  people: Array<RecentWork>;
  /** the latest of them, as are versions and models. */
  failures: Array<RecentFailure>;
  /** number of all of them. */
  failed: number;
  versions: Array<RecentVersion>;
  models: Array<RecentModel>;
}

/** A version of a project. */
export interface RecentVersion {
  id: number;
  number: number;
  project: NamedEntity;
  /** null without one. */
  title: string | null;
  /** login of a user. */
  createdBy: string | null;
  /** time in ISO 8601. */
  createdAt: string;
}

/** Work of a user. */
export interface RecentWork {
  /** null for a user that the caller does not see. */
  login: string | null;
  /** what they ran, the most frequent first. */
  apps: Array<AppRuns>;
  /** number of versions that they created. */
  versions: number;
}

/** The outcome of one record. */
export interface RecordResult {
  /** key of the record as sent. */
  key: unknown;
  /** duplicate means that a record of this key had been applied before. */
  status: "applied" | "duplicate" | "refused";
  /** why the record was refused. */
  reason: string | null;
}

/** Facts that were recorded apart from a run's own. */
export interface RecordedFacts {
  /** time in ISO 8601. */
  at: string;
  /** login of a user. */
  createdBy: string | null;
  /** as a run's. */
  facts: Record<string, unknown>;
}

/** A file that the recorded run read. */
export interface RecordedFile {
  /** number of the file. */
  id: number;
  /** path that it had. */
  path: string;
}

/** Make a file a version of a model; a file that is one already stays it. */
export interface RegisterModelRequest {
  /** name of the model, which the first version creates. */
  name: string;
  /** reference of the file, as file:9 or a path in Team Files. */
  ref: string;
  /** team of the model and of a path; the caller's default team without it. */
  teamId?: number | null;
}

/** Remove a user from a team, from the next request on; for admins of the team. */
export interface RemoveMemberRequest {
  /** the team. */
  teamId: number;
  /** the member. */
  login: string;
}

/** Remove a saved view: the caller's own, or a shared one. */
export interface RemoveViewRequest {
  /** number of the view. */
  id: number;
}

/** An item that a version does not have any more, by the dataset and the name that it had. */
export interface RemovedItem {
  /** `original` of its dataset. */
  dataset: number;
  name: string;
}

/** Let a reproduction's token see the restored data in place of the recorded. */
export interface ReproductionViewRequest {
  /** number of the token. */
  id: number;
  /** restored projects. */
  projects?: Array<RestoredNumber>;
  /** restored datasets, beside those of the same name in these projects. */
  datasets?: Array<RestoredNumber>;
  /** recorded files. */
  files?: Array<RecordedFile>;
  /** write files and projects to the paths and names that the command asks for, instead of below `/reproduced`. */
  publish?: boolean;
}

/** The folder that takes what the command writes. */
export interface ReproductionViewResponse {
  /** path of the folder, empty if the command writes to the paths that it asks for. */
  namespace: string;
}

/** Return the tasks that reproduced a task, or those of one attempt to do so. */
export interface ReproductionsRequest {
  /** number of the reproduced task. */
  task?: number | null;
  /** name of the attempt, as its runs recorded it. */
  attempt?: string | null;
}

/** Tasks of reproductions. */
export interface ReproductionsResponse {
  /** numbers of the tasks, the first one first. */
  tasks: Array<number>;
}

/** Return the version of a model that a reference names. */
export interface ResolveModelRequest {
  /** as model:lemons@champion, or model:lemons@champion on 2026-06-01. */
  ref: string;
  /** team of the model; the caller's default team first without it. */
  teamId?: number | null;
}

/** A recorded project or dataset and the one that was restored from a version of it. */
export interface RestoredNumber {
  /** number of the recorded one. */
  recorded: number;
  /** number of the restored one. */
  restored: number;
  /** recorded name. */
  name: string;
}

/** Remove what the rules of a team do not keep, as an erasure; autoflow.erase.run continues it. */
export interface RetentionApplyRequest {
  /** the team; without it the first team. */
  teamId?: number | null;
}

/** Return the rules of retention of a team, and what they would remove now; nothing is changed. */
export interface RetentionRequest {
  /** the team; without it the first team. */
  teamId?: number | null;
}

/** Rules of retention. */
export interface RetentionResponse {
  team: number;
  /** days that logs and versions are kept, by kind; a kind without a rule is kept for ever. */
  rules: Record<string, number>;
  /** numbers of rows of logs and of versions that are older. */
  due: Record<string, number>;
  /** references of the first of these versions. */
  versions: Array<string>;
  /** versions that are older, and stay because something needs them. */
  needed: number;
  /** time in ISO 8601 at which a server applies the rules next; null without rules. */
  nextAt: string | null;
}

/** Change the rules of retention of a team; servers apply them once a day, the first time a day later. */
export interface RetentionSetRequest {
  /** the team; without it the first team. */
  teamId?: number | null;
  /** days that logs of finished runs are kept; 0 to keep them for ever. */
  logs?: number | null;
  /** days that versions are kept that nothing needs; 0 to keep them for ever. */
  versions?: number | null;
}

/** Revoke a token that this user was issued for a reproduction. */
export interface RevokeTokenRequest {
  /** number of the token. */
  id: number;
}

/** Return pieces of the contents that the facts of a task name, such as the changes that its commit does not have. */
export interface RunContentsRequest {
  /** number of the task. */
  task: number;
  /** names of at most 32 pieces (`model.run_contents`). */
  pieces: Array<string>;
}

/** Pieces of contents. */
export interface RunContentsResponse {
  /** the pieces that the server has, in base64 by their names. */
  contents: Record<string, string>;
}

/** A run of a trace. */
export interface RunJson {
  /** reference of the run, as task:5. */
  ref: string;
  /** number of its task on the server. */
  task: number;
  /** name of the app. */
  name: string;
  state: string;
  error: string | null;
  startedAt: string | null;
  finishedAt: string | null;
  createdBy: string | null;
  /** time of the last record of a running run, in ISO 8601. */
  seenAt: string | null;
  workspaceId: number;
  teamId: number;
  /** facts of the run (`model.run.RunFacts`). */
  facts: Record<string, unknown>;
  /** keys of the data that it read. */
  inputs: Array<string>;
  /** keys of the data that it wrote. */
  outputs: Array<string>;
}

/** A link of a run to a page elsewhere. */
export interface RunLink {
  title: string;
  /** begins with http:// or https://. */
  url: string;
}

/** A part of a list of runs. */
export interface RunList {
  runs: Array<ListedRun>;
  next: number | null;
}

/** Return runs, the latest first. */
export interface RunListRequest {
  /** number of a workspace; all without it. */
  workspace?: number | null;
  /** number of an app; all without it. */
  app?: number | null;
  /** `next` of the previous part. */
  before?: number | null;
  /** most entries. */
  limit?: number | null;
}

/** A part of a run's log. */
export interface RunLog {
  /** chunks of the log. */
  parts: Array<LogChunk>;
  /** whether there are chunks before them. */
  earlier: boolean;
  /** state of the run. */
  state: "ended" | "failed" | "finished" | "lost" | "running";
}

/** Return a part of a run's log; its end without `before` and `after`. */
export interface RunLogRequest {
  /** number of the task. */
  id: number;
  /** number of a chunk; those before it are returned. */
  before?: number | null;
  /** number of a chunk; those after it are returned. */
  after?: number | null;
  /** most chunks. */
  limit?: number | null;
}

/** A run's page. */
export interface RunPage {
  /** number of the task. */
  id: number;
  /** name of the app, else of the run. */
  name: string;
  state: "ended" | "failed" | "finished" | "lost" | "running";
  /** time in ISO 8601. */
  startedAt: string;
  /** time in ISO 8601; null while it runs. */
  finishedAt: string | null;
  /** number of the task at its origin. */
  number: number;
  /** server that issued the number; empty for this server. */
  origin: string;
  /** null for a run without an app. */
  app: NamedEntity | null;
  workspace: NamedEntity;
  /** message of a run that failed. */
  error: string | null;
  /** time of the last record of a run that is running, in ISO 8601. */
  seenAt: string | null;
  /** what was recorded of the run, as `model.run.RunFacts` and what an app adds. */
  facts: Record<string, unknown>;
  /** facts recorded after its end, and facts of earlier runs of its number. */
  otherFacts: Array<RecordedFacts>;
  /** login of a user. */
  createdBy: string | null;
  createdAt: string;
  /** number of runs recorded for the task. */
  attempts: number;
  /** the first of what it read. */
  inputs: Array<LinkedEntity>;
  /** the first of what it wrote. */
  outputs: Array<LinkedEntity>;
  inputsTotal: number;
  outputsTotal: number;
  /** number of chunks of its log. */
  log: number;
}

/** Return a run's page: how it went, what it read and wrote. */
export interface RunPageRequest {
  /** number of the task. */
  id: number;
}

/** A run as an entry of a list. */
export interface RunSummary {
  /** number of the task. */
  id: number;
  /** name of the app, else of the run. */
  name: string;
  state: "ended" | "failed" | "finished" | "lost" | "running";
  /** time in ISO 8601. */
  startedAt: string;
  /** time in ISO 8601; null while it runs. */
  finishedAt: string | null;
}

/** Save a view: the address of a page, with its filters, selection and camera. */
export interface SaveViewRequest {
  /** its name; a view of the same author, team and name is replaced. */
  name: string;
  /** path and query of a page of this server. */
  address: string;
  /** whether all of the team see it; the author alone without it. */
  shared?: boolean;
  /** the team; the caller's first without it. */
  teamId?: number | null;
}

/** A saved view. */
export interface SavedView {
  id: number;
  teamId: number;
  name: string;
  /** path and query of the page. */
  address: string;
  /** whether all of the team see it. */
  shared: boolean;
  /** login of the author. */
  createdBy: string | null;
  createdAt: string;
}

/** Return titles, links, states and other texts of cards. */
export interface SceneCardsRequest {
  /** keys of the cards. */
  keys: Array<string>;
}

/** Texts of cards; unknown keys are left out. */
export interface SceneCardsResponse {
  cards: Array<CardTexts>;
}

/** Return a part of the lineage in another format. */
export interface SceneExportRequest {
  /** number of a project. */
  project?: number | null;
  /** number of a task. */
  task?: number | null;
  /** number of a team file, its path, or the path of a folder. */
  file?: number | string | null;
  /** number of a workspace. */
  workspace?: number | null;
  /** team whose path `file` is. */
  teamId?: number | null;
  /** hops around the entity; 2 without it. */
  depth?: number | null;
  /** cards whose neighbours on a side are shown too. */
  expand?: Array<CardSide>;
  /** card and side to which the graph is restricted. */
  focus?: CardSide | null;
  /** entity types shown. */
  kinds?: Array<string>;
  /** names of the apps shown. */
  apps?: Array<string>;
  /** runs that began earlier are left out. */
  since?: string | null;
  /** runs that began later are left out. */
  until?: string | null;
  /** whether five or more similar cards are shown as one. */
  clusters?: boolean;
  /** keys of clusters that are shown as their cards. */
  opened?: Array<string>;
  /** which groups are shown as one card each: none, all, or all if it is a large workspace (over 300 cards). */
  fold?: "all" | "large" | "none";
  /** keys of groups that are shown as one card whatever `fold` says. */
  folded?: Array<string>;
  /** keys of groups that are shown as their cards whatever `fold` says. */
  unfolded?: Array<string>;
  /** keys of cards that no filter hides. */
  keep?: Array<string>;
  /** x and y of cards that the caller shows already, by key; they stay there. */
  positions?: Record<string, [number, number]>;
  /** digest of the graph that the caller shows; if it has not changed the response holds no graph. */
  have?: string | null;
  /** the format. */
  form: "dot" | "html" | "json" | "mermaid" | "svg" | "text";
}

/** An exported graph. */
export interface SceneExportResponse {
  text: string;
  /** media type of the text. */
  media: string;
}

/** A group of cards: those of a project, or connected ones without a project. */
export interface SceneGroup {
  /** key of the card that it is shown as when it is folded. */
  key: string;
  title: string;
  /** number of its cards. */
  cards: number;
  /** whether it is shown as one card. */
  folded: boolean;
}

/** Return a part of the lineage as the page shows it, with positions. */
export interface SceneRequest {
  /** number of a project. */
  project?: number | null;
  /** number of a task. */
  task?: number | null;
  /** number of a team file, its path, or the path of a folder. */
  file?: number | string | null;
  /** number of a workspace. */
  workspace?: number | null;
  /** team whose path `file` is. */
  teamId?: number | null;
  /** hops around the entity; 2 without it. */
  depth?: number | null;
  /** cards whose neighbours on a side are shown too. */
  expand?: Array<CardSide>;
  /** card and side to which the graph is restricted. */
  focus?: CardSide | null;
  /** entity types shown. */
  kinds?: Array<string>;
  /** names of the apps shown. */
  apps?: Array<string>;
  /** runs that began earlier are left out. */
  since?: string | null;
  /** runs that began later are left out. */
  until?: string | null;
  /** whether five or more similar cards are shown as one. */
  clusters?: boolean;
  /** keys of clusters that are shown as their cards. */
  opened?: Array<string>;
  /** which groups are shown as one card each: none, all, or all if it is a large workspace (over 300 cards). */
  fold?: "all" | "large" | "none";
  /** keys of groups that are shown as one card whatever `fold` says. */
  folded?: Array<string>;
  /** keys of groups that are shown as their cards whatever `fold` says. */
  unfolded?: Array<string>;
  /** keys of cards that no filter hides. */
  keep?: Array<string>;
  /** x and y of cards that the caller shows already, by key; they stay there. */
  positions?: Record<string, [number, number]>;
  /** digest of the graph that the caller shows; if it has not changed the response holds no graph. */
  have?: string | null;
}

/** A part of the lineage; without its graph, but with `same`, if the caller shows it already. */
export interface SceneResponse {
  /** true if the graph has the digest that the request had. */
  same?: boolean;
  title?: string;
  /** key of the card that the graph was requested for; null for a workspace's. */
  entry?: string | null;
  /** key of each card; elsewhere a card is named by its position in this list. */
  keys?: Array<string>;
  /** type of each card, as a position in the registry of entity types. */
  types?: Array<number>;
  /** cards of runs by the run's state, as positions in `keys`. */
  states?: Record<string, Array<number>>;
  /** x, y and height of each card, in pixels. */
  boxes?: Array<number>;
  /** source, target and kind of each arrow: 0 input, 1 output, 2 version, 3 indirect; 4 more if it runs backward. */
  arrows?: Array<number>;
  /** of each arrow, the number of its points, then their coordinates. */
  ways?: Array<number>;
  /** how many arrows of the whole graph an arrow stands for, by its position, if more than one. */
  edges?: Record<string, number>;
  /** the groups; empty if there is only one. */
  groups?: Array<SceneGroup>;
  /** group of each card, as a position in `groups`, -1 for none; empty without groups. */
  grouping?: Array<number>;
  /** earliest time of a card, in ISO 8601; null if none has a time. */
  begin?: string | null;
  /** seconds from `begin` at which each card appears, less those of the card before; a cluster or a folded group appears with its first card, a card without a time at the beginning. */
  times?: Array<number>;
  /** the same of the cards of a cluster or a folded group, in order of time, by its position. */
  member_times?: Record<string, Array<number>>;
  width?: number;
  height?: number;
  /** numbers of neighbours left out upstream and downstream, by card. */
  more?: Record<string, [number, number]>;
  /** texts of the cards; if there are many, only those of clusters and folded groups. */
  cards?: Array<CardTexts>;
  facets?: Facets;
  /** whether there are more cards than a response may have. */
  cut?: boolean;
  /** the server's count of changes. */
  changes: number;
  /** digest of the graph. */
  digest: string;
}

/** A run with its results and parameters. */
export interface ScoredRun {
  /** number of the task. */
  id: number;
  /** name of the app, else of the run. */
  name: string;
  state: "ended" | "failed" | "finished" | "lost" | "running";
  startedAt: string | null;
  finishedAt: string | null;
  /** login of a user. */
  createdBy: string | null;
  /** final numbers by name. */
  results: Record<string, number>;
  /** parameters by name, nested ones with dots; long texts are shortened. */
  parameters: Record<string, number | string>;
  /** links to pages elsewhere. */
  links: Array<RunLink>;
}

/** Find entities by a part of their names or by their numbers. */
export interface SearchRequest {
  /** part of a name; project:7 and #7 find a number. */
  q?: string;
  /** kinds to search; all without it. */
  kinds?: Array<"dataset" | "file" | "image" | "job" | "model" | "note" | "project" | "run" | "version">;
  /** most results of each kind. */
  limit?: number | null;
}

/** Results of a search. */
export interface SearchResponse {
  results: Array<SearchResult>;
  /** kinds of which there are more results. */
  more: Array<"dataset" | "file" | "image" | "job" | "model" | "note" | "project" | "run" | "version">;
}

/** An entity that matches a search. */
export interface SearchResult {
  kind: "dataset" | "file" | "image" | "job" | "model" | "note" | "project" | "run" | "version";
  id: number;
  title: string;
  detail: string;
  /** path of its page. */
  link: string;
  /** time of its last change or of its start. */
  at: string | null;
}

/** Return the runs that a condition holds for. */
export interface SearchRunsRequest {
  /** condition as in `model.run_query`: result.mAP > 0.6 and state = finished; all runs without it. */
  where?: string | null;
  /** field, with a leading - for the greatest first; the latest runs first without it. Runs without the field are left out. */
  sort?: string | null;
  /** most entries. */
  limit?: number | null;
  /** number of entries to leave out. */
  offset?: number | null;
}

/** A part of the runs that a condition holds for. */
export interface SearchRunsResponse {
  runs: Array<ScoredRun>;
  /** offset of the following part, null after the last. */
  next: number | null;
}

/** Let an alias of a model name a version, which moves it; the move is recorded in the audit log. */
export interface SetAliasRequest {
  /** name of the model. */
  name: string;
  /** name of the alias, which begins with a letter. */
  alias: string;
  /** number of the version; without it the alias is removed. */
  version?: number | null;
  /** why. */
  reason?: string;
  /** team of the model; the caller's default team first without it. */
  teamId?: number | null;
}

/** The move of an alias. */
export interface SetAliasResponse {
  /** whether it moved; false if it named that version already. */
  moved: boolean;
  alias: string;
  /** number of the version that it named before; null for none. */
  before: number | null;
  version: number | null;
}

/** Add a user to a team, or change a member's role; for admins of the team. */
export interface SetMemberRequest {
  /** the team. */
  teamId: number;
  /** the user, who is created if there is none of that name. */
  login: string;
  /** what the user may do in the team. */
  role: "admin" | "editor" | "viewer";
}

/** Return a model with its versions, the latest first. */
export interface ShowModelRequest {
  /** name of the model. */
  name: string;
  /** team of the model; the caller's default team first without it. */
  teamId?: number | null;
  /** versions before this number, to page. */
  before?: number | null;
  /** most versions. */
  limit?: number | null;
}

/** A model with versions. */
export interface ShowModelResponse {
  model: ModelSummary;
  versions: Array<ModelVersion>;
  /** before of the next request; null after the last part. */
  next: number | null;
}

/** Save a project's state as a version; a project that has not changed keeps its last version. */
export interface SnapshotRequest {
  /** number of the project. */
  projectId: number;
  /** title of a new version. */
  title?: string | null;
  /** description of a new version. */
  description?: string | null;
}

/** The version that holds the project's state. */
export interface SnapshotResponse {
  /** number of the version on this server. */
  id: number;
  /** number of the version in its project, from 1. */
  version: number;
  /** false if the project had not changed since this version. */
  created: boolean;
}

/** An edge of a run. */
export interface SourceEdge {
  id: number;
  direction: string;
  type: string;
  /** number or path of the entity, as text. */
  entity: string;
  origin: string;
  meta: Record<string, unknown> | null;
  /** time in ISO 8601. */
  at: string;
}

/** A team file. */
export interface SourceFile {
  id: number;
  path: string;
  /** base64 of the SHA-256 of its bytes. */
  hash: string;
  /** media type. */
  mime: string;
  size: number;
  /** whether it is the current file of its path. */
  current: boolean;
}

/** A project that can be copied. */
export interface SourceProject {
  id: number;
  name: string;
  /** whether it has changed since its last version, or has none. */
  changed: boolean;
  /** numbers of its versions, the oldest first. */
  versions: Array<number>;
}

/** A run. */
export interface SourceRun {
  id: number;
  name: string;
  /** number of the task at its origin. */
  number: number;
  /** server that issued the number; empty for this one. */
  origin: string;
  state: string;
  error: string | null;
  facts: Record<string, unknown>;
  /** settings of its own card. */
  node: Record<string, unknown> | null;
  createdAt: string;
  /** time in ISO 8601; null if it has not begun. */
  startedAt: string | null;
  finishedAt: string | null;
  /** number of the last part of its log; 0 without a log. */
  log: number;
  edges: Array<SourceEdge>;
}

/** The start page. */
export interface StartPage {
  /** whether the caller sees an audit log: an admin of a team, with a token of scope admin. */
  isAdmin: boolean;
  workspaces: Array<ListedWorkspace>;
  projects: ProjectList;
  runs: RunList;
}

/** Return what the start page shows: workspaces, the projects changed last, the latest runs. */
export interface StartPageRequest {
  /** most entries of each list. */
  limit?: number | null;
}

/** Response of a method that only changes something. */
export interface Success {
  success: boolean;
}

/** A column of a table. */
export interface TableColumn {
  name: string;
  /** type of its values; empty in a CSV, which has none. */
  type: string;
}

/** A tag that images and labels of a project may have; further members are as a client sent them. */
export interface TagDefinition {
  /** none, any_string, any_number or oneof_string. */
  value_type?: string | null;
  /** as #RRGGBB. */
  color?: string | null;
  id: number;
  name: string;
}

/** A tag of an image or a label. */
export interface TagValue {
  /** number of the tag. */
  tagId: number;
  /** text or number; null for a tag without one. */
  value: unknown;
}

/** The app of a task; its number is 0 if it is unknown. */
export interface TaskApp {
  id: number;
  name: string;
}

/** Members of a task beside Supervisely's. */
export interface TaskDetails {
  /** server that issued the task's number; empty for this server. */
  origin: string;
  /** number of the task at its origin. */
  number: number;
  /** state of the run; null for a number of which nothing is recorded. */
  state: "ended" | "failed" | "finished" | "lost" | "running" | null;
  error: string | null;
  /** facts of the run (`model.run.RunFacts`). */
  facts: Record<string, unknown>;
}

/** A task's app and output, where Supervisely has them. */
export interface TaskMeta {
  app: TaskApp;
  output: Record<string, unknown>;
  /** segment of the path of the app's own page on an instance; this server shows no such pages. */
  sessionToken: string;
}

/** A task as Supervisely's ``tasks.info`` returns it. */
export interface TaskResponse {
  id: number;
  type: string;
  name: string;
  description: string;
  /** Supervisely's word for the state. */
  status: string;
  teamId: number;
  workspaceId: number;
  /** number of a user. */
  createdBy: number;
  createdAt: string;
  updatedAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  meta: TaskMeta;
  settings: Record<string, unknown>;
  agentId: null;
  agentName: null;
  /** what Supervisely does not have. */
  autoflow: TaskDetails;
}

/** The ancestry of an entity. */
export interface TraceJson {
  ref: string;
  /** false if the trace is larger than a response may be. */
  complete: boolean;
  /** runs, by the keys of their cards. */
  runs: Record<string, RunJson>;
  /** what the runs read and wrote, by key. */
  data: Record<string, DataJson>;
  graph: GraphJson;
}

/** Return the ancestry of an entity: the runs that wrote it, what these read, and so on. */
export interface TraceRequest {
  /** project:7, project:7#3, version:12, dataset:3, file:9, task:5, job:2, or a /path. */
  ref: string;
  /** team of a path. */
  teamId?: number | null;
  /** whether to follow all runs that wrote an entity, not only the latest. */
  every?: boolean;
}

/** Begin to copy a version to this server, or continue where an interrupted transfer of it ended. */
export interface TransferBeginRequest {
  /** the version in the store that it comes from, then those that it was copied from. */
  origins: Array<VersionOrigin>;
  /** the version. */
  version: TransferVersion;
  /** its project. */
  project: TransferProject;
  /** numbers of earlier versions of the project at the source, the latest first; if the copy of one is the last version of a project that has not changed since, this version becomes the next of that project. */
  earlier?: Array<number>;
  /** workspace of a new project; by default the first one of the caller's first team. */
  workspaceId?: number | null;
  /** name of a new project; by default that of the source. */
  name?: string | null;
}

/** A dataset of a version that is copied. */
export interface TransferDataset {
  /** number of the dataset at the source. */
  id?: number | null;
  /** number by which digests identify the dataset. */
  original: number;
  /** `original` of the dataset that contains it. */
  parent?: number | null;
  name: string;
  description?: string;
  /** JSON document, as it is stored. */
  customData?: string;
  createdAt: string;
  updatedAt: string;
}

/** Add the datasets, classes and tags of a version that is copied to this server. */
export interface TransferDatasetsRequest {
  /** number of the transfer. */
  id: number;
  /** all datasets of the version, parents before children. */
  datasets: Array<TransferDataset>;
  /** JSON document of classes and tags. */
  meta?: string | null;
}

/** Return annotation documents of a version, as they are stored. */
export interface TransferDocumentsRequest {
  /** number of the version. */
  id: number;
  /** names of documents. */
  hashes: Array<string>;
}

/** Annotation documents. */
export interface TransferDocumentsResponse {
  /** canonical JSON by name; documents that the version does not have are absent. */
  documents: Record<string, string>;
}

/** Return a page of the team files of this store, replaced ones included, in the order they were uploaded in. */
export interface TransferFilesRequest {
  /** `after` of the previous page. */
  after?: number;
}

/** A page of files. */
export interface TransferFilesResponse {
  files: Array<SourceFile>;
  /** position for the next page; null after the last. */
  after: number | null;
}

/** Publish a version whose items are all here, if its digest is that of the source; else nothing of it is left. */
export interface TransferFinishRequest {
  /** number of the transfer. */
  id: number;
}

/** An item of a version that is copied; JSON documents are texts, as they are stored. */
export interface TransferItem {
  /** `original` of its dataset. */
  dataset: number;
  name: string;
  /** base64 of the SHA-256 of its bytes. */
  hash?: string | null;
  link?: string | null;
  mime?: string | null;
  size?: number | null;
  width?: number | null;
  height?: number | null;
  meta?: string;
  tags?: string;
  /** name of its annotation document. */
  annotation?: string | null;
  /** number of its labels. */
  labels?: number;
  description?: string;
  createdAt: string;
  updatedAt: string;
}

/** Return a page of a version's items as they are copied to another server, ordered by their numbers. */
export interface TransferItemsRequest {
  /** number of the version. */
  id: number;
  /** number of an earlier version of the project; only what has changed since is returned. */
  base?: number | null;
  /** `after` of the previous page. */
  after?: number;
}

/** A page of items. */
export interface TransferItemsResponse {
  /** `TransferItem` each, with its `id`. */
  items: Array<Record<string, unknown>>;
  /** `RemovedItem` each. */
  removed: Array<Record<string, unknown>>;
  /** number of the last item of the page. */
  upto: number;
  /** position for the next page; null after the last. */
  after: number | null;
}

/** Return which rows of another store the caller's first team has copies of. */
export interface TransferKnownRequest {
  /** random id of the other store. */
  store: string;
  /** type of the rows. */
  type: "dataset" | "file" | "project" | "task" | "version";
  /** their numbers in the other store. */
  ids: Array<number>;
}

/** Copies of rows. */
export interface TransferKnownResponse {
  /** number of the team. */
  team: number;
  /** number here, and what the client stored of it, by the number in the other store. */
  copies: Record<string, [number, string]>;
}

/** Store which files or tasks of the caller's first team are copies of rows of another store. */
export interface TransferLinkRequest {
  /** random id of the other store. */
  store: string;
  /** type of the rows. */
  type: "file" | "task";
  /** the rows. */
  copies: Array<LinkedCopy>;
}

/** Stored copies. */
export interface TransferLinkResponse {
  /** number of them. */
  count: number;
}

/** Return a page of the log of a run, as it is stored. */
export interface TransferLogRequest {
  /** number of the task. */
  task: number;
  /** `after` of the previous page. */
  after?: number;
}

/** A page of a log. */
export interface TransferLogResponse {
  /** number, time and lines of each part. */
  parts: Array<[number, string, string]>;
  /** position for the next page; null after the last. */
  after: number | null;
}

/** Return which contents this server lacks; the others are kept for a day, so that they can be referenced. */
export interface TransferNeedsRequest {
  /** base64 of the SHA-256 of files. */
  blobs?: Array<string>;
  /** names of annotation documents. */
  documents?: Array<string>;
}

/** Contents to be sent. */
export interface TransferNeedsResponse {
  /** hashes of the files that this server lacks. */
  blobs: Array<string>;
  /** names of the annotation documents that it lacks. */
  documents: Array<string>;
}

/** A project whose version is copied; JSON documents are texts, as they are stored. */
export interface TransferProject {
  name: string;
  /** project type of Supervisely, such as images. */
  type: string;
  description?: string;
  readme?: string;
  settings?: string;
  importSettings?: string;
  customData?: string;
}

/** Return a page of the projects of this store, with their versions. */
export interface TransferProjectsRequest {
  /** `after` of the previous page. */
  after?: number;
}

/** A page of projects. */
export interface TransferProjectsResponse {
  /** random id of the store. */
  store: string;
  projects: Array<SourceProject>;
  /** position for the next page; null after the last. */
  after: number | null;
}

/** Add items to a version that is copied to this server; a repeated request changes nothing. */
export interface TransferPutRequest {
  /** number of the transfer. */
  id: number;
  /** position of the source's items that the previous request ended at. */
  after: number;
  /** position that this one ends at. */
  upto: number;
  /** the items between. */
  items: Array<TransferItem>;
  /** items that the earlier version had, if the transfer continues one. */
  removed?: Array<RemovedItem>;
  /** annotation documents that this server lacked, as canonical JSON. */
  documents?: Array<string>;
}

/** Return a page of the runs of this store, with their edges, as they are stored. */
export interface TransferRunsRequest {
  /** `after` of the previous page. */
  after?: number;
}

/** A page of runs. */
export interface TransferRunsResponse {
  runs: Array<SourceRun>;
  /** position for the next page; null after the last. */
  after: number | null;
}

/** Return a version as it is copied to another server, without its items. */
export interface TransferSourceRequest {
  /** number of the version. */
  id: number;
}

/** A version without its items; members are those of the requests that they are sent on in. */
export interface TransferSourceResponse {
  /** the version in this store, then those that it was copied from, as `VersionOrigin`. */
  origins: Array<Record<string, unknown>>;
  /** `TransferVersion`. */
  version: Record<string, unknown>;
  /** `TransferProject`. */
  project: Record<string, unknown>;
  /** numbers of the earlier versions of its project, the latest first. */
  earlier: Array<number>;
  /** JSON document of classes and tags, as it is stored; null if there is none. */
  meta: string | null;
  /** `TransferDataset` each, parents before children. */
  datasets: Array<Record<string, unknown>>;
}

/** The state of a transfer. */
export interface TransferState {
  /** whether this server has the version. */
  done: boolean;
  /** number of the transfer; null if the version was here before. */
  id: number | null;
  /** number of the earlier version at the source whose copy this one continues; null for a new project. */
  base: number | null;
  /** position of the source's items up to which they are here; null before datasets are. */
  after: number | null;
  /** number of the project; null until the transfer is done. */
  project: number | null;
  /** number of the version; null until the transfer is done. */
  version: number | null;
  /** number of the version in its project. */
  number: number;
  /** name of the project. */
  name: string;
}

/** A version that is copied. */
export interface TransferVersion {
  /** number of the version in its project. */
  number: number;
  /** digest of its content, which the copy must have, too. */
  digest: string;
  itemsCount: number;
  /** title. */
  name?: string | null;
  description?: string | null;
  /** login of the user who saved it. */
  author: string;
  /** time in ISO 8601. */
  createdAt: string;
  /** time of the last change that it contains, in ISO 8601. */
  projectUpdatedAt: string;
}

/** A method that this server lacks. */
export interface UnknownMethodCount {
  method: string;
  /** number of requests. */
  count: number;
  /** time of the last request, in ISO 8601. */
  lastAt: string;
}

/** Return the methods that clients requested and this server lacks, the most frequent first. */
export type UnknownMethodsRequest = Record<string, never>;

/** Methods that this server lacks. */
export interface UnknownMethodsResponse {
  methods: Array<UnknownMethodCount>;
}

/** A stored file. */
export interface UploadedFile {
  /** base64 of the SHA-256 of its bytes. */
  hash: string;
  /** number of its bytes. */
  size: number;
}

/** Numbers of uses of a class or a tag. */
export interface UseCounts {
  /** number of labels. */
  objects: number;
  /** number of images. */
  images: number;
}

/** The runs that read or wrote an entity, the latest first. */
export interface Users {
  runs: Array<UsingRun>;
  /** number of all of them. */
  total: number;
}

/** A run that read or wrote an entity. */
export interface UsingRun {
  /** number of the task. */
  id: number;
  /** name of the app, else of the run. */
  name: string;
  state: "ended" | "failed" | "finished" | "lost" | "running";
  /** time in ISO 8601. */
  startedAt: string;
  /** time in ISO 8601; null while it runs. */
  finishedAt: string | null;
  /** what it did with the entity. */
  directions: Array<"input" | "output">;
}

/** Check the integrity of the store; each call does a part of it, until the response is done. */
export interface VerifyRequest {
  /** 1 checks the rows of versions, 2 also that files exist, 3 also their bytes. */
  level?: number;
  /** number of a version to check alone. */
  id?: number | null;
  /** number of a project to check alone, with its versions. */
  projectId?: number | null;
  /** `state` of the previous response. */
  state?: string | null;
}

/** Progress of a check. */
export interface VerifyResponse {
  done: boolean;
  /** state for the next call; null when the job is done. */
  state: string | null;
  /** numbers of what the job did so far. */
  counts: Record<string, number>;
  /** problems that this call detected. */
  problems: Array<IntegrityProblem>;
}

/** A dataset of a version. */
export interface VersionDataset {
  id: number;
  /** number of the dataset that contains it; null at the top. */
  parentId: number | null;
  name: string;
  /** names of the datasets around it, the outermost first, and its own. */
  path: Array<string>;
  description: string;
  /** data that apps stored with it. */
  customData: Record<string, unknown>;
  /** number of items directly in it. */
  itemsCount: number;
}

/** Delete a version; its number stays known, so that references to it stay resolvable. */
export interface VersionDeleteRequest {
  /** number of the version. */
  id: number;
  /** return the models that were made from it, and delete nothing. */
  dryRun?: boolean;
}

/** The outcome of deleting a version. */
export interface VersionDeleteResponse {
  /** whether it was deleted; false for a dry run. */
  success: boolean;
  /** references of versions of models that were made from it, as model:lemons@3. */
  models: Array<string>;
}

/** A version, with what Supervisely does not have of it. */
export interface VersionDetails {
  id: number;
  projectId: number;
  /** number of a user. */
  createdBy: number | null;
  /** team file of the archive that Supervisely's SDK saved. */
  teamFileId: number | null;
  /** number of the version in its project, from 1. */
  version: number;
  description: string | null;
  /** committed, or reserved while it is being saved. */
  status: string;
  createdAt: string;
  updatedAt: string;
  projectUpdatedAt: string;
  teamId: number;
  name: string | null;
  /** project that shows the version. */
  previewProjectId: number | null;
  /** number of items; null of a version whose items were never counted. */
  itemsCount: number | null;
  /** bytes of the items' files, as text. */
  size: string;
  /** digest of the project's state. */
  digest: string;
  /** number of datasets. */
  datasetsCount: number;
  /** where it was saved, if that was not here. */
  copiedFrom: CopiedVersion | null;
}

/** Compare a version of a project with another one, or with the project's current state. */
export interface VersionDiffRequest {
  /** number of the earlier version. */
  from: number;
  /** number of the later version; the current state of the project without it. */
  to?: number | null;
  /** most changes of the page, 1000 at most. */
  limit?: number | null;
  /** `after` of the previous page. */
  after?: number;
  /** whether to count the changed labels of all items. */
  labels?: boolean;
}

/** The differences between two states of a project. */
export interface VersionDiffResponse {
  projectId: number;
  from: ComparedVersion;
  to: ComparedVersion | null;
  counts: DiffCounts;
  classes: ChangedNames;
  tags: ChangedNames;
  datasets: ChangedNames;
  /** changed items, a page at a time. */
  changes: Array<ItemDiff>;
  /** position for the next page; null after the last. */
  after: number | null;
}

/** An item as a version holds it. */
export interface VersionItem {
  id: number;
  datasetId: number;
  /** names of the item's dataset and of those around it, the outermost first. */
  dataset: Array<string>;
  name: string;
  /** base64 of the SHA-256 of the item's bytes; null for a link. */
  hash: string | null;
  link: string | null;
  /** media type of the item's file. */
  mime: string | null;
  /** bytes of the item's file. */
  size: number | null;
  /** width in pixels; null of what has none. */
  width: number | null;
  /** height in pixels; null of what has none. */
  height: number | null;
  meta: Record<string, unknown>;
  description: string;
  /** tags in Supervisely's format. */
  tags: Array<Record<string, unknown>>;
  /** number of its labels. */
  labelsCount: number;
  createdAt: string;
  updatedAt: string;
  /** annotation in Supervisely's format, if the request asked for it. */
  annotation?: Record<string, unknown>;
  /** text that tells states of the item apart, whatever its name, if the request asked for it. */
  fingerprint?: string;
}

/** Return a page of a version's items, ordered by their numbers. */
export interface VersionItemsRequest {
  /** number of the version. */
  id: number;
  /** `after` of the previous page. */
  after?: number | null;
  /** most items of the page; the server returns at most 1000. */
  limit?: number | null;
  /** only items of this dataset. */
  datasetId?: number | null;
  /** only items of these numbers. */
  ids?: Array<number> | null;
  /** whether to include annotations. */
  annotations?: boolean;
  /** whether to include fingerprints. */
  fingerprints?: boolean;
}

/** A page of a version's items. */
export interface VersionItemsResponse {
  items: Array<VersionItem>;
  /** position for the next page; null after the last. */
  after: number | null;
}

/** A part of a project's versions. */
export interface VersionList {
  project: VersionedProject;
  /** whether the project has changed since its last version. */
  changed: boolean;
  versions: Array<ListedVersion>;
  /** number, in the project, of the last version listed; null at the end. */
  next: number | null;
}

/** Return a project's versions, the latest first, each with the runs that used it. */
export interface VersionListRequest {
  /** number of the project. */
  id: number;
  /** `next` of the previous part, the number of a version in its project. */
  before?: number | null;
  /** most entries. */
  limit?: number | null;
}

/** Download the versions.json of a project, in the format of Supervisely's SDK. */
export interface VersionMapRequest {
  /** number of the project. */
  id: number;
}

/** Return a version with its project, classes, tags and datasets. */
export interface VersionMetaRequest {
  /** number of the version. */
  id: number;
}

/** A version without its items. */
export interface VersionMetaResponse {
  version: VersionDetails;
  project: VersionProject;
  meta: LabelDefinitions;
  /** datasets, parents before children. */
  datasets: Array<VersionDataset>;
}

/** A version by the store that it is in, or was copied from. */
export interface VersionOrigin {
  /** random id of the store. */
  store: string;
  /** number of the project in that store. */
  project: number;
  /** number of the version in that store. */
  version: number;
}

/** Download a preview of an image of a version. */
export interface VersionPictureRequest {
  /** number of the image. */
  id: number;
  /** number of the version. */
  version: number;
}

/** The project of a version. */
export interface VersionProject {
  id: number;
  name: string;
  description: string;
  /** project type of Supervisely, such as images. */
  type: string;
  workspaceId: number;
  /** whether the project was removed since. */
  removed: boolean;
}

/** Restore a version as a new project; each call does a part of it, until the response is done. */
export interface VersionRestoreRequest {
  /** number of the version. */
  id?: number | null;
  /** number of the project whose version is restored. */
  projectId?: number | null;
  /** number of the version in its project. */
  number?: number | null;
  /** name of the new project. */
  name?: string | null;
  /** description of the new project. */
  description?: string | null;
  /** workspace of the new project; by default that of the old one. */
  workspaceId?: number | null;
  /** whether to leave out items whose content is missing. */
  skipMissed?: boolean;
  /** `id` of the previous response. */
  restoring?: number | null;
}

/** Progress of a restore. */
export interface VersionRestoreResponse {
  done: boolean;
  /** number of the new project. */
  id: number;
  name: string;
  /** items restored so far. */
  copied: number;
  /** items of the version. */
  total: number;
  missed: MissedItems;
  /** items of the version that were erased, and that are not restored. */
  erased: number;
}

/** Return whether a project is as it was when a version of it was saved. */
export interface VersionUnchangedRequest {
  /** number of the version. */
  id: number;
}

/** The comparison of a version with its project. */
export interface VersionUnchangedResponse {
  /** whether the project has the version's content, also after changes that were undone. */
  unchanged: boolean;
}

/** A run that made or used a version. */
export interface VersionUser {
  id: number;
  /** null if the run is not visible to the caller. */
  name: string | null;
  direction: "input" | "output";
}

/** The first runs that made or used a version. */
export interface VersionUsers {
  runs: Array<VersionUser>;
  /** number of all of them. */
  total: number;
}

/** The project of a list of versions. */
export interface VersionedProject {
  id: number;
  name: string;
  /** project type of Supervisely, such as images. */
  type: string;
  /** number of its images. */
  images: number;
  /** bytes of its images. */
  size: number;
  /** time in ISO 8601. */
  updatedAt: string;
}

/** Return the deliveries of a webhook, the latest first; for admins of its team. */
export interface WebhookDeliveriesRequest {
  /** number of the webhook. */
  id: number;
  /** deliveries older than the one with this number, to page. */
  before?: number | null;
  /** most entries. */
  limit?: number | null;
}

/** Deliveries of a webhook. */
export interface WebhookDeliveriesResponse {
  deliveries: Array<WebhookDelivery>;
  /** before of the next request; null after the last part. */
  next: number | null;
}

/** An event on its way to a webhook. */
export interface WebhookDelivery {
  id: number;
  /** id of the event, the same in the request's body and in its header X-Autoflow-Delivery. */
  event: string;
  action: string;
  /** waiting also while it is tried again; failed after the last attempt. */
  state: "delivered" | "failed" | "waiting";
  attempts: number;
  /** why the last attempt failed; null if it did not. */
  error: string | null;
  /** time of the next attempt; null for none. */
  nextAt: string | null;
  createdAt: string;
  updatedAt: string;
}

/** A file that was uploaded while a task ran. */
export interface WrittenFile {
  /** path in the team's files. */
  path: string;
  /** SHA-256 of its bytes. */
  sha256: string | null;
  /** bytes. */
  size: number;
}

/** Request and response of each method. */
export interface Methods {
  "autoflow.records.add": { request: AddRecordsRequest; response: AddRecordsResponse };
  "autoflow.runs.ensure": { request: EnsureRunRequest; response: EnsureRunResponse };
  "autoflow.runs.contents": { request: RunContentsRequest; response: RunContentsResponse };
  "autoflow.tasks.ensure": { request: EnsureTaskRequest; response: TaskResponse };
  "autoflow.versions.snapshot": { request: SnapshotRequest; response: SnapshotResponse };
  "autoflow.versions.unchanged": { request: VersionUnchangedRequest; response: VersionUnchangedResponse };
  "autoflow.versions.map": { request: VersionMapRequest; response: Record<string, unknown> };
  "autoflow.versions.items": { request: VersionItemsRequest; response: VersionItemsResponse };
  "autoflow.versions.meta": { request: VersionMetaRequest; response: VersionMetaResponse };
  "autoflow.versions.diff": { request: VersionDiffRequest; response: VersionDiffResponse };
  "autoflow.versions.restore": { request: VersionRestoreRequest; response: VersionRestoreResponse };
  "autoflow.versions.delete": { request: VersionDeleteRequest; response: VersionDeleteResponse };
  "autoflow.versions.classes": { request: ClassCountsRequest; response: ClassCountsResponse };
  "autoflow.items.table": { request: ItemTableRequest; response: ItemTable };
  "autoflow.transfers.source": { request: TransferSourceRequest; response: TransferSourceResponse };
  "autoflow.transfers.items": { request: TransferItemsRequest; response: TransferItemsResponse };
  "autoflow.transfers.documents": { request: TransferDocumentsRequest; response: TransferDocumentsResponse };
  "autoflow.transfers.begin": { request: TransferBeginRequest; response: TransferState };
  "autoflow.transfers.needs": { request: TransferNeedsRequest; response: TransferNeedsResponse };
  "autoflow.transfers.datasets": { request: TransferDatasetsRequest; response: TransferState };
  "autoflow.transfers.put": { request: TransferPutRequest; response: TransferState };
  "autoflow.transfers.finish": { request: TransferFinishRequest; response: TransferState };
  "autoflow.transfers.projects": { request: TransferProjectsRequest; response: TransferProjectsResponse };
  "autoflow.transfers.files": { request: TransferFilesRequest; response: TransferFilesResponse };
  "autoflow.transfers.runs": { request: TransferRunsRequest; response: TransferRunsResponse };
  "autoflow.transfers.log": { request: TransferLogRequest; response: TransferLogResponse };
  "autoflow.transfers.known": { request: TransferKnownRequest; response: TransferKnownResponse };
  "autoflow.transfers.link": { request: TransferLinkRequest; response: TransferLinkResponse };
  "autoflow.folders.state": { request: FolderStateRequest; response: FolderStateResponse };
  "autoflow.folders.items": { request: FolderItemsRequest; response: FolderItemsResponse };
  "autoflow.folders.shape": { request: FolderShapeRequest; response: FolderShapeResponse };
  "autoflow.folders.upload": { request: Record<string, unknown>; response: FolderUploadResponse };
  "autoflow.folders.look": { request: FolderLookRequest; response: FolderLookResponse };
  "autoflow.folders.put": { request: FolderPutRequest; response: FolderPutResponse };
  "autoflow.folders.remove": { request: FolderRemoveRequest; response: FolderDigests };
  "autoflow.folders.contents": { request: FolderContentsRequest; response: string };
  "autoflow.folders.paths": { request: FolderPathsRequest; response: FolderPathsResponse };
  "autoflow.graph": { request: GraphRequest; response: GraphJson };
  "autoflow.trace": { request: TraceRequest; response: TraceJson };
  "autoflow.impact": { request: ImpactRequest; response: ImpactJson };
  "autoflow.reproductions": { request: ReproductionsRequest; response: ReproductionsResponse };
  "autoflow.files.history": { request: FileHistoryRequest; response: FileHistoryResponse };
  "autoflow.files.written": { request: FilesWrittenRequest; response: FilesWrittenResponse };
  "autoflow.scene": { request: SceneRequest; response: SceneResponse };
  "autoflow.scene.cards": { request: SceneCardsRequest; response: SceneCardsResponse };
  "autoflow.scene.export": { request: SceneExportRequest; response: SceneExportResponse };
  "autoflow.models.register": { request: RegisterModelRequest; response: ModelVersion };
  "autoflow.models.list": { request: ListModelsRequest; response: ListModelsResponse };
  "autoflow.models.show": { request: ShowModelRequest; response: ShowModelResponse };
  "autoflow.models.resolve": { request: ResolveModelRequest; response: ModelVersion };
  "autoflow.models.alias": { request: SetAliasRequest; response: SetAliasResponse };
  "autoflow.models.history": { request: AliasHistoryRequest; response: AliasHistoryResponse };
  "autoflow.overview.start": { request: StartPageRequest; response: StartPage };
  "autoflow.overview.projects": { request: ProjectListRequest; response: ProjectList };
  "autoflow.overview.file": { request: FilePageRequest; response: FilePage };
  "autoflow.overview.folder": { request: FolderPageRequest; response: FolderPage };
  "autoflow.overview.job": { request: JobPageRequest; response: JobPage };
  "autoflow.overview.recent": { request: RecentRequest; response: RecentResponse };
  "autoflow.overview.runs": { request: RunListRequest; response: RunList };
  "autoflow.overview.run": { request: RunPageRequest; response: RunPage };
  "autoflow.overview.log": { request: RunLogRequest; response: RunLog };
  "autoflow.runs.search": { request: SearchRunsRequest; response: SearchRunsResponse };
  "autoflow.runs.compare": { request: CompareRunsRequest; response: CompareRunsResponse };
  "autoflow.overview.project": { request: ProjectPageRequest; response: ProjectPage };
  "autoflow.overview.counts": { request: LabelCountsRequest; response: LabelCounts };
  "autoflow.overview.versions": { request: VersionListRequest; response: VersionList };
  "autoflow.overview.images": { request: ImageListRequest; response: ImageList };
  "autoflow.overview.image": { request: ImagePageRequest; response: ImagePage };
  "autoflow.overview.drawn": { request: DrawnImagesRequest; response: DrawnImages };
  "autoflow.versions.picture": { request: VersionPictureRequest; response: string };
  "autoflow.changes": { request: ChangesRequest; response: ChangesResponse };
  "autoflow.unknown_methods": { request: UnknownMethodsRequest; response: UnknownMethodsResponse };
  "autoflow.search": { request: SearchRequest; response: SearchResponse };
  "autoflow.upkeep.collect": { request: CollectRequest; response: MaintenanceResponse };
  "autoflow.upkeep.verify": { request: VerifyRequest; response: VerifyResponse };
  "autoflow.reproduction.token": { request: IssueTokenRequest; response: IssueTokenResponse };
  "autoflow.reproduction.view": { request: ReproductionViewRequest; response: ReproductionViewResponse };
  "autoflow.reproduction.discard": { request: DiscardReproductionRequest; response: DiscardReproductionResponse };
  "autoflow.reproduction.revoke": { request: RevokeTokenRequest; response: Success };
  "autoflow.members.set": { request: SetMemberRequest; response: Success };
  "autoflow.members.remove": { request: RemoveMemberRequest; response: Success };
  "autoflow.previews": { request: PreviewRequest; response: string };
  "autoflow.audit.list": { request: ListAuditRequest; response: ListAuditResponse };
  "autoflow.erase.plan": { request: ErasePlanRequest; response: ErasePlanResponse };
  "autoflow.erase.run": { request: EraseRunRequest; response: EraseRunResponse };
  "autoflow.erase.list": { request: EraseListRequest; response: EraseListResponse };
  "autoflow.retention": { request: RetentionRequest; response: RetentionResponse };
  "autoflow.retention.set": { request: RetentionSetRequest; response: RetentionResponse };
  "autoflow.retention.apply": { request: RetentionApplyRequest; response: EraseRunResponse };
  "autoflow.notes.add": { request: AddNoteRequest; response: Note };
  "autoflow.notes.list": { request: ListNotesRequest; response: NotesResponse };
  "autoflow.views.add": { request: SaveViewRequest; response: SavedView };
  "autoflow.views.list": { request: ListViewsRequest; response: ListViewsResponse };
  "autoflow.views.remove": { request: RemoveViewRequest; response: Success };
  "autoflow.webhooks.deliveries": { request: WebhookDeliveriesRequest; response: WebhookDeliveriesResponse };
}
