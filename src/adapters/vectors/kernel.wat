;; The vector index's inner loops. Plain SIMD; assembled by tools/assemble-kernel.ts into kernel.wasm.
;;
;; A row is 384 int8. Rows lie in chunks of 16,384; kernel.ts holds the same layout:
;;   page 0, scratch: query 384 x i16 at 0, thresholds 384 x i8 at 768, query code 48 bytes at 1152,
;;     histogram 385 x u32 at 1216, list of slots 4096 x u32 at 4096, out 4096 x (slot u32, score f32) at 20480
;;   then each chunk, 7,208,960 bytes: rows at 0, weights f32 at 6291456, codes of 48 bytes at 6356992,
;;     code distances u16 at 7143424
;; A range (first, n) never crosses a chunk.
(module
  (memory (export "memory") 1 65536)

  (func $chunk (param $slot i32) (result i32)
    (i32.add (i32.const 65536) (i32.mul (i32.shr_u (local.get $slot) (i32.const 14)) (i32.const 7208960))))

  (func $within (param $slot i32) (result i32)
    (i32.and (local.get $slot) (i32.const 16383)))

  ;; Row at $p times the i16 query at 0. |sum| <= 384 * 127 * 32767 < 2^31. 64 bytes a step, four sums.
  (func $dot (param $p i32) (result i32)
    (local $q i32) (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (loop $step
      (local.set $a (i32x4.add (local.get $a) (i32x4.dot_i16x8_s
        (v128.load8x8_s (local.get $p)) (v128.load (local.get $q)))))
      (local.set $b (i32x4.add (local.get $b) (i32x4.dot_i16x8_s
        (v128.load8x8_s offset=8 (local.get $p)) (v128.load offset=16 (local.get $q)))))
      (local.set $c (i32x4.add (local.get $c) (i32x4.dot_i16x8_s
        (v128.load8x8_s offset=16 (local.get $p)) (v128.load offset=32 (local.get $q)))))
      (local.set $d (i32x4.add (local.get $d) (i32x4.dot_i16x8_s
        (v128.load8x8_s offset=24 (local.get $p)) (v128.load offset=48 (local.get $q)))))
      (local.set $a (i32x4.add (local.get $a) (i32x4.dot_i16x8_s
        (v128.load8x8_s offset=32 (local.get $p)) (v128.load offset=64 (local.get $q)))))
      (local.set $b (i32x4.add (local.get $b) (i32x4.dot_i16x8_s
        (v128.load8x8_s offset=40 (local.get $p)) (v128.load offset=80 (local.get $q)))))
      (local.set $c (i32x4.add (local.get $c) (i32x4.dot_i16x8_s
        (v128.load8x8_s offset=48 (local.get $p)) (v128.load offset=96 (local.get $q)))))
      (local.set $d (i32x4.add (local.get $d) (i32x4.dot_i16x8_s
        (v128.load8x8_s offset=56 (local.get $p)) (v128.load offset=112 (local.get $q)))))
      (local.set $p (i32.add (local.get $p) (i32.const 64)))
      (local.set $q (i32.add (local.get $q) (i32.const 128)))
      (br_if $step (i32.lt_u (local.get $q) (i32.const 768))))
    (local.set $a (i32x4.add (i32x4.add (local.get $a) (local.get $b)) (i32x4.add (local.get $c) (local.get $d))))
    (i32.add
      (i32.add (i32x4.extract_lane 0 (local.get $a)) (i32x4.extract_lane 1 (local.get $a)))
      (i32.add (i32x4.extract_lane 2 (local.get $a)) (i32x4.extract_lane 3 (local.get $a)))))

  ;; Scores n rows from $first on; those with (dot - bias) * weight >= least go to out. Returns how many.
  (func (export "scan") (param $first i32) (param $n i32) (param $bias f64) (param $least f64) (result i32)
    (local $row i32) (local $weight i32) (local $end i32) (local $out i32) (local $score f64)
    (if (i32.eqz (local.get $n)) (then (return (i32.const 0))))
    (local.set $out (i32.const 20480))
    (local.set $row (i32.add (call $chunk (local.get $first))
      (i32.mul (call $within (local.get $first)) (i32.const 384))))
    (local.set $weight (i32.add (call $chunk (local.get $first))
      (i32.add (i32.const 6291456) (i32.mul (call $within (local.get $first)) (i32.const 4)))))
    (local.set $end (i32.add (local.get $first) (local.get $n)))
    (loop $next
      (local.set $score (f64.mul
        (f64.sub (f64.convert_i32_s (call $dot (local.get $row))) (local.get $bias))
        (f64.promote_f32 (f32.load (local.get $weight)))))
      (if (f64.ge (local.get $score) (local.get $least)) (then
        (i32.store (local.get $out) (local.get $first))
        (f32.store offset=4 (local.get $out) (f32.demote_f64 (local.get $score)))
        (local.set $out (i32.add (local.get $out) (i32.const 8)))))
      (local.set $row (i32.add (local.get $row) (i32.const 384)))
      (local.set $weight (i32.add (local.get $weight) (i32.const 4)))
      (local.set $first (i32.add (local.get $first) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $first) (local.get $end))))
    (i32.shr_u (i32.sub (local.get $out) (i32.const 20480)) (i32.const 3)))

  ;; The same over the first n slots of the list.
  (func (export "scan_list") (param $n i32) (param $bias f64) (param $least f64) (result i32)
    (local $at i32) (local $end i32) (local $slot i32) (local $base i32) (local $out i32) (local $score f64)
    (if (i32.eqz (local.get $n)) (then (return (i32.const 0))))
    (local.set $out (i32.const 20480))
    (local.set $at (i32.const 4096))
    (local.set $end (i32.add (local.get $at) (i32.shl (local.get $n) (i32.const 2))))
    (loop $next
      (local.set $slot (i32.load (local.get $at)))
      (local.set $base (call $chunk (local.get $slot)))
      (local.set $score (f64.mul
        (f64.sub
          (f64.convert_i32_s (call $dot
            (i32.add (local.get $base) (i32.mul (call $within (local.get $slot)) (i32.const 384)))))
          (local.get $bias))
        (f64.promote_f32 (f32.load offset=6291456
          (i32.add (local.get $base) (i32.shl (call $within (local.get $slot)) (i32.const 2)))))))
      (if (f64.ge (local.get $score) (local.get $least)) (then
        (i32.store (local.get $out) (local.get $slot))
        (f32.store offset=4 (local.get $out) (f32.demote_f64 (local.get $score)))
        (local.set $out (i32.add (local.get $out) (i32.const 8)))))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
    (i32.shr_u (i32.sub (local.get $out) (i32.const 20480)) (i32.const 3)))

  ;; Codes of n rows: one bit a component, set where it is above the threshold.
  (func (export "make_codes") (param $first i32) (param $n i32)
    (local $row i32) (local $code i32) (local $at i32) (local $end i32)
    (if (i32.eqz (local.get $n)) (then (return)))
    (local.set $row (i32.add (call $chunk (local.get $first))
      (i32.mul (call $within (local.get $first)) (i32.const 384))))
    (local.set $code (i32.add (call $chunk (local.get $first))
      (i32.add (i32.const 6356992) (i32.mul (call $within (local.get $first)) (i32.const 48)))))
    (local.set $end (i32.add (local.get $code) (i32.mul (local.get $n) (i32.const 48))))
    (loop $next
      (local.set $at (i32.const 0))
      (loop $step
        (i32.store16 (local.get $code) (i8x16.bitmask (i8x16.gt_s
          (v128.load (local.get $row)) (v128.load offset=768 (local.get $at)))))
        (local.set $row (i32.add (local.get $row) (i32.const 16)))
        (local.set $code (i32.add (local.get $code) (i32.const 2)))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br_if $step (i32.lt_u (local.get $at) (i32.const 384))))
      (br_if $next (i32.lt_u (local.get $code) (local.get $end)))))

  ;; Bits that differ from the query code, for n rows: to the distances, counted in the histogram.
  (func (export "scan_codes") (param $first i32) (param $n i32)
    (local $code i32) (local $distance i32) (local $end i32) (local $d i32) (local $bin i32)
    (local $q0 i64) (local $q1 i64) (local $q2 i64) (local $q3 i64) (local $q4 i64) (local $q5 i64)
    (if (i32.eqz (local.get $n)) (then (return)))
    (local.set $q0 (i64.load (i32.const 1152)))
    (local.set $q1 (i64.load (i32.const 1160)))
    (local.set $q2 (i64.load (i32.const 1168)))
    (local.set $q3 (i64.load (i32.const 1176)))
    (local.set $q4 (i64.load (i32.const 1184)))
    (local.set $q5 (i64.load (i32.const 1192)))
    (local.set $code (i32.add (call $chunk (local.get $first))
      (i32.add (i32.const 6356992) (i32.mul (call $within (local.get $first)) (i32.const 48)))))
    (local.set $distance (i32.add (call $chunk (local.get $first))
      (i32.add (i32.const 7143424) (i32.shl (call $within (local.get $first)) (i32.const 1)))))
    (local.set $end (i32.add (local.get $code) (i32.mul (local.get $n) (i32.const 48))))
    (loop $next
      (local.set $d (i32.wrap_i64 (i64.add
        (i64.add
          (i64.add (i64.popcnt (i64.xor (i64.load (local.get $code)) (local.get $q0)))
                   (i64.popcnt (i64.xor (i64.load offset=8 (local.get $code)) (local.get $q1))))
          (i64.add (i64.popcnt (i64.xor (i64.load offset=16 (local.get $code)) (local.get $q2)))
                   (i64.popcnt (i64.xor (i64.load offset=24 (local.get $code)) (local.get $q3)))))
        (i64.add (i64.popcnt (i64.xor (i64.load offset=32 (local.get $code)) (local.get $q4)))
                 (i64.popcnt (i64.xor (i64.load offset=40 (local.get $code)) (local.get $q5)))))))
      (i32.store16 (local.get $distance) (local.get $d))
      (local.set $bin (i32.shl (local.get $d) (i32.const 2)))
      (i32.store offset=1216 (local.get $bin) (i32.add (i32.load offset=1216 (local.get $bin)) (i32.const 1)))
      (local.set $code (i32.add (local.get $code) (i32.const 48)))
      (local.set $distance (i32.add (local.get $distance) (i32.const 2)))
      (br_if $next (i32.lt_u (local.get $code) (local.get $end)))))

  ;; Appends to the list, from entry $at on, the slots of n rows whose distance is at most $most. Returns the new length.
  (func (export "pick_codes") (param $first i32) (param $n i32) (param $most i32) (param $at i32) (result i32)
    (local $distance i32) (local $end i32)
    (if (i32.eqz (local.get $n)) (then (return (local.get $at))))
    (local.set $distance (i32.add (call $chunk (local.get $first))
      (i32.add (i32.const 7143424) (i32.shl (call $within (local.get $first)) (i32.const 1)))))
    (local.set $end (i32.add (local.get $distance) (i32.shl (local.get $n) (i32.const 1))))
    (loop $next
      (if (i32.le_u (i32.load16_u (local.get $distance)) (local.get $most)) (then
        (i32.store offset=4096 (i32.shl (local.get $at) (i32.const 2)) (local.get $first))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))))
      (local.set $distance (i32.add (local.get $distance) (i32.const 2)))
      (local.set $first (i32.add (local.get $first) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $distance) (local.get $end))))
    (local.get $at)))
