export const handler = (event, context) => [
  context.tenantId !== undefined,
  context.clientContext !== undefined,
  context.w3c() !== undefined,
];
