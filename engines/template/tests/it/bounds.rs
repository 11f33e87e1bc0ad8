//! Files that are wrong, too large or too deep: each is an error with its place, and none is a hang.

use crate::support::{Folder, read, refused};
use std::path::Path;
use trine_template::Project;

#[test]
fn files_that_cannot_be_read_are_told_once() {
    let error = Project::read(Path::new("/nowhere/template.yaml")).unwrap_err();
    assert!(error.to_string().starts_with("/nowhere/template.yaml: "), "{error}");
    assert_eq!((error.line, error.column), (None, None));
    let folder = Folder::with(&[("template.yaml/x", "")]);
    assert!(folder.read("template.yaml").unwrap_err().contains("this is a folder"));
}

#[test]
fn a_file_of_more_than_five_megabytes_is_refused() {
    let text = format!("Resources: {{}}\n# {}\n", "x".repeat(5 * 1024 * 1024));
    assert!(refused("template.yaml", &text).contains("larger than 5 MiB"));
}

#[test]
fn text_that_is_no_utf_8_is_told_with_its_place() {
    let folder = Folder::with(&[]);
    std::fs::write(folder.path("template.yaml"), b"a: b\nc: \xe4\xff\n").unwrap();
    let message = folder.read("template.yaml").unwrap_err();
    assert_eq!(message, "template.yaml:2:4: this is no UTF-8: save the file in that encoding");
    std::fs::write(folder.path("template.yaml"), b"\xef\xbb\xbfResources: {}\nTransform: x\n")
        .unwrap();
    folder.read("template.yaml").unwrap();
}

#[test]
fn wrong_syntax_is_told_with_its_place() {
    for (text, place, part) in [
        ("a: 1\nb: 2\na: 3\n", "3:1", "the key 'a' stands twice in one table, first in line 1"),
        ("a:\n\tb: 1\n", "2:2", "a tab indents this line: use spaces"),
        ("a: [1, 2\n", "1:4", ""),
        ("a: *nothing\n", "1:4", ""),
        ("a: &x [*x]\n", "1:8", "an alias stands inside of what it names"),
        ("? [1, 2]\n: x\n", "1:3", "a key is a list or a table"),
        ("a: { <<: 5 }\n", "1:6", "'<<' merges tables, and this is a text"),
        ("a: 1\n---\nb: 2\n", "2:1", "a second document begins here"),
        ("{\"a\": 1, \"a\": 2}", "1:10", "stands twice"),
    ] {
        let message = refused("template.yaml", text);
        assert!(message.starts_with(&format!("template.yaml:{place}: ")), "{text:?}: {message}");
        assert!(message.contains(part), "{text:?}: {message}");
        assert_eq!(message.matches("template.yaml").count(), 1, "{message}");
    }
    let message = refused("netlify.toml", "a = 1\na = 2\n");
    assert!(message.starts_with("netlify.toml:2:1: "), "{message}");
}

#[test]
fn aliases_that_multiply_are_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for at in 1..12 {
        let alias = format!("*a{}", at - 1);
        text.push_str(&format!("a{at}: &a{at} [{}]\n", vec![alias; 10].join(", ")));
    }
    assert!(refused("template.yaml", &text).contains("more than 1000000 values"));
    let mut text = "a0: &a0 { k0: x }\n".to_owned();
    for at in 1..3000 {
        text.push_str(&format!("a{at}: &a{at} {{ <<: *a{}, k{at}: x }}\n", at - 1));
    }
    assert!(refused("template.yaml", &text).contains("more than 1000000"));
}

#[test]
fn nesting_that_is_too_deep_is_refused_in_all_spellings() {
    let chained: String = (1..50_000).map(|at| format!("- &a{at} [*a{}]\n", at - 1)).collect();
    let dotted = format!("[build]\n{}x = 1\n", "a.".repeat(100_000));
    let spaced = format!("[{}x]\n", "\"a\" . ".repeat(100_000));
    let inline = "a = ".to_owned() + &"{a=".repeat(100_000);
    let mut indented = String::new();
    for at in 0..600 {
        indented.push_str(&" ".repeat(at));
        indented.push_str("a:\n");
    }
    for (name, text) in [
        ("t.yaml", "[".repeat(100_000)),
        ("t.yaml", "{a: ".repeat(100_000)),
        ("t.yaml", "- ".repeat(100_000)),
        ("t.yaml", "? ".repeat(100_000)),
        ("t.yaml", indented),
        ("t.yaml", format!("- &a0 x\n{chained}")),
        ("t.json", "[".repeat(100_000)),
        ("t.toml", dotted),
        ("t.toml", spaced),
        ("t.toml", inline),
        ("t.toml", "a = ".to_owned() + &"[".repeat(100_000)),
    ] {
        let message = refused(name, &text);
        assert!(message.len() < 400, "{message}");
    }
    let message = refused("t.yaml", &"[".repeat(100_000));
    assert!(message.contains("nested more than 256 levels deep"), "{message}");
}

#[test]
fn the_deepest_calls_that_are_read_do_not_fill_the_stack() {
    let calls = |name: &str, end: &str, levels: usize| {
        let open = name.repeat(levels);
        format!(
            "Conditions: {{ C: !Equals [a, a] }}
Resources:
  F:
    Type: AWS::Lambda::Function
    Properties: {{ Handler: a.b, Runtime: nodejs22.x, Environment: {{ Variables: {{ V: {open}x{} }} }} }}
",
            end.repeat(levels)
        )
    };
    let text = calls("!Join ['', [", "]]", 110);
    assert_eq!(read("t.yaml", &text).functions[0].environment[0].1, "x");
    let text = calls("{ 'Fn::If': [C, ", ", y] }", 110);
    assert_eq!(read("t.yaml", &text).functions[0].environment[0].1, "x");
    let text = calls("!If [C, ", ", y]", 245);
    assert_eq!(read("t.yaml", &text).functions[0].environment[0].1, "x");
    let text = calls("!Select [0, !Split [' ', ", "]]", 120);
    assert_eq!(read("t.yaml", &text).functions[0].environment[0].1, "x");
    let text = calls("!If [C, !Sub ['${A}', { A: ", "}], y]", 80);
    assert_eq!(read("t.yaml", &text).functions[0].environment[0].1, "x");
    assert!(refused("t.yaml", &calls("!Join ['', [", "]]", 200)).contains("levels deep"));
    let text = format!("{}!Equals [a, a]{}", "!Not [".repeat(250), "]".repeat(250));
    let text = format!(
        "Conditions: {{ C: {text} }}\nResources: {{ F: {{ Type: AWS::Lambda::Function, Condition: C }} }}\n"
    );
    assert_eq!(read("t.yaml", &text).functions.len(), 1);
    let mut text = "Conditions:\n  C0: !Equals [a, a]\n".to_owned();
    for at in 1..20_000 {
        text.push_str(&format!("  C{at}: !Not [!Condition C{}]\n", at - 1));
    }
    text.push_str("Resources: { F: { Type: AWS::Lambda::Function, Condition: C19999 } }\n");
    assert!(refused("t.yaml", &text).contains("levels deep"));
}

#[test]
fn texts_that_are_put_together_again_and_again_end() {
    let big = "x".repeat(1_000_000);
    let refs = "!Ref P, ".repeat(5_000);
    let text = format!(
        "Parameters: {{ P: {{ Type: String, Default: '{big}' }} }}
Resources:
  F:
    Type: AWS::Lambda::Function
    Properties: {{ Handler: a.b, Environment: {{ Variables: {{ V: !Join ['', [{refs}]] }} }} }}
"
    );
    assert!(refused("t.yaml", &text).contains("too much text"));
}

#[test]
fn large_files_of_many_functions_are_read_in_time() {
    let start = std::time::Instant::now();
    let mut text = "Transform: AWS::Serverless-2016-10-31\nGlobals: { Function: { Layers: [!Ref L] } }\nResources:\n".to_owned();
    text.push_str("  L: { Type: AWS::Serverless::LayerVersion, Properties: { ContentUri: l } }\n");
    for at in 0..6_000 {
        text.push_str(&format!(
            "  F{at}:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      FunctionUrlConfig: {{ AuthType: NONE }}
      Environment: {{ Variables: {{ A: !GetAtt F{}.Arn, B: !Ref Unknown{at}, C: !Sub '${{F{at}}}' }} }}
      Events: {{ E: {{ Type: Api, Properties: {{ Path: /f{at}, Method: get }} }} }}
",
            at / 2
        ));
    }
    let project = read("t.yaml", &text);
    assert_eq!(project.functions.len(), 6_000);
    assert_eq!(project.functions[5_999].layers.len(), 1);
    let mut text = "service: s\nprovider: { name: aws, environment: { A: '${self:custom.a}' } }\ncustom: { a: x }\nfunctions:\n".to_owned();
    for at in 0..10_000 {
        text.push_str(&format!("  f{at}: {{ handler: a.b, environment: {{ B: '${{self:functions.f{}.handler}}' }}, events: [{{ http: 'GET /{at}' }}] }}\n", at / 2));
    }
    let project = read("serverless.yml", &text);
    assert_eq!(project.functions.len(), 10_000);
    assert!(start.elapsed() < std::time::Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn long_texts_that_many_functions_share_are_refused_or_cut() {
    let long = "x".repeat(2_000_000);
    let mut text = format!("service: {long}\nprovider: aws\nfunctions:\n");
    for at in 0..1_000 {
        text.push_str(&format!("  f{at}: {{ handler: a.b }}\n"));
    }
    let message = refused("serverless.yml", &text);
    assert!(message.contains("too much text"), "{message}");
    let path = "/{a}".repeat(500_000);
    let text = format!(
        "Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b
      Runtime: {}
      Events: {{ E: {{ Type: Api, Properties: {{ Path: '{path}', Method: '{path}' }} }} }}
",
        "java".to_owned() + &"9".repeat(100_000)
    );
    let project = read("t.yaml", &text);
    assert_eq!(project.not_understood.len(), 2);
    for note in &project.not_understood {
        assert!(note.why.len() < 1_100 && note.what.len() < 1_100, "{note}");
    }
}
