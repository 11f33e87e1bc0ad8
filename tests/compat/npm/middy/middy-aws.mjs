// @middy/ssm, @middy/secrets-manager: parameters and secrets of moto are in the context
// needs: aws
import middy from "@middy/core";
import ssm from "@middy/ssm";
import secrets from "@middy/secrets-manager";
import { SSMClient, PutParameterCommand } from "@aws-sdk/client-ssm";
import { SecretsManagerClient, CreateSecretCommand } from "@aws-sdk/client-secrets-manager";

const wrapped = middy()
  .use(ssm({ fetchData: { level: "/middy/level" }, setToContext: true, cacheExpiry: 0, disablePrefetch: true }))
  .use(secrets({ fetchData: { secret: "middy-secret" }, setToContext: true, cacheExpiry: 0, disablePrefetch: true }))
  .handler(async (event, context) => [context.level, context.secret]);

export const handler = async (event, context) => {
  await new SSMClient({}).send(
    new PutParameterCommand({ Name: "/middy/level", Value: "7", Type: "String", Overwrite: true }),
  );
  await new SecretsManagerClient({})
    .send(new CreateSecretCommand({ Name: "middy-secret", SecretString: '{"user":"me"}' }))
    .catch(() => {});
  return await wrapped({}, context);
};
