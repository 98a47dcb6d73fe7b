//! The page about the language says nothing that does not compile.

/// What stands between the fences of YAML, with the line on which it begins.
fn examples(page: &str) -> Vec<(usize, String)> {
    let mut examples = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, line) in page.lines().enumerate() {
        match (&mut open, line) {
            (None, "```yaml") => open = Some((number + 1, String::new())),
            (Some(_), "```") => examples.extend(open.take()),
            (Some((_, text)), line) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, _) => {}
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    examples
}

#[test]
fn every_example_of_the_language_compiles_without_a_warning() {
    let examples = examples(include_str!("../LANGUAGE.md"));
    assert!(examples.len() >= 7, "the page has lost its examples");
    for (line, example) in examples {
        let source = format!("actum: 1\nnet: example\nstart: a\n{example}");
        match actum_net::compile(&source) {
            Ok(checked) => assert_eq!(checked.warnings, [], "LANGUAGE.md:{line}"),
            Err(found) => panic!("LANGUAGE.md:{line}: {found:#?}"),
        }
    }
}
