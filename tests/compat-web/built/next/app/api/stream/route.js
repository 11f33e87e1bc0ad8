export const dynamic = "force-dynamic";

export async function GET() {
  const encoder = new TextEncoder();
  let number = 0;
  const body = new ReadableStream({
    async pull(controller) {
      if (number === 5) return controller.close();
      controller.enqueue(encoder.encode(`row ${number++}\n`));
      await new Promise((resolve) => setTimeout(resolve, 2));
    },
  });
  return new Response(body, { headers: { "content-type": "text/plain" } });
}
