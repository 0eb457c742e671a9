"""Serves the sample schema on a loopback port: `python -m tests.web 8000`, or PORT's."""

import os
import sys

from graphql_api.web.server import build_server
from tests.web.sample import Sample

port = int(sys.argv[1] if len(sys.argv) > 1 else os.environ["PORT"])
sample = Sample()
build_server(lambda: sample.app, sample.options, host="127.0.0.1", port=port).run()
