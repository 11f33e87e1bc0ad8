// The application in hono.mjs under node:http, by Hono's own adapter.
import { serve } from "@hono/node-server";
import app from "./hono.mjs";

serve({ fetch: app.fetch, hostname: "127.0.0.1", port: Number(process.argv[2]) });
