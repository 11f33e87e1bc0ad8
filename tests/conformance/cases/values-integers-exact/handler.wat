;; Answers with its event.
(module
  (memory (export "memory") 2)
  (func (export "alloc") (param $length i32) (result i32) (i32.const 1024))
  (func (export "handle") (param $pointer i32) (param $length i32) (result i64)
    (i64.or
      (i64.shl (i64.extend_i32_u (local.get $pointer)) (i64.const 32))
      (i64.extend_i32_u (local.get $length)))))
