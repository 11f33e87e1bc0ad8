"""Faults that the checks must find.

By check: (what is wrong, file, text to replace, text to put there, part of the report). Where the text to replace is
None, the file is taken away.
"""

MIDDLEWARE = "layer/middlewares/request-id.lua"

BREAKS = {
    "sam: cfn-lint": [
        ("a property that there is not", "sam/template.yaml", "MemorySize: 256", "Memory: 256", "Memory"),
        ("a resource that there is not", "sam/template.yaml", "!GetAtt Logs.Arn", "!GetAtt Log.Arn", "Log"),
        ("less memory than there is", "sam/template.yaml", "MemorySize: 256", "MemorySize: 64", "minimum of 128"),
    ],
    "sam: sam validate": [
        ("a type that there is not", "sam/template.yaml", "AWS::Logs::LogGroup", "AWS::Logs::Group", "Group"),
        ("what is no YAML", "sam/template.yaml", "Resources:", "Resources: [", "Failed to parse template"),
    ],
    "sam: files and rights": [
        ("a folder that is not there", "sam/template.yaml", "functions/lua", "functions/luau", "luau"),
        ("a handler that is not there", "functions/python/handler.py", None, None, "handler.handler"),
        ("a middleware that is not there", MIDDLEWARE, None, None, "no middleware request-id"),
        ("a layer that is not there", "sam/template.yaml", "dist/trine-", "dist/trin-", "does not exist"),
        (
            "another runtime", "sam/template.yaml", "Runtime: provided.al2023", "Runtime: python3.11",
            "Runtime is python3.11",
        ),
        ("a URL for everybody", "sam/template.yaml", "AWS_IAM", "NONE", "anybody"),
        ("a role that may do more", "sam/template.yaml", "logs:PutLogEvents", "s3:GetObject", "s3:GetObject"),
    ],
    "cdk: types": [
        ("a property that there is not", "cdk/app.ts", "memorySize: 256", "memory: 256", "'memory' does not exist"),
        ("a value of another type", "cdk/app.ts", "Duration.seconds(10)", "10", "Type 'number'"),
    ],
    "cdk: cdk synth": [
        ("a folder that is not there", "cdk/app.ts", "../functions/", "../function/", "Cannot find asset"),
        ("a layer that is not there", "cdk/cdk.json", "dist/trine-", "dist/trin-", "Cannot find asset"),
        ("a role that may do more", "cdk/app.ts", "logGroup.grantWrite(role)", "logGroup.grant(role, 's3:*')", "s3:*"),
        ("a handler that is not there", "functions/js/handler.mjs", None, None, "handler.handler"),
        ("versions that are not tested", "cdk/package.json", "\"5.9.3\"", "\"5.8.3\"", "tested is 5.9.3"),
    ],
    "serverless: serverless package": [
        (
            "a setting that there is not", "serverless/serverless.yml", "memorySize:", "memory:",
            "unrecognized property 'memory'",
        ),
        ("a layer that is not there", "serverless/serverless.yml", "dist/trine-", "dist/trin-", "trin-layer"),
        (
            "a handler that is not there", "serverless/serverless.yml", "lua/handler.handler", "lua/app.handler",
            "app.handler",
        ),
        (
            "a function without files", "serverless/serverless.yml", "functions/js/**", "functions/ts/**",
            "No file matches",
        ),
        ("a log that is not JSON", "serverless/serverless.yml", "LogFormat: JSON", "LogFormat: Text", "not JSON"),
    ],
    "terraform: syntax": [
        ("a brace too few", "terraform/outputs.tf", "}\n}", "}\n", "outputs.tf"),
        ("an argument without a value", "terraform/main.tf", "region = var.region", "region =", "main.tf"),
    ],
    "terraform: names": [
        ("a variable that there is not", "terraform/main.tf", "var.region", "var.zone", "no variable zone"),
        (
            "a resource that there is not", "terraform/main.tf", "aws_iam_role.function.arn",
            "aws_iam_role.functions.arn", "no resource aws_iam_role.functions",
        ),
        (
            "an attribute that there is not", "terraform/main.tf", "aws_iam_role.function.arn",
            "aws_iam_role.function.urn", "no attribute urn",
        ),
        (
            "a function that there is not", "terraform/main.tf", "filebase64sha256(", "filebase64(",
            "no function filebase64",
        ),
        ("a variable that nobody uses", "terraform/main.tf", "var.region", "\"eu-central-1\"", "region is not used"),
        (
            "a data source that there is not", "terraform/main.tf", "policy_document.lambda.json",
            "policy_document.lambdas.json", "no data source",
        ),
    ],
    "terraform: arguments": [
        ("an argument that there is not", "terraform/main.tf", "memory_size ", "memory ", "no argument memory"),
        (
            "an argument of a block that there is not", "terraform/main.tf", "log_format ", "format ",
            "no argument format",
        ),
        (
            "a missing argument", "terraform/main.tf", "  authorization_type = \"AWS_IAM\"\n", "",
            "lacks authorization_type",
        ),
        ("a block as an argument", "terraform/main.tf", "environment {", "environment = {", "environment is a block"),
        (
            "a resource that there is not", "terraform/main.tf", "\"aws_lambda_function_url\"", "\"aws_lambda_url\"",
            "aws_lambda_url",
        ),
    ],
    "terraform: files and rights": [
        ("a folder that is not there", "terraform/main.tf", "../functions/", "../function/", "no folder"),
        ("a layer that is not there", "terraform/variables.tf", "dist/trine-", "dist/trin-", "does not exist"),
        ("a URL for everybody", "terraform/main.tf", "\"AWS_IAM\"", "\"NONE\"", "anybody"),
        ("a role that may do more", "terraform/main.tf", "logs:PutLogEvents", "s3:GetObject", "s3:GetObject"),
    ],
    "kubernetes: schema": [
        ("a field that there is not", "kubernetes/js.yaml", "periodSeconds: 5", "period: 5", "period"),
        ("a value of another type", "kubernetes/lua.yaml", "value: \"8080\"", "value: 8080", "8080"),
        ("a missing field", "kubernetes/python.yaml", "maxReplicas: 20", "minReadySeconds: 0", "maxReplicas"),
        ("a kind of another version", "kubernetes/js.yaml", "autoscaling/v2", "autoscaling/v1", "js.yaml"),
    ],
    "kubernetes: objects, times, sizes": [
        (
            "a service of other pods", "kubernetes/js.yaml", "selector: { app: greet-js }",
            "selector: { app: greet-lua }", "Service selects",
        ),
        (
            "a scaler of nothing", "kubernetes/lua.yaml", "kind: Deployment, name: greet-lua",
            "kind: Deployment, name: greet", "what is scaled",
        ),
        (
            "too short a time to drain", "kubernetes/js.yaml", "PeriodSeconds: 25", "PeriodSeconds: 20",
            "killed after 20 s",
        ),
        (
            "impatient probes", "kubernetes/python.yaml", "timeoutSeconds: 11", "timeoutSeconds: 2",
            "holds the thread",
        ),
        ("a probe of another path", "kubernetes/js.yaml", "/.trine/health", "/health", "asks /health"),
        ("too little memory", "kubernetes/js.yaml", "memory: 256Mi", "memory: 192Mi", "the limit is 192 MiB"),
        (
            "a host named twice", "kubernetes/js.yaml", "[/var/task,", "[/var/task, --host, 0.0.0.0,",
            "names the host already",
        ),
        ("another port", "kubernetes/js.yaml", "containerPort: 8080", "containerPort: 9000", "PORT is 8080"),
        ("a function that is root", "kubernetes/lua.yaml", "runAsNonRoot: true", "runAsNonRoot: false", "runAsNonRoot"),
        ("a middleware that is not there", MIDDLEWARE, None, None, "no middleware request-id"),
    ],
    "knative: schema": [
        ("a field that there is not", "knative/js.yaml", "containerConcurrency:", "concurrency:", "concurrency"),
        (
            "a field that is off by default", "knative/js.yaml", "automountServiceAccountToken: false",
            "nodeSelector: { a: b }", "nodeSelector",
        ),
        (
            "an annotation that there is not", "knative/lua.yaml", "knative.dev/min-scale", "knative.dev/min-pods",
            "min-pods",
        ),
        ("a variable that Knative sets", "knative/python.yaml", "name: TRINE_MEMORY", "name: PORT", "PORT"),
    ],
    "knative: times, sizes": [
        (
            "more requests than threads", "knative/python.yaml", "Concurrency: 8", "Concurrency: 80",
            "more requests than --threads",
        ),
        (
            "a request given up too early", "knative/js.yaml", "timeoutSeconds: 30", "timeoutSeconds: 10",
            "before --timeout",
        ),
        ("too little memory", "knative/lua.yaml", "memory: 256Mi", "memory: 192Mi", "the limit is 192 MiB"),
    ],
    "compose and systemd": [
        (
            "too short a time to drain", "compose.yaml", "stop_grace_period: 15s", "stop_grace_period: 5s",
            "Compose kills",
        ),
        (
            "too short a time to drain", "systemd/trine@.service", "TimeoutStopSec=15", "TimeoutStopSec=5",
            "systemd kills",
        ),
        ("a folder that is not there", "compose.yaml", "./functions", "./function", "no folder"),
    ],
    "functions: trine invoke": [
        ("another answer", "functions/lua/handler.lua", "Hello, %s!", "Hello %s!", "Hello Ada!"),
        ("a function that fails", "functions/python/handler.py", "event.get(", "event.got(", "AttributeError"),
    ],
    "functions: trine emulator": [
        ("a middleware that fails", MIDDLEWARE, "context.aws_request_id", "nothing.at.all", "js: 200"),
    ],
    "functions: trine serve, as the manifests start it": [
        ("a flag that there is not", "knative/lua.yaml", "--grace", "--graze", "--graze"),
        (
            "a middleware that does nothing", MIDDLEWARE, "function M.after", "function M.afterwards",
            "the middleware was not there",
        ),
    ],
    "functions: an answer after SIGTERM": [
        ("no time to end", "knative/js.yaml", "--grace, 15s", "--grace, 1ms", "knative/js.yaml: 503"),
    ],
}

# A project that a program writes has no text to break here; the tools that check it are shown to work above.
for tool in ("sam", "cdk", "terraform", "serverless", "knative"):
    missing = ("a function that is not there", "functions/python/handler.py", None, None, "ends with")
    BREAKS[f"trine package: a project for {tool}"] = [missing]
