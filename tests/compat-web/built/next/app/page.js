import { cookies } from "next/headers";
export const dynamic = "force-dynamic";
export default async function Page({ searchParams }) {
  const { name = "world" } = await searchParams;
  const user = (await cookies()).get("user")?.value ?? "nobody";
  return <h1>Hello, {name}, from {user}!</h1>;
}
