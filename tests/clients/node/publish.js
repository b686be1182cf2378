// Publishes what comes in, a line of JSON for each message, written with amqplib and cloudevents.
//
//     npm ci && AMQP_URL=amqp://localhost node publish.js <<< '{"exchange": "switchboard.ingress", "mode": "structured",
//         "attributes": {"type": "switchboard.command.presence", "source": "me"},
//         "data": {"tenant": "acme", "actor": "mark", "agent": "mark", "presence": "online"}}'
//
// `mode` is structured, binary, or raw: the data alone, such as a webhook's body. Prints the id of each once the broker has it.
"use strict";

const readline = require("node:readline");
const amqp = require("amqplib");
const { CloudEvent, HTTP } = require("cloudevents");

// The message, and the id of the event in it.
function written({ mode, attributes, data }) {
  if (mode === "raw") return [{ headers: { "content-type": "application/json" }, body: JSON.stringify(data) }, undefined];
  const event = new CloudEvent({ ...attributes, data });
  // The library has no binding for AMQP; the one for HTTP is the same: a content type, a body, headers after `ce-`.
  return [HTTP[mode](event), event.id];
}

async function main() {
  const connection = await amqp.connect(process.env.AMQP_URL);
  const channel = await connection.createConfirmChannel();
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const order = JSON.parse(line);
    const [message, id] = written(order);
    const { "content-type": contentType, ...headers } = message.headers;
    const options = { contentType, headers, persistent: true, replyTo: order.reply_to, correlationId: id };
    channel.publish(order.exchange, order.routing_key ?? "", Buffer.from(message.body), options);
    await channel.waitForConfirms();
    console.log(JSON.stringify({ published: id ?? null }));
  }
  await connection.close();
}

main();
