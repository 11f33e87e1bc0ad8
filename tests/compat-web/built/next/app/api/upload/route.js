export async function POST(request) {
  const form = await request.formData();
  const file = form.get("file");
  return Response.json({ title: form.get("title"), filename: file.name, type: file.type, size: file.size });
}
