export const after = (response) => ({ outer: response });

export const error = (error) => {
  console.log(`outer saw ${error.message}`);
};
