"""The app's main: reads a project, makes another one and an archive of it."""

import globals as g
import workflow as w


def main():
    project_info = g.api.project.get_info_by_id(g.project_id)
    w.workflow_input(g.api, project_info)

    result_info = g.api.project.get_info_by_id(int(g.result_id)) if g.result_id else None
    file_info = g.api.file.get_info_by_path(g.team_id, g.archive_path) if g.archive_path else None

    w.workflow_output(g.api, result_info, file_info)


if __name__ == "__main__":
    main()
