export enum Level {
  Low,
  High,
}

export const enum Weight {
  Light,
  Heavy,
}
