export const helper = () => "the helper";

export const lambdaHandler = async (event) => ({ taken: event });
