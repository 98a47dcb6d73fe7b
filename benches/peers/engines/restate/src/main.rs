//! Five durable steps, each of which adds one: what a case of the bench `engine_cases` does.

use restate_sdk::prelude::*;

const ADDRESS: &str = "127.0.0.1:19081";

#[restate_sdk::service]
trait Bench {
    async fn five(number: u64) -> Result<u64, TerminalError>;
}

struct Five;

impl Bench for Five {
    async fn five(&self, context: Context<'_>, number: u64) -> Result<u64, TerminalError> {
        let mut sum = number;
        for _ in 0..5 {
            sum = context.run(|| async move { Ok(sum + 1) }).await?;
        }
        Ok(sum)
    }
}

#[tokio::main]
async fn main() {
    let endpoint = Endpoint::builder().bind(Five.serve()).build();
    HttpServer::new(endpoint).listen_and_serve(ADDRESS.parse().expect("an address")).await;
}
