"""Publishes what comes in, a line of JSON for each message, written with aio-pika and cloudevents.

    AMQP_URL=amqp://localhost python publish.py <<< '{"exchange": "switchboard.ingress", "mode": "structured",
        "attributes": {"type": "switchboard.command.presence", "source": "me"},
        "data": {"tenant": "acme", "actor": "mark", "agent": "mark", "presence": "online"}}'

`mode` is structured, binary, or raw: the data alone, such as a webhook's body. Prints the id of each once the broker has it.
"""

import asyncio
import json
import os
import sys

import aio_pika
from cloudevents.core.bindings import rabbitmq
from cloudevents.core.v1.event import CloudEvent

WRITE = {"structured": rabbitmq.to_structured_event, "binary": rabbitmq.to_binary_event}


def written(order):
    """The message, and the id of the event in it."""
    data = order["data"]
    if order["mode"] == "raw":
        return rabbitmq.RabbitMQMessage({}, "application/json", json.dumps(data).encode()), None
    event = CloudEvent({"datacontenttype": "application/json", **order["attributes"]}, data)
    return WRITE[order["mode"]](event), event.get_id()


async def main():
    loop = asyncio.get_running_loop()
    async with await aio_pika.connect(os.environ["AMQP_URL"]) as connection:
        channel = await connection.channel()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            order = json.loads(line)
            message, event_id = written(order)
            exchange = await channel.get_exchange(order["exchange"])
            await exchange.publish(
                aio_pika.Message(
                    message.body,
                    headers=message.headers,
                    content_type=message.content_type,
                    delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                    reply_to=order.get("reply_to"),
                    correlation_id=event_id,
                ),
                routing_key=order.get("routing_key", ""),
            )
            print(json.dumps({"published": event_id}), flush=True)


asyncio.run(main())
