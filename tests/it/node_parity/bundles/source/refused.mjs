export class Refused extends Error {
  name = "Refused";
  constructor(message) {
    super(message);
    this.code = "E_REFUSED";
  }
}

export function refuse(why) {
  throw new Refused(why);
}
