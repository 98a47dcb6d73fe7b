//! Proofs of the events that a report names, for reviewers who do not have the log.

use std::collections::BTreeMap;
use std::path::Path;

use actum_log::{ArchiveSource, FrameSource, ProofOptions, prove_event};
use actum_replay::rules::Report;
use actum_verify::Verdict;

use crate::cli::Common;
use crate::command::explain_proof;
use crate::failure::{Failure, Outcome};
use crate::progress;

/// Proofs by partition and seq, and how many events have none.
pub(crate) struct Proofs {
    proofs: BTreeMap<(u16, u64), String>,
    /// Events that are named without a proof.
    pub(crate) left_out: usize,
}

impl Proofs {
    /// Proves each listed event, up to `most`, against the seal that the verdict is about. The log was verified before; it may have
    /// grown since.
    pub(crate) fn make(
        path: &Path,
        is_archive: bool,
        report: &Report,
        verdict: &Verdict,
        most: usize,
        withhold: bool,
        common: &Common,
    ) -> Outcome<Self> {
        let cited = report.rules.iter().flat_map(|rule| &rule.listed).flat_map(|violation| &violation.events);
        let mut wanted: Vec<(u16, u64)> = cited.map(|event| (event.partition, event.seq)).collect();
        // The first breaches first; each event once.
        let mut seen = std::collections::BTreeSet::new();
        wanted.retain(|event| seen.insert(*event));
        let left_out = wanted.len().saturating_sub(most);
        wanted.truncate(most);
        let mut proofs = BTreeMap::new();
        if wanted.is_empty() {
            return Ok(Self { proofs, left_out });
        }
        let place = path.display().to_string();
        let failure = |error| Failure::read(&place, &error);
        let source: Box<dyn FrameSource> = if is_archive {
            Box::new(ArchiveSource::open(path).map_err(failure)?)
        } else {
            Box::new(actum_fjall::read(path).map_err(failure)?)
        };
        let bar = progress::bar(common.format, "proving", Some(wanted.len() as u64));
        for (partition, seq) in wanted {
            let sealed = verdict.partitions.iter().find(|one| one.partition == partition);
            let withheld = [seq];
            let withhold = if withhold { &withheld[..] } else { &[] };
            let options = ProofOptions { partition, size: sealed.map(|one| one.size), withhold };
            let proof = prove_event(&*source, seq, &options).map_err(|error| explain_proof(&place, &error))?;
            proofs.insert((partition, seq), proof);
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(Self { proofs, left_out })
    }

    pub(crate) fn of(&self, partition: u16, seq: u64) -> Option<&str> {
        self.proofs.get(&(partition, seq)).map(String::as_str)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u16, u64, &str)> {
        self.proofs.iter().map(|((partition, seq), proof)| (*partition, *seq, proof.as_str()))
    }

    pub(crate) fn len(&self) -> usize {
        self.proofs.len()
    }
}
