;; Answers with its event, unless that is "loop" or "stubborn": then it never ends.
(module
  (memory (export "memory") 2)
  (func (export "alloc") (param $length i32) (result i32) (i32.const 1024))
  (func (export "handle") (param $pointer i32) (param $length i32) (result i64)
    (local $first i32)
    ;; The letter behind the quote.
    (local.set $first (i32.load8_u offset=1 (local.get $pointer)))
    (if (i32.or (i32.eq (local.get $first) (i32.const 108)) (i32.eq (local.get $first) (i32.const 115)))
      (then (loop $again (br $again))))
    (i64.or
      (i64.shl (i64.extend_i32_u (local.get $pointer)) (i64.const 32))
      (i64.extend_i32_u (local.get $length)))))
