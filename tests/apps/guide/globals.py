"""What the app was started with."""

import os

import autoflow as sly

api = sly.Api.from_env()
team_id = int(os.environ["TEAM_ID"])
project_id = int(os.environ["PROJECT_ID"])
result_id = os.environ.get("RESULT_ID")
archive_path = os.environ.get("ARCHIVE_PATH")
