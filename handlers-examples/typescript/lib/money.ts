// Amounts of money in whole hundredths, and their worth in euros.

import rates from "./rates.json" with { type: "json" };

/** The currencies that orders may name. */
export enum Currency {
  Euro = "EUR",
  Dollar = "USD",
  Yen = "JPY",
}

/** Euros for one unit of each currency that has a rate. */
type Rates = Partial<Record<Currency, number>>;

/** The worth of an amount in euro cents. */
export function toEuroCents(amount: number, currency: Currency): number {
  const rate = (rates as Rates)[currency];
  if (rate === undefined) {
    throw new RangeError(`there is no rate for ${currency}`);
  }
  return Math.round(amount * rate);
}
