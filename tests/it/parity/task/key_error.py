import os

TABLE = os.environ["NOT_SET"]
