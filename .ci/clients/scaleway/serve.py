"""Serves the handler with Scaleway's own library: serve.py PORT"""

import sys

from handler import handle
from scaleway_functions_python import local

local.serve_handler(handle, port=int(sys.argv[1]))
