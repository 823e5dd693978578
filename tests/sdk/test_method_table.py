"""The page of the SDK's methods says of each whether it is here."""

from __future__ import annotations

from tests.sdk import method_table


def test_the_page_is_that_of_the_installed_sdk_and_this_server():
    """A new SDK, or a new method of the server, changes it: `python -m tests.sdk.method_table`."""
    assert method_table.PAGE.read_text(encoding="utf-8") == method_table.table()
