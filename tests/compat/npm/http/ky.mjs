// ky: JSON, hooks, retries, time limits, errors
import ky from "ky";

export const handler = async (event) => {
  const api = ky.create({
    prefixUrl: process.env.API_URL,
    hooks: { beforeRequest: [(request) => request.headers.set("authorization", "Bearer t")] },
  });
  const hello = await api.get("hello", { searchParams: { name: "ky" } }).json();
  const posted = await api.post("echo", { json: { n: 1 } }).json();
  const missing = await api.get("status/404").catch((error) => [error.name, error.response.status]);
  const late = await api.get("slow", { timeout: 100, retry: 0 }).catch((error) => error.name);
  const retried = await api.get(`flaky/ky-${process.versions.v8}-${event.call}`, {
    retry: { limit: 3, delay: () => 10 },
  });
  return [hello, posted, missing, late, retried.status];
};
