export function load({ url, cookies }) {
  return { name: url.searchParams.get("name") ?? "world", user: cookies.get("user") ?? "nobody" };
}
