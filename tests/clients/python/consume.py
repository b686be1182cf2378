"""Prints what Switchboard publishes, a line of JSON for each message, read with aio-pika and cloudevents.

    AMQP_URL=amqp://localhost python consume.py switchboard.events switchboard.notifications

The first line names the queue: a command that gives it as `reply_to` is answered there.
"""

import asyncio
import json
import os
import sys

import aio_pika
from cloudevents.core.bindings import rabbitmq


def show(**line):
    print(json.dumps(line), flush=True)


def plain(event):
    """An event as the library writes it."""
    return json.loads(rabbitmq.to_structured_event(event).body)


async def main(exchanges):
    connection = await aio_pika.connect(os.environ["AMQP_URL"])
    channel = await connection.channel()
    queue = await channel.declare_queue(exclusive=True)
    for exchange in exchanges:
        await queue.bind(exchange, routing_key="#")
    show(queue=queue.name)
    async for message in queue.iterator(no_ack=True):
        received = rabbitmq.RabbitMQMessage(message.headers, message.content_type, message.body)
        # The attributes are in the headers too, for whoever routes or filters without reading bodies.
        headers = rabbitmq.RabbitMQMessage(message.headers, None, b"")
        show(
            exchange=message.exchange,
            routing_key=message.routing_key,
            correlation_id=message.correlation_id,
            event=plain(rabbitmq.from_rabbitmq_event(received)),
            headers=plain(rabbitmq.from_binary_event(headers)),
        )


asyncio.run(main(sys.argv[1:]))
