export const before = (event) => {
  return event +;
};
