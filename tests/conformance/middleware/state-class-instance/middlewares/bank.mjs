class Account {
  balance() {
    return 21;
  }
}

export const before = (_event, context) => {
  context.state.account = new Account();
};
