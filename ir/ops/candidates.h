/* The ways to compute each primitive op, defined beside their kernels in ir/kernel/; each list ends with
 * NULL. Elementwise ops, views, composites and scan (whose body is lowered in a loop) have none. */
#ifndef NETC_IR_OPS_CANDIDATES_H
#define NETC_IR_OPS_CANDIDATES_H

#include "ir/op.h"

extern const candidate *const conv2d_candidates[];
extern const candidate *const conv_transpose2d_candidates[];
extern const candidate *const linear_candidates[];
extern const candidate *const matmul_candidates[];
extern const candidate *const maxpool_candidates[];
extern const candidate *const avgpool_candidates[];
extern const candidate *const adaptive_avgpool_candidates[];
extern const candidate *const adaptive_maxpool_candidates[];
extern const candidate *const global_avgpool_candidates[];
extern const candidate *const global_maxpool_candidates[];
extern const candidate *const lrn_candidates[];
extern const candidate *const reduce_sum_candidates[];
extern const candidate *const reduce_mean_candidates[];
extern const candidate *const reduce_max_candidates[];
extern const candidate *const argmax_candidates[];
extern const candidate *const concat_candidates[];
extern const candidate *const split_candidates[];
extern const candidate *const slice_candidates[];
extern const candidate *const transpose_candidates[];
extern const candidate *const pad_candidates[];
extern const candidate *const upsample_candidates[];
extern const candidate *const embedding_candidates[];
extern const candidate *const random_keep_candidates[];
extern const candidate *const cast_candidates[];
extern const candidate *const maps_candidates[];
extern const candidate *const broadcast_candidates[];
extern const candidate *const sum_to_candidates[];
extern const candidate *const map_sums_candidates[];
extern const candidate *const samples_candidates[];
extern const candidate *const one_hot_candidates[];
extern const candidate *const batch_stats_candidates[];
extern const candidate *const conv2d_weight_candidates[];
extern const candidate *const conv2d_turn_candidates[];
extern const candidate *const linear_data_candidates[];
extern const candidate *const linear_weight_candidates[];
extern const candidate *const maxpool_grad_candidates[];
extern const candidate *const avgpool_grad_candidates[];
extern const candidate *const adaptive_avgpool_grad_candidates[];
extern const candidate *const adaptive_maxpool_grad_candidates[];
extern const candidate *const upsample_grad_candidates[];
extern const candidate *const lrn_grad_candidates[];
extern const candidate *const embedding_weight_candidates[];
extern const candidate *const reorder_candidates[];

#endif
