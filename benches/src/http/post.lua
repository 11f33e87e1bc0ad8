-- What wrk sends, and what it tells at the end. The driver puts the body before this, as `wrk.body`.
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    "trine-bench requests=%d duration=%d p50=%d p99=%d connect=%d read=%d write=%d status=%d timeout=%d\n",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
