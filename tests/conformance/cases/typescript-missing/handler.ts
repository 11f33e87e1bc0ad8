// The line below the type is the one.
type Event = { a: 1 };

import { nowhere } from "@lib/nowhere";

export const handler = (_event: Event) => nowhere;
