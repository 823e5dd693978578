"""Methods about the server itself: instance, apps, tasks, search, upkeep."""
