export const handler = (event, context) => {
  if (event.read) {
    return context.state.account.balance();
  }
  return "untouched";
};
