"""Mistakes that a type checker must report, one in each line marked so. Checked, never run."""

from __future__ import annotations

from autoflow import versioned, workflow, workflow_input, workflow_output


@workflow_input("project")
def plain(project_id: int) -> str:
    return str(project_id)


plain("seven")  # mistake
plain()  # mistake
print(plain(7).nothing)  # mistake
length: int = plain(7)  # mistake
workflow_input("project", titel="x")(plain)  # mistake
workflow_output("file", model_weight="yes")(plain)  # mistake
workflow_input(plain)  # mistake
versioned(wait="long")(plain)  # mistake
workflow("Train", task="5")  # mistake


class Loader:
    @workflow_input("project")
    def method(self, project_id: int) -> str:
        return str(project_id)


Loader().method("seven")  # mistake


@workflow("Train")
def main(epochs: int) -> int:
    return epochs


main("three")  # mistake
