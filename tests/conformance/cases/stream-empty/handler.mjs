export async function* handler() {}
