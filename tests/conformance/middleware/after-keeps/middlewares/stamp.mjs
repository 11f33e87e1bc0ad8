export const after = (response) => {
  if (response?.list) {
    response.list.push("stamped");
  }
};
