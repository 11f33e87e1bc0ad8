export class Own extends Error {
  details = { attempts: 3 };
}

export const handler = () => {
  throw new Own("no luck");
};
