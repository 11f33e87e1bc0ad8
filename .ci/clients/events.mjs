// The SDK for CloudEvents in JavaScript sends events in each mode, and reads what comes back.
import { CloudEvent, HTTP } from 'cloudevents';

const [endpoint] = process.argv.slice(2);
const about = { source: '/shop', type: 'order.paid', subject: 'größe 50%', time: '2026-01-31T10:00:00.000Z', count: 7, flag: true };
const events = {
  json: { ...about, data: { text: 'é "quoted"', list: [1, null] } },
  text: { ...about, datacontenttype: 'text/plain', data: 'plain é' },
  bytes: { ...about, datacontenttype: 'application/octet-stream', data: new Uint8Array([0, 1, 254, 255]) },
  empty: { ...about },
};
const plain = (event) => ({
  id: event.id, type: event.type, source: event.source, subject: event.subject, time: event.time,
  count: String(event.count), flag: String(event.flag),
  data: ArrayBuffer.isView(event.data) ? [...event.data] : event.data,
});
const post = async (path, headers, body) => {
  const answer = await fetch(endpoint + path, { method: 'POST', headers, body });
  return { status: answer.status, headers: Object.fromEntries(answer.headers), body: Buffer.from(await answer.arrayBuffer()) };
};

const found = {};
for (const language of ['javascript', 'python', 'lua']) {
  for (const [name, fields] of Object.entries(events)) {
    for (const mode of ['binary', 'structured']) {
      const event = new CloudEvent({ id: `${name}-1`, ...fields });
      const { headers, body } = HTTP[mode](event);
      const accept = mode === 'structured' ? { accept: 'application/cloudevents+json' } : {};
      const answer = await post(`/${language}`, { ...headers, ...accept }, body);
      const isText = !answer.headers['content-type']?.includes('octet-stream');
      try {
        const body = answer.body.length === 0 ? undefined : isText ? answer.body.toString() : answer.body;
        const reply = HTTP.toEvent({ headers: answer.headers, body });
        const read = plain(reply);
        // The SDK neither encodes nor decodes what headers cannot carry.
        if (mode === 'binary') read.subject = decodeURIComponent(read.subject);
        found[`${language} ${name} ${mode}`] = [answer.status, plain(event), read];
      } catch (error) {
        found[`${language} ${name} ${mode}`] = [answer.status, String(error), answer.body.toString()];
      }
    }
  }
}
const two = ['1', '2'].map((id) => JSON.parse(HTTP.structured(new CloudEvent({ id, ...events.json })).body));
const batch = await post('/javascript', { 'content-type': 'application/cloudevents-batch+json' }, JSON.stringify(two));
found.batch = batch.status;
console.log(JSON.stringify(found));
