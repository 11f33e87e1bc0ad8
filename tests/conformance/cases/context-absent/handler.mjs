export const handler = (event, context) => [
  context.tenantId !== undefined,
  context.clientContext !== undefined,
  Object.keys(context.w3c()).length > 0,
];
