const seen = [];
const note = (error) => seen.push(error.message);

Promise.reject(new Error("at once")).catch(note);
const later = new Promise((_resolve, reject) => setTimeout(() => reject(new Error("later")), 1));
later.catch(note);

export const handler = async () => {
  await later.catch(() => {});
  return seen;
};
