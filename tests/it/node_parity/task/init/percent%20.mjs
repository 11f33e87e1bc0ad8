export const handler = async () => "percent";
