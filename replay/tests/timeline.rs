//! The past of one case, and of a whole log.

mod past;

use std::collections::BTreeMap;
use std::sync::Arc;

use actum_model::{Case, CaseId, CaseStatus, Seq, Time};
use actum_replay::timeline::{
    Condition, Cursor, Options, Outcome, SavedCases, Search, Standing, Story, Timeline, bisect, diff, reasons, setters,
    settings_text,
};
use actum_replay::{At, Kind, ReplayError};
use past::{many, story_of, two};

fn kind<T>(outcome: Result<T, ReplayError>) -> Kind {
    match outcome {
        Ok(_) => panic!("this must fail"),
        Err(error) => error.kind(),
    }
}

#[test]
fn a_story_is_every_state_that_was() {
    let (source, states, end) = many(7, 400, 1);
    for case in 1..=7 {
        let story = story_of(&*source, &case.to_string()).unwrap();
        let was: Vec<&(Seq, Case)> = states.iter().filter(|(_, state)| state.id == CaseId(case)).collect();
        assert_eq!(story.len(), was.len());
        let mut cursor = Cursor::new(&story);
        for (index, (seq, state)) in was.iter().enumerate() {
            assert_eq!(story.locate(Some(At::Seq(*seq))).unwrap(), index + 1);
            assert_eq!(story.locate(Some(At::Time(state.changed))).unwrap(), index + 1);
            assert_eq!(story.state(index + 1), *state);
            assert_eq!(cursor.forward().unwrap().meta.seq, *seq);
            assert_eq!(cursor.state(), state);
        }
        assert!(cursor.forward().is_none());
        for (seq, _) in was.iter().rev() {
            assert_eq!(cursor.back().unwrap().meta.seq, *seq);
        }
        assert_eq!((cursor.back(), cursor.state().version), (None, 0));
        cursor.seek(At::Version(3)).unwrap();
        assert_eq!(cursor.state(), &was[2].1);
        assert_eq!(kind(story.locate(Some(At::Seq(Seq(end + 1))))), Kind::NotFound);
        assert_eq!(kind(story.locate(Some(At::Time(Time(0))))), Kind::NotFound);
        assert_eq!(kind(story.locate(Some(At::Version(10_000)))), Kind::NotFound);
    }
    assert_eq!(kind(story_of(&*source, "99")), Kind::NotFound);
    assert_eq!(story_of(&*source, "CLM-3").unwrap().case(), CaseId(3));
}

#[test]
fn any_case_and_the_whole_log_are_as_they_were_at_every_event() {
    let (source, states, end) = many(9, 300, 7);
    for (checkpoint_every, threads) in [(40, 2), (1_000_000, 1), (1, 3)] {
        let options = Options { checkpoint_every, case_checkpoint_every: 5, threads, ..Options::default() };
        let timeline = Timeline::open(source.clone(), options).unwrap();
        assert_eq!(timeline.end(), Seq(end));
        let mut now: BTreeMap<CaseId, Case> = BTreeMap::new();
        let mut stepped = timeline.at(Seq(0)).unwrap();
        let mut changes = states.iter().peekable();
        for seq in (0..end).map(Seq) {
            while let Some((_, state)) = changes.next_if(|(at, _)| *at <= seq) {
                now.insert(state.id, state.clone());
            }
            let whole = timeline.at(seq).unwrap();
            if seq > Seq(0) {
                assert_eq!(timeline.forward(&mut stepped).unwrap().unwrap().meta.seq, seq);
            }
            let open: BTreeMap<CaseId, &Case> = now
                .iter()
                .filter(|(_, case)| case.control.status == CaseStatus::Open)
                .map(|(id, c)| (*id, c))
                .collect();
            assert_eq!(whole.open().map(|case| (case.id, case)).collect::<BTreeMap<_, _>>(), open, "at {seq}");
            assert_eq!(
                stepped.open().map(|case| (case.id, case)).collect::<BTreeMap<_, _>>(),
                open,
                "stepped to {seq}"
            );
            for case in (1..=9).map(CaseId) {
                match (timeline.standing(&whole, case), now.get(&case)) {
                    (Some(Standing::Open(was)), Some(case)) => assert_eq!(*was, *case),
                    (Some(Standing::Ended(ended)), Some(case)) => {
                        assert_eq!((ended.status, ended.version), (case.control.status, case.version));
                    }
                    (None, None) => {}
                    (other, now) => panic!("{other:?} and {now:?}"),
                }
                match now.get(&case) {
                    Some(state) => {
                        assert_eq!(*timeline.case_at(case, At::Seq(seq)).unwrap(), *state, "case {case} at {seq}");
                        let by_version = timeline.case_at(case, At::Version(state.version)).unwrap();
                        assert_eq!(*by_version, *state);
                    }
                    None => assert_eq!(kind(timeline.case_at(case, At::Seq(seq))), Kind::NotFound),
                }
            }
        }
        assert!(timeline.forward(&mut stepped).unwrap().is_none());
        for seq in (1..end).rev().map(Seq) {
            assert_eq!(timeline.back(&mut stepped).unwrap().unwrap().meta.seq, seq);
            let whole = timeline.at(Seq(seq.0 - 1)).unwrap();
            let all = |state: &actum_replay::timeline::LogState| {
                let open: BTreeMap<CaseId, Case> = state.open().map(|case| (case.id, case.clone())).collect();
                open
            };
            assert_eq!(all(&stepped), all(&whole), "back to {}", seq.0 - 1);
        }
        assert!(timeline.back(&mut stepped).unwrap().is_none());
        let story = timeline.story(CaseId(1)).unwrap();
        assert_eq!(story.events(), story_of(&*source, "1").unwrap().events());
        assert_eq!(kind(timeline.at(Seq(end))), Kind::NotFound);
        assert_eq!(kind(timeline.case_at(CaseId(1), At::Seq(Seq(end)))), Kind::NotFound);
        assert_eq!(kind(timeline.case_at(CaseId(77), At::Seq(Seq(5)))), Kind::NotFound);
        assert_eq!(kind(timeline.seq_at(Time(0))), Kind::NotFound);
        let (seq, state) = &states[states.len() / 2];
        assert_eq!(timeline.seq_at(state.changed).unwrap(), *seq);
        assert_eq!(*timeline.case_at(state.id, At::Time(state.changed)).unwrap(), *state);
    }
}

/// States as somebody saved them.
struct Saved {
    size: u64,
    cases: Vec<Case>,
}

impl SavedCases for Saved {
    fn size(&self) -> u64 {
        self.size
    }

    fn cases(&self, each: &mut dyn FnMut(Case)) -> Result<(), ReplayError> {
        self.cases.iter().cloned().for_each(each);
        Ok(())
    }
}

#[test]
fn saved_states_are_as_good_as_those_that_were_folded() {
    let (source, states, end) = many(9, 300, 3);
    let at = |size: u64| {
        let mut now: BTreeMap<CaseId, Case> = BTreeMap::new();
        states.iter().filter(|(seq, _)| seq.0 < size).for_each(|(_, state)| drop(now.insert(state.id, state.clone())));
        now.retain(|_, case| case.control.status == CaseStatus::Open);
        Saved { size, cases: now.into_values().collect() }
    };
    let saved: Vec<Saved> = [90, 150, 160, end + 50].map(at).into();
    let saved: Vec<&dyn SavedCases> = saved.iter().map(|saved| saved as &dyn SavedCases).collect();
    let options = Options { checkpoint_every: 50, ..Options::default() };
    let (folded, begun) = (Timeline::open(source.clone(), options), Timeline::open_with(source, options, &saved));
    let (folded, begun) = (folded.unwrap(), begun.unwrap());
    assert_eq!(folded.end(), begun.end());
    for seq in (0..end).map(Seq) {
        let all = |timeline: &Timeline| {
            let state = timeline.at(seq).unwrap();
            let open: BTreeMap<CaseId, Case> = state.open().map(|case| (case.id, case.clone())).collect();
            open
        };
        assert_eq!(all(&folded), all(&begun), "at {seq}");
        for case in (1..=9).map(CaseId) {
            let state = |timeline: &Timeline| timeline.case_at(case, At::Seq(seq)).ok();
            assert_eq!(state(&folded), state(&begun), "case {case} at {seq}");
        }
    }
}

#[test]
fn an_empty_log_has_no_past() {
    let store = actum_log::MemoryStore::new(String::new());
    let timeline = Timeline::open(actum_log::EventStore::source(&store), Options::default()).unwrap();
    assert_eq!(timeline.end(), Seq(0));
    assert_eq!(kind(timeline.at(Seq(0))), Kind::NotFound);
    assert_eq!(kind(timeline.case_at(CaseId(1), At::Version(1))), Kind::NotFound);
}

fn at(story: &Story, version: u64) -> actum_replay::CaseView {
    story.view(story.locate(Some(At::Version(version))).unwrap())
}

#[test]
fn differences_are_by_variable_token_item_and_person() {
    let source = two();
    let story = story_of(&*source, "1").unwrap();
    assert!(diff(&at(&story, 4), &at(&story, 4)).is_empty());
    let end = story.view(story.len());
    insta::assert_snapshot!(diff(&at(&story, 2), &at(&story, 5)));
    insta::assert_snapshot!(diff(&at(&story, 5), &end));
    insta::assert_snapshot!(format!("{:#}", diff(&at(&story, 4), &at(&story, 7)).to_json()));
    let other = story_of(&*source, "2").unwrap();
    insta::assert_snapshot!(diff(&other.view(5), &at(&story, 6)));
}

#[test]
fn the_event_after_which_a_condition_holds_is_found() {
    let source = two();
    let story = story_of(&*source, "1").unwrap();
    let condition = |text: &str| Condition::compile(text, story.net().unwrap()).unwrap();
    let find = |text: &str, search| bisect(&story, &condition(text), search, 0..story.len());
    let set = setters(&story, "approved").unwrap();
    let first = story.index_of(set[0].seq).unwrap();
    for text in ["approved == true", "rounds > 0", "done.size() > 0", "'assess' in done"] {
        for search in [Search::Halving, Search::First] {
            let found = find(text, search).unwrap();
            assert_eq!(found.changes, [(first, true)], "{text}");
        }
    }
    assert!(find("rounds > 0", Search::Halving).unwrap().looks <= 8);
    // Something that comes and goes: halving finds one of its beginnings.
    let every = find("items.exists(i, i.actor == 'ana')", Search::Every).unwrap();
    assert_eq!(every.changes.iter().map(|(_, holds)| *holds).collect::<Vec<_>>(), [true, false, true, false]);
    assert!(find("kind == 'WorkStarted' && task == 'review'", Search::First).is_ok());
    assert!(find("tokens[\"end\"] > 0 || status == 'completed'", Search::First).is_ok());
    let same = find("here.items.exists(i, i.actor == 'ana') && here.status == 'open'", Search::Every).unwrap();
    assert_eq!(same.changes, every.changes);
    assert!(find("actor == 'ben' && key == 'CLM-1' && seq > 3 && version > 3 && time != null", Search::First).is_ok());
    assert_eq!(kind(find("status == 'open'", Search::Halving)), Kind::NotFound);
    assert_eq!(kind(find("status == 'failed'", Search::Halving)), Kind::NotFound);
    assert_eq!(kind(find("status == 'failed'", Search::First)), Kind::NotFound);
    assert_eq!(find("status == 'failed'", Search::Every).unwrap().changes, []);
    let undecided = find("total > 3", Search::First).unwrap_err();
    assert!(undecided.to_string().contains("total != null"), "{undecided}");
    assert_eq!(kind(Condition::compile("nothing > 1", story.net().unwrap())), Kind::Usage);
    assert_eq!(kind(bisect(&story, &condition("true"), Search::First, 3..3)), Kind::NotFound);
}

#[test]
fn causes_go_back_to_who_began_it_and_guards_say_what_they_saw() {
    let source = two();
    let story = story_of(&*source, "1").unwrap();
    let last = reasons(&story, story.len() - 1);
    insta::assert_snapshot!(last);
    for index in 0..story.len() {
        let reasons = reasons(&story, index);
        assert!(reasons.chain.windows(2).all(|pair| pair[0].seq > pair[1].seq));
        assert!(
            reasons.chain.iter().flat_map(|step| &step.guards).all(actum_replay::timeline::GuardSeen::is_consistent)
        );
    }
    let assessed = setters(&story, "approved").unwrap()[0].seq;
    let reasons = reasons(&story, story.index_of(assessed).unwrap());
    let outcomes: Vec<&Outcome> = reasons.chain[0].guards.iter().map(|seen| &seen.outcome).collect();
    assert_eq!(outcomes, [&Outcome::Fails, &Outcome::Holds, &Outcome::NotAsked]);
    insta::assert_snapshot!(format!("{:#}", reasons.to_json()["chain"][0]));
    assert_eq!(kind(story.event_at(At::Seq(Seq(0)))), Kind::NotFound);
    let foreign = Seq(story.events()[1].meta.seq.0 + 1);
    if story.index_of(foreign).is_none() {
        assert_eq!(kind(story.event_at(At::Seq(foreign))), Kind::NotFound);
    }
}

#[test]
fn every_change_of_a_variable_has_its_author() {
    let source = two();
    let story = story_of(&*source, "CLM-1").unwrap();
    insta::assert_snapshot!(settings_text(&setters(&story, "rounds").unwrap()));
    let amounts = setters(&story, "amount").unwrap();
    assert_eq!((amounts.len(), amounts[0].actor.as_str(), amounts[0].kind), (1, "engine", "CaseStarted"));
    let approved = setters(&story, "approved").unwrap();
    assert!(approved.iter().all(|setting| setting.actor == "ana" && setting.task.as_deref() == Some("assess")));
    assert_eq!(approved[1].before.as_ref(), Some(&approved[0].after));
    let error = setters(&story, "amont").unwrap_err();
    assert!(error.to_string().contains("amount, approved"), "{error}");
    assert_eq!(error.kind(), Kind::NotFound);
}

#[test]
fn a_story_without_its_net_still_tells_what_happened() {
    let source = two();
    let story = story_of(&*source, "1").unwrap();
    let names = Arc::new(actum_replay::Names::default());
    let bare = Story::new(story.case(), story.events().to_vec(), None, names, Seq(100));
    assert_eq!(bare.state(bare.len()), story.state(story.len()));
    assert!(reasons(&bare, bare.len() - 1).to_string().contains("#1"));
    assert!(diff(&bare.view(2), &bare.view(6)).to_string().contains('#'));
    assert_eq!(kind(setters(&bare, "amount")), Kind::Corrupt);
}
