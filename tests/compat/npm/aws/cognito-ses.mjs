// @aws-sdk/client-cognito-identity-provider, @aws-sdk/client-sesv2, @aws-sdk/client-lambda: user pools, mail, functions and errors
// needs: aws
import {
  AdminCreateUserCommand,
  CognitoIdentityProviderClient,
  CreateUserPoolCommand,
  ListUsersCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { CreateEmailIdentityCommand, SESv2Client, SendEmailCommand } from "@aws-sdk/client-sesv2";
import { InvokeCommand, LambdaClient, ListFunctionsCommand } from "@aws-sdk/client-lambda";

export const handler = async () => {
  const cognito = new CognitoIdentityProviderClient({});
  const { UserPool } = await cognito.send(new CreateUserPoolCommand({ PoolName: "p" }));
  await cognito.send(new AdminCreateUserCommand({ UserPoolId: UserPool.Id, Username: "me" }));
  const { Users } = await cognito.send(new ListUsersCommand({ UserPoolId: UserPool.Id }));
  const mail = new SESv2Client({});
  await mail.send(new CreateEmailIdentityCommand({ EmailIdentity: "a@b.test" })).catch(() => {});
  const sent = await mail.send(
    new SendEmailCommand({
      FromEmailAddress: "a@b.test",
      Destination: { ToAddresses: ["c@d.test"] },
      Content: { Simple: { Subject: { Data: "s" }, Body: { Text: { Data: "t" } } } },
    }),
  );
  const lambda = new LambdaClient({ maxAttempts: 1 });
  const missing = await lambda.send(new InvokeCommand({ FunctionName: "none" })).catch((error) => error.name);
  return [
    Users.map(({ Username }) => Username),
    Boolean(sent.MessageId),
    missing,
    (await lambda.send(new ListFunctionsCommand({}))).Functions.length,
  ];
};
