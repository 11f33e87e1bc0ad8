// @aws-sdk/client-ssm, @aws-sdk/client-secrets-manager, @aws-sdk/client-kms, @aws-sdk/client-sts: parameters, secrets, encryption, identity
// needs: aws
import { GetParametersByPathCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { CreateSecretCommand, GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import {
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  KMSClient,
} from "@aws-sdk/client-kms";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

export const handler = async () => {
  const ssm = new SSMClient({}),
    secrets = new SecretsManagerClient({}),
    kms = new KMSClient({}),
    sts = new STSClient({});
  for (const name of ["a", "b"])
    await ssm.send(
      new PutParameterCommand({ Name: `/npm/${name}`, Value: name.repeat(3), Type: "SecureString", Overwrite: true }),
    );
  const { Parameters } = await ssm.send(new GetParametersByPathCommand({ Path: "/npm", WithDecryption: true }));
  await secrets
    .send(new CreateSecretCommand({ Name: "npm-secret", SecretBinary: new Uint8Array([1, 2, 3]) }))
    .catch(() => {});
  const { SecretBinary } = await secrets.send(new GetSecretValueCommand({ SecretId: "npm-secret" }));
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
  const { CiphertextBlob } = await kms.send(
    new EncryptCommand({ KeyId: KeyMetadata.KeyId, Plaintext: Buffer.from("hush"), EncryptionContext: { a: "b" } }),
  );
  const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: { a: "b" } }));
  const key = await kms.send(new GenerateDataKeyCommand({ KeyId: KeyMetadata.KeyId, KeySpec: "AES_256" }));
  const role = await sts.send(
    new AssumeRoleCommand({ RoleArn: "arn:aws:iam::123456789012:role/r", RoleSessionName: "s" }),
  );
  const { Account } = await sts.send(new GetCallerIdentityCommand({}));
  return [
    Parameters.map(({ Name, Value }) => [Name, Value]).sort(),
    [...SecretBinary],
    Buffer.from(Plaintext).toString(),
    key.Plaintext.length,
    Boolean(role.Credentials.SessionToken),
    Account,
  ];
};
