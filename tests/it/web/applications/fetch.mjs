// The same application in each interface: this one has fetch.

export default {
  async fetch(request) {
    const url = new URL(request.url);
    const body = await request.text();
    if (url.pathname === '/fail') throw new RangeError('no answer to this');
    if (url.pathname === '/silent') return;
    const headers = new Headers({ 'x-kind': 'fetch' });
    headers.append('set-cookie', 'a=1');
    headers.append('set-cookie', 'b=2');
    if (url.pathname === '/stream' || url.pathname === '/late') {
      let number = 0;
      const stream = new ReadableStream({
        pull(controller) {
          if (number === 3) return controller.close();
          if (number === 1 && url.pathname === '/late') throw new RangeError('half an answer');
          controller.enqueue(new TextEncoder().encode(`chunk ${number++}\n`));
        },
      });
      return new Response(stream, { headers });
    }
    if (url.pathname === '/bytes') {
      return new Response(Uint8Array.from({ length: 256 }, (_, at) => at), { status: 201, headers });
    }
    headers.set('content-type', 'application/json');
    const header = request.headers.get('x-a');
    const seen = {
      method: request.method, path: url.pathname, query: url.search.slice(1), body,
      header: header === null ? [] : header.split(', '), scheme: url.protocol.slice(0, -1),
    };
    return new Response(JSON.stringify(seen), { status: 201, headers });
  },
};
