"""Serves the sample schema on a loopback port: `python -m tests.web 8000`, or PORT's."""

import os
import sys

import uvicorn

from tests.web.sample import Sample

port = int(sys.argv[1] if len(sys.argv) > 1 else os.environ["PORT"])
uvicorn.run(Sample().app, host="127.0.0.1", port=port, log_level="warning", proxy_headers=False)
