// Answers JSON with the same JSON, the way the Functions Framework suggests: it has parsed the body.

exports.echo = (request, response) => {
  response.json(request.body);
};
