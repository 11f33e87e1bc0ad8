import { createHash } from "node:crypto";

async function* rows() {
  for (let number = 0; number < 5; number++) yield new TextEncoder().encode(`row ${number}\n`);
}

export function GET({ params, url, cookies }) {
  switch (params.what) {
    case "login":
      cookies.set("user", url.searchParams.get("user"), { httpOnly: true, path: "/" });
      cookies.set("seen", "yes", { path: "/" });
      return Response.json({ ok: true });
    case "me": {
      const user = cookies.get("user");
      return user ? Response.json({ user }) : Response.json({ error: "who are you?" }, { status: 401 });
    }
    case "stream":
      return new Response(ReadableStream.from(rows()), { headers: { "content-type": "text/plain" } });
    default:
      return new Response(null, { status: 404 });
  }
}

export async function POST({ params, request }) {
  switch (params.what) {
    case "upload": {
      const form = await request.formData();
      const file = form.get("file");
      return Response.json({ title: form.get("title"), filename: file.name, type: file.type, size: file.size });
    }
    case "large": {
      const body = Buffer.from(await request.arrayBuffer());
      return Response.json({ size: body.length, sha256: createHash("sha256").update(body).digest("hex") });
    }
    case "items": {
      const { name } = await request.json();
      return name ? Response.json({ name }, { status: 201 }) : Response.json({ error: "name is needed" }, { status: 422 });
    }
    default:
      return new Response(null, { status: 404 });
  }
}
