;; Answers with its event, unless that is "fill": then it makes a list that never ends, of objects that V8 collects.
(module
  (type $list (struct (field (ref null $list)) (field i64 i64 i64 i64)))
  (global $head (mut (ref null $list)) (ref.null $list))
  (memory (export "memory") 2)
  (func (export "alloc") (param $length i32) (result i32) (i32.const 1024))
  (func (export "handle") (param $pointer i32) (param $length i32) (result i64)
    ;; The third letter: `l` of fill.
    (if (i32.eq (i32.load8_u offset=3 (local.get $pointer)) (i32.const 108))
      (then (loop $again
        (global.set $head (struct.new $list (global.get $head)
          (i64.const 1) (i64.const 1) (i64.const 1) (i64.const 1)))
        (br $again))))
    (i64.or
      (i64.shl (i64.extend_i32_u (local.get $pointer)) (i64.const 32))
      (i64.extend_i32_u (local.get $length)))))
