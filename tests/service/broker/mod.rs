//! The broker module against a real RabbitMQ: what it promises, and the traps it was written around.

mod connection;
mod consumer;
mod dead;
mod publisher;
mod replay;
mod topology;
