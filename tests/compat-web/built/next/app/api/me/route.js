import { cookies } from "next/headers";

export async function GET() {
  const user = (await cookies()).get("user")?.value;
  return user ? Response.json({ user }) : Response.json({ error: "who are you?" }, { status: 401 });
}
