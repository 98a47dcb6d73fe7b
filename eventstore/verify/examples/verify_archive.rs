//! Verifies an archive: `cargo run --release -p actum-verify --example verify_archive FILE.actum [VERIFIER_KEY]`

use std::time::Instant;

use actum_verify::{FaultKind, Trust, verify_archive};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("usage: verify_archive FILE.actum [VERIFIER_KEY]")?;
    let trust = args.next().map_or(Ok(Trust::self_signed()), |key| Trust::from_verifier_key(&key))?;
    let begun = Instant::now();
    match verify_archive(std::fs::File::open(path)?, &trust, &mut |_| ()) {
        Ok(verdict) => {
            println!("{verdict}");
            let seconds = begun.elapsed().as_secs_f64();
            println!("{seconds:.3} s, {:.0} events/s", verdict.events() as f64 / seconds);
            Ok(())
        }
        Err(fault) => {
            println!("{fault}");
            std::process::exit(if fault.kind() == FaultKind::Tampered { 4 } else { 5 })
        }
    }
}
