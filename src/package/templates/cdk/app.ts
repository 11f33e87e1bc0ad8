// npm install && npx cdk deploy
import { App, CfnOutput, Duration, Stack } from "aws-cdk-lib";
import { Architecture, Code, Function, FunctionUrlAuthType, LayerVersion, Runtime } from "aws-cdk-lib/aws-lambda";
import { join } from "node:path";

const app = new App();
const stack = new Stack(app, "Functions");

const runtime = new LayerVersion(stack, "Runtime", {
  code: Code.fromAsset(join(__dirname, {{RUNTIME_LAYER}})),
  compatibleArchitectures: [Architecture.X86_64],
  compatibleRuntimes: [Runtime.PROVIDED_AL2023],
});

const handler = new Function(stack, "Function", {
  functionName: {{NAME}},
  code: Code.fromAsset(join(__dirname, {{CODE}})),
  handler: {{HANDLER}},
  runtime: Runtime.PROVIDED_AL2023,
  architecture: Architecture.X86_64,
  layers: [runtime],
  memorySize: 512,
  timeout: Duration.seconds(30),
});

const url = handler.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM });
new CfnOutput(stack, "Url", { value: url.url });
