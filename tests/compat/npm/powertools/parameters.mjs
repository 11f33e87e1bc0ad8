// @aws-lambda-powertools/parameters: parameters and secrets of moto, transformed and cached
// needs: aws
import { getParameter, getParametersByName } from "@aws-lambda-powertools/parameters/ssm";
import { getSecret } from "@aws-lambda-powertools/parameters/secrets";
import { SSMClient, PutParameterCommand } from "@aws-sdk/client-ssm";
import { SecretsManagerClient, CreateSecretCommand } from "@aws-sdk/client-secrets-manager";

export const handler = async () => {
  const ssm = new SSMClient({});
  await ssm.send(new PutParameterCommand({ Name: "/powertools/a", Value: '{"n":1}', Type: "String", Overwrite: true }));
  await ssm.send(
    new PutParameterCommand({ Name: "/powertools/b", Value: "two", Type: "SecureString", Overwrite: true }),
  );
  await new SecretsManagerClient({})
    .send(new CreateSecretCommand({ Name: "powertools-secret", SecretString: "hush" }))
    .catch(() => {});
  return [
    await getParameter("/powertools/a", { transform: "json" }),
    await getParametersByName({ "/powertools/b": { decrypt: true } }),
    await getSecret("powertools-secret"),
  ];
};
