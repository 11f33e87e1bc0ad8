export const handler = () => "fine";
