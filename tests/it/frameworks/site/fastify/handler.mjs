import awsLambdaFastify from '@fastify/aws-lambda';
import Fastify from 'fastify';

const app = Fastify();
app.get('/pets/:id', async (request) => {
  await new Promise((done) => setTimeout(done, 5));
  return { framework: 'fastify', id: request.params.id, colour: request.query.colour };
});
app.post('/pets', async (request, reply) => {
  reply.code(201).header('set-cookie', `last=${request.body.name}; Path=/`);
  return { framework: 'fastify', added: request.body.name };
});

export const handler = awsLambdaFastify(app);
