// @google/genai: a model's answer
import { GoogleGenAI } from "@google/genai";

export const handler = async () => {
  const client = new GoogleGenAI({ apiKey: "key", httpOptions: { baseUrl: `${process.env.API_URL}/models/google` } });
  return (await client.models.generateContent({ model: "m", contents: "?" })).text;
};
