//! The offline decoder: from files to messages, and what each would become.

mod bodies;
mod explain;
