export const handler = async () => {
  const a = ];
};
