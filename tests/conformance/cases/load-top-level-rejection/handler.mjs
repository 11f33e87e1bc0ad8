await new Promise((resolve, reject) => {
  setTimeout(() => {
    reject(new RangeError("out of reach"));
  }, 5);
});

export const handler = () => "never";
