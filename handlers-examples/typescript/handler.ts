// Makes invoices of orders, in TypeScript without a build step: types are stripped when the file is loaded, never
// checked (`npx tsc` in this folder checks them). Stack traces name the lines of this source, as `at` in the answer
// shows. Relative imports name the file as it is, with its extension.

import type { Invoice, Item, Order } from "./lib/order.ts";
import { toEuroCents } from "./lib/money.ts";

interface Event {
  orders?: Order[];
  /** Of an HTTP request: the same as JSON text. */
  body?: string;
}

interface Rejection {
  id: string;
  reason: string;
  /** File and line of the code that rejected it. */
  at: string;
}

interface Answer {
  invoices: Invoice[];
  rejections: Rejection[];
}

/** An enum is code, not only a type: it has a value for each name, and a name for each value. */
enum Size {
  Small,
  Large,
}

type Outcome<T> = { ok: true; value: T } | { ok: false; error: Error };

/** What a function returns or throws, as a value whose type tells the two apart. */
function attempt<T>(run: () => T): Outcome<T> {
  try {
    return { ok: true, value: run() };
  } catch (error) {
    return { ok: false, error: error as Error };
  }
}

function sum<T>(list: readonly T[], amount: (item: T) => number): number {
  return list.reduce((total, item) => total + amount(item), 0);
}

function invoice({ id, currency, items }: Order): Invoice {
  const amount = sum<Item>(items, ({ price, quantity }) => price * quantity);
  const total = toEuroCents(amount, currency);
  return { id, total, size: Size[total < 10_000 ? Size.Small : Size.Large] };
}

function placeOf(error: Error): string {
  return /[\w-]+\.ts:\d+/.exec(error.stack ?? "")?.[0] ?? "unknown";
}

export const handler = async (event: Event): Promise<Answer> => {
  const { orders = [] }: Event = event.body ? JSON.parse(event.body) : event;
  const answer: Answer = { invoices: [], rejections: [] };
  for (const order of orders) {
    const outcome = attempt(() => invoice(order));
    if (outcome.ok) {
      answer.invoices.push(outcome.value);
    } else {
      const { error } = outcome;
      answer.rejections.push({ id: order.id, reason: error.message, at: placeOf(error) });
    }
  }
  return answer;
};
