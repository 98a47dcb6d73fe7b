//! Rules over made-up histories, and the reader.

mod kit;
mod language;
mod naive;
mod passes;
