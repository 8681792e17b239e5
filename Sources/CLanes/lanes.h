/* Arithmetic on four numbers at once.
 *
 * The standard library's vectors are worked on number by number and put together again by the optimizer, which in long expressions spends
 * more instructions on sorting them than on arithmetic. These are one instruction each, on every processor. No two operations are fused, so
 * that results are the same everywhere. */
#ifndef LANES_H
#define LANES_H

#pragma STDC FP_CONTRACT OFF

typedef float lanes_values __attribute__((ext_vector_type(4)));
#define LANES_FUNCTION static inline __attribute__((always_inline))

LANES_FUNCTION lanes_values lanes_sum(lanes_values a, lanes_values b) { return a + b; }
LANES_FUNCTION lanes_values lanes_difference(lanes_values a, lanes_values b) { return a - b; }
LANES_FUNCTION lanes_values lanes_product(lanes_values a, lanes_values b) { return a * b; }
LANES_FUNCTION lanes_values lanes_quotient(lanes_values a, lanes_values b) { return a / b; }
LANES_FUNCTION lanes_values lanes_repeating(float value) { return (lanes_values)(value); }
/* What is positive of each, else 0; a number that is not one stays. */
LANES_FUNCTION lanes_values lanes_positive(lanes_values a) { return 0 > a ? (lanes_values)(0) : a; }
LANES_FUNCTION lanes_values lanes_lesser(lanes_values a, lanes_values limit) { return limit < a ? limit : a; }
LANES_FUNCTION lanes_values lanes_greater(lanes_values a, lanes_values limit) { return limit > a ? limit : a; }
LANES_FUNCTION lanes_values lanes_magnitude(lanes_values a) { return __builtin_elementwise_abs(a); }
/* Whether the sign bit of all, or of any, is set. */
#ifdef __SSE__
LANES_FUNCTION int lanes_signs(lanes_values a) { return __builtin_ia32_movmskps(a); }
LANES_FUNCTION _Bool lanes_all_negative(lanes_values a) { return lanes_signs(a) == 15; }
LANES_FUNCTION _Bool lanes_any_negative(lanes_values a) { return lanes_signs(a) != 0; }
#else
typedef int lanes_bits __attribute__((ext_vector_type(4)));
LANES_FUNCTION _Bool lanes_all_negative(lanes_values a) { return __builtin_reduce_and((lanes_bits)a) < 0; }
LANES_FUNCTION _Bool lanes_any_negative(lanes_values a) { return __builtin_reduce_or((lanes_bits)a) < 0; }
#endif

#endif
