"""Calls a function's handler as Lambda's own runtime would, in stock CPython, and writes its answers as JSON:
python harness.py FILE EVENTS ANSWERS"""

import importlib.util
import json
import os
import sys
import traceback


class Context:
    function_name = "index"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:us-east-1:012345678912:function:index"
    memory_limit_in_mb = "1024"
    aws_request_id = "00000000-0000-0000-0000-000000000000"
    log_group_name = "group"
    log_stream_name = "stream"
    identity = client_context = None

    def get_remaining_time_in_millis(self):
        return 60000


def main(file, events, answers):
    told = []

    def fail(error):
        told.append({"errorType": type(error).__name__, "errorMessage": str(error), "stack": traceback.format_exc()})

    try:
        sys.path.insert(0, os.path.dirname(file))
        del sys.argv[1:]
        spec = importlib.util.spec_from_file_location("app", file)
        module = importlib.util.module_from_spec(spec)
        sys.modules["app"] = module
        spec.loader.exec_module(module)
        for event in json.loads(events):
            try:
                # What has no JSON form fails here, as it would in the client of Lambda's.
                told.append({"answer": json.loads(json.dumps(module.handler(event, Context())))})
            except Exception as error:
                fail(error)
    except BaseException as error:
        fail(error)
    with open(answers, "w") as file:
        json.dump(told, file)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
