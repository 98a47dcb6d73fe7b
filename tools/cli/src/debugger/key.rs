//! Keys as wishes.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What somebody at the keyboard wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Forward,
    Back,
    Down,
    Up,
    PageDown,
    PageUp,
    First,
    Last,
    NextPane,
    PreviousPane,
    Search,
    NextMatch,
    PreviousMatch,
    Breakpoint,
    ClearBreakpoints,
    Continue,
    ContinueBack,
    Goto,
    Help,
    Quit,
    Interrupt,
    /// While something is typed.
    Type(char),
    Erase,
    EraseAll,
    Enter,
    Leave,
    Nothing,
}

/// What a key means, while something is typed at a prompt or not.
pub(super) fn wish(key: KeyEvent, typing: bool) -> Wish {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c') => Wish::Interrupt,
            KeyCode::Char('d' | 'f') if !typing => Wish::PageDown,
            KeyCode::Char('u') if typing => Wish::EraseAll,
            KeyCode::Char('u' | 'b') if !typing => Wish::PageUp,
            _ => Wish::Nothing,
        };
    }
    if typing {
        return match key.code {
            KeyCode::Enter => Wish::Enter,
            KeyCode::Esc => Wish::Leave,
            KeyCode::Backspace => Wish::Erase,
            KeyCode::Char(letter) => Wish::Type(letter),
            _ => Wish::Nothing,
        };
    }
    match key.code {
        KeyCode::Right | KeyCode::Char('l' | ' ') | KeyCode::Enter => Wish::Forward,
        KeyCode::Left | KeyCode::Char('h') | KeyCode::Backspace => Wish::Back,
        KeyCode::Down | KeyCode::Char('j') => Wish::Down,
        KeyCode::Up | KeyCode::Char('k') => Wish::Up,
        KeyCode::PageDown => Wish::PageDown,
        KeyCode::PageUp => Wish::PageUp,
        KeyCode::Home | KeyCode::Char('g') => Wish::First,
        KeyCode::End | KeyCode::Char('G') => Wish::Last,
        KeyCode::Tab => Wish::NextPane,
        KeyCode::BackTab => Wish::PreviousPane,
        KeyCode::Char('/') => Wish::Search,
        KeyCode::Char('n') => Wish::NextMatch,
        KeyCode::Char('N') => Wish::PreviousMatch,
        KeyCode::Char('b') => Wish::Breakpoint,
        KeyCode::Char('B') => Wish::ClearBreakpoints,
        KeyCode::Char('c') => Wish::Continue,
        KeyCode::Char('C') => Wish::ContinueBack,
        KeyCode::Char(':') => Wish::Goto,
        KeyCode::Char('?') | KeyCode::F(1) => Wish::Help,
        KeyCode::Char('q') => Wish::Quit,
        KeyCode::Esc => Wish::Leave,
        _ => Wish::Nothing,
    }
}
