// Answers each event with one about it.
export const handler = async (event) => {
  const { data, data_base64, ...attributes } = event;
  return { ...attributes, id: `${event.id}-reply`, source: '/reply', data, data_base64 };
};
