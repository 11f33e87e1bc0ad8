export const before = (event) => {
  console.log(`length ${event.length}`);
};

export const after = (response) => response.length;
