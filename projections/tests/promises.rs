//! What every projection promises, whatever the events and the bytes.

mod any;
mod office;

use std::thread;

use actum_projections::kit::{from_jsonl, promises, to_jsonl};
use actum_projections::{Factory, History, Projection, feed};
use proptest::prelude::*;

fn folded(history: &History, factory: &Factory) -> Vec<u8> {
    let projection = factory.make();
    history.feed(&*projection);
    projection.snapshot()
}

/// Streams dealt out to threads, which fold them at the same time.
fn folded_on(threads: u64, history: &History, factory: &Factory) -> Vec<u8> {
    let projection = factory.make();
    thread::scope(|scope| {
        for number in 0..threads {
            let own = history.events().iter().filter(move |event| event.stream % threads == number);
            let own: History = own.cloned().collect();
            let projection = &*projection;
            scope.spawn(move || own.feed(projection));
        }
    });
    projection.snapshot()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_same_history_gives_the_same_bytes(history in any::any_history()) {
        for factory in any::all() {
            prop_assert_eq!(promises(&history, &factory), Ok(()));
        }
    }

    #[test]
    fn saved_and_restored_anywhere_it_goes_on_the_same(history in any::any_history(), at in 0_usize..120) {
        let (before, after) = history.split_at(at);
        for factory in any::all() {
            let (saved, projection) = (folded(&before, &factory), factory.make());
            prop_assert_eq!(projection.restore(&saved), Ok(()));
            prop_assert_eq!(projection.snapshot(), saved, "{}", factory.name());
            feed(after.events(), &*projection);
            prop_assert_eq!(projection.snapshot(), folded(&history, &factory), "{}", factory.name());
        }
    }

    #[test]
    fn threads_do_not_show(history in any::any_history()) {
        for factory in any::all().into_iter().filter(|factory| factory.make().by_stream()) {
            let one = folded(&history, &factory);
            for threads in [2, 5] {
                prop_assert_eq!(&folded_on(threads, &history, &factory), &one, "{}", factory.name());
            }
        }
    }

    #[test]
    fn changed_bytes_never_panic(
        history in any::any_history(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        length in any::<prop::sample::Index>(),
        more in any::any_history(),
    ) {
        for factory in any::all() {
            let mut bytes = folded(&history, &factory);
            for (at, byte) in &changes {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] = *byte;
                }
            }
            let cut = bytes[..length.index(bytes.len() + 1)].to_vec();
            for bytes in [bytes, cut] {
                let projection = factory.make();
                if projection.restore(&bytes).is_ok() {
                    // What it took for a state is one: it can be fed and saved.
                    feed(more.events(), &*projection);
                    prop_assert_eq!(factory.make().restore(&projection.snapshot()), Ok(()), "{}", factory.name());
                }
            }
        }
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for factory in any::all() {
            let projection = factory.make();
            if projection.restore(&bytes).is_ok() {
                projection.snapshot();
            }
        }
    }

    #[test]
    fn histories_are_read_as_they_were_written(history in any::any_history()) {
        prop_assert_eq!(from_jsonl(&to_jsonl(&history)), Ok(history));
    }
}

#[test]
fn a_line_that_is_no_event_is_named() {
    let text = to_jsonl(&office::office());
    let broken = text.replacen("\"payload\":\"", "\"payload\":\"zz", 3);
    let error = from_jsonl(&format!("\n{broken}")).expect_err("it is no history");
    assert_eq!(error.to_string(), "line 2: `payload` is not hexadecimal");
    assert!(from_jsonl("{}").is_err() && from_jsonl("[").is_err());
}

#[test]
fn every_projection_has_a_name_of_its_own() {
    assert!(actum_projections::Projections::new(any::all()).is_ok());
    let twice = [any::all(), any::all()].concat();
    assert_eq!(actum_projections::Projections::new(twice).expect_err("names are double").0, "cases");
}

/// Says that it goes by stream, and does not: the kit finds that.
#[derive(Debug, Default)]
struct Last(std::sync::Mutex<u64>, actum_projections::Watermark);

impl Projection for Last {
    fn name(&self) -> &'static str {
        "last"
    }

    fn version(&self) -> u32 {
        1
    }

    fn apply(&self, recorded: &actum_projections::Recorded<'_>) {
        *self.0.lock().expect("nobody panicked") = recorded.meta.seq.0;
    }

    fn snapshot(&self) -> Vec<u8> {
        self.0.lock().expect("nobody panicked").to_le_bytes().to_vec()
    }

    fn restore(&self, bytes: &[u8]) -> Result<(), actum_projections::RestoreError> {
        let bytes = bytes.try_into().map_err(|_| actum_projections::RestoreError::Truncated)?;
        *self.0.lock().expect("nobody panicked") = u64::from_le_bytes(bytes);
        Ok(())
    }

    fn by_stream(&self) -> bool {
        true
    }

    fn watermark(&self) -> &actum_projections::Watermark {
        &self.1
    }
}

#[test]
fn a_broken_promise_is_found() {
    let broken = promises(&office::office(), &Factory::new(Last::default)).expect_err("it depends on the order");
    assert!(broken.what.contains("another order of streams"), "{broken}");
}
