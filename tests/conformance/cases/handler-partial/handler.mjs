const multiply = (factor, event) => factor * event;

export const handler = multiply.bind(null, 3);
