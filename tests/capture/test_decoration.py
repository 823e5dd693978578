"""Errors at decoration: options that could never work are refused, with what would have been right."""

from __future__ import annotations

import functools
import logging

import pytest

from autoflow import WorkflowMeta, WorkflowSettings, versioned, workflow, workflow_input, workflow_output
from autoflow.errors import CardError, DecorationError, TargetError, UnknownKindError, UnknownParameterError
from autoflow.model.entity_types import kinds
from autoflow.runtime import icon_names

pytestmark = pytest.mark.core

ICON = {"icon": "archive", "icon_color": "#111111", "icon_bg_color": "#222222"}


def load(project_id, state=None):
    """Something to decorate."""
    return project_id


@pytest.mark.parametrize("kind", kinds("input"))
def test_every_kind_of_input_is_known(kind):
    """Those of the guide."""
    workflow_input(kind, value="project_id")(load)


@pytest.mark.parametrize("kind", kinds("output"))
def test_every_kind_of_output_is_known(kind):
    """Those of the guide, and the app session."""
    workflow_output(kind)(load)


@pytest.mark.parametrize(
    ("decorate", "error", "message"),
    [
        (lambda: workflow_input("projct"), UnknownKindError, "did you mean 'project'"),
        (lambda: workflow_input("model"), UnknownKindError, "project, dataset, file, folder, task, job"),
        (lambda: workflow_input("app"), UnknownKindError, "output only"),
        (lambda: workflow_input(None), UnknownKindError, "project"),
        (lambda: workflow_input(["project"]), UnknownKindError, "project"),
        (lambda: workflow_input(load), DecorationError, r'@workflow_input\("project"\)'),
        (lambda: workflow_output(load), DecorationError, r'@workflow_output\("project"\)'),
        (lambda: workflow_input("project", titel="x"), DecorationError, "did you mean 'title'"),
        (lambda: workflow_input("project", zzz="x"), DecorationError, "the options are value"),
        (lambda: workflow("a")(3), DecorationError, "int"),
        (lambda: workflow(load), DecorationError, "parentheses"),
        (lambda: workflow("a", node=WorkflowSettings(title="{x}")), UnknownParameterError, "'x'"),
    ],
)
def test_an_unknown_kind_or_option_is_refused_before_decoration(decorate, error, message):
    """The message names what would have been right."""
    with pytest.raises(error, match=message):
        decorate()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"value": "projekt_id"}, UnknownParameterError, "project_id, state"),
        ({"value": "project id"}, UnknownParameterError, "not a path"),
        ({"value": 7}, DecorationError, "path or a callable, not a int"),
        ({"value": "item"}, DecorationError, "generator"),
        ({"title": "{projekt}"}, UnknownParameterError, "project_id, state"),
        ({"description": "{args2.x}"}, UnknownParameterError, "args2"),
        ({"title": "{project_id"}, CardError, "expected '}'"),
        ({"title": "{}"}, CardError, "write a name in the braces"),
        ({"title": "{project_id!x}"}, CardError, "!r"),
        ({"node_title": "{nobody}"}, UnknownParameterError, "nobody"),
        ({"icon": "archive"}, CardError, "icon_color, icon_bg_color missing"),
        ({"icon_color": "#111111", "icon_bg_color": "#222222"}, CardError, "icon missing"),
        ({"url": "/files"}, CardError, "both url and url_title"),
        ({"url_title": "Open"}, CardError, "both url and url_title"),
        ({"url": "files/1", "url_title": "Open"}, CardError, "exactly one '/'"),
        ({"url": "//evil.example", "url_title": "Open"}, CardError, "exactly one '/'"),
        ({"url": "https://evil.example", "url_title": "Open"}, CardError, "exactly one '/'"),
        ({"url": "x{project_id}", "url_title": "Open"}, CardError, "exactly one '/'"),
        ({"card": "archive"}, CardError, "WorkflowSettings"),
        ({"node": {"title": "x"}}, CardError, "WorkflowSettings"),
        ({"card": WorkflowSettings(title="{nobody}")}, UnknownParameterError, "nobody"),
        ({"card": WorkflowSettings(url="x", url_title="y")}, CardError, "exactly one '/'"),
        ({"meta": {}}, CardError, "customRelationSettings"),
        ({"meta": {"customRelationSettings": {"color": "red"}}}, CardError, "mainLink"),
        ({"meta": {"customNodeSettings": {"mainLink": {"url": "/x"}}}}, CardError, "mainLink"),
        ({"meta": 3}, CardError, "WorkflowMeta"),
        ({"when": 3}, DecorationError, "path, a mapping"),
        ({"when": False}, DecorationError, "path, a mapping"),
        ({"when": "nobody"}, UnknownParameterError, "nobody"),
        ({"when": {"nobody.x": 1}}, UnknownParameterError, "nobody"),
        ({"version": "nobody"}, UnknownParameterError, "nobody"),
        ({"version": "#x"}, DecorationError, "not a version|no path|not a path"),
        ({"version": 0}, DecorationError, "not a version"),
        ({"version": -3}, DecorationError, "not a version"),
        ({"version": True}, DecorationError, "not a version"),
        ({"task_id": "nobody"}, UnknownParameterError, "nobody"),
        ({"task_id": 0}, DecorationError, "not a task id"),
        ({"task_id": 1.5}, DecorationError, "not a task id"),
        ({"model_weight": True}, DecorationError, "kind 'file', not 'project'"),
        ({"model": "lemons"}, DecorationError, "goes with an output of kind 'file'"),
    ],
)
@pytest.mark.parametrize("decorator", [workflow_input, workflow_output])
def test_an_invalid_option_is_refused_at_decoration(decorator, options, error, message):
    """Each with the error of its sort and a message that helps."""
    with pytest.raises(error, match=message) as caught:
        decorator("project", **options)(load)
    assert isinstance(caught.value, DecorationError)
    assert isinstance(caught.value, ValueError) or error is DecorationError


def test_a_version_goes_with_projects_only():
    """No other kind has versions."""
    with pytest.raises(DecorationError, match="kind 'project', not 'dataset'"):
        workflow_input("dataset", version=3)(lambda dataset_id: None)


@pytest.mark.parametrize(
    "options",
    [
        {"title": "{anything}"},
        {"value": "anything.at.all"},
        {"when": {"anything": 1}},
        {"version": "anything"},
    ],
)
def test_paths_may_name_anything_when_the_function_takes_any_keyword(options):
    """A function with `**kwargs` may be given what its signature does not say."""
    workflow_input("project", **{"value": "project_id", **options})(lambda **kwargs: None)


@pytest.mark.parametrize(
    "options",
    [
        {"title": "{result.name} {value.name} {item} {task_id} {team_id} {app_id} {args.state.x}"},
        {"title": lambda call: call.anything},
        {"title": "plain"},
        {**ICON},
        {"icon": lambda call: None, "icon_color": "#111111", "icon_bg_color": "#222222"},
        {"url": "/files/{value.id}", "url_title": "Open"},
        {"url": "{state}", "url_title": "Open"},
        {"url": lambda call: "anything", "url_title": "Open"},
        {"card": lambda call: None, "icon": "archive"},
        {"card": lambda call: None, "url": "/x"},
        {"meta": WorkflowMeta(WorkflowSettings(title="x"))},
        {"meta": lambda call: "anything"},
        {"model_weight": False},
        {"version": "12"},
        {"version": "#3"},
        {"version": "state.version"},
        {"task_id": "5"},
        {"task_id": "state.task"},
    ],
)
def test_valid_options_are_accepted(options):
    """Nothing is refused that a call could make right."""
    workflow_input("project", **options)(load)


def test_an_output_of_a_function_that_returns_none_needs_a_value():
    """With no parameter of the kind there is nothing to record."""

    def save(path) -> None: ...

    with pytest.raises(DecorationError, match="value="):
        workflow_output("project")(save)
    workflow_output("file")(save)


def test_versioned_refuses_a_project_from_the_result_before_the_body():
    """`versioned` of a result says `after=True`."""

    def make(name): ...

    with pytest.raises(DecorationError, match="after=True"):
        versioned(make)
    with pytest.raises(DecorationError, match="after=True"):
        versioned(value="result.id")(load)
    with pytest.raises(DecorationError, match="returns None"):
        versioned(after=True)(make)
    versioned(after=True)(lambda name: name)
    versioned(load)


def test_versioned_checks_its_texts():
    """As the other two do."""
    with pytest.raises(UnknownParameterError, match="nobody"):
        versioned(title="{nobody}")(load)
    with pytest.raises(CardError, match="Single"):
        versioned(description="{")(load)
    with pytest.raises(UnknownParameterError, match="nobody"):
        versioned(value="nobody")(load)


class _Command:
    """As click's: run by `.main`, whatever `__call__` is wrapped in."""

    callback = staticmethod(load)

    def main(self, args=None): ...

    def __call__(self, *args):
        return self.main(args)


class _Task:
    """As Celery's: run by `.delay`."""

    def delay(self, *args): ...

    def __call__(self, *args): ...


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (property(load), "below @property"),
        (7, "a int cannot be called"),
        (None, "a NoneType cannot be called"),
        ("load", "a str cannot be called"),
        (_Command(), "below @click.command"),
        (_Task(), "below @task"),
    ],
)
@pytest.mark.parametrize("decorate", [workflow_input("project", value=lambda call: 1), versioned(value=lambda call: 1)])
def test_a_target_that_would_never_be_called_through_the_decorator_is_refused(decorate, target, message):
    """A wrapper that never fires is a silent loss."""
    with pytest.raises(TargetError, match=message) as caught:
        decorate(target)
    assert isinstance(caught.value, TypeError)


def test_functions_with_a_main_attribute_are_functions():
    """Only objects that are run by it are refused."""

    @functools.wraps(load)
    def entry(project_id, state=None):
        return project_id

    entry.main = lambda: None
    assert workflow_input("project")(entry)(3) == 3


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"title": "Weights {result.name"}, "title"),
        ({"description": "of {}"}, "description"),
        ({"title": "{nobody}"}, "title"),
        ({"url": "files/{value.id}", "url_title": "Open"}, "url"),
        ({"icon_bg_color": "{", "icon": "a", "icon_color": "b"}, "icon_bg_color"),
    ],
)
def test_an_error_names_the_decorator_the_function_and_the_option(options, option):
    """A module may have many templates: which one is meant is in the message, and the text itself."""

    def save(path):
        return path

    with pytest.raises(DecorationError) as caught:
        workflow_output("file", **options)(save)
    assert str(caught.value).startswith("@workflow_output('file') of ")
    assert "save: " in str(caught.value)
    assert f" {option}: " in str(caught.value)
    if "{" in options[option] and option != "url":
        assert repr(options[option])[1:-1].strip("{}") in str(caught.value)


def test_an_unknown_icon_is_warned_of_once(caplog, monkeypatch, tmp_path):
    """The warning names the closest icon; names of the set, templates, and a package without icons are silent."""
    sheet = tmp_path / "zmdi.css"
    sheet.write_text(".zmdi-archive:before { content: '\\f105' }\n.zmdi-album:before { content: '\\f104' }\n")
    monkeypatch.setattr(icon_names, "_SHEET", sheet)
    icon_names._known.cache_clear()
    icon_names.warn_of_unknown_icon.cache_clear()
    with caplog.at_level(logging.WARNING, logger="autoflow"):
        for icon in ("archiv", "archiv", "archive", "zmdi-album", "{x}"):
            workflow_input("project", value="x", **{**ICON, "icon": icon})(lambda x: x)
    assert [record.getMessage().partition("; ")[2] for record in caplog.records] == ["did you mean 'archive'?"]
    icon_names._known.cache_clear()
