//! Saved state: an engine that opens from it is the engine that folded the whole log, and no wrong file is ever believed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actum::{ActorId, CaseId, CaseStatus, CommandError, Engine, EngineBuilder, Net, StateSaved, Value};
use actum_log::{SavedFile, saved_files, saved_folder, saved_path, stream_table};
use actum_projections::{Projection, Recorded, RestoreError, Watermark};

const NET: &str = "
actum: 1
net: claim
roles: { clerk: {} }
data: { amount: { type: int, input: true, default: 1 } }
start: check
tasks:
  check: { role: clerk, flow: pay }
  pay: { handler: expr, params: {}, flow: end }
";

struct World {
    dir: PathBuf,
    // Removed on drop.
    _temp: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        World { dir: temp.path().join("log"), _temp: temp }
    }

    fn builder(&self) -> EngineBuilder {
        Engine::at(&self.dir).save_every(None)
    }

    async fn open(&self) -> Engine {
        self.builder().open().await.unwrap()
    }

    fn sizes(&self) -> Vec<u64> {
        saved_files(&self.dir).unwrap().into_iter().map(|(size, _)| size).collect()
    }
}

async fn net(engine: &Engine) -> (Arc<Net>, ActorId) {
    let (net, _) = engine.deploy(NET).await.unwrap();
    (net, engine.register("ana", &["clerk"]).await.unwrap())
}

/// Starts cases, does the work of every third, leaves the others.
async fn work(engine: &Engine, from: usize, count: usize) {
    let (net, ana) = net(engine).await;
    for number in from..from + count {
        let input = BTreeMap::from([("amount".to_owned(), Value::Int(number as i64))]);
        let key = format!("claim-{number}");
        let case = engine.start_case(net.hash, Some(&key), input).await.unwrap().case;
        match number % 3 {
            0 => finish(engine, case, ana).await,
            1 => engine
                .take(case, engine.offered_to(ana).iter().find(|row| row.case == case).unwrap().item, ana)
                .await
                .unwrap(),
            _ => {}
        }
    }
    engine.settled().await;
}

async fn finish(engine: &Engine, case: CaseId, ana: ActorId) {
    let row = engine.offered_to(ana).into_iter().chain(engine.held_by(ana)).find(|row| row.case == case).unwrap();
    engine.take(case, row.item, ana).await.ok();
    engine.start(case, row.item, ana).await.unwrap();
    engine.complete(case, row.item, ana, Value::Map(BTreeMap::new())).await.unwrap();
    assert_eq!(engine.ended(case).await.unwrap().status, CaseStatus::Completed);
}

/// All that an engine answers, by its parts.
async fn answers(engine: &Engine) -> Vec<String> {
    let (net, ana) = net(engine).await;
    let mut all = Vec::new();
    for number in 1..=60 {
        let case = CaseId(number);
        all.push(format!("{:?}", engine.row(case)));
        all.push(format!("{:?}", engine.case(case).await.ok()));
    }
    all.push(format!("{:?} {:?}", engine.offered_to(ana), engine.held_by(ana)));
    all.push(format!("{:?}", net.name));
    let bytes = |name: &str, bytes: Vec<u8>| format!("{name} {bytes:?}");
    all.push(bytes("cases", engine.cases().snapshot()));
    all.push(bytes("worklist", engine.worklist().snapshot()));
    all.push(bytes("waits", engine.waits().snapshot()));
    // A key still names its case.
    for number in [0_usize, 1, 2] {
        let started = engine.start_case(net.hash, Some(&format!("claim-{number}")), BTreeMap::new()).await.unwrap();
        assert!(!started.is_new);
        all.push(format!("{}", started.case));
    }
    all
}

async fn saved(engine: &Engine) -> StateSaved {
    engine.save_state().await.unwrap().unwrap()
}

#[tokio::test]
async fn an_engine_goes_on_from_saved_state_as_from_the_whole_log() {
    let world = World::new();
    let engine = world.open().await;
    work(&engine, 0, 20).await;
    let one = saved(&engine).await;
    assert_eq!(engine.save_state().await.unwrap().map(|saved| saved.size > one.size), Some(true));
    work(&engine, 20, 20).await;
    let two = saved(&engine).await;
    work(&engine, 40, 5).await;
    let before = answers(&engine).await;
    engine.close().await.unwrap();

    let engine = world.open().await;
    let recovered = engine.opened().recovered.clone();
    assert_eq!((recovered.spared, recovered.hash), (two.size, two.hash));
    assert!(recovered.passed_over.is_empty() && recovered.rebuilt.is_empty());
    assert_eq!(recovered.reread + recovered.spared, engine.opened().events);
    assert_eq!(answers(&engine).await, before);
    // It goes on: somebody finishes what was begun, and a new case gets the next number.
    let (net, ana) = net(&engine).await;
    finish(&engine, CaseId(2), ana).await;
    assert_eq!(engine.start_case(net.hash, None, BTreeMap::new()).await.unwrap().case, CaseId(46));
    let after = answers(&engine).await;
    engine.close().await.unwrap();

    let engine = world.builder().full_fold().open().await.unwrap();
    assert_eq!(engine.opened().recovered.spared, 0);
    assert_eq!(answers(&engine).await, after);
    engine.close().await.unwrap();
    // What the real verifier finds, and what is said of the streams.
    let source = actum_fjall::read(&world.dir).unwrap();
    let (_, _, root) = named(&world.dir).into_iter().find(|(size, ..)| *size == two.size).unwrap();
    assert_eq!(stream_table(&source, 0, two.size).unwrap().root(), root);
}

/// What the log says of saved state: sizes, hashes and roots.
fn named(dir: &Path) -> Vec<(u64, [u8; 32], [u8; 32])> {
    use actum_model::{Event, SavedEvent, SystemEvent, payload};
    let source = actum_fjall::read(dir).unwrap();
    let mut named = Vec::new();
    for record in actum_log::records(&source, 0, 0).unwrap() {
        let record = record.unwrap();
        if record.header().kind == 258 {
            let event = payload::decode(258, 1, record.view().payload()).unwrap();
            let Event::System(SystemEvent::Saved(SavedEvent::Saved { size, hash, root, .. })) = event else { panic!() };
            named.push((size, hash, root));
        }
    }
    named
}

#[tokio::test]
async fn from_file_to_file_it_is_the_file_of_a_whole_fold() {
    let world = World::new();
    let engine = world.open().await;
    for round in 0..3 {
        work(&engine, round * 10, 10).await;
        let (_, ana) = net(&engine).await;
        // A case of an earlier file goes on, another ends.
        if round > 0 {
            finish(&engine, CaseId(round as u64 * 10 - 8), ana).await;
        }
        saved(&engine).await;
    }
    assert_eq!(world.sizes().len(), 2);
    work(&engine, 30, 3).await;
    let last = saved(&engine).await;
    engine.close().await.unwrap();
    // Without a file to go on from, the same size gives the same bytes.
    let grown = fs::read(saved_path(&world.dir, last.size)).unwrap();
    let fresh = actum::saved_state_of(&world.dir, last.size).unwrap();
    assert!(grown == fresh, "{} bytes, {} bytes", grown.len(), fresh.len());
}

/// Damages the newest file, opens, and says what was used and why the newest was not.
async fn opened_after(damage: impl FnOnce(&Path, [u64; 2])) -> (u64, [u64; 2], Vec<(u64, String)>) {
    let world = World::new();
    let engine = world.open().await;
    work(&engine, 0, 9).await;
    let one = saved(&engine).await.size;
    work(&engine, 9, 9).await;
    let two = saved(&engine).await.size;
    work(&engine, 18, 3).await;
    let before = answers(&engine).await;
    engine.close().await.unwrap();
    assert_eq!(world.sizes(), [two, one]);
    damage(&world.dir, [one, two]);
    let engine = world.open().await;
    let recovered = engine.opened().recovered.clone();
    assert_eq!(answers(&engine).await, before, "{recovered:?}");
    engine.close().await.unwrap();
    // What was found is in the log, and it is still whole.
    let engine = world.builder().full_fold().open().await.unwrap();
    assert_eq!(answers(&engine).await, before);
    engine.close().await.unwrap();
    (recovered.spared, [one, two], recovered.passed_over)
}

#[tokio::test]
async fn a_damaged_file_is_passed_over_for_the_one_before_it() {
    for at in [0_usize, 40, 3_000] {
        let damage = |dir: &Path, [_, two]: [u64; 2]| {
            let path = saved_path(dir, two);
            let mut bytes = fs::read(&path).unwrap();
            let at = at.min(bytes.len() - 1);
            bytes[at] ^= 4;
            fs::write(path, bytes).unwrap();
        };
        let (used, [one, two], passed_over) = opened_after(damage).await;
        assert_eq!((used, passed_over.len(), passed_over[0].0), (one, 1, two), "{passed_over:?}");
    }
}

#[tokio::test]
async fn a_file_that_was_cut_or_emptied_is_passed_over() {
    for keep in [0_usize, 1, 100, 4_000] {
        let damage = |dir: &Path, [_, two]: [u64; 2]| {
            let path = saved_path(dir, two);
            let bytes = fs::read(&path).unwrap();
            fs::write(path, &bytes[..keep.min(bytes.len() - 1)]).unwrap();
        };
        let (used, [one, _], passed_over) = opened_after(damage).await;
        assert_eq!((used, passed_over.len()), (one, 1));
    }
}

#[tokio::test]
async fn without_a_good_file_the_whole_log_is_folded() {
    let damage =
        |dir: &Path, sizes: [u64; 2]| sizes.iter().for_each(|size| fs::write(saved_path(dir, *size), b"x").unwrap());
    let (used, [one, two], passed_over) = opened_after(damage).await;
    assert_eq!(used, 0);
    assert_eq!(passed_over.iter().map(|(size, _)| *size).collect::<Vec<_>>(), [two, one]);
}

#[tokio::test]
async fn a_good_file_under_another_name_or_of_another_log_is_not_believed() {
    let damage = |dir: &Path, [one, two]: [u64; 2]| {
        fs::copy(saved_path(dir, one), saved_path(dir, two)).unwrap();
    };
    let (used, [one, _], passed_over) = opened_after(damage).await;
    assert_eq!((used, passed_over.len()), (one, 1));
    let other = World::new();
    let engine = other.open().await;
    work(&engine, 0, 9).await;
    let foreign = saved(&engine).await.size;
    engine.close().await.unwrap();
    let foreign = fs::read(saved_path(&other.dir, foreign)).unwrap();
    let damage = |dir: &Path, [_, two]: [u64; 2]| fs::write(saved_path(dir, two), &foreign).unwrap();
    let (used, [one, _], passed_over) = opened_after(damage).await;
    assert_eq!((used, passed_over.len()), (one, 1));
}

/// Whole and consistent, and made by this software, but of another history: the log names another hash.
#[tokio::test]
async fn a_forged_file_is_not_believed() {
    use actum_log::{SavedWriter, SectionKind};
    let damage = |dir: &Path, [_, two]: [u64; 2]| {
        let path = saved_path(dir, two);
        let file = SavedFile::open(fs::File::open(&path).unwrap()).unwrap();
        let mut writer = SavedWriter::new(Vec::new(), file.contents().genesis_hash, 0, two).unwrap();
        for section in &file.contents().sections {
            if section.kind == SectionKind::Plain {
                writer
                    .plain(&section.name, section.version, &file.plain(&section.name, section.version).unwrap())
                    .unwrap();
                continue;
            }
            writer.table(&section.name, section.version).unwrap();
            let mut entries = file.entries(&section.name, section.version).unwrap();
            while let Some((id, entry)) = entries.next_entry().unwrap() {
                // A case less.
                if section.name != "cases" || id != 2 {
                    writer.entry(id, entry).unwrap();
                }
            }
        }
        fs::write(path, writer.finish().unwrap().2).unwrap();
    };
    let (used, [one, _], passed_over) = opened_after(damage).await;
    assert_eq!((used, passed_over.len()), (one, 1));
    assert!(passed_over[0].1.contains("does not name it"), "{passed_over:?}");
}

/// Every state that a crash between two steps of saving leaves behind.
#[tokio::test]
async fn a_crash_while_saving_leaves_the_older_ones_valid() {
    // While writing; after the file was put in its place, before the log names it.
    let unfinished = |dir: &Path, [_, two]: [u64; 2]| {
        let bytes = fs::read(saved_path(dir, two)).unwrap();
        fs::write(saved_folder(dir).join("unfinished.tmp"), &bytes[..bytes.len() / 2]).unwrap();
    };
    let (used, [_, two], passed_over) = opened_after(unfinished).await;
    assert_eq!((used, passed_over.len()), (two, 0));
    let world = World::new();
    let engine = world.open().await;
    work(&engine, 0, 9).await;
    let one = saved(&engine).await.size;
    work(&engine, 9, 3).await;
    let size = engine.head().unwrap().unwrap().size;
    engine.close().await.unwrap();
    fs::write(saved_path(&world.dir, size), actum::saved_state_of(&world.dir, size).unwrap()).unwrap();
    let engine = world.open().await;
    let recovered = engine.opened().recovered.clone();
    assert_eq!((recovered.spared, recovered.passed_over.len()), (one, 1));
    // The next saving clears it away.
    work(&engine, 12, 3).await;
    let two = saved(&engine).await.size;
    assert_eq!(world.sizes(), [two, one]);
    engine.close().await.unwrap();
}

#[tokio::test]
async fn saving_goes_on_by_itself_and_at_close() {
    let world = World::new();
    let engine = Engine::at(&world.dir).save_every(Some(200)).open().await.unwrap();
    let mut round = 0;
    while world.sizes().is_empty() {
        work(&engine, round * 10, 10).await;
        round += 1;
        assert!(round < 500, "nothing was saved");
    }
    engine.close().await.unwrap();
    let engine = world.open().await;
    assert!(engine.opened().recovered.spared > 0);
    engine.close().await.unwrap();
    // Where there is no directory there is no place for it.
    let engine = Engine::in_memory().open().await.unwrap();
    assert!(matches!(engine.save_state().await, Err(CommandError::Rejected(_))));
    engine.close().await.unwrap();
}

/// Counts events; its version is in its type, so that a log can be opened by software before and after a change of it.
#[derive(Default)]
struct Count<const VERSION: u32> {
    events: AtomicU64,
    watermark: Watermark,
}

impl<const VERSION: u32> Projection for Count<VERSION> {
    fn name(&self) -> &'static str {
        "count"
    }

    fn version(&self) -> u32 {
        VERSION
    }

    fn apply(&self, _: &Recorded<'_>) {
        self.events.fetch_add(u64::from(VERSION), Ordering::Relaxed);
    }

    fn snapshot(&self) -> Vec<u8> {
        self.events.load(Ordering::Relaxed).to_le_bytes().to_vec()
    }

    fn restore(&self, bytes: &[u8]) -> Result<(), RestoreError> {
        let events = bytes.try_into().map_err(|_| RestoreError::Truncated)?;
        self.events.store(u64::from_le_bytes(events), Ordering::Relaxed);
        Ok(())
    }

    fn watermark(&self) -> &Watermark {
        &self.watermark
    }
}

impl<const VERSION: u32> Count<VERSION> {
    fn of(engine: &Engine) -> u64 {
        engine.projection::<Self>().unwrap().events.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn a_projection_of_another_version_is_made_anew_alone() {
    let world = World::new();
    let engine = world.builder().projection(Count::<1>::default).open().await.unwrap();
    work(&engine, 0, 9).await;
    let size = saved(&engine).await.size;
    work(&engine, 9, 3).await;
    let (counted, before) = (Count::<1>::of(&engine), answers(&engine).await);
    engine.close().await.unwrap();

    // The same version goes on from where it was.
    let engine = world.builder().projection(Count::<1>::default).open().await.unwrap();
    let recovered = engine.opened().recovered.clone();
    assert_eq!((recovered.spared, recovered.rebuilt.len()), (size, 0));
    let opening = Count::<1>::of(&engine) - counted;
    assert!(opening <= 2, "{opening} events of an opening");
    engine.close().await.unwrap();

    // Another is folded from the beginning; the rest is taken from the file.
    let engine = world.builder().projection(Count::<2>::default).open().await.unwrap();
    let recovered = engine.opened().recovered.clone();
    assert_eq!((recovered.rebuilt.as_slice(), recovered.hash != [0; 32]), (&["count"][..], true));
    assert_eq!((recovered.spared, recovered.reread), (0, engine.opened().events));
    assert_eq!(Count::<2>::of(&engine), 2 * (counted + 2 * opening));
    assert_eq!(answers(&engine).await, before);
    // And is in the next file.
    work(&engine, 12, 3).await;
    let size = saved(&engine).await.size;
    let counted = Count::<2>::of(&engine);
    engine.close().await.unwrap();
    let engine = world.builder().projection(Count::<2>::default).open().await.unwrap();
    assert_eq!((engine.opened().recovered.spared, engine.opened().recovered.rebuilt.len()), (size, 0));
    assert!(Count::<2>::of(&engine) - counted <= 4);
    engine.close().await.unwrap();
}
