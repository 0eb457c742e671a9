"""Serves the sample schema on the loopback port given: `python -m tests.web 8000`."""

import sys

import uvicorn

from tests.web.sample import Sample

uvicorn.run(Sample().app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", proxy_headers=False)
