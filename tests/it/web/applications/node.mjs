// The same application in each interface: this one is a listener of Node's server.

export const app = async (req, res) => {
  const url = new URL(req.url, 'http://localhost');
  let body = '';
  for await (const chunk of req) body += chunk.toString('latin1');
  if (url.pathname === '/fail') throw new RangeError('no answer to this');
  if (url.pathname === '/silent') return;
  res.setHeader('set-cookie', ['a=1', 'b=2']);
  res.setHeader('x-kind', 'node');
  if (url.pathname === '/stream' || url.pathname === '/late') {
    for (let number = 0; number < 3; number++) {
      res.write(`chunk ${number}\n`);
      await new Promise((resolve) => setImmediate(resolve));
      if (url.pathname === '/late') throw new RangeError('half an answer');
    }
    return res.end();
  }
  res.statusCode = 201;
  if (url.pathname === '/bytes') {
    return res.end(Buffer.from(Uint8Array.from({ length: 256 }, (_, at) => at)));
  }
  res.setHeader('content-type', 'application/json');
  const header = req.headers['x-a'];
  res.end(JSON.stringify({
    method: req.method, path: url.pathname, query: url.search.slice(1), body,
    header: header === undefined ? [] : header.split(', '), scheme: req.socket.encrypted ? 'https' : 'http',
    client: req.socket.remoteAddress,
  }));
};
