// npm install && npx cdk deploy
// npx cdk deploy --context trineLayer=PATH|ARN: another zip, or a layer that is published already.
import { App, CfnOutput, Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import {
  Architecture, Code, Function, FunctionUrlAuthType, LayerVersion, LoggingFormat, Runtime, type ILayerVersion,
} from "aws-cdk-lib/aws-lambda";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";

const app = new App();
const stack = new Stack(app, "TrineGreet", { description: "One function in each language on Trine" });

const compatible = { compatibleRuntimes: [Runtime.PROVIDED_AL2023], compatibleArchitectures: [Architecture.X86_64] };

function trineLayer(): ILayerVersion {
  const layer: string = app.node.getContext("trineLayer");
  return layer.startsWith("arn:")
    ? LayerVersion.fromLayerVersionArn(stack, "Trine", layer)
    : new LayerVersion(stack, "Trine", { ...compatible, code: Code.fromAsset(layer) });
}

const layers = [trineLayer(), new LayerVersion(stack, "Middlewares", { ...compatible, code: Code.fromAsset("../layer") })];

const logGroup = new LogGroup(stack, "Logs", { retention: RetentionDays.TWO_WEEKS, removalPolicy: RemovalPolicy.DESTROY });

// Writes to that log group and may do nothing else.
const role = new Role(stack, "Role", { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
logGroup.grantWrite(role);

for (const language of ["js", "python", "lua"]) {
  const greet = new Function(stack, `Greet-${language}`, {
    runtime: Runtime.PROVIDED_AL2023,
    architecture: Architecture.X86_64,
    code: Code.fromAsset(`../functions/${language}`),
    handler: "handler.handler",
    layers,
    role,
    memorySize: 256,
    timeout: Duration.seconds(10),
    environment: { TRINE_MIDDLEWARES: "request-id" },
    logGroup,
    loggingFormat: LoggingFormat.JSON,
  });
  const url = greet.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM });
  new CfnOutput(stack, `Url-${language}`, { value: url.url });
}
