// The shapes of what comes in and what goes out. Nothing of this file is left at run time.

import type { Currency } from "./money.ts";

export interface Item {
  name: string;
  /** In hundredths. */
  price: number;
  quantity: number;
}

export interface Order {
  id: string;
  currency: Currency;
  items: Item[];
}

export interface Invoice {
  id: string;
  /** In euro cents. */
  total: number;
  size: string;
}
