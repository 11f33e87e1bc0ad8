//! Programs that test themselves with `node:test`.

use super::interpreter::ends;
use crate::support::Folder;

const TESTS: &str = "
import { after, before, describe, it, test } from 'node:test';
import assert from 'node:assert';
const order = [];
before(() => order.push('before'));
after(() => console.log(order.join(' ')));
test('adds', (t) => t.assert.equal(1 + 1, 2));
test('waits', async () => { await new Promise((resolve) => setTimeout(resolve, 5)); order.push('waited'); });
test('parts', async (t) => {
  await t.test('first', () => order.push('first'));
  await t.test('second', { skip: true }, () => order.push('never'));
});
describe('suite', () => { it('holds', () => order.push('holds')); });
";

#[test]
fn tests_run_in_order_and_are_told_of() {
    let folder = Folder::new(&[("tests.mjs", TESTS)]);
    let said = ends(&folder, &["tests.mjs"], 0).stdout;
    for line in ["✔ adds (", "▶ parts\n", "  ✔ first (", "  ﹣ second # SKIP\n", "  ✔ holds ("]
    {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert!(said.contains("before waited first holds\n"), "{said}");
    assert!(said.contains("ℹ tests 7\nℹ pass 6\nℹ fail 0\nℹ cancelled 0\nℹ skipped 1\n"), "{said}");
}

#[test]
fn what_fails_makes_the_status_and_is_told_at_the_end() {
    for (source, told) in [
        ("test('throws', () => { throw new Error('on purpose'); });", "Error: on purpose"),
        ("test('rejects', async () => assert.equal(1, 2));", "1 == 2"),
        ("test('outer', (t) => t.test('inner', () => assert.ok(false)));", "1 subtest failed"),
        (
            "test('later', () => new Promise(() => setTimeout(() => { throw new Error('too late'); }, 1)));",
            "too late",
        ),
        ("test('never', () => new Promise(() => {}));", "Promise resolution is still pending"),
    ] {
        let source = format!(
            "const test = require('node:test'); const assert = require('node:assert');\n{source}"
        );
        let folder = Folder::new(&[("tests.cjs", &source)]);
        let said = ends(&folder, &["tests.cjs"], 1).stdout;
        assert!(said.contains("✖ failing tests:\n") && said.contains(told), "{source}: {said}");
    }
}
