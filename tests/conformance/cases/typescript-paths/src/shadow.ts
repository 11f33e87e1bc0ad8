export const shadow = (): string => "shadow";
