export const helper = (): string => "the helper";

export const lambda_handler = (event: object) => ({ taken: event });
