export type Checked = number;

/** The number, unless it is negative. */
export function check(number: number): Checked {
  if (number < 0) {
    throw new RangeError("negative");
  }
  return number;
}
