import middy from '@middy/core';
import jsonBody from '@middy/http-json-body-parser';

const pets = async (event) => {
  if (event.requestContext.http.method === 'POST') {
    const { name } = event.body;
    return {
      statusCode: 201,
      cookies: [`last=${name}; Path=/`],
      body: JSON.stringify({ framework: 'middy', added: name }),
    };
  }
  await new Promise((done) => setTimeout(done, 5));
  const [, id] = /^\/pets\/([^/]+)$/.exec(event.rawPath) ?? [];
  return { framework: 'middy', id, colour: event.queryStringParameters?.colour };
};

export const handler = middy(pets).use(jsonBody({ disableContentTypeError: true }));
