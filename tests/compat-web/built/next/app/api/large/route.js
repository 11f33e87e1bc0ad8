import { createHash } from "node:crypto";

export async function POST(request) {
  const body = Buffer.from(await request.arrayBuffer());
  return Response.json({ size: body.length, sha256: createHash("sha256").update(body).digest("hex") });
}
