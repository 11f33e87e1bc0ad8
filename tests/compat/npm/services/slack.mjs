// @slack/web-api, @octokit/rest, @sendgrid/mail, twilio: clients of services, against an API of ours
import { WebClient } from "@slack/web-api";
import { Octokit } from "@octokit/rest";
import sendgrid from "@sendgrid/mail";
import sendgridClient from "@sendgrid/client";
import twilio from "twilio";

export const handler = async () => {
  const base = process.env.API_URL;
  const slack = await new WebClient("t", { slackApiUrl: `${base}/slack/`, retryConfig: { retries: 0 } }).chat
    .postMessage({ channel: "c", text: "é" })
    .catch((error) => error.code);
  const { status } = await new Octokit({ baseUrl: base, auth: "t" }).request("GET /hello");
  sendgrid.setClient(sendgridClient);
  sendgrid.setApiKey("SG.x");
  sendgridClient.setDefaultRequest("baseUrl", `${base}/sendgrid/`);
  const [sent] = await sendgrid.send({ to: "a@b.test", from: "c@d.test", subject: "s", text: "t" });
  const token = new twilio.jwt.AccessToken("AC1", "SK1", "secret", { identity: "me" });
  return [
    slack,
    status,
    sent.statusCode,
    token.toJwt().split(".").length,
    twilio.validateRequest("t", "x", "https://a.test", {}),
    new twilio.twiml.VoiceResponse().say("é").toString(),
  ];
};
