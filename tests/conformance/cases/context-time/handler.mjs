export const handler = async ({ from, to }, context) => {
  const before = context.getRemainingTimeInMillis();
  await new Promise((resolve) => setTimeout(resolve, 20));
  const after = context.getRemainingTimeInMillis();
  return { within: before >= from && before <= to, counts: after <= before - 15 };
};
