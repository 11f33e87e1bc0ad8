export const handler = (_event, context) => context.user;
