// Prints what Switchboard publishes, a line of JSON for each message, read with amqplib and cloudevents.
//
//     npm ci && AMQP_URL=amqp://localhost node consume.js switchboard.events switchboard.notifications
//
// The first line names the queue: a command that gives it as `replyTo` is answered there.
"use strict";

const amqp = require("amqplib");
const { HTTP } = require("cloudevents");

const show = (line) => console.log(JSON.stringify(line));

async function main(exchanges) {
  const connection = await amqp.connect(process.env.AMQP_URL);
  const channel = await connection.createChannel();
  const { queue } = await channel.assertQueue("", { exclusive: true });
  for (const exchange of exchanges) await channel.bindQueue(queue, exchange, "#");
  const read = ({ fields, properties, content }) => {
    // The library has no binding for AMQP; the one for HTTP is the same: a content type, a body, headers after `ce-`.
    const event = HTTP.toEvent({ headers: { "content-type": properties.contentType }, body: content.toString() });
    event.validate();
    // The attributes are in the headers too, for whoever routes or filters without reading bodies.
    const { data, ...headers } = HTTP.toEvent({ headers: properties.headers }).toJSON();
    const { exchange, routingKey: routing_key } = fields;
    show({ exchange, routing_key, correlation_id: properties.correlationId, event, headers });
  };
  await channel.consume(queue, read, { noAck: true });
  show({ queue });
}

main(process.argv.slice(2));
