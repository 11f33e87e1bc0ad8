// @aws-lambda-powertools/parser: events checked with Zod, envelopes
import { parse } from "@aws-lambda-powertools/parser";
import { EventBridgeEnvelope } from "@aws-lambda-powertools/parser/envelopes/eventbridge";
import { APIGatewayProxyEventV2Schema } from "@aws-lambda-powertools/parser/schemas/api-gatewayv2";
import { z } from "zod";

export const handler = async () => {
  const order = z.object({ id: z.number(), item: z.string() });
  const event = {
    version: "0",
    id: "i",
    "detail-type": "order",
    source: "shop",
    account: "1",
    time: "2026-01-01T00:00:00Z",
    region: "us-east-1",
    resources: [],
    detail: { id: 1, item: "pen" },
  };
  const wrong = parse({ ...event, detail: { id: "x" } }, EventBridgeEnvelope, order, true);
  return [
    parse(event, EventBridgeEnvelope, order),
    wrong.success,
    wrong.error?.name,
    APIGatewayProxyEventV2Schema.safeParse({}).success,
  ];
};
