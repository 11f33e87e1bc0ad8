//! The environment variables that the product reads, as `trine settings` lists them. A test compares the table with what the
//! sources name, so that none is forgotten. What a language reads itself its engine tells.

/// An environment variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The variable's name.
    pub name: &'static str,
    /// What holds where it is not set, in words.
    pub default: &'static str,
    /// The commands that read it, in words.
    pub place: &'static str,
    /// The purpose.
    pub what: &'static str,
}

/// Variables that concern one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// What they concern.
    pub title: &'static str,
    /// The variables.
    pub variables: &'static [Known],
}

/// Words in names of variables whose values are nobody's business.
const SECRET: &[&str] =
    &["KEY", "SECRET", "TOKEN", "PASSWORD", "PASSWD", "CREDENTIALS", "HEADERS", "BAGGAGE"];

/// Whether the value of a variable should not be shown: its name says that it is a secret, or it is a URL with a login in it.
pub fn is_secret(name: &str, value: &str) -> bool {
    let login = value.split_once("://").is_some_and(|(_, rest)| {
        rest.split(['/', '?', '#']).next().unwrap_or_default().contains('@')
    });
    login || SECRET.iter().any(|word| name.to_uppercase().contains(word))
}

/// Where a variable counts that all front doors read.
const FUNCTIONS: &str = "wherever functions run";
/// Where those of Scaleway's platform count.
const SCALEWAY: &str = "serve in the place of Scaleway's runtime";

/// All of them.
#[rustfmt::skip]
pub const VARIABLES: &[Group] = &[
    Group { title: "Functions and their surroundings", variables: &[
        Known { name: "_HANDLER", default: "", place: FUNCTIONS, what: "the handler, where no argument names one" },
        Known { name: "LAMBDA_TASK_ROOT", default: "the working directory", place: FUNCTIONS, what: "the function's folder" },
        Known { name: "TRINE_LAYER_ROOT", default: "/opt", place: FUNCTIONS, what: "the folder that layers are unpacked to" },
        Known { name: "TRINE_ENGINES", default: "none", place: "every command", what: "plug-ins, between commas: languages in shared libraries" },
        Known { name: "TRINE_MIDDLEWARES", default: "none", place: FUNCTIONS, what: "middlewares around every function, outermost first; * for all of the layers" },
        Known { name: "SLSMIDDLEWARES", default: "none", place: FUNCTIONS, what: "the same in the order of the Serverless Open Runtime" },
        Known { name: "TRINE_INTERFACE", default: "what the handler turns out to be", place: FUNCTIONS, what: "how the handler is called: event, asgi, wsgi, fetch, node or wsapi" },
        Known { name: "TRINE_RESPONSE_MODE", default: "buffered", place: "on Lambda", what: "how a web application's answer leaves: buffered (whole) or stream, as the function's URL or API is set up" },
        Known { name: "TRINE_MEMORY", default: "on Lambda what the function has, under serve a share of the container's, else no limit", place: FUNCTIONS, what: "the memory of each interpreter" },
        Known { name: "TRINE_MAX_INVOCATIONS", default: "no limit", place: FUNCTIONS, what: "the invocations after which an interpreter is replaced" },
        Known { name: "TRINE_MAX_HEAP", default: "no limit", place: FUNCTIONS, what: "the size beyond which an interpreter is replaced" },
        Known { name: "TRINE_ISOLATION", default: "shared", place: FUNCTIONS, what: "what invocations share: shared (a warm interpreter) or fresh (nothing)" },
        Known { name: "TRINE_TIMEOUT_MARGIN_MS", default: "50, at most a tenth of the time", place: FUNCTIONS, what: "the time before its deadline at which an invocation is warned" },
        Known { name: "TRINE_INSPECT", default: "off", place: FUNCTIONS, what: "an address or port at which Chrome's developer tools attach to JavaScript; after wait: functions wait for them" },
        Known { name: "TRINE_DEBUG", default: "off", place: FUNCTIONS, what: "the same for debuggers of Python (debugpy) and Lua, which speak the Debug Adapter Protocol" },
        Known { name: "TRINE_DEBUG_PROXY", default: "none", place: FUNCTIONS, what: "the places (host:port, between commas) to which an event may have a debugger connected by its member _debugProxy" },
        Known { name: "TRINE_CLOUDEVENTS", default: "off", place: FUNCTIONS, what: "gives functions AWS's events as CloudEvents: 1.0 or legacy" },
        Known { name: "TRINE_PYTHON_CONCURRENCY", default: "as many as invocations", place: "managed instances", what: "the threads for handlers that hold theirs" },
    ] },
    Group { title: "What functions may do", variables: &[
        Known { name: "TRINE_ALLOW_NET", default: "everything, unless another kind is allowed", place: FUNCTIONS, what: "lets functions connect to hosts and listen: these, or * for all" },
        Known { name: "TRINE_DENY_NET", default: "nothing", place: FUNCTIONS, what: "does not let functions connect to hosts and listen: these, or * for all" },
        Known { name: "TRINE_ALLOW_READ", default: "everything, unless another kind is allowed", place: FUNCTIONS, what: "lets functions read files and folders: these, or * for all" },
        Known { name: "TRINE_DENY_READ", default: "nothing", place: FUNCTIONS, what: "does not let functions read files and folders: these, or * for all" },
        Known { name: "TRINE_ALLOW_WRITE", default: "everything, unless another kind is allowed", place: FUNCTIONS, what: "lets functions write files and folders: these, or * for all" },
        Known { name: "TRINE_DENY_WRITE", default: "nothing", place: FUNCTIONS, what: "does not let functions write files and folders: these, or * for all" },
        Known { name: "TRINE_ALLOW_ENV", default: "everything, unless another kind is allowed", place: FUNCTIONS, what: "lets functions see environment variables: these, or * for all" },
        Known { name: "TRINE_DENY_ENV", default: "nothing", place: FUNCTIONS, what: "does not let functions see environment variables: these, or * for all" },
        Known { name: "TRINE_ALLOW_RUN", default: "everything, unless another kind is allowed", place: FUNCTIONS, what: "lets functions run programs: these, or * for all" },
        Known { name: "TRINE_DENY_RUN", default: "nothing", place: FUNCTIONS, what: "does not let functions run programs: these, or * for all" },
        Known { name: "TRINE_ALLOW_FFI", default: "everything, unless another kind is allowed", place: FUNCTIONS, what: "lets functions load native code: these, or * for all" },
        Known { name: "TRINE_DENY_FFI", default: "nothing", place: FUNCTIONS, what: "does not let functions load native code: these, or * for all" },
        Known { name: "TRINE_ALLOW_ALL", default: "false", place: FUNCTIONS, what: "true lets functions do everything that is not denied" },
    ] },
    Group { title: "Servers", variables: &[
        Known { name: "PORT", default: "9000; 8080 in the place of Scaleway's runtime", place: "serve", what: "the port, where no flag names one" },
        Known { name: "LISTEN_FDS", default: "none", place: "serve", what: "the number of sockets that systemd hands over; with LISTEN_PID" },
        Known { name: "LISTEN_PID", default: "none", place: "serve", what: "the process that they are for" },
        Known { name: "SSL_CERT_FILE", default: "the system's", place: "serve", what: "the certificates that are trusted where keys of tokens are fetched, and by brokers' clients" },
        Known { name: "AWS_ENDPOINT_URL_SQS", default: "AWS's", place: "serve", what: "the address of the service of queues; goes before the next" },
        Known { name: "AWS_ENDPOINT_URL", default: "AWS's", place: "serve", what: "the address of AWS's services" },
    ] },
    Group { title: "Traces and logs over OTLP", variables: &[
        Known { name: "TRINE_OTLP", default: "as OTEL_EXPORTER_OTLP_ENDPOINT says", place: FUNCTIONS, what: "a collector's URL for Trine alone, or off" },
        Known { name: "OTEL_SDK_DISABLED", default: "false", place: FUNCTIONS, what: "true turns them off" },
        Known { name: "OTEL_EXPORTER_OTLP_ENDPOINT", default: "none: nothing is sent", place: FUNCTIONS, what: "the collector; /v1/traces and /v1/logs are added" },
        Known { name: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", default: "below the collector", place: FUNCTIONS, what: "where traces go, as it is" },
        Known { name: "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", default: "below the collector", place: FUNCTIONS, what: "where logs go, as it is" },
        Known { name: "OTEL_EXPORTER_OTLP_PROTOCOL", default: "http/protobuf", place: FUNCTIONS, what: "the protocol; there is no other" },
        Known { name: "OTEL_EXPORTER_OTLP_HEADERS", default: "none", place: FUNCTIONS, what: "headers of requests, as name=value,name=value" },
        Known { name: "OTEL_EXPORTER_OTLP_TIMEOUT", default: "10000", place: FUNCTIONS, what: "the milliseconds for a request" },
        Known { name: "OTEL_EXPORTER_OTLP_COMPRESSION", default: "none", place: FUNCTIONS, what: "gzip or none" },
        Known { name: "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", default: "OTEL_EXPORTER_OTLP_PROTOCOL", place: FUNCTIONS, what: "the same for traces alone" },
        Known { name: "OTEL_EXPORTER_OTLP_TRACES_HEADERS", default: "OTEL_EXPORTER_OTLP_HEADERS", place: FUNCTIONS, what: "the same for traces alone" },
        Known { name: "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", default: "OTEL_EXPORTER_OTLP_TIMEOUT", place: FUNCTIONS, what: "the same for traces alone" },
        Known { name: "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", default: "OTEL_EXPORTER_OTLP_COMPRESSION", place: FUNCTIONS, what: "the same for traces alone" },
        Known { name: "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", default: "OTEL_EXPORTER_OTLP_PROTOCOL", place: FUNCTIONS, what: "the same for logs alone" },
        Known { name: "OTEL_EXPORTER_OTLP_LOGS_HEADERS", default: "OTEL_EXPORTER_OTLP_HEADERS", place: FUNCTIONS, what: "the same for logs alone" },
        Known { name: "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", default: "OTEL_EXPORTER_OTLP_TIMEOUT", place: FUNCTIONS, what: "the same for logs alone" },
        Known { name: "OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", default: "OTEL_EXPORTER_OTLP_COMPRESSION", place: FUNCTIONS, what: "the same for logs alone" },
        Known { name: "OTEL_TRACES_EXPORTER", default: "otlp", place: FUNCTIONS, what: "none sends no traces" },
        Known { name: "OTEL_LOGS_EXPORTER", default: "otlp", place: FUNCTIONS, what: "none sends no logs" },
        Known { name: "OTEL_SERVICE_NAME", default: "the function's name, else trine", place: FUNCTIONS, what: "what sends" },
        Known { name: "OTEL_RESOURCE_ATTRIBUTES", default: "none", place: FUNCTIONS, what: "further facts about what sends, as name=value,name=value" },
        Known { name: "OTEL_TRACES_SAMPLER", default: "parentbased_always_on", place: FUNCTIONS, what: "which traces are recorded" },
        Known { name: "OTEL_TRACES_SAMPLER_ARG", default: "1", place: FUNCTIONS, what: "the part of them, for samplers by ratio" },
        Known { name: "OTEL_PROPAGATORS", default: "tracecontext,baggage,xray", place: FUNCTIONS, what: "where traces are continued from" },
        Known { name: "OTEL_BSP_MAX_QUEUE_SIZE", default: "2048", place: FUNCTIONS, what: "the spans, and messages, that wait to be sent" },
        Known { name: "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", default: "512", place: FUNCTIONS, what: "those that are sent together" },
        Known { name: "OTEL_BSP_SCHEDULE_DELAY", default: "5000", place: FUNCTIONS, what: "the milliseconds for which they wait" },
        Known { name: "TRACEPARENT", default: "none", place: "invoke", what: "the trace that the invocation is part of" },
        Known { name: "TRACESTATE", default: "none", place: "invoke", what: "what its vendors add to it" },
        Known { name: "BAGGAGE", default: "none", place: "invoke", what: "what travels with it" },
        Known { name: "_X_AMZN_TRACE_ID", default: "none", place: "invoke", what: "the same as X-Ray writes it" },
    ] },
    Group { title: "Lambda", variables: &[
        Known { name: "AWS_LAMBDA_RUNTIME_API", default: "none", place: "Lambda", what: "the address of the Runtime API; makes the process a Lambda runtime" },
        Known { name: "AWS_LAMBDA_EXEC_WRAPPER", default: "none", place: "Lambda", what: "a script that starts the runtime" },
        Known { name: "AWS_LAMBDA_LOG_FORMAT", default: "Text", place: FUNCTIONS, what: "the form of logs: Text or JSON" },
        Known { name: "AWS_LAMBDA_LOG_LEVEL", default: "each language's own", place: FUNCTIONS, what: "the lowest level of logs: TRACE to FATAL" },
        Known { name: "AWS_LAMBDA_FUNCTION_NAME", default: "the file's name", place: FUNCTIONS, what: "the function's name" },
        Known { name: "AWS_LAMBDA_FUNCTION_VERSION", default: "$LATEST", place: FUNCTIONS, what: "the function's version" },
        Known { name: "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", default: "128", place: FUNCTIONS, what: "the function's memory in MB; a limit on Lambda alone" },
        Known { name: "AWS_LAMBDA_LOG_GROUP_NAME", default: "/aws/lambda/ and the function's name", place: FUNCTIONS, what: "the log group that functions are told" },
        Known { name: "AWS_LAMBDA_LOG_STREAM_NAME", default: "date, version and a number", place: FUNCTIONS, what: "the log stream that functions are told" },
        Known { name: "AWS_LAMBDA_INITIALIZATION_TYPE", default: "on-demand", place: FUNCTIONS, what: "snap-start where the platform takes a snapshot" },
        Known { name: "AWS_LAMBDA_MAX_CONCURRENCY", default: "1", place: "Lambda", what: "the invocations at once; more than 1 on managed instances" },
        Known { name: "AWS_LAMBDA_NODEJS_WORKER_COUNT", default: "one for each processor", place: "managed instances", what: "the threads for functions whose waits leave theirs to others" },
        Known { name: "AWS_REGION", default: "us-east-1", place: FUNCTIONS, what: "the region of ARNs and of queues" },
        Known { name: "AWS_DEFAULT_REGION", default: "us-east-1", place: FUNCTIONS, what: "the same, where the other is not set" },
        Known { name: "AWS_EXECUTION_ENV", default: "AWS_Lambda_ and the managed runtime", place: FUNCTIONS, what: "what functions are told of their runtime" },
        Known { name: "TZ", default: ":UTC", place: FUNCTIONS, what: "the time zone of functions" },
        Known { name: "_LAMBDA_TELEMETRY_LOG_FD", default: "none", place: "Lambda", what: "the descriptor that logs go to in frames" },
        Known { name: "_LAMBDA_TELEMETRY_LOG_FD_PROVIDER_SOCKET", default: "none", place: "managed instances", what: "the socket that logs go to" },
    ] },
    Group { title: "Scaleway", variables: &[
        Known { name: "SCW_HANDLER_PATH", default: "none", place: SCALEWAY, what: "the handler's file; a process without a command serves it" },
        Known { name: "SCW_HANDLER_NAME", default: "handle, else as elsewhere", place: SCALEWAY, what: "its function" },
        Known { name: "SCW_HANDLER_IS_BINARY", default: "false", place: "serve --sub-runtime", what: "true for a program of its own" },
        Known { name: "SCW_RUNTIME_BINARY", default: "none", place: "serve --sub-runtime", what: "the program that answers" },
        Known { name: "SCW_RUNTIME_BRIDGE", default: "none", place: "serve --sub-runtime", what: "its first argument" },
        Known { name: "SCW_UPSTREAM_HOST", default: "127.0.0.1", place: "serve --sub-runtime", what: "the address at which it answers" },
        Known { name: "SCW_UPSTREAM_PORT", default: "8081", place: "serve --sub-runtime", what: "the port at which it answers" },
        Known { name: "SCW_PUBLIC", default: "false", place: SCALEWAY, what: "true lets everybody in" },
        Known { name: "SCW_PUBLIC_KEY", default: "none", place: SCALEWAY, what: "the RSA key with which tokens are checked" },
        Known { name: "SCW_NAMESPACE_ID", default: "none", place: SCALEWAY, what: "what tokens are for" },
        Known { name: "SCW_APPLICATION_ID", default: "none", place: SCALEWAY, what: "the same" },
        Known { name: "SCW_PAYLOAD_MAX_SIZE", default: "6291456", place: SCALEWAY, what: "the largest body, in bytes" },
        Known { name: "SCW_APPLICATION_NAME", default: "the file's name", place: SCALEWAY, what: "the name in the context" },
        Known { name: "SCW_APPLICATION_VERSION", default: "empty", place: SCALEWAY, what: "the version in the context" },
        Known { name: "SCW_APPLICATION_MEMORY", default: "128", place: SCALEWAY, what: "the memory in the context, in MB" },
        Known { name: "SCW_ALLOW_FAVICON", default: "false", place: SCALEWAY, what: "true lets /favicon.ico reach the function" },
    ] },
    Group { title: "Packages", variables: &[
        Known { name: "SOURCE_DATE_EPOCH", default: "1980-01-01", place: "package", what: "the time of files, in seconds since 1970" },
    ] },
    Group { title: "Credentials of AWS's SDKs, which get made-up ones where none is set", variables: &[
        Known { name: "AWS_ACCESS_KEY_ID", default: "none", place: "emulator with --durable", what: "an access key" },
        Known { name: "AWS_SECRET_ACCESS_KEY", default: "none", place: "emulator with --durable", what: "its secret" },
        Known { name: "AWS_PROFILE", default: "none", place: "emulator with --durable", what: "a profile" },
        Known { name: "AWS_DEFAULT_PROFILE", default: "none", place: "emulator with --durable", what: "the same" },
        Known { name: "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", default: "none", place: "emulator with --durable", what: "the container's" },
        Known { name: "AWS_CONTAINER_CREDENTIALS_FULL_URI", default: "none", place: "emulator with --durable", what: "the container's" },
        Known { name: "AWS_WEB_IDENTITY_TOKEN_FILE", default: "none", place: "emulator with --durable", what: "a web identity" },
        Known { name: "AWS_SHARED_CREDENTIALS_FILE", default: "none", place: "emulator with --durable", what: "a file of credentials" },
        Known { name: "AWS_CONFIG_FILE", default: "none", place: "emulator with --durable", what: "a file of profiles" },
    ] },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_is_listed_once_and_says_what_it_is_for() {
        let mut names: Vec<&str> = Vec::new();
        for Group { title, variables } in VARIABLES {
            assert!(!variables.is_empty(), "{title}");
            for Known { name, place, what, .. } in *variables {
                assert!(!names.contains(name), "{name} is listed twice");
                assert!(!place.is_empty() && !what.is_empty() && !what.ends_with('.'), "{name}");
                names.push(name);
            }
        }
    }

    #[test]
    fn secrets_are_told_by_names_and_logins_by_values() {
        for (name, value, secret) in [
            ("AWS_SECRET_ACCESS_KEY", "x", true),
            ("AWS_SESSION_TOKEN", "x", true),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=x", true),
            ("TRINE_OTLP", "http://me:pass@localhost:4318", true),
            ("TRINE_OTLP", "http://localhost:4318/a@b", false),
            ("TRINE_MEMORY", "512MiB", false),
            ("AWS_REGION", "eu-west-1", false),
        ] {
            assert_eq!(is_secret(name, value), secret, "{name}={value}");
        }
    }
}
