/* Every op record, by name: what the registry lists. A new op is its file and a line here. */
#ifndef NETC_IR_OPS_LIST_H
#define NETC_IR_OPS_LIST_H

#include "ir/op.h"

/* What texts may call. */
#define FOR_EACH_TEXT_OP(OP)                                                                                 \
    OP(identity)                                                                                             \
    OP(conv2d)                                                                                               \
    OP(conv_transpose2d)                                                                                     \
    OP(linear)                                                                                               \
    OP(matmul)                                                                                               \
    OP(maxpool)                                                                                              \
    OP(avgpool)                                                                                              \
    OP(adaptive_avgpool)                                                                                     \
    OP(adaptive_maxpool)                                                                                     \
    OP(global_avgpool)                                                                                       \
    OP(global_maxpool)                                                                                       \
    OP(batchnorm)                                                                                            \
    OP(layernorm)                                                                                            \
    OP(lrn)                                                                                                  \
    OP(softmax)                                                                                              \
    OP(log_softmax)                                                                                          \
    OP(reduce_sum)                                                                                           \
    OP(reduce_mean)                                                                                          \
    OP(reduce_max)                                                                                           \
    OP(argmax)                                                                                               \
    OP(concat)                                                                                               \
    OP(split)                                                                                                \
    OP(slice)                                                                                                \
    OP(reshape)                                                                                              \
    OP(flatten)                                                                                              \
    OP(transpose)                                                                                            \
    OP(pad)                                                                                                  \
    OP(upsample)                                                                                             \
    OP(dropout)                                                                                              \
    OP(embedding)                                                                                            \
    OP(cast)                                                                                                 \
    OP(rbf)                                                                                                  \
    OP(rnn)                                                                                                  \
    OP(lstm)                                                                                                 \
    OP(gru)

/* What netc alone writes: passes, gradients, recipes. */
#define FOR_EACH_OWN_OP(OP)                                                                                  \
    OP(map)                                                                                                  \
    OP(maps)                                                                                                 \
    OP(scan)                                                                                                 \
    OP(random_keep)                                                                                          \
    OP(broadcast)                                                                                            \
    OP(sum_to)                                                                                               \
    OP(map_sums)                                                                                             \
    OP(samples)                                                                                              \
    OP(one_hot)                                                                                              \
    OP(batch_stats)                                                                                          \
    OP(conv2d_weight)                                                                                        \
    OP(conv2d_turn)                                                                                          \
    OP(linear_data)                                                                                          \
    OP(linear_weight)                                                                                        \
    OP(maxpool_grad)                                                                                         \
    OP(avgpool_grad)                                                                                         \
    OP(adaptive_avgpool_grad)                                                                                \
    OP(adaptive_maxpool_grad)                                                                                \
    OP(upsample_grad)                                                                                        \
    OP(lrn_grad)                                                                                             \
    OP(embedding_weight)                                                                                     \
    OP(batchnorm_train)                                                                                      \
    OP(cross_entropy)                                                                                        \
    OP(nll)                                                                                                  \
    OP(mse)                                                                                                  \
    OP(l1)                                                                                                   \
    OP(bce)                                                                                                  \
    OP(bce_with_logits)                                                                                      \
    OP(reorder)

#define FOR_EACH_OP(OP) FOR_EACH_TEXT_OP(OP) FOR_EACH_OWN_OP(OP)

#define DECLARE_OP(name) extern const op op_##name;
FOR_EACH_OP(DECLARE_OP)

/* Elementwise rows: op_scalar_ADD, ... */
#define DECLARE_KERNEL(NAME)
#define DECLARE_GRAPH(NAME)                                  extern const op op_scalar_##NAME;
#define SCALAR(NAME, name, arity, kind, eval, c, derivative) DECLARE_##kind(NAME)
#include "ir/scalar.def"

#endif
