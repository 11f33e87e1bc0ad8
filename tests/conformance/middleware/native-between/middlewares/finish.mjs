export const after = (response) => response.add(1);
