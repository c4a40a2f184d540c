/*
 * distribution_tables.h - fixed-point tables of functions that sim/distribution.c interpolates.
 * Private to it.
 */
#ifndef SIM_DISTRIBUTION_TABLES_H
#define SIM_DISTRIBUTION_TABLES_H

#include <stdint.h>

#define SIM_LOG2_ENTRIES 67
#define SIM_EXP2_ENTRIES 67
#define SIM_NORMAL_ENTRIES 508

extern const int64_t sim_log2_table[SIM_LOG2_ENTRIES];
extern const int64_t sim_exp2_table[SIM_EXP2_ENTRIES];
extern const int64_t sim_normal_table[SIM_NORMAL_ENTRIES];

#endif
