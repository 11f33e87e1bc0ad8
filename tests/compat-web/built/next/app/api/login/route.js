import { cookies } from "next/headers";

export async function GET(request) {
  const jar = await cookies();
  jar.set("user", request.nextUrl.searchParams.get("user"), { httpOnly: true });
  jar.set("seen", "yes");
  return Response.json({ ok: true });
}
