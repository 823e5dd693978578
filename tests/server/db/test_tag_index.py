"""The index of tags on items, which the database maintains."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select, text

from autoflow.server.db import items, schema, tag_index
from autoflow.server.errors import NotFound


def test_an_item_is_looked_up_by_its_tag_in_an_index(filled):
    """Of a tag that was put on, changed, taken off, copied by a restore, or whose image was removed."""
    project = filled.project()
    meta = {"classes": [], "tags": [{"name": "t", "value_type": "any_string", "color": "#000000"}]}
    filled.call("projects.meta.update", id=project, meta=meta)
    (tag,) = filled.call("projects.meta", id=project)["tags"]
    image, other = (filled.image(filled.dataset(project, name=name))["id"] for name in ("a", "b"))
    store = filled.server.store

    def put(item, value):
        filled.call("image-tags.bulk.add-to-image", tagId=tag["id"], ids=[item], value=value)
        return filled.call("images.info", id=item)["tags"][-1]["id"]

    def item_of(number):
        with store.read() as conn:
            return items.find_by_tag(conn, number)["id"]

    confusing = put(other, '{"id":1,"tagId":1}')
    first, second = put(image, "x"), put(image, "\ud800")
    assert [item_of(number) for number in (confusing, first, second)] == [other, image, image]
    filled.call("image-tags.update-tag-value", id=first, value="y")
    assert item_of(first) == image
    filled.call("image-tags.remove-from-image", tagId=tag["id"], imageId=image, id=first)
    version = filled.snapshot(project)["id"]
    filled.call("images.bulk.remove", imageIds=[other])
    for number in (first, confusing):
        with pytest.raises(NotFound):
            item_of(number)
    assert item_of(second) == image

    restored = filled.call("autoflow.versions.restore", id=version)
    while not restored.get("done"):
        restored = filled.call("autoflow.versions.restore", **restored)
    copies = filled.call("images.list", projectId=restored["id"])["entities"]
    assert {item_of(tag["id"]) for copy in copies for tag in copy["tags"]} == {copy["id"] for copy in copies}

    with store.read() as conn:
        query = select(schema.items.c.id).where(tag_index.has_tag(conn, second))
        compiled = query.compile(conn, compile_kwargs={"literal_binds": True})
        if conn.dialect.name == "sqlite":
            plan = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}").all()
        else:
            conn.execute(text("SET LOCAL enable_seqscan = off"))  # quicker for so few
            plan = conn.exec_driver_sql(f"EXPLAIN {compiled}").all()
    steps = "\n".join(str(row) for row in plan)
    assert re.search(r"SEARCH search_item_tags USING PRIMARY KEY|Bitmap Index Scan on search_item_tags", steps), steps
    assert not re.search(r"SCAN items|Seq Scan", steps), steps
