// OpenRouter's official SDK for TypeScript. Deeds and their answers are those of openrouter_sdk.py.

import readline from "node:readline";
import { OpenRouter } from "@openrouter/sdk";

class StreamBroke extends Error {
  constructor({ code, message }) {
    super(message);
    this.statusCode = code;
  }
}

const sdk = ({ url, key }) =>
  new OpenRouter({ apiKey: key, serverURL: url, retryConfig: { strategy: "none" }, timeoutMs: 30_000 });

const question = ({ words }) => [{ role: "user", content: words }];

const send = (asked, more = {}) =>
  sdk(asked).chat.send({ chatRequest: { model: asked.model, messages: question(asked), ...more } });

const shown = ({ hash, name, limit, usage }) => ({ hash, name, limit, usage });

// A list may come as pages; the first has them all.
const listed = async (told) => {
  const answer = await told;
  return (answer.result ?? answer).data;
};

const deeds = {
  async chat(asked) {
    const answer = await send(asked);
    return { text: answer.choices[0].message.content, cost: answer.usage.cost, id: answer.id };
  },

  async stream(asked) {
    let text = "";
    let cost = null;
    for await (const chunk of await send(asked, { stream: true })) {
      if (chunk.error) throw new StreamBroke(chunk.error);
      text += chunk.choices.map((choice) => choice.delta.content ?? "").join("");
      cost = chunk.usage?.cost ?? cost;
    }
    return { text, cost };
  },

  async tools(asked) {
    const tools = [{ type: "function", function: asked.tool }];
    const { message } = (await send(asked, { tools })).choices[0];
    const [call] = message.toolCalls;
    const result = { role: "tool", toolCallId: call.id, content: "3" };
    const again = await send(asked, { tools, messages: [...question(asked), message, result] });
    const called = { called: call.function.name, arguments: JSON.parse(call.function.arguments) };
    return { ...called, text: again.choices[0].message.content };
  },

  async credits(asked) {
    const { data } = await sdk(asked).credits.getCredits();
    return { granted: data.totalCredits, used: data.totalUsage };
  },

  async key(asked) {
    const { label, limit, usage } = (await sdk(asked).apiKeys.getCurrentKeyMetadata()).data;
    return { label, limit, usage };
  },

  async models(asked) {
    return (await listed(sdk(asked).models.list())).map((model) => model.id);
  },

  async generation(asked) {
    const { data } = await sdk(asked).generations.getGeneration({ id: asked.id });
    return { id: data.id, cost: data.totalCost, model: data.model };
  },

  async make_key(asked) {
    const made = await sdk(asked).apiKeys.create({ requestBody: { name: asked.name, limit: asked.limit } });
    return { key: made.key, hash: made.data.hash };
  },

  async list_keys(asked) {
    return (await listed(sdk(asked).apiKeys.list())).map((one) => one.hash);
  },

  async get_key(asked) {
    return shown((await sdk(asked).apiKeys.get({ hash: asked.hash })).data);
  },

  async change_key(asked) {
    return shown((await sdk(asked).apiKeys.update({ hash: asked.hash, requestBody: { name: asked.name } })).data);
  },

  async delete_key(asked) {
    return (await sdk(asked).apiKeys.delete({ hash: asked.hash })).deleted;
  },
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { do: deed, ...asked } = JSON.parse(line);
  let came;
  try {
    came = { done: await deeds[deed](asked) };
  } catch (refused) {
    const text = `${refused.message} ${refused.body ?? ""}`;
    came = { refused: { kind: refused.constructor.name, status: refused.statusCode ?? null, text } };
  }
  console.log(JSON.stringify(came));
}
