export const cents = (amount: number): string => amount.toFixed(2);
