const express = require('express');
const serverless = require('serverless-http');

const app = express();
app.get('/pets/:id', async (request, response) => {
  await new Promise((done) => setTimeout(done, 5));
  response.json({ framework: 'express', id: request.params.id, colour: request.query.colour });
});
app.post('/pets', express.json(), (request, response) => {
  response.status(201).cookie('last', request.body.name).json({ framework: 'express', added: request.body.name });
});

exports.handler = serverless(app);
