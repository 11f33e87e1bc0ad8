export async function POST(request) {
  const item = await request.json();
  if (!item.name) return Response.json({ error: "name is needed" }, { status: 422 });
  return Response.json({ name: item.name }, { status: 201 });
}
