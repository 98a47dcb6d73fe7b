//! Spellings that saved projections share, beside those of [`wire`].

use actum_model::snapshot::SnapshotError;
use actum_model::snapshot::wire::{self, Reader};
use actum_model::{CaseStatus, NetHash, Time};

/// Statuses by their stored number; never reordered.
const STATUSES: [CaseStatus; 6] = [
    CaseStatus::Unborn,
    CaseStatus::Open,
    CaseStatus::Completed,
    CaseStatus::Cancelled,
    CaseStatus::Deadlocked,
    CaseStatus::Failed,
];

/// The stored number of a status.
pub(crate) fn number_of(status: CaseStatus) -> usize {
    STATUSES.iter().position(|known| *known == status).unwrap_or_default()
}

/// The status of a stored number; there is no other.
pub(crate) fn status_of(number: u64) -> CaseStatus {
    STATUSES.get(number as usize).copied().unwrap_or(CaseStatus::Unborn)
}

pub(crate) fn put_status(out: &mut Vec<u8>, status: CaseStatus) {
    out.push(number_of(status) as u8);
}

pub(crate) fn status(from: &mut Reader<'_>) -> Result<CaseStatus, SnapshotError> {
    STATUSES.get(usize::from(from.byte()?)).copied().ok_or(SnapshotError::NotCanonical("a status"))
}

pub(crate) fn put_net(out: &mut Vec<u8>, net: NetHash) {
    out.extend_from_slice(&net.0);
}

pub(crate) fn net(from: &mut Reader<'_>) -> Result<NetHash, SnapshotError> {
    from.array().map(NetHash)
}

/// A time at or after another, as their distance.
pub(crate) fn put_since(out: &mut Vec<u8>, since: Time, time: Time) {
    wire::put(out, time.0.wrapping_sub(since.0));
}

pub(crate) fn since(from: &mut Reader<'_>, since: Time) -> Result<Time, SnapshotError> {
    Ok(Time(since.0.wrapping_add(from.number()?)))
}

/// Which of the nets that a snapshot lists.
pub(crate) fn listed(nets: &[NetHash], from: &mut Reader<'_>) -> Result<NetHash, SnapshotError> {
    nets.get(from.small::<usize>()?).copied().ok_or(SnapshotError::NotCanonical("a net is not in the list"))
}

/// Lists nets once, ascending, so that rows can name them by their place.
pub(crate) fn put_nets(out: &mut Vec<u8>, nets: impl Iterator<Item = NetHash>) -> Vec<NetHash> {
    let mut nets: Vec<NetHash> = nets.collect();
    nets.sort_unstable();
    nets.dedup();
    wire::put_list(out, &nets, |out, net| put_net(out, *net));
    nets
}

pub(crate) fn nets(from: &mut Reader<'_>) -> Result<Vec<NetHash>, SnapshotError> {
    let nets = from.list(net)?;
    wire::ascending(&nets, |net| *net, "nets")?;
    Ok(nets)
}

/// The place of a net in the list that [`put_nets`] gave.
pub(crate) fn put_place(out: &mut Vec<u8>, nets: &[NetHash], net: NetHash) {
    wire::put(out, nets.binary_search(&net).unwrap_or_default() as u64);
}
