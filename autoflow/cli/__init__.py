"""The ``autoflow`` command line: `autoflow.cli.main` parses the arguments, other modules run the commands."""
