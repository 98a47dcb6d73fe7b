//! Measures what proofs cost in a log of blocks of 8,192 events and 10,000 streams, in memory.
//!
//! `cargo run --release -p actum-verify --example proofs [blocks]`.

use std::error::Error;
use std::time::Instant;

use actum_log::{
    CasePaths, Clocks, Draft, EventStore, Extensions, FileSigner, Genesis, MemoryStore, Opening, ProofOptions, Resume,
    Signer, prove_case, prove_consistency, prove_event,
};
use actum_verify::{Trust, verify_proof};

fn main() -> Result<(), Box<dyn Error>> {
    let blocks: u64 = std::env::args().nth(1).map_or(Ok(128), |text| text.parse())?;
    let signer = FileSigner::from_seed(&[1; 32]);
    let genesis = Genesis::new([2; 16], "example.org/bench", 0, signer.public_key())?;
    let (mut stage, mut sealer) = Resume::at_genesis(&genesis, 0).open(&genesis, Opening::new()?)?;
    let mut store = MemoryStore::new(genesis.to_string());
    for _ in 0..blocks {
        while !stage.is_full() {
            let draft = Draft {
                stream: 1 + stage.next_seq() * 2_654_435_761 % 10_000,
                kind: 300,
                schema: 1,
                terminal: false,
                actor: 7,
                cause: None,
                time: 0,
                extensions: Extensions::EMPTY,
                payload: &[5; 64],
            };
            stage.push(&draft)?;
        }
        let block = stage.close(Clocks::default()).ok_or("nothing was pushed")?;
        store.commit(&[sealer.seal(block, &signer)?])?;
    }
    let (size, options) = (stage.next_seq(), ProofOptions::default());
    println!("{size} events in {blocks} blocks");
    report("event", 20, |round| prove_event(&store, (round * 7_919_993 + 1) % size, &options))?;
    report("case, each event in the tree", 5, |round| prove_case(&store, 1 + round * 997, CasePaths::Each, &options))?;
    report("case, the last in the tree", 5, |round| prove_case(&store, 1 + round * 997, CasePaths::Last, &options))?;
    report("consistency", 10, |round| prove_consistency(&store, (round * 7 % blocks + 1) * size / blocks, &options))
}

fn report<E: Error + 'static>(
    name: &str,
    rounds: u64,
    prove: impl Fn(u64) -> Result<String, E>,
) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let proofs = (0..rounds).map(prove).collect::<Result<Vec<_>, _>>()?;
    let proving = started.elapsed().as_secs_f64() * 1e3 / rounds as f64;
    let started = Instant::now();
    let verdicts = proofs.iter().map(|proof| verify_proof(proof.as_bytes(), &Trust::self_signed()));
    let verdicts = verdicts.collect::<Result<Vec<_>, _>>()?;
    let checking = started.elapsed().as_secs_f64() * 1e3 / rounds as f64;
    let bytes = proofs.iter().map(String::len).sum::<usize>() as f64 / rounds as f64;
    let events = verdicts.iter().map(|verdict| verdict.proven.events().count()).sum::<usize>() as f64 / rounds as f64;
    println!("{name}: {proving:.2} ms to prove, {checking:.2} ms to check, {bytes:.0} bytes, {events:.0} events");
    Ok(())
}
