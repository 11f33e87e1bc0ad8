//! Variables of the Serverless Framework that go astray.

use crate::support::{environment, read, refused};

fn with(custom: &str, value: &str) -> String {
    format!(
        "service: s
provider: {{ name: aws, runtime: nodejs22.x }}
custom:
{custom}
functions:
  f: {{ handler: a.b, environment: {{ V: '{value}' }} }}
"
    )
}

#[test]
fn variables_that_depend_on_themselves_are_errors_that_name_the_circle() {
    let message = refused(
        "serverless.yml",
        &with("  a: ${self:custom.b}\n  b: ${self:custom.a}", "${self:custom.a}"),
    );
    assert!(message.starts_with("serverless.yml:"), "{message}");
    assert!(message.ends_with("self:custom.a → self:custom.b → self:custom.a"), "{message}");
    for (custom, value) in [
        ("  a: x${self:custom.a}", "${self:custom.a}"),
        ("  a: { b: '${self:custom}' }", "${self:custom.a}"),
        ("  a: ['${self:custom.a}']", "${self:custom.a}"),
        ("  a: ${self:}", "${self:}"),
        ("  a: ${opt:x, self:custom.b}\n  b: ${opt:y, self:custom.a}", "${self:custom.b}"),
    ] {
        let message = refused("serverless.yml", &with(custom, value));
        assert!(message.contains("itself") || message.contains("deep"), "{custom}: {message}");
    }
}

#[test]
fn a_variable_of_a_service_may_name_the_section_it_stands_in() {
    let project = read(
        "serverless.yml",
        &with("  a: { x: 1, y: '${self:custom.a.x}' }", "${self:custom.a.y}"),
    );
    assert_eq!(environment(&project.functions[0]), "V=1");
}

#[test]
fn a_table_within_a_text_is_an_error() {
    let message = refused("serverless.yml", &with("  a: { x: 1 }", "x-${self:custom.a}"));
    assert!(message.contains("has a text as its value, and this one is a table"), "{message}");
}

#[test]
fn variables_that_double_texts_and_lists_end_soon() {
    let mut custom = "  a0: xxxxxxxxxx\n".to_owned();
    for at in 1..60 {
        custom.push_str(&format!("  a{at}: ${{self:custom.a{0}}}${{self:custom.a{0}}}\n", at - 1));
    }
    let message = refused("serverless.yml", &with(&custom, "${self:custom.a59}"));
    assert!(message.contains("too much text"), "{message}");
    let mut custom = "  a0: [x, y]\n".to_owned();
    for at in 1..60 {
        custom.push_str(&format!(
            "  a{at}: ['${{self:custom.a{0}}}', '${{self:custom.a{0}}}']\n",
            at - 1
        ));
    }
    let message = refused("serverless.yml", &with(&custom, "${self:custom.a59}"));
    assert!(message.contains("more than"), "{message}");
}

#[test]
fn long_chains_of_variables_end_without_a_full_stack() {
    let mut custom = "  a0: x\n".to_owned();
    for at in 1..20_000 {
        custom.push_str(&format!("  a{at}: ${{self:custom.a{}}}\n", at - 1));
    }
    let message = refused("serverless.yml", &with(&custom, "${self:custom.a19999}"));
    assert!(message.contains("levels deep"), "{message}");
    // From the other end each is a step only, and so a list within a list within a list.
    let mut custom = "  a0: [x]\n".to_owned();
    let mut functions = String::new();
    for at in 1..5_000 {
        custom.push_str(&format!("  a{at}: ['${{self:custom.a{}}}']\n", at - 1));
        functions.push_str(&format!(
            "  f{at}: {{ handler: a.b, environment: {{ V: '${{self:custom.a{at}}}' }} }}\n"
        ));
    }
    let message = refused("serverless.yml", &format!("{}{functions}", with(&custom, "x")));
    assert!(message.contains("levels deep"), "{message}");
    let plain = "${ ".repeat(200_000) + &"}".repeat(200_000);
    read("serverless.yml", &with("  a: 1", &plain));
    let nested = "${self:a, ".repeat(30_000) + &"}".repeat(30_000);
    let message = refused("serverless.yml", &with("  a: 1", &nested.replace("self:a", "opt:a")));
    assert!(message.contains("levels deep"), "{message}");
}

#[test]
fn a_stage_that_nobody_gives_is_the_usual_one() {
    let project = read("serverless.yml", &with("  a: ${opt:stage}", "${self:custom.a}"));
    assert_eq!(environment(&project.functions[0]), "V=dev");
    assert!(project.not_understood[0].why.contains("'dev' stands in its place"));
    let project = read("serverless.yml", &with("  a: ${opt:stage, 'x'}", "${self:custom.a}"));
    assert_eq!(environment(&project.functions[0]), "V=x");
}
