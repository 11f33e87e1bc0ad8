export const lambdaHandler = () => "lambdaHandler";
export const handler = () => "handler";
export default () => "default";
