// Answers the event, so that what is measured is the way to a function and back.
export const handler = async (event) => event;
