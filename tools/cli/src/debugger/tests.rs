//! The debugger without a terminal.

#[path = "../../../../replay/tests/past/mod.rs"]
mod past;

use actum_replay::timeline::Story;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::draw::draw;
use super::key::{Wish, wish};
use super::model::{Model, Quit};
use super::theme::Theme;
use super::update::update;

fn story() -> Story {
    past::story_of(&*past::two(), "1").expect("the case is there")
}

/// Types keys: `<name>` is a key with a name, all else is itself.
fn press(model: &mut Model<'_>, keys: &str) {
    let mut rest = keys;
    while let Some(letter) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|name| name.split_once('>'));
        let (code, modifiers, left) = match named {
            Some((name, left)) => {
                let code = match name {
                    "enter" => KeyCode::Enter,
                    "esc" => KeyCode::Esc,
                    "tab" => KeyCode::Tab,
                    "right" => KeyCode::Right,
                    "left" => KeyCode::Left,
                    "down" => KeyCode::Down,
                    "pgdn" => KeyCode::PageDown,
                    "pgup" => KeyCode::PageUp,
                    "erase" => KeyCode::Backspace,
                    "ctrl-c" => KeyCode::Char('c'),
                    other => panic!("no key is called {other}"),
                };
                let control = if name == "ctrl-c" { KeyModifiers::CONTROL } else { KeyModifiers::NONE };
                (code, control, left)
            }
            None => (KeyCode::Char(letter), KeyModifiers::NONE, &rest[letter.len_utf8()..]),
        };
        let typing = model.prompt.is_some();
        update(model, wish(KeyEvent::new(code, modifiers), typing));
        rest = left;
    }
}

fn screen(model: &mut Model<'_>, columns: u16, rows: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).expect("a terminal in memory");
    terminal.draw(|frame| draw(frame, model, Theme { colours: false })).expect("it paints");
    terminal.backend().to_string()
}

#[test]
fn it_shows_net_data_and_events_on_a_wide_screen() {
    let story = story();
    let mut model = Model::new(&story, 6, Vec::new());
    insta::assert_snapshot!("wide", screen(&mut model, 80, 24));
    press(&mut model, "G");
    insta::assert_snapshot!("wide_end", screen(&mut model, 80, 24));
    press(&mut model, "?");
    insta::assert_snapshot!("help", screen(&mut model, 80, 24));
}

#[test]
fn a_narrow_screen_shows_one_pane_at_a_time() {
    let story = story();
    let mut model = Model::new(&story, 6, Vec::new());
    let mut panes = Vec::new();
    for _ in 0..3 {
        panes.push(screen(&mut model, 40, 14));
        press(&mut model, "<tab>");
    }
    insta::assert_snapshot!("narrow", panes.join("\n"));
    // No size, however small, is too small to paint.
    for (columns, rows) in [(1, 1), (2, 3), (5, 2), (72, 16), (200, 60)] {
        screen(&mut model, columns, rows);
        press(&mut model, "?");
        screen(&mut model, columns, rows);
        press(&mut model, "?");
    }
}

#[test]
fn keys_step_and_stay_within_the_case() {
    let story = story();
    let mut model = Model::new(&story, 1, Vec::new());
    let mut check = |keys: &str, count: usize| {
        press(&mut model, keys);
        assert_eq!(model.cursor.count(), count, "after {keys}");
        assert_eq!(model.view.case, story.state(count), "after {keys}");
        assert!(model.view.case.version == count as u64);
    };
    check("l", 2);
    check("<right>j<down>", 5);
    check("h", 4);
    check("<left>k", 2);
    check("kkkkk", 1);
    check("G", story.len());
    check("lll", story.len());
    check("g", 1);
    check("<pgdn>", 11);
    check("<pgup>", 1);
    check(":@v7<enter>", 7);
    check(":99999<enter>", 7);
    assert!(model.message.as_ref().is_some_and(|said| said.contains("the log ends at")), "{:?}", model.message);
}

#[test]
fn it_searches_and_stops_where_it_was_told() {
    let story = story();
    let mut model = Model::new(&story, 1, Vec::new());
    let kind = |model: &Model<'_>| story.events()[model.cursor.count() - 1].kind();
    press(&mut model, "/REVIEW<enter>");
    let first = model.cursor.count();
    assert_eq!((kind(&model), first), ("WorkCompleted", 6), "what it produced names the review");
    press(&mut model, "n");
    assert_eq!(kind(&model), "WorkEnabled");
    press(&mut model, "N");
    assert_eq!(model.cursor.count(), first);
    press(&mut model, "/nothing such<enter>");
    assert_eq!(model.cursor.count(), first);
    assert!(model.message.as_ref().is_some_and(|said| said.contains("nothing after")));
    press(&mut model, "gbtask review<enter>c");
    assert_eq!((kind(&model), model.message.as_deref()), ("WorkEnabled", Some("stopped at task review")));
    press(&mut model, "Bgbkind workcompleted<enter>cc");
    assert_eq!((kind(&model), model.cursor.count()), ("WorkCompleted", 11));
    press(&mut model, "C");
    assert_eq!(model.cursor.count(), 6);
    press(&mut model, "Bgbrounds == 2<enter>c");
    assert_eq!(model.cursor.count(), 16);
    press(&mut model, "c");
    assert_eq!(model.cursor.count(), story.len(), "it held already, so it does not stop again");
    for wrong in ["bnothing > 1<enter>", "btask nobody<enter>", "b(((<enter>"] {
        let stops = model.breakpoints.len();
        press(&mut model, wrong);
        assert!(model.message.is_some() && model.breakpoints.len() == stops, "{wrong}");
    }
    press(&mut model, "Bc");
    assert!(model.message.as_ref().is_some_and(|said| said.contains("no breakpoints")));
}

#[test]
fn what_is_typed_can_be_mended_and_left() {
    let story = story();
    let mut model = Model::new(&story, 3, Vec::new());
    press(&mut model, "/abq?");
    assert_eq!(model.input, "abq?", "keys are letters there");
    press(&mut model, "<erase><erase>");
    assert_eq!(model.input, "ab");
    insta::assert_snapshot!("prompt", screen(&mut model, 40, 8));
    press(&mut model, "<esc>");
    assert_eq!((model.prompt, model.cursor.count(), model.quit), (None, 3, None));
    press(&mut model, &format!("b{}<esc>", "x".repeat(2_000)));
    press(&mut model, "q");
    assert_eq!(model.quit, Some(Quit::Asked));
    let mut model = Model::new(&story, 3, Vec::new());
    press(&mut model, "/a<ctrl-c>");
    assert_eq!(model.quit, Some(Quit::Interrupted), "also at a prompt");
    update(&mut model, Wish::Nothing);
}
